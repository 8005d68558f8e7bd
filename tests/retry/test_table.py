"""The table of kinds, states and inputs: what is refused in which words, and what is written in which order."""

import re
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from retry.facts import load_facts
from retry.kinds import FAILED_STAGE, KINDS, kind_of_stage
from retry.limits import limits
from retry.models import RetryAttempt, RetryKind
from retry.operations import retry
from retry.policies import Facts, decide
from tests.factories import make_user
from tests.retry.dumps import dump, tried_out
from tests.retry.factories import SENT_AS, keep_recording
from tests.retry.states import CELLS, COLUMNS, CONFIRMED, MAKERS, refusal_in_words
from voicepipeline import roles
from voicepipeline.engine.doorbell import ring
from voicepipeline.models import Artifact, PipelineEvent, StageName, StageRun, VoiceNote

MISSING = {
    "audio gone": "The recording is no longer where recordings are kept, so there is nothing to transcribe.",
    "empty": "The recording holds neither audio nor typed text.",
    "not linked": "This voice note has no recording linked to it, so there is nothing to transcribe.",
}
BEGINS_ANEW = (RetryKind.TRANSCRIPTION, RetryKind.FULL)


def expected_words(name, note, asked_for, sent_as):
    """How what is said begins; empty when nothing stands against it."""
    cell = CELLS[name][asked_for]
    failed_there = asked_for == FAILED_STAGE and note.failed_stage == StageName.TRANSCRIPTION
    nothing_to_hear = sent_as in MISSING and (asked_for in BEGINS_ANEW or failed_there)
    if nothing_to_hear and cell in ("yes", "ready"):
        return MISSING[sent_as]
    return "" if cell == "yes" else refusal_in_words(name, cell, asked_for, note)


def kind_meant(note, asked_for):
    if asked_for != FAILED_STAGE:
        return asked_for
    return kind_of_stage(note.failed_stage).key if note.failed_stage else ""


# --- What is decided: every state, every input, every kind ------------------------------------------------------


class Cell(NamedTuple):
    name: str
    sent_as: str
    asked_for: str
    facts: Facts
    words: str  # how the refusal begins that is expected
    now: datetime

    @property
    def place(self):
        return self[:3]

    def decide(self, asked_for=None, **how):
        return decide(asked_for or self.asked_for, self.facts, limits(), now=self.now, **how)


def send_as(sent_as, notes):
    """Let all of them have been sent like this."""
    recording = SENT_AS[sent_as]
    if recording is None:
        Artifact.objects.filter(pk__in=[note.pk for note in notes]).update(voice_note=None)
    else:
        keep_recording()
        fields = {"text": "", "audio": "", **recording}
        VoiceNote.objects.filter(pk__in=[note.voice_note_id for note in notes]).update(**fields)


@pytest.fixture(scope="module")
def cells(django_db_setup, django_db_blocker):
    """All of them as plain values; the rows behind them are gone again."""
    with django_db_blocker.unblock(), transaction.atomic():
        notes = {name: MAKERS[name]() for name in CELLS}
        by, expected = make_user(roles.ADMINISTRATOR), []
        for sent_as in SENT_AS:
            send_as(sent_as, notes.values())
            now = timezone.now()
            with CaptureQueriesContext(connection) as asked:
                facts = load_facts([note.pk for note in notes.values()], by=by, now=now)
            assert len(asked) == 8  # whatever the number of notes
            expected += [
                Cell(name, sent_as, asked_for, facts[note.pk], expected_words(name, note, asked_for, sent_as), now)
                for name, note in notes.items()
                for asked_for in COLUMNS
            ]
        transaction.set_rollback(True)
    return expected


def test_every_cell_is_decided_as_the_table_says(cells):
    wrong = []
    for cell in cells:
        said = cell.decide().refusal
        right = said.message.startswith(cell.words) if said else True
        if not right or bool(said) != bool(cell.words):
            wrong.append((*cell.place, f"{said} instead of {cell.words!r}"))
    assert wrong == []


def test_the_kind_is_the_one_asked_for_or_that_of_the_stage_that_failed(cells):
    assert [cell.place for cell in cells if cell.decide().kind != kind_meant(cell.facts, cell.asked_for)] == []


def test_what_a_refusal_advises_to_choose_is_possible(cells):
    """Followed once, never from one refusal to the next."""
    by_label = {kind.label.casefold(): kind.key for kind in KINDS.values()}
    led_astray = []
    for cell in cells:
        refusal = cell.decide().refusal
        said = refusal.message.casefold() if refusal else ""
        advised = [label for label in by_label if label in said]
        led_astray += [(*cell.place, said) for label in advised if cell.decide(by_label[label]).refusal]
    assert led_astray == []


