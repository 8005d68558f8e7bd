"""A PostgreSQL server of a test's own, from the embedded binaries."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator

import psycopg

from voicepipeline.supervisor.embedded import EmbeddedPostgres

# Losing the data of a killed test run is fine; waiting for its disk is not.
UNSAFE_BUT_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_TIMEOUT_SECONDS = 30


@contextlib.contextmanager
def running(postgres: EmbeddedPostgres, **options: str) -> Iterator[subprocess.Popen[bytes]]:
    """This server, up and answering; stopped at the end."""
    with postgres.lock():
        postgres.prepare()
        process = subprocess.Popen(
            postgres.command(**options),
            **postgres.popen_options(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_answering(postgres)
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def connect(postgres: EmbeddedPostgres) -> "psycopg.Connection[tuple[object, ...]]":
    where = postgres.django_settings()
    return psycopg.connect(
        host=where["HOST"],
        port=where["PORT"],
        dbname=where["NAME"],
        user=where["USER"],
        password=where["PASSWORD"],
        connect_timeout=5,
        autocommit=True,
    )


def wait_until_answering(postgres: EmbeddedPostgres, timeout: float = START_TIMEOUT_SECONDS) -> None:
    deadline = time.monotonic() + timeout
    while True:
        try:
            connect(postgres).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
