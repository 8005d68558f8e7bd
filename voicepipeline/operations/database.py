"""Bringing a database to where this code can work with it, or saying why it cannot."""

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from voicepipeline import logs
from voicepipeline.refusals import StartError

# With Python's own start a refusal comes within ten seconds.
PATIENCE = timedelta(seconds=8)
# After a crash PostgreSQL replays its log before it lets anybody in; the embedded one has just been started.
EMBEDDED_PATIENCE = timedelta(seconds=60)
POLL_SECONDS = 0.05
OLDEST_POSTGRESQL = 15
SET_UP_LOCK = 7_310_260_128


def wait_for_database() -> int:
    """Wait until the database lets us in; returns its server's version as PostgreSQL numbers it, 180004 for 18.4."""
    patience = EMBEDDED_PATIENCE if settings.EMBEDDED_DATABASE else PATIENCE
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        remaining = deadline - time.monotonic()
        try:
            return _server_version(remaining)
        except psycopg.OperationalError as error:
            if time.monotonic() + POLL_SECONDS >= deadline:
                reason = _reason(error)
                raise StartError(f"the database {masked_address()} cannot be reached: {reason}.") from error
            time.sleep(POLL_SECONDS)


def _server_version(remaining: float) -> int:
    parameters = connection.get_connection_params() | {"connect_timeout": max(1, round(remaining))}
    for ours in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(ours, None)
    with psycopg.connect(**parameters) as probe:
        return probe.info.server_version


def _reason(error: psycopg.OperationalError) -> str:
    lines = str(error).splitlines() or ["no reason given"]
    return logs.clean(lines[0].removeprefix("connection failed: ").strip().rstrip("."))


def masked_address() -> str:
    """Which database this is, for people to read; its password left out."""
    where = connection.settings_dict
    user = f"{where['USER']}:•••@" if where["USER"] else ""
    port = f":{where['PORT']}" if where["PORT"] else ""
    return f"postgresql://{user}{where['HOST'] or 'localhost'}{port}/{where['NAME']}"


def refuse_old_server(version: int) -> None:
    """Raise when this PostgreSQL is older than what the queries need."""
    if version < OLDEST_POSTGRESQL * 10_000:
        raise StartError(
            f"the database {masked_address()} is PostgreSQL {version // 10_000}. "
            f"This needs PostgreSQL {OLDEST_POSTGRESQL} or newer."
        )


def refuse_newer_schema() -> None:
    """Raise when the database has migrations that this code does not know."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations or {})
    known |= {old for migration in loader.disk_migrations.values() for old in migration.replaces}
    installed = {config.label for config in apps.get_app_configs()}
    unknown = sorted(key for key in loader.applied_migrations if key[0] in installed and key not in known)
    if unknown:
        raise StartError(
            f"the database is newer than the code: it has the migration {'.'.join(unknown[-1])}, "
            "which this release does not know. Install the release that made it, or restore an older copy of the data."
        )


def outstanding_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def bring_up_to_date() -> None:
    """Apply the migrations and make the table of the shared cache."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Held by one set-up of this database, on whichever machine it runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SET_UP_LOCK])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [SET_UP_LOCK])