def test_a_refusal_names_what_to_choose_instead_wherever_anything_is_possible(cells):
    silent = [
        cell.place
        for cell in cells
        if cell.asked_for != FAILED_STAGE
        and (refusal := cell.decide().refusal)
        and any(not cell.decide(kind).refusal for kind in KINDS)
        and not re.search("“.+?”|start over|by itself", refusal.message, re.IGNORECASE)
    ]
    assert silent == []


def test_what_is_said_of_many_at_once_tells_nothing_of_one_note(cells):
    refusals = [cell.decide(bulk=True).refusal for cell in cells]
    groups = {refusal.group for refusal in refusals if refusal}
    assert len(groups) <= 14
    assert not [group for group in groups if re.search(r"\d\d:\d\d|“", group)]


def test_confirmed_and_applied_entries_are_counted_for_every_kind(cells):
    counted = {(cell.name, cell.decide().confirmed) for cell in cells if not cell.words}
    assert {(name, number) for name, number in counted if number} == set(CONFIRMED.items())


def test_there_is_a_cell_for_every_status_and_every_kind(cells):
    assert {cell.facts.status for cell in cells} == set(Artifact.Status.values)
    assert {cell.asked_for for cell in cells} == {*RetryKind.values, FAILED_STAGE}


# --- What is written: every state, every kind, through the operation --------------------------------------------

DELETIONS = [
    rf'DELETE FROM "voicepipeline_{table}"' for table in ("transcript", "claim", "entityresolution", "insightdraft")
]
# Events count themselves: what is added to the log changes the live figures in the same statement.
STEPS = {
    "the retry is kept": r'INSERT INTO "retry_retryattempt"',
    "rows are deleted": "|".join(DELETIONS),
    "keys are looked at": r"SET CONSTRAINTS ALL IMMEDIATE",
    "the status is reset": r'UPDATE "voicepipeline_artifact" SET "status"',
    "events": r"INSERT INTO voicepipeline_pipelineevent",
}
STATUS_AFTER = {
    RetryKind.TRANSCRIPTION: "transcribing",
    RetryKind.CLAIMS_EXTRACTION: "transcribed",
    RetryKind.ENTITY_RESOLUTION: "processing",
    RetryKind.DRAFT_GENERATION: "processing",
    RetryKind.FULL: "received",
}
TABLE_OF = {
    StageName.CLAIMS_EXTRACTION: "claims",
    StageName.ENTITY_RESOLUTION: "resolutions",
    StageName.DRAFT_GENERATION: "drafts",
}


# States that differ from another one's writes and words in nothing but the stage are tried when there is time.
ALIKE = {
    "transcribing, forgotten",
    "transcribed, forgotten",
    "processing, forgotten",
    "waiting: statements",
    "waiting: names",
    "waiting: entries",
    "running: statements",
    "running: names",
    "running: entries",
    "on hold: transcription",
    "stalled: statements",
    "stalled: entries",
    "failed: names",
    "failed without: names",
    "failed without: entries",
    "cancelled: names",
    "ready, names unclear",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.trial) if name in ALIKE else name for name in CELLS]
)
def test_every_kind_does_in_this_state_what_the_table_says(name):
    by, note = make_user(roles.ADMINISTRATOR), MAKERS[name]()
    agreed = {"by": by, "agreed_to": CONFIRMED.get(name, 0), "reason": "The prompt was wrong."}
    assert_refused_without_a_trace(note, {kind: words_for(kind, name, note) for kind in COLUMNS}, agreed)
    for asked_for in COLUMNS:
        if words_for(asked_for, name, note):
            continue
        statements = []
        with tried_out():
            with TestCase.captureOnCommitCallbacks() as rung, connection.execute_wrapper(kept_in(statements)):
                result = retry(asked_for, note.artifact_id, **agreed)
            kind = KINDS[kind_meant(note, asked_for)]
            assert_it_began(result, note, kind, by, rung)
            assert_in_order(statements, kind)


def words_for(asked_for, name, note):
    return expected_words(name, note, asked_for, "typed")


def assert_refused_without_a_trace(note, words_of, agreed):
    before = dump()
    with TestCase.captureOnCommitCallbacks() as rung:
        for asked_for, words in words_of.items():
            if words:
                result = retry(asked_for, note.artifact_id, **agreed)
                assert (result.success, result.message[: len(words)]) == (False, words)
    assert (dump(), rung) == (before, [])


def kept_in(statements):
    def keep(execute, sql, params, many, context):
        statements.append(sql)
        return execute(sql, params, many, context)

    return keep


