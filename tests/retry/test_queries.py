from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, BulkRetryItem, RetryKind
from retry.operations import retry
from retry.queries import get_retry_history, preview_retry
from tests.factories import make_draft, make_user
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    TRANSCRIPTION,
    keep_recording,
    make_attempt,
    make_confirmed,
    make_failed,
    make_moving,
    make_ready,
    make_run,
    make_sent,
)
from voicepipeline import roles
from voicepipeline.models import AIServiceHealth, Artifact, SourceChannel, StageName, StageRun, VoiceNote
from voicepipeline.stages import IN_ORDER

SECOND = timedelta(seconds=1)
BY_STAGE = [kind for kind in RetryKind if kind != RetryKind.FULL]


@pytest.fixture
def ana(db):
    return make_user(roles.ADMINISTRATOR, first_name="Ana")


def preview(notes, kind, by, **how):
    return preview_retry([note.pk for note in notes], kind, by=by, **how)


def fill(count, *, first=0):
    """So many recordings that failed at their statements, written at once."""
    keep_recording()
    sent = VoiceNote.objects.bulk_create(
        VoiceNote(source_channel=SourceChannel.APP_RECORDED, audio="audio/tests/recording.wav", duration_seconds=60)
        for _ in range(count)
    )
    failed = {"status": "failed", "failed_stage": STATEMENTS, "error_code": "model_refused", "fingerprint": "f" * 64}
    notes = Artifact.objects.bulk_create(
        Artifact(voice_note=each, source_channel=each.source_channel, current_stage=STATEMENTS, **failed)
        for each in sent
    )
    now = timezone.now()
    StageRun.objects.bulk_create(
        StageRun(
            artifact=note,
            stage=TRANSCRIPTION,
            generation=1,
            attempt=1,
            status="succeeded",
            effective=True,
            started_at=now - SECOND,
            finished_at=now,
            audio_seconds=60,
            cost_usd=Decimal("0.006"),
            ai_model="ears-1",
        )
        for note in notes
    )
    return notes


def note_with_everything():
    """A ready note with entries in every state, by whomever they were decided."""
    note = make_ready()
    claim = note.claims.get()
    make_draft(claim, status="expired")
    make_draft(claim, status="rejected", decided_by=make_user(roles.OPERATOR))
    make_confirmed(note)
    make_confirmed(note, applied=True)
    make_confirmed(note, automatic=True)
    make_confirmed(note, automatic=True, applied=True)
    return note


# --- Which, and which not -------------------------------------------------------------------------------------------
def test_what_may_be_retried_and_what_not_is_counted(ana):
    seen = preview([make_failed(), make_failed(), make_ready()], FAILED_STAGE, ana)
    assert (seen.possible, seen.refused) == (2, 1)


def test_of_each_failed_note_the_stage_that_failed_is_taken(ana):
    failed = [make_failed(STATEMENTS), make_failed(STATEMENTS), make_failed(NAMES)]
    assert preview(failed, FAILED_STAGE, ana).kinds == {"claims_extraction": 2, "entity_resolution": 1}


def test_refusals_are_grouped_most_first(ana):
    notes = [make_moving(STATEMENTS, "running"), make_moving(STATEMENTS), make_moving(NAMES), make_failed()]
    assert preview(notes, RetryKind.CLAIMS_EXTRACTION, ana).refusals == [
        ("It waits for a worker.", 2),
        ("It is being worked on.", 1),
    ]


def test_a_refused_note_deletes_nothing_and_costs_nothing(ana):
    seen = preview([make_ready()], RetryKind.TRANSCRIPTION, ana)
    assert (seen.deleted, seen.runs, seen.calls, seen.cost_usd, seen.without_cost) == ({}, 0, 0, None, 0)


def test_notes_keep_their_order_each_once_and_unknown_ones_are_left_out(ana):
    first, second = make_failed(), make_failed()
    seen = preview_retry([second.pk, first.pk, second.pk, 0], FAILED_STAGE, by=ana)
    assert [note.artifact_pk for note in seen.notes] == [second.pk, first.pk]


def test_no_notes_make_an_empty_preview(ana):
    seen = preview_retry([], FAILED_STAGE, by=ana)
    assert (seen.possible, seen.refused, seen.takes, seen.cost_usd) == (0, 0, None, None)


def test_a_previewed_note_is_told_with_its_round_and_problem(ana):
    note = make_failed(generation=3)
    (seen,) = preview([note], FAILED_STAGE, ana).notes
    assert (seen.artifact_id, seen.generation, seen.problem_before) == (note.artifact_id, 3, note.fingerprint)


