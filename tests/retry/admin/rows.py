"""Bulk retries as rows, with as many voice notes in each state as a test wants."""

from datetime import timedelta

from django.utils import timezone

from retry.models import BulkRetry, BulkRetryItem, RetryAttempt, RetryKind
from tests.factories import make_club, make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, SourceChannel, StageName
from voicepipeline.policies.fingerprints import fingerprint

STATEMENTS = StageName.CLAIMS_EXTRACTION
CODE, MESSAGE = "model_refused", "The AI service refuses this note."
PROBLEM = fingerprint(STATEMENTS, CODE, MESSAGE)
TOO_LATE = "It has not failed: choose from which stage it should be run again."
ENDS = {"succeeded": "succeeded", "failed": "failed", "superseded": "superseded"}
UNFINISHED = ("trying", "running", "paused", "halted")


def make_bulk(*, state="preview", by=None, counts=None, refusals=None, club=None, confirmed=0, **fields):
    """A bulk retry with so many voice notes in each state, and so many refused for each of these reasons.

    `confirmed` of those that have not begun have two confirmed entries each.
    """
    now = timezone.now()
    counts = {"waiting": 3} if counts is None else counts
    refusals = refusals or {}
    expected = sum(counts.values())
    minimal = {
        "kind": RetryKind.CLAIMS_EXTRACTION,
        "chosen_by": "Failed voice notes",
        "expected": expected,
        "expected_runs": 3 * expected,
        "expected_calls": 2 * expected,
        "details": {
            "refusals": [list(each) for each in refusals.items()],
            "kinds": {RetryKind.CLAIMS_EXTRACTION: expected},
            "deleted": {"statements": 4 * expected} if expected else {},
            "on_hold": [],
            "takes_s": 240,
        },
    }
    if state != "preview":
        minimal |= {"reason": "The prompt is mended.", "started_at": now, "moving_since": now}
    if state not in ("preview", *UNFINISHED):
        minimal["finished_at"] = now + timedelta(minutes=4)
    by = by or make_user(roles.OPERATOR)
    bulk = BulkRetry.objects.create(state=state, requested_by=by, **{**minimal, **fields})
    _make_items(bulk, counts, refusals, club or make_club(), confirmed)
    return bulk


def _make_items(bulk, counts, refusals, club, confirmed):
    states = [state for state, number in counts.items() for _ in range(number)]
    reasons = [why for why, number in refusals.items() for _ in range(number)]
    notes = _make_notes(len(states) + len(reasons), club)
    now, items = timezone.now(), []
    for position, (note, state) in enumerate(zip(notes, states, strict=False), start=1):
        items.append(_item(bulk, note, position, state, now, agreed_to=2 if position <= confirmed else 0))
    for position, (note, why) in enumerate(zip(notes[len(states) :], reasons, strict=True), start=len(states) + 1):
        told = {"message": why, "refusal_group": why, "settled_at": now}
        items.append(BulkRetryItem(bulk=bulk, artifact=note, position=position, generation=1, state="refused", **told))
    RetryAttempt.objects.bulk_create(item.attempt for item in items if item.attempt is not None)
    BulkRetryItem.objects.bulk_create(items)


def _make_notes(number, club):
    failed = {
        "status": Artifact.Status.FAILED,
        "current_stage": STATEMENTS,
        "failed_stage": STATEMENTS,
        "error_code": CODE,
        "error_message": MESSAGE,
        "fingerprint": PROBLEM,
    }
    channel = SourceChannel.APP_TYPED
    return Artifact.objects.bulk_create(
        Artifact(organization=club, source_channel=channel, **failed) for _ in range(number)
    )


def _item(bulk, note, position, state, now, **fields):
    values = {"bulk": bulk, "artifact": note, "position": position, "generation": 1, "kind": STATEMENTS}
    item = BulkRetryItem(state=state, problem_before=PROBLEM, **values, **fields)
    if state in ("waiting", "refused"):
        item.settled_at = now if state == "refused" else None
        return item
    attempt = RetryAttempt(
        artifact=note, number=1, kind=STATEMENTS, generation=1, requested_by=bulk.requested_by, requested_at=now
    )
    if state in ENDS:
        attempt.outcome, attempt.finished_at = ENDS[state], now
        item.settled_at = now + timedelta(seconds=position)
    if state == "failed":
        attempt.failed_stage, attempt.error_code, attempt.error_message = STATEMENTS, CODE, MESSAGE
        attempt.problem = item.problem = PROBLEM
    item.attempt = attempt
    return item