def assert_it_began(result, note, kind, by, rung):
    after = Artifact.objects.get(pk=note.pk)
    attempt = RetryAttempt.objects.get(artifact=note)
    run = StageRun.objects.get(artifact=note, status="queued")
    round_ = note.generation + 1 if kind.starts_over else note.generation
    assert (result.message, result.retry_attempt) == ("Retry requested (attempt 1).", attempt)
    assert (attempt.kind, attempt.number, attempt.generation, attempt.requested_by) == (kind.key, 1, round_, by)
    assert (after.status, after.current_stage, after.generation) == (STATUS_AFTER[kind.key], kind.stage.name, round_)
    assert (after.completed_at, after.error_code, after.closed_at, after.outcome) == (None, "", None, left(kind, note))
    assert after.first_completed_at == note.first_completed_at
    assert (run.stage, run.origin, run.requested_by, run.generation) == (kind.stage.name, attempt.origin, by, round_)
    assert [(each.func, each.args[0].run_id) for each in rung] == [(ring, run.pk)]
    assert_only_what_came_before_is_left(note, kind)
    assert_told(note, attempt, by)


def left(kind, note):
    """That nobody speaks in it is what its transcript said."""
    return "" if kind.stage.previous is None else note.outcome


def assert_only_what_came_before_is_left(note, kind):
    gone = {stage.name for stage in kind.stage.from_here}
    in_use = set(StageRun.objects.filter(artifact=note, effective=True).values_list("stage", flat=True))
    assert in_use.isdisjoint(gone)
    made = {stage for stage, table in TABLE_OF.items() if getattr(note, table).exists()}
    assert made.isdisjoint(gone - {StageName.DRAFT_GENERATION})
    decided_by_people = Q(status__in=["confirmed", "applied"], automatic=False)
    assert not note.drafts.exclude(Q(pk__in=[]) if kind.starts_over else decided_by_people).exists()


def assert_told(note, attempt, by):
    told = list(PipelineEvent.objects.filter(artifact=note).order_by("id"))
    types = [event.event_type for event in told]
    assert types[0] == "retry_initiated"
    assert types[1:] in (
        ["artifact_status_changed"],
        ["stage_result_discarded"],
        ["stage_result_discarded", "artifact_status_changed"],
        [],
    )
    assert told[0].actor == by
    assert (told[0].metadata["retry_attempt"], told[0].metadata["kind"]) == (1, attempt.kind)


def assert_in_order(statements, kind):
    """Every step after all of the one before; starting over deletes in the order of the stages."""
    steps = [numbers_of(pattern, statements) for pattern in STEPS.values()]
    happened = [each for each in steps if each]
    assert all(max(step) < min(following) for step, following in pairwise(happened))
    assert len(steps[0]) == len(steps[-1]) == 1
    (queued,) = numbers_of(r'INSERT INTO "voicepipeline_stagerun"', statements)
    assert max(steps[2]) < queued < min(steps[-1])
    deleted = [numbers_of(pattern, statements) for pattern in DELETIONS]
    ends = [max(numbers) for numbers in deleted if numbers]
    assert ends == sorted(ends) if kind.starts_over else not any(deleted[: kind.stage.position])


def numbers_of(pattern, statements):
    return [number for number, sql in enumerate(statements) if re.search(pattern, sql)]


# --- Without anything to hear ------------------------------------------------------------------------------------

SOME = ("failed: transcription", "failed: names", "failed without: names", "ready", "stalled: statements")


@pytest.mark.django_db
@pytest.mark.parametrize("sent_as", MISSING)
def test_nothing_is_deleted_of_what_cannot_be_transcribed_again(sent_as):
    by = make_user(roles.ADMINISTRATOR)
    notes = {name: MAKERS[name](sent_as=sent_as) for name in SOME}
    before = dump()
    for name, note in notes.items():
        for asked_for in BEGINS_ANEW:
            result = retry(asked_for, note.artifact_id, by=by, reason="Try.")
            assert (name, result.success, result.retry_attempt) == (name, False, None)
            assert result.message.startswith(expected_words(name, note, asked_for, sent_as))
    assert dump() == before


@pytest.mark.django_db
def test_what_came_before_is_enough_to_go_on_from_when_the_recording_is_gone():
    note = MAKERS["failed: names"](sent_as="audio gone")
    assert retry(RetryKind.CLAIMS_EXTRACTION, note.artifact_id, by=make_user(roles.OPERATOR)).success


@pytest.mark.django_db
def test_a_recording_that_is_there_is_transcribed_again():
    note = MAKERS["failed: transcription"](sent_as="recorded")
    assert retry(FAILED_STAGE, note.artifact_id, by=make_user(roles.OPERATOR)).success
