"""Everything that a retry could touch, row by row, and attempts of which no trace is left."""

from contextlib import contextmanager

from django.db import connection

TABLES = (
    *(
        f"voicepipeline_{name}"
        for name in (
            "artifact",
            "voicenote",
            "stagerun",
            "transcript",
            "claim",
            "entityresolution",
            "insightdraft",
            "namechoice",
            "entrydecision",
            "notedecision",
            "playeralias",
            "pipelineevent",
            "droppedevent",
            "aiservicehealth",
        )
    ),
    "metrics_counter",
    "retry_retryattempt",
    "retry_bulkretry",
    "retry_bulkretryitem",
    "retry_failuregroup",
    "retry_failuremark",
    "django_q_ormq",
)
DUMP = " UNION ALL ".join(
    f"SELECT '{table}', coalesce(md5(string_agg(t::text, ',' ORDER BY t::text)), '') FROM {table} t" for table in TABLES
)


def dump():
    """A digest of all rows of every table, by table: equal before and after when nothing has happened."""
    with connection.cursor() as cursor:
        cursor.execute(DUMP)
        return dict(cursor.fetchall())


@contextmanager
def tried_out():
    """Whatever is done in here is undone at its end; the operations' own transactions work in it as ever."""
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT tried_out")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK TO SAVEPOINT tried_out")