def test_a_note_on_which_workers_died_is_retried_alone_or_not_at_all(ana):
    note = make_failed(code="worker_died")
    assert preview([note], FAILED_STAGE, ana).refused == 1
    assert preview([note], FAILED_STAGE, ana, bulk=False).possible == 1


def test_what_a_person_may_destroy_within_an_hour_is_used_up_by_the_notes_before(ana):
    notes = [make_ready() for _ in range(3)]
    with override_settings(RETRY={"destructive_an_hour": 2}):
        seen = preview(notes, RetryKind.FULL, ana)
    assert [note.is_possible for note in seen.notes] == [True, True, False]
    assert "2 voice notes within an hour" in seen.refusals[0][0]


def test_earlier_destructive_retries_are_taken_off_the_allowance(ana):
    make_attempt(make_ready(), ana, kind=RetryKind.FULL, outcome="succeeded")
    with override_settings(RETRY={"destructive_an_hour": 2}):
        assert preview([make_ready(), make_ready()], RetryKind.FULL, ana).possible == 1


def test_notes_without_confirmed_entries_use_nothing_of_it_up(ana):
    notes = [make_ready(), make_ready()]
    with override_settings(RETRY={"destructive_an_hour": 1}):
        assert preview(notes, RetryKind.DRAFT_GENERATION, ana).possible == 2


# --- What would be deleted ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [*BY_STAGE[1:], RetryKind.FULL])
def test_what_is_foretold_of_a_ready_note_is_what_is_deleted(ana, kind):
    note = note_with_everything()
    foretold = preview([note], kind, ana)
    done = retry(kind, note.artifact_id, by=ana, reason="A test.", agreed_to=foretold.confirmed)
    assert foretold.deleted == done.retry_attempt.deleted


@pytest.mark.parametrize("stage", StageName)
def test_what_is_foretold_of_a_failed_note_is_what_is_deleted(ana, stage):
    note = make_failed(stage)
    foretold = preview([note], FAILED_STAGE, ana)
    done = retry(FAILED_STAGE, note.artifact_id, by=ana)
    assert foretold.deleted == done.retry_attempt.deleted


def test_starting_over_takes_all_entries_but_those_that_somebody_refused(ana):
    seen = preview([note_with_everything()], RetryKind.FULL, ana)
    assert seen.deleted == {"transcripts": 1, "statements": 1, "matched names": 1, "suggested entries": 6}


def test_a_later_stage_keeps_what_comes_before_it_and_what_people_decided(ana):
    seen = preview([note_with_everything()], RetryKind.ENTITY_RESOLUTION, ana)
    assert seen.deleted == {"matched names": 1, "suggested entries": 3}


def test_what_goes_is_added_up_over_all_notes(ana):
    seen = preview([make_ready(), make_ready()], RetryKind.CLAIMS_EXTRACTION, ana)
    assert seen.deleted == {"statements": 2, "matched names": 2, "suggested entries": 2}


def test_confirmed_entries_are_counted_with_their_notes(ana):
    seen = preview([note_with_everything(), make_ready()], RetryKind.DRAFT_GENERATION, ana)
    assert (seen.with_confirmed, seen.confirmed) == (1, 4)


# --- What it takes --------------------------------------------------------------------------------------------------
def test_stages_and_calls_are_counted(ana):
    seen = preview([make_failed(), make_failed(NAMES)], FAILED_STAGE, ana)
    assert (seen.runs, seen.calls) == (5, 1)


def test_a_typed_text_asks_the_model_once_and_a_recording_twice(ana):
    assert preview([make_ready()], RetryKind.FULL, ana).calls == 1
    assert preview([make_ready(sent_as="recorded")], RetryKind.FULL, ana).calls == 2


def lately(**costs):
    """One try at each stage within the last days that took 2 s, and what it cost."""
    for stage in IN_ORDER:
        used = {"ai_model": "m", "cost_usd": costs[stage.name]} if stage.name in costs else {}
        seconds = {"audio_seconds": 10} if stage.name == TRANSCRIPTION else {}
        make_run(make_sent(), stage.name, "succeeded", **used, **seconds)


def test_the_cost_is_told_for_those_of_which_it_can_be(ana):
    lately(transcription=Decimal("0.01"), claims_extraction=Decimal("0.002"))
    measured, unmeasured = make_ready(sent_as="recorded"), make_ready(sent_as="recorded")
    VoiceNote.objects.filter(artifact=measured).update(duration_seconds=30)
    seen = preview([measured, unmeasured, make_ready()], RetryKind.FULL, ana)
    assert (seen.cost_usd, seen.without_cost) == (Decimal("0.034"), 1)


