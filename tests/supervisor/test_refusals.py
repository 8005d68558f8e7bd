"""Each reason not to start: one sentence, exit code 1, no traceback."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.supervisor.upping import free_port, manage
from voicepipeline.operations import database
from voicepipeline.refusals import StartError

KEY = "for-tests-alone-" * 4
NOT_POSTGRESQL = "DATABASE_URL must name a PostgreSQL database: postgresql://user:password@host/name."


def refusal(*arguments: str, var_dir: Path, **more: str) -> str:
    done = manage(*arguments, var_dir=var_dir, **more)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (["--port", "99999"], {}, "--port must be a whole number from 1 to 65535, not 99999."),
        (["--port", "http"], {}, "--port must be a whole number from 1 to 65535, not http."),
        (["--workers", "0"], {}, "--workers must be a whole number from 1 to 200, not 0."),
        (
            ["--demo"],
            {"WEB_HOST": "0.0.0.0"},
            "--demo makes accounts whose passwords everybody knows, and WEB_HOST=0.0.0.0 opens them to other machines. "
            "Unset WEB_HOST, or leave --demo out.",
        ),
        (
            [],
            {"WEB_HOST": "192.0.2.1"},
            "WEB_HOST=192.0.2.1 is not an address of this machine.",
        ),
        (
            [],
            {"DATABASE_URL": "postgresql://ann:hush@127.0.0.1/x"},
            "SECRET_KEY is not set. With DATABASE_URL set it has no default: put a random string of 50 characters "
            "or more into the environment or into .env.",
        ),
        ([], {"DATABASE_URL": "mysql://ann:hush@127.0.0.1/x", "SECRET_KEY": KEY}, NOT_POSTGRESQL),
    ],
)
def test_a_wrong_value_is_named(tmp_path, arguments, variables, sentence):
    assert refusal("up", *arguments, var_dir=tmp_path, **variables) == f"Cannot start: {sentence}\n"


def test_a_port_in_use_where_the_simulated_provider_answers(tmp_path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port + 741)):
        said = refusal("up", "--port", str(port), var_dir=tmp_path)
    assert said == (
        f"Cannot start: the simulated AI provider needs port {port + 741} on 127.0.0.1, which is in use or not open to "
        "this user. Stop the program that uses it, or choose another port: --port 9000, or PORT=9000 with make.\n"
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"OPENAI_BASE_URL": "https://api.openai.com/v1"},
            "OPENAI_BASE_URL is set and OPENAI_API_KEY is not. Set both, or neither for the simulated provider.",
        ),
        (
            {"OPENAI_BASE_URL": "api.openai.com", "OPENAI_API_KEY": "sk-x"},
            "OPENAI_BASE_URL must be an address such as https://api.openai.com/v1.",
        ),
        (
            {"OPENAI_API_KEY": "sk-hush hush"},
            "OPENAI_API_KEY must be one word of plain letters, digits and signs.",
        ),
        (
            {"AI_CHAT_TIMEOUT_SECONDS": "100"},
            "AI_CHAT_TIMEOUT_SECONDS must be a whole number from 1 to 72, not 100.",
        ),
    ],
)
def test_a_provider_that_cannot_be_is_named_without_its_key(tmp_path, variables, sentence):
    assert refusal("up", var_dir=tmp_path, **variables) == f"Cannot start: {sentence}\n"


def test_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refusal("up", "--port", str(port), var_dir=tmp_path)
    assert said == (
        f"Cannot start: port {port} on 127.0.0.1 is already in use. "
        "Stop the program that uses it, or choose another port: --port 9000, or PORT=9000 with make.\n"
    )


def test_a_folder_that_cannot_be_written(tmp_path):
    in_the_way = tmp_path / "var"
    in_the_way.write_text("a file, which stops root too")
    assert refusal("up", var_dir=in_the_way) == (
        f"Cannot start: {in_the_way} is not writable for this user (File exists). "
        "Give this user the folder, or name another one in VAR_DIR.\n"
    )


@pytest.mark.trial
def test_a_database_that_nobody_answers_for(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        started = time.monotonic()
        url = f"postgresql://ann:hush@{address}/club"
        said = refusal("up", "--port", str(free_port()), var_dir=tmp_path, DATABASE_URL=url, SECRET_KEY=KEY)
    assert said.startswith(f"Cannot start: the database postgresql://ann:•••@{address}/club cannot be reached: ")
    assert said.endswith(" failed: Connection refused.\n")
    assert said.count("\n") == 1
    assert time.monotonic() - started < 12


@pytest.fixture
def old_postgresql() -> Iterator[str]:
    """The address of a server that says it is PostgreSQL 14.9, and can do no more than that."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_greet, args=(server,), daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _greet(server: socket.socket) -> None:
    client, _ = server.accept()
    with client:
        for _ in range(3):
            (length,) = struct.unpack("!I", client.recv(4, socket.MSG_WAITALL))
            (code,) = struct.unpack("!I", client.recv(length - 4, socket.MSG_WAITALL)[:4])
            if code not in (80877103, 80877104):  # not a question about encryption, so it is the greeting
                break
            client.sendall(b"N")
        version = b"server_version\x0014.9\x00"
        client.sendall(
            struct.pack("!cII", b"R", 8, 0)
            + struct.pack("!cI", b"S", 4 + len(version))
            + version
            + struct.pack("!cIc", b"Z", 5, b"I")
        )
        client.recv(1)  # until it hangs up


def test_a_server_that_is_too_old(tmp_path, old_postgresql):
    url = f"postgresql://ann:hush@{old_postgresql}/club"
    assert refusal("set_up", var_dir=tmp_path, DATABASE_URL=url, SECRET_KEY=KEY) == (
        f"Cannot start: the database postgresql://ann:•••@{old_postgresql}/club is PostgreSQL 14. "
        "This needs PostgreSQL 15 or newer.\n"
    )


@pytest.mark.django_db
def test_a_database_newer_than_the_code():
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('voicepipeline', '9999_later', now())"
        )
    with pytest.raises(StartError) as refused:
        database.refuse_newer_schema()
    assert str(refused.value) == (
        "the database is newer than the code: it has the migration voicepipeline.9999_later, which this release "
        "does not know. Install the release that made it, or restore an older copy of the data."
    )


@pytest.mark.django_db
def test_migrations_of_an_app_that_is_gone_do_not_count_as_newer():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('gone', '0001_initial', now())")
    database.refuse_newer_schema()
