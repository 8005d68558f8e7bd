"""The embedded PostgreSQL by itself: who gets in, where its files lie, what it recovers from."""

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.environment import bury, remove
from tests.postgres import UNSAFE_BUT_QUICK, connect, running
from tests.supervisor.upping import living
from voicepipeline.supervisor import embedded
from voicepipeline.supervisor.embedded import EmbeddedPostgres, EmbeddedPostgresError

pytestmark = pytest.mark.faults

AS_ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[EmbeddedPostgres]:
    var_dir = tmp_path_factory.mktemp("embedded") / "var"
    server = EmbeddedPostgres.for_var_dir(var_dir)
    try:
        with running(server, **UNSAFE_BUT_QUICK):
            yield server
    finally:
        remove(server, var_dir)


@pytest.fixture
def another(tmp_path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres.for_var_dir(tmp_path / "var")
    yield server
    remove(server, tmp_path / "var")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_a_killed_test_run_left_is_removed_by_whoever_comes_first(another, tmp_path):
    with another.lock():
        bury(tmp_path / "var")
        assert another.home.exists()
    bury(tmp_path / "var")
    assert not another.home.exists()


def test_it_is_the_newer_of_the_two_servers_in_the_wheel(postgres):
    with connect(postgres) as connection:
        assert connection.info.server_version >= 180_000


def test_it_takes_300_connections(postgres):
    with connect(postgres) as connection:
        assert connection.execute("SHOW max_connections").fetchone() == ("300",)


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_wrong_password_is_refused(postgres, password):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=str(postgres.socket_dir), port=5432, dbname="voicepipeline", user="voicepipeline", password=password
        )


def test_passwords_are_kept_and_asked_for_as_scram(postgres):
    with connect(postgres) as connection:
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        stored = connection.execute("SELECT left(rolpassword, 13) FROM pg_authid WHERE rolcanlogin").fetchall()
    assert (rules, stored) == ([("scram-sha-256",)], [("SCRAM-SHA-256",)])


def test_it_listens_on_no_network(postgres):
    with connect(postgres) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_data_socket_and_password_are_for_their_owner_alone(postgres):
    assert [mode(folder) for folder in (postgres.data_dir, postgres.socket_dir)] == [0o700, 0o700]
    assert mode(postgres.password_file) == 0o600


def test_the_server_runs_without_privileges(postgres):
    with connect(postgres) as connection:
        server = psutil.Process(connection.info.backend_pid)
        assert server.uids().effective == (postgres.account.uid if AS_ROOT else os.geteuid()) != 0


def test_no_secret_of_ours_is_in_the_environment_of_the_server(postgres):
    assert set(postgres.popen_options()["env"]) == {"PATH", "LC_ALL", "TZ"}


def test_a_folder_is_used_by_one_at_a_time(postgres):
    with pytest.raises(EmbeddedPostgresError, match="already in use"), postgres.lock():
        pass


def test_it_starts_over_a_pid_file_whose_pid_is_now_another_programs(another):
    with another.lock():
        another.prepare()
    # PostgreSQL believes such a file only when the process could be its own: of its user, and not its parent.
    with subprocess.Popen(["sleep", "60"], **another.popen_options()) as stranger:
        (another.data_dir / "postmaster.pid").write_text(f"{stranger.pid}\n{another.data_dir}\n")
        with running(another), connect(another) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stranger.poll() is None
        stranger.kill()


def test_a_backend_that_outlives_its_killed_postmaster_does_not_stop_the_next_start(another):
    with running(another) as postmaster, connect(another) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        backend.suspend()  # or it would see for itself that its postmaster has gone
        postmaster.kill()
        postmaster.wait()
    assert living([backend])
    with running(another), connect(another) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert living([backend]) == []


def test_a_half_made_data_folder_is_made_anew(another):
    with another.lock():
        half = another.data_dir.with_name("data.new")
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        another.prepare()
    assert (another.data_dir / "global").is_dir()
    assert not half.exists()


@pytest.mark.parametrize("name", ["a long way down " * 6, "one,two"])
def test_a_path_that_no_socket_can_have_gets_a_short_folder_of_its_own(another, tmp_path, name):
    digest = another.home.name[-8:]
    moved = replace(another, socket_dir=embedded.socket_dir(tmp_path / name / "run", digest))
    try:
        with running(moved, **UNSAFE_BUT_QUICK), connect(moved) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert moved.socket_dir.parent == Path("/tmp")
            assert mode(moved.socket_dir) == 0o700
    finally:
        shutil.rmtree(moved.socket_dir)


def test_a_new_var_folder_at_an_old_path_gets_a_database_that_its_password_opens(tmp_path):
    var_dir = tmp_path / "var"
    old = EmbeddedPostgres.for_var_dir(var_dir)
    with running(old, **UNSAFE_BUT_QUICK):
        pass
    shutil.rmtree(var_dir)
    new = EmbeddedPostgres.for_var_dir(var_dir)
    try:
        with running(new, **UNSAFE_BUT_QUICK), connect(new) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        remove(old, var_dir)
        remove(new, var_dir)


def test_another_user_reaches_neither_socket_nor_data(postgres):
    """Only root can take another user's place; anybody else proves the same with the modes of the folders."""
    if not AS_ROOT:
        assert mode(postgres.home) == 0o700
        return
    nobody = pwd.getpwnam("nobody")
    for path in (postgres.socket_dir, postgres.data_dir, postgres.password_file.parent / "postgres_password"):
        looked = subprocess.run(
            ["cat" if path.is_file() else "ls", str(path)],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Permission denied" in looked.stderr


def test_a_socket_folder_that_is_somebody_elses_is_refused(another, tmp_path):
    """A link is never followed: it could lead into a folder that anybody may write to."""
    (tmp_path / "run").symlink_to(tmp_path)
    squatted = replace(another, socket_dir=tmp_path / "run")
    with pytest.raises(EmbeddedPostgresError, match="belongs to somebody else"), squatted.lock():
        squatted.prepare()
