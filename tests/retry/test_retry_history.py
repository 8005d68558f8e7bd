import json
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from retry.models import BulkRetry, BulkRetryItem, RetryKind
from tests.factories import make_user
from tests.retry.factories import make_attempt, make_failed
from voicepipeline import roles

pytestmark = pytest.mark.django_db


def history(*arguments):
    out = StringIO()
    call_command("retry_history", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def note():
    """One that was started over in vain, and whose names are being matched again in bulk."""
    note = make_failed()
    ana = make_user(roles.OPERATOR, username="ana", first_name="Ana", last_name="Ruiz")
    at = timezone.now() - timedelta(hours=1)
    error = {"failed_stage": "claims_extraction", "error_code": "model_refused", "problem": "f" * 64}
    make_attempt(
        note,
        ana,
        kind=RetryKind.FULL,
        outcome="failed",
        requested_at=at,
        finished_at=at + timedelta(seconds=95),
        reason="The prompt was\x1b[2J mended",
        deleted={"transcripts": 1, "statements": 3},
        **error,
    )
    attempt = make_attempt(note, ana, kind=RetryKind.ENTITY_RESOLUTION)
    bulk = BulkRetry.objects.create(kind="entity_resolution", requested_by=ana)
    BulkRetryItem.objects.create(bulk=bulk, artifact=note, position=1, generation=1, state="requested", attempt=attempt)
    return note


def cells(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_each_attempt_is_a_line_the_newest_first(note):
    headings, newest, oldest = (cells(line) for line in history(note.artifact_id).splitlines())
    assert headings == ["Attempt", "When (UTC)", "Who", "What", "Outcome", "Took", "Deleted", "Why"]
    assert newest[0] == "2"
    assert newest[2:] == ["Ana Ruiz", "Match the names again, in bulk", "Under way", "-", "nothing"]
    assert oldest[2:] == [
        "Ana Ruiz",
        "Start over",
        "Failed again: Statements, model_refused",
        "1 min",
        "1 transcript, 3 statements",
        "The prompt was�[2J mended",
    ]


def test_all_of_it_is_told_as_one_json_object(note):
    told = json.loads(history(note.artifact_id, "--json"))
    newest, oldest = told["attempts"]
    assert told["id"] == str(note.artifact_id)
    assert (newest["number"], newest["outcome"], newest["took_ms"], newest["error_code"]) == (
        2,
        "under_way",
        None,
        None,
    )
    assert newest["bulk"] == str(BulkRetry.objects.get().bulk_id)
    assert oldest["bulk"] is None
    assert (oldest["requested_by"], oldest["took_ms"], oldest["kind"]) == ("ana", 95_000, "full")
    assert oldest["deleted"] == {"transcripts": 1, "statements": 3}


def test_a_note_that_was_not_retried_is_told_so():
    note = make_failed()
    assert history(note.artifact_id) == "This voice note has not been retried.\n"
    assert json.loads(history(note.artifact_id, "--json"))["attempts"] == []


@pytest.mark.parametrize("unknown", [uuid.UUID(int=1), "7", "\x1b[2J"])
def test_an_unknown_id_is_refused_in_words(unknown):
    with pytest.raises(CommandError, match=r"There is no voice note with the id .*Copy it from") as told:
        history(unknown)
    assert str(told.value).isprintable()
