"""Notes for a fleet: `python -m tests.faults.feeding` reads scripts, one JSON object a line, and queues a note each.

With --prepare it makes the tables, those of the test stages among them.
"""

import json
import sys

import django


def prepare() -> None:
    from django.core.management import call_command
    from django.db import connection

    from tests.stages.scripted import RESULT_TABLE

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(RESULT_TABLE)


def feed(script: dict[str, list[str]]) -> int:
    """A received note whose stages go like this, with its first stage queued."""
    from tests.engine.helpers import make_artifact, scheduled

    artifact = make_artifact(**script)
    scheduled(artifact)
    return artifact.pk


if __name__ == "__main__":
    django.setup()
    if "--prepare" in sys.argv:
        prepare()
    for line in sys.stdin:
        print(feed(json.loads(line)))  # noqa: T201 — what the test that called it reads
