"""Failures that are the same problem: kept as they happen, and what people decide about them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from retry.models import FailureGroup, FailureMark
from voicepipeline.access import verify_platform_staff
from voicepipeline.engine.requests import CANCELLED
from voicepipeline.engine.transactions import database_now
from voicepipeline.events import LoggedEvent
from voicepipeline.models import EventType, StageName, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.registry import Tick, registry
from voicepipeline.signals import events_logged
from voicepipeline.text import safe_text

MARK_PROBLEM = "retry.mark_problem"
MAX_NOTE = 500
LONGEST_ASIDE = timedelta(days=366)
NO_SUCH_PROBLEM = Outcome(False, "There is no such problem.")
Status, Mark = FailureGroup.Status, FailureMark.Kind

# One statement in one order: who fails in the same moment waits, and never for each other. What it writes is as long
# as its columns, and the number cannot leave its type: nothing here may keep a voice note from failing.
KEEP = """
WITH failed AS MATERIALIZED (
    SELECT artifact.id, fingerprint, failed_stage, error_code, error_message, given.failed_at
    FROM unnest(%(artifacts)s::bigint[], %(moments)s::timestamptz[]) AS given (artifact_id, failed_at)
    JOIN voicepipeline_artifact AS artifact ON artifact.id = given.artifact_id
    WHERE artifact.status = 'failed' AND error_code <> %(cancelled)s AND fingerprint <> ''
),
latest AS (SELECT DISTINCT ON (fingerprint) * FROM failed ORDER BY fingerprint, failed_at DESC, id DESC),
counted AS (
    SELECT fingerprint, count(*) AS failures, min(failed_at) AS first_at FROM failed GROUP BY fingerprint
)
INSERT INTO retry_failuregroup AS kept
    (fingerprint, stage, error_code, error_message, failures, first_seen_at, last_seen_at, example_id, status)
SELECT fingerprint, failed_stage, error_code, error_message, failures, first_at, failed_at, id, 'open'
FROM latest JOIN counted USING (fingerprint)
ORDER BY fingerprint
ON CONFLICT (fingerprint) DO UPDATE SET
    failures = least(kept.failures::bigint + excluded.failures, 2147483647),
    first_seen_at = least(kept.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at),
    error_message = CASE WHEN excluded.last_seen_at < kept.last_seen_at THEN kept.error_message
                         ELSE excluded.error_message END,
    example_id = CASE WHEN excluded.last_seen_at < kept.last_seen_at THEN kept.example_id
                      ELSE excluded.example_id END
RETURNING id, status
"""

# One step of the index for each problem, however many notes have it.
WITHOUT_A_GROUP = """
WITH RECURSIVE known (problem) AS (
    (SELECT fingerprint FROM voicepipeline_artifact
     WHERE status = 'failed' AND closed_at IS NULL AND fingerprint > '' ORDER BY fingerprint LIMIT 1)
    UNION ALL
    SELECT (SELECT fingerprint FROM voicepipeline_artifact
            WHERE status = 'failed' AND closed_at IS NULL AND fingerprint > known.problem
            ORDER BY fingerprint LIMIT 1)
    FROM known WHERE known.problem IS NOT NULL
)
SELECT problem FROM known
WHERE problem <> ALL(%(cancelled)s)
AND NOT EXISTS (SELECT FROM retry_failuregroup WHERE fingerprint = problem)
"""
# When a note failed is not kept with it: that it has not changed since is the best that can be said.
ADD = """
INSERT INTO retry_failuregroup
    (fingerprint, stage, error_code, error_message, failures, first_seen_at, last_seen_at, example_id, status)
SELECT fingerprint, (array_agg(failed_stage ORDER BY updated_at DESC, id DESC))[1],
       (array_agg(error_code ORDER BY updated_at DESC, id DESC))[1],
       (array_agg(error_message ORDER BY updated_at DESC, id DESC))[1],
       count(*), min(updated_at), max(updated_at), (array_agg(id ORDER BY updated_at DESC, id DESC))[1], 'open'
