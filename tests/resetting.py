"""After a test that commits, only what it wrote is taken away: emptying every table takes ten times as long."""

import time
from collections.abc import Iterator

from django.db import connection
from django.db.backends.utils import CursorWrapper

PATIENCE_SECONDS = 60
OTHERS = """
SELECT format('%s for %s: %s', state, clock_timestamp() - xact_start, left(query, 300)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND xact_start IS NOT NULL
    AND pid <> pg_backend_pid()
"""


class Baseline:
    """What the migrated database holds, to which every test comes."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
            self.digests = {table: _digest(cursor, table) for table in tables}
            self.rows = {table: list(_copy_out(cursor, table)) for table, digest in self.digests.items() if digest}

    def restore(self) -> None:
        """Wait for what other threads and processes are still about, then undo what has been written."""
        with connection.cursor() as cursor:
            _wait_for_others(cursor)
            written = self._written(cursor)
            if not written:
                return
            cursor.execute("BEGIN")
            # Neither order nor our own triggers matter: afterwards everything is as it was.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in written:
                cursor.execute(f'DELETE FROM "{table}"')
            for table in filter(self.rows.get, written):
                _copy_in(cursor, table, self.rows[table])
            cursor.execute("COMMIT")

    def _written(self, cursor: CursorWrapper) -> list[str]:
        questions = [
            f"SELECT '{table}' WHERE {_DIGEST.format(table=table)} <> '{digest}'"
            if digest
            else f"SELECT '{table}' WHERE EXISTS (SELECT FROM \"{table}\")"
            for table, digest in self.digests.items()
        ]
        cursor.execute(" UNION ALL ".join(questions))
        return [table for (table,) in cursor.fetchall()]


_DIGEST = "(SELECT coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM \"{table}\" t)"


def _digest(cursor: CursorWrapper, table: str) -> str:
    """Of everything in it; empty when nothing is."""
    cursor.execute(f"SELECT {_DIGEST.format(table=table)}")
    (digest,) = cursor.fetchone()
    return str(digest)


def _copy_out(cursor: CursorWrapper, table: str) -> Iterator[bytes]:
    with cursor.cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        yield from map(bytes, copy)


def _copy_in(cursor: CursorWrapper, table: str, rows: list[bytes]) -> None:
    with cursor.cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
        for row in rows:
            copy.write(row)


def _wait_for_others(cursor: CursorWrapper) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        cursor.execute(OTHERS)
        others = [what for (what,) in cursor.fetchall()]
        if not others:
            return
        if time.monotonic() > deadline:
            raise AssertionError("A test left transactions open:\n" + "\n".join(others))
        time.sleep(0.01)


def is_possible() -> bool:
    """Triggers can be passed over by a superuser alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])
