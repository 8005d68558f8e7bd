"""What a person of the staff does about many failed notes, in an installation of its own.

`python -m tests.faults.retrying preview` previews a retry of all notes that the AI service has turned away, `start` and
`look` take its id. Each prints what it found as JSON.
"""

import json
import sys
import time
from typing import Any

import django

PREVIEWED_TIMES = 5
REFUSED = "request_refused"
USER = "aoife"


def preview() -> dict[str, Any]:
    """A preview of all notes with the problem, how long counting took at best, and the queries for few and all."""
    from retry.bulk.previews import make_preview
    from retry.kinds import FAILED_STAGE
    from retry.models import FailureGroup
    from voicepipeline.models import Artifact

    by = operator()
    problem = FailureGroup.objects.get(error_code=REFUSED)
    failed = Artifact.objects.failed().filter(fingerprint=problem.fingerprint)
    notes = list(failed.order_by("received_at").values_list("pk", flat=True))
    counted = [_counted(notes, by) for _ in range(PREVIEWED_TIMES)]
    bulk = make_preview(notes, FAILED_STAGE, by=by, chosen_by="All with this problem")
    return {
        "bulk": str(bulk.bulk_id),
        "failures": problem.failures,
        "expected": bulk.expected,
        "refused": len(notes) - bulk.expected,
        "kinds": bulk.details["kinds"],
        "seconds": min(seconds for seconds, _ in counted),
        "queries": [_counted(notes[:10], by)[1], counted[0][1]],
    }


def _counted(notes: list[int], by: Any) -> tuple[float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from retry.kinds import FAILED_STAGE
    from retry.queries import preview_retry

    began = time.monotonic()
    with CaptureQueriesContext(connection) as queries:
        preview_retry(notes, FAILED_STAGE, by=by)
    return time.monotonic() - began, len(queries)


def start(bulk_id: str) -> dict[str, Any]:
    from retry.bulk.previews import start_bulk

    outcome = start_bulk(bulk_id, by=operator(), reason="The AI service takes these recordings again.")
    return {"done": outcome.done, "message": outcome.message}


def look(bulk_id: str) -> dict[str, Any]:
    """What its page says."""
    from retry.bulk.progress import progress_of
    from retry.models import BulkRetry

    bulk = BulkRetry.objects.get(bulk_id=bulk_id)
    progress = progress_of(bulk)
    names = ("waiting", "requested", "succeeded", "failed", "superseded", "refused", "waits_for", "on_hold")
    said = {name: getattr(progress, name) for name in names}
    return {**said, "state": bulk.state, "why": bulk.state_reason, "cost": str(progress.cost_usd or "")}


def operator():
    from tests.factories import make_user
    from voicepipeline import roles
    from voicepipeline.models import User

    return User.objects.filter(username=USER).first() or make_user(roles.OPERATOR, username=USER)


if __name__ == "__main__":
    django.setup()
    act, *arguments = sys.argv[1:]
    print(json.dumps({"preview": preview, "start": start, "look": look}[act](*arguments)))  # noqa: T201