FROM voicepipeline_artifact
WHERE status = 'failed' AND closed_at IS NULL AND fingerprint = ANY(%(problems)s) AND error_code <> %(cancelled)s
GROUP BY fingerprint
ORDER BY fingerprint
ON CONFLICT (fingerprint) DO NOTHING
"""


def connect() -> None:
    """Listen to what fails, and look every minute for what failed while nobody listened."""
    events_logged.connect(keep_problems, dispatch_uid="problems")
    registry.add_tick(Tick(name="problems", every=timedelta(seconds=60), run=add_missing))


def keep_problems(*, events: Sequence[LoggedEvent], **kwargs: Any) -> None:
    """In the transaction in which notes fail: count each with its problem, and open again what came back."""
    failed = {
        event.artifact_id: event.timestamp
        for event in events
        if event.event_type == EventType.ARTIFACT_FAILED and event.artifact_id is not None
    }
    if not failed:
        return
    with connection.cursor() as cursor:
        cursor.execute(KEEP, {"artifacts": list(failed), "moments": list(failed.values()), "cancelled": str(CANCELLED)})
        back = [pk for pk, status in cursor.fetchall() if status == Status.FIXED]
    if back:
        _open_what_came_back(back, max(failed.values()))


def _open_what_came_back(pks: Sequence[int], at: datetime) -> None:
    """The rows are locked since they were counted: they are still marked as fixed, and nobody else opens them."""
    FailureGroup.objects.filter(pk__in=pks).update(status=Status.OPEN, came_back_at=at)
    FailureMark.objects.bulk_create(FailureMark(group_id=pk, kind=Mark.CAME_BACK, marked_at=at) for pk in pks)


def add_missing() -> None:
    """Problems of notes that failed before there was anybody to count them."""
    of_people = [fingerprint(stage, CANCELLED, "") for stage in StageName.values]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(WITHOUT_A_GROUP, {"cancelled": of_people})
        missing = [problem for (problem,) in cursor.fetchall()]
        if missing:
            cursor.execute(ADD, {"problems": missing, "cancelled": str(CANCELLED)})


# --- What people decide -----------------------------------------------------------------------------------------------
def mark_fixed(problem: str, *, by: User, note: str) -> Outcome:
    """Somebody has done something about it; when it comes back it is open again, and says so."""

    def decide(group: FailureGroup, now: datetime) -> Outcome:
        if group.status == Status.FIXED:
            return Outcome(False, f"It is marked as fixed already{_by_whom(group)}.")
        if not note.strip():
            return Outcome(False, "Say what was done about it: whoever sees it come back will want to know.")
        _move(group, status=Status.FIXED, snoozed_until=None, came_back_at=None)
        _write(group, Mark.FIXED, by=by, note=note, now=now)
        return Outcome(True, "Marked as fixed. Should it come back, it is open again and says so.")

    return _decided(problem, by, decide)


def snooze(problem: str, *, by: User, until: datetime, note: str = "") -> Outcome:
    """Nobody wants to see it until then; it goes on being counted."""

    def decide(group: FailureGroup, now: datetime) -> Outcome:
        if group.status == Status.FIXED:
            return Outcome(False, f"It is marked as fixed{_by_whom(group)}: open it again first.")
        if until <= now:
            return Outcome(False, "That moment is over: choose one that is still to come.")
        if until > now + LONGEST_ASIDE:
            return Outcome(False, "Nothing is put aside for longer than a year.")
        _move(group, status=Status.SNOOZED, snoozed_until=until)
        _write(group, Mark.SNOOZED, by=by, note=note, now=now, until=until)
        return Outcome(True, f"Put aside until {until.day} {until:%b %Y, %H:%M} UTC. It is open again then.")

    return _decided(problem, by, decide)


def reopen(problem: str, *, by: User, note: str = "") -> Outcome:
    """It is to be seen to again, whatever was decided before."""

    def decide(group: FailureGroup, now: datetime) -> Outcome:
        if is_open(group, now):
            return Outcome(False, "It is open already.")
        _move(group, status=Status.OPEN, snoozed_until=None)
        _write(group, Mark.REOPENED, by=by, note=note, now=now)
        return Outcome(True, "It is open again.")

    return _decided(problem, by, decide)


def is_open(group: FailureGroup, now: datetime) -> bool:
    """Also when the time is over for which it was put aside: nothing has to happen for that."""
    over = group.snoozed_until is not None and group.snoozed_until <= now
    return group.status == Status.OPEN or (group.status == Status.SNOOZED and over)


def _decided(problem: str, by: User, decide: Callable[[FailureGroup, datetime], Outcome]) -> Outcome:
    """Under the lock for which also those wait who count a failure with it, and nobody who holds anything of ours."""
    verify_platform_staff(by, MARK_PROBLEM)
    with transaction.atomic(durable=True):
        group = FailureGroup.objects.select_for_update(no_key=True).filter(fingerprint=problem).first()
        return NO_SUCH_PROBLEM if group is None else decide(group, database_now())


def _move(group: FailureGroup, **values: Any) -> None:
    FailureGroup.objects.filter(pk=group.pk).update(**values)


def _write(
    group: FailureGroup, kind: FailureMark.Kind, *, by: User, note: str, now: datetime, until: datetime | None = None
) -> None:
    FailureMark.objects.create(
        group=group, kind=kind, by=by, note=safe_text(note.strip(), MAX_NOTE), until=until, marked_at=now
    )


def _by_whom(group: FailureGroup) -> str:
    """Whose decision stands, as the end of a sentence."""
    last = group.marks.filter(kind=Mark.FIXED).select_related("by").first()
    return f", by {last.by.get_full_name() or last.by.get_username()}" if last is not None and last.by else ""
