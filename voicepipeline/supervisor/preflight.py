"""What must hold before anything is started; each question answers with a refusal in one sentence."""

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from voicepipeline.configuration import is_loopback
from voicepipeline.refusals import StartError


def check_demo_host(host: str) -> None:
    if not is_loopback(host):
        raise StartError(
            f"--demo makes accounts whose passwords everybody knows, and WEB_HOST={host} opens them to other machines. "
            "Unset WEB_HOST, or leave --demo out."
        )


def check_port_is_free(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gunicorn will: connections of a server that has just ended do not hold the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise StartError(_why_not(host, port, error)) from error


def check_simulator_port(host: str, port: int) -> None:
    """The port on which the simulated AI provider is to answer."""
    try:
        check_port_is_free(host, port)
    except StartError:
        raise StartError(
            f"the simulated AI provider needs port {port} on {host}, which is in use or not open to this user. "
            "Stop the program that uses it, or choose another port: --port 9000, or PORT=9000 with make."
        ) from None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is already in use. "
            "Stop the program that uses it, or choose another port: --port 9000, or PORT=9000 with make."
        )
    if error.errno == errno.EACCES:
        return f"port {port} is not open to this user. Choose one above 1023 with --port."
    return f"WEB_HOST={host} is not an address of this machine."


@contextlib.contextmanager
def only_one(var_dir: Path) -> Iterator[None]:
    """Held while `up` runs; the kernel gives it back if `up` is killed."""
    with _open_lock(var_dir) as file:
        file.seek(0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = file.read().strip()
            raise StartError(f"it is running already, as process {pid}, with its data in {var_dir}.") from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def _open_lock(var_dir: Path) -> IO[str]:
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        return (var_dir / "up.lock").open("a+")
    except OSError as error:
        raise StartError(
            f"{var_dir} is not writable for this user ({error.strerror}). "
            "Give this user the folder, or name another one in VAR_DIR."
        ) from error