def test_when_no_cost_can_be_told_none_is(ana):
    seen = preview([make_failed(), make_failed()], FAILED_STAGE, ana)
    assert (seen.cost_usd, seen.without_cost) == (None, 2)


def test_names_are_matched_for_nothing_whatever_is_known(ana):
    seen = preview([make_failed(NAMES)], FAILED_STAGE, ana)
    assert (seen.cost_usd, seen.without_cost) == (Decimal(0), 0)


def test_time_is_shared_by_as_many_as_may_be_under_way(ana):
    lately()
    notes = [make_failed(ENTRIES) for _ in range(4)]
    with override_settings(WORKERS=4, RETRY={"share_of_workers_percent": 50}):
        assert preview(notes, FAILED_STAGE, ana).takes == 4 * SECOND
    assert preview(notes[:1], FAILED_STAGE, ana, bulk=False).takes == 2 * SECOND


def test_time_is_unknown_while_a_stage_of_it_is(ana):
    make_run(make_sent(), ENTRIES, "succeeded")
    assert preview([make_failed(NAMES)], FAILED_STAGE, ana).takes is None
    assert preview([make_failed(ENTRIES)], FAILED_STAGE, ana).takes == 2 * SECOND


def test_notes_that_will_wait_on_hold_are_told_with_the_reason(ana):
    AIServiceHealth.objects.update_or_create(
        service="chat", defaults={"state": "open", "reason": "provider_no_credit", "trouble_since": timezone.now()}
    )
    seen = preview([make_failed(), make_failed(ENTRIES)], FAILED_STAGE, ana)
    assert [number for _, number in seen.on_hold] == [1]
    assert seen.possible == 2


def test_a_reason_is_asked_for_where_one_note_needs_it(ana):
    assert preview([make_ready()], RetryKind.FULL, ana).needs_reason
    assert not preview([make_failed()], FAILED_STAGE, ana).needs_reason


# --- Speed ----------------------------------------------------------------------------------------------------------
def queries_of(call):
    with CaptureQueriesContext(connection) as queries:
        call()
    return len(queries)


def test_a_preview_of_many_asks_the_database_as_often_as_one_of_few(ana):
    few, many = fill(3), fill(300)
    number = queries_of(lambda: preview(few, FAILED_STAGE, ana))
    assert queries_of(lambda: preview(many, FAILED_STAGE, ana)) == number
    assert number < 20


class CountingStorage(FileSystemStorage):
    """Counts how often it is asked whether it has a recording."""

    asked = 0

    def exists(self, name):
        CountingStorage.asked += 1
        return super().exists(name)


@pytest.mark.parametrize(("kind", "looks"), [(FAILED_STAGE, 0), (RetryKind.CLAIMS_EXTRACTION, 0), (RetryKind.FULL, 3)])
def test_only_what_transcribes_looks_for_recordings_once_for_each(ana, settings, kind, looks):
    notes = fill(3)
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.CountingStorage"}}
    CountingStorage.asked = 0
    assert preview(notes, kind, ana).possible == 3
    assert CountingStorage.asked == looks


def test_a_note_that_is_worked_on_needs_no_look_for_its_recording(ana, settings):
    note = make_moving(STATEMENTS, "running", sent_as="recorded")
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.CountingStorage"}}
    CountingStorage.asked = 0
    for kind in RetryKind:
        assert preview([note], kind, ana).possible == 0
    assert CountingStorage.asked == 0


# --- History --------------------------------------------------------------------------------------------------------
def test_history_is_this_notes_newest_first(ana):
    note = make_failed()
    for _ in range(3):
        make_attempt(note, ana, outcome="succeeded")
    make_attempt(make_failed(), ana)
    assert [attempt.number for attempt in get_retry_history(note)] == [3, 2, 1]


def test_history_is_one_query_with_who_asked_and_in_which_bulk(ana):
    note = make_failed()
    bulk = BulkRetry.objects.create(kind=FAILED_STAGE, requested_by=ana)
    attempt = make_attempt(note, ana)
    BulkRetryItem.objects.create(bulk=bulk, artifact=note, position=1, generation=1, state="requested", attempt=attempt)

    def read_all():
        (only,) = get_retry_history(note)
        assert (only.requested_by.first_name, only.bulk_item.bulk.pk) == ("Ana", bulk.pk)

    assert queries_of(read_all) == 1
