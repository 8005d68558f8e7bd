"""A figure's link leads to the rows that it counts, and to no others."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from metrics.figures import Figures, PromptFigures, SourceFigures, StageFigures
from metrics.limits import HOUR
from metrics.links import (
    NO_CLUB,
    counter_link,
    ended_runs_link,
    figure_link,
    notes_link,
    prompt_link,
    stage_link,
)
from metrics.models import END_TO_END, CounterType
from tests.engine.helpers import make_artifact, run_to_the_end, scheduled
from tests.factories import make_club, make_event, make_note, make_user
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401
from voicepipeline import roles
from voicepipeline.models import Artifact, EventType, StageName, StageRun
from voicepipeline.stages import STAGES

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
HOUR_START = NOW.replace(minute=0) - HOUR
SPAN = (HOUR_START, HOUR_START + HOUR)
INSIDE = HOUR_START + timedelta(minutes=20)
LONG_AGO = (HOUR_START - timedelta(days=30), HOUR_START - timedelta(days=29))
T = EventType


@pytest.fixture(autouse=True)
def _viewer(client):
    client.force_login(make_user(roles.VIEWER))


def rows(client, link):
    """The keys of all rows of the list that the link leads to."""
    response = client.get(link.url)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def event(event_type, note=None, at=INSIDE, stage="", **metadata):
    return make_event(note, event_type, timestamp=at, stage=stage, metadata=metadata).pk


# What is counted under this name, and beside it what is not.
EVENTS = {
    "artifacts_received": ([(T.ARTIFACT_RECEIVED, {})], [(T.ARTIFACT_FAILED, {})]),
    "artifacts_completed": ([(T.ARTIFACT_COMPLETED, {"repeat": False})], [(T.ARTIFACT_COMPLETED, {"repeat": True})]),
    "artifacts_failed": ([(T.ARTIFACT_FAILED, {})], [(T.TRANSCRIPTION_FAILED, {})]),
    "artifacts_no_speech": (
        [(T.ARTIFACT_COMPLETED, {"outcome": "no_speech"})],
        [(T.ARTIFACT_COMPLETED, {"outcome": "no_speech", "repeat": True}), (T.ARTIFACT_COMPLETED, {})],
    ),
    "drafts_confirmed": ([(T.DRAFT_CONFIRMED, {})], [(T.DRAFT_REJECTED, {})]),
    "drafts_undone": ([(T.DRAFT_UNDONE, {})], [(T.NAME_CHOICE_UNDONE, {})]),
    "retries": ([(T.RETRY_INITIATED, {})], [(T.RETRY_FAILED, {})]),
    "ai_calls": (
        [(T.CLAIMS_EXTRACTED, {"ai_model": "m"}), (T.STAGE_RESULT_DISCARDED, {"ai_model": "m"})],
        [(T.CLAIMS_EXTRACTED, {})],
    ),
    "ai_calls_unpriced": (
        [(T.CLAIMS_EXTRACTED, {"ai_model": "m"})],
        [(T.CLAIMS_EXTRACTED, {"ai_model": "m", "ai_cost": Decimal(0)}), (T.CLAIMS_EXTRACTED, {})],
    ),
    "failures": (
        [(T.ARTIFACT_FAILED, {}), (T.TRANSCRIPTION_FAILED, {}), (T.CLAIMS_EXTRACTION_FAILED, {"will_retry": False})],
        [(T.TRANSCRIPTION_FAILED, {"will_retry": True}), (T.RETRY_FAILED, {})],
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_figure_leads_to_the_events_that_it_counts(client, name):
    counted, others = EVENTS[name]
    club, other = make_club(), make_club()
    notes = [make_note(organization=each) for each in (club, other, None)]
    wanted = {note.pk: {event(kind, note, **data) for kind, data in counted} for note in notes}
    for kind, data in others:
        event(kind, notes[0], **data)
    for kind, data in counted:
        for outside in (HOUR_START - timedelta(seconds=1), HOUR_START + HOUR):
            event(kind, notes[0], at=outside, **data)
    of_club, _, of_none = (wanted[note.pk] for note in notes)
    assert rows(client, figure_link(name, *SPAN, now=NOW)) == set().union(*wanted.values())
    assert rows(client, figure_link(name, *SPAN, now=NOW, club=club.pk)) == of_club
    assert rows(client, figure_link(name, *SPAN, now=NOW, club=NO_CLUB)) == of_none


@pytest.mark.parametrize("stage", StageName.values)
def test_a_stages_figures_lead_to_its_events(client, stage):
    known = STAGES[stage]
    began, done = event(known.started, stage=stage), event(known.completed, stage=stage)
    failed = event(known.failed, stage=stage, will_retry=False)
    event(known.failed, stage=stage, will_retry=True)
    found = {
        name: rows(client, stage_link(stage, name, *SPAN, now=NOW)) for name in ("attempts", "completed", "failed")
    }
    assert found == {"attempts": {began}, "completed": {done}, "failed": {failed}}


def test_the_whole_way_leads_to_the_notes_that_became_ready():
    assert stage_link(END_TO_END, "timed", *SPAN, now=NOW) == figure_link("artifacts_completed", *SPAN, now=NOW)


def test_a_prompt_leads_to_its_own_events(client):
    mine = event(T.CLAIMS_EXTRACTED, prompt_version="claims & more-3")
    event(T.CLAIMS_EXTRACTED, prompt_version="claims-4")
    event(T.CLAIMS_EXTRACTED)
    assert rows(client, prompt_link("claims & more-3", "completed", *SPAN, now=NOW)) == {mine}


@pytest.mark.parametrize("counter", CounterType.values)
def test_every_live_figure_leads_somewhere(client, counter):
    assert rows(client, counter_link(CounterType(counter), *SPAN)) == set()


def test_every_figure_that_can_be_listed_is(client):
    names = {*Figures.__dataclass_fields__, *PromptFigures.__dataclass_fields__, *SourceFigures.__dataclass_fields__}
    without = {name for name in names if figure_link(name, *SPAN, now=NOW) is None}
    # Averages, how many they are over, and what is no number.
    assert {name for name in without if "confidence" not in name} == {
        "completed",  # of a prompt: prompt_link
        "failed",
        "has_gaps",
        "notes_with_claim_count",
        "prompt_version",
        "source_channel",
        "timed",
        "total_ms",
    }
    stage_names = set(StageFigures.__dataclass_fields__)
    assert {name for name in stage_names if stage_link("transcription", name, *SPAN, now=NOW)} == {
        "attempts",
        "completed",
        "failed",
        "timed",
    }


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("artifacts_received", T.ARTIFACT_RECEIVED),
        ("artifacts_completed", T.ARTIFACT_COMPLETED),
        ("artifacts_failed", T.ARTIFACT_FAILED),
    ],
)
def test_figures_of_a_channel_lead_to_what_its_events_say(client, name, event_type):
    mine = event(event_type, source_channel="voicemail")
    event(event_type, source_channel="api")
    event(event_type)
    assert rows(client, figure_link(name, *SPAN, now=NOW, channel="voicemail")) == {mine}


# --- Further back than events are kept -------------------------------------------------------------------------------
def test_notes_received_long_ago_are_found_in_their_list(client):
    club = make_club()
    begins, ends = LONG_AGO
    mine = make_note(organization=club, received_at=begins)
    homeless = make_note(organization=None, received_at=ends - timedelta(seconds=1))
    for outside in (begins - timedelta(seconds=1), ends):
        make_note(organization=club, received_at=outside)
    link = figure_link("artifacts_received", *LONG_AGO, now=NOW)
    assert link == notes_link(*LONG_AGO)
    assert rows(client, link) == {mine.pk, homeless.pk}
    assert rows(client, notes_link(*LONG_AGO, club=club.pk)) == {mine.pk}
    assert rows(client, notes_link(*LONG_AGO, club=NO_CLUB)) == {homeless.pk}


def test_notes_ready_long_ago_are_those_that_were_ready_first_then(client):
    begins, ends = LONG_AGO
    ready = {"status": "completed", "completed_at": timezone.now()}
    mine = make_note(received_at=begins - HOUR, first_completed_at=begins, **ready)
    make_note(received_at=begins, first_completed_at=ends, **ready)
    make_note(received_at=begins)
    assert rows(client, figure_link("artifacts_completed", *LONG_AGO, now=NOW)) == {mine.pk}


def test_notes_of_a_channel_are_found_in_their_list(client):
    mine = make_note(source_channel="voicemail", received_at=LONG_AGO[0])
    make_note(source_channel="api", received_at=LONG_AGO[0])
    assert rows(client, figure_link("artifacts_received", *LONG_AGO, now=NOW, channel="voicemail")) == {mine.pk}
    assert figure_link("artifacts_failed", *LONG_AGO, now=NOW, channel="voicemail") is None


def ended_run(*, stage="transcription", status="failed", terminal=True, at=LONG_AGO[0], **note):
    code = {"error_code": "no_audio"} if status == "failed" else {}
    given = {"generation": 1, "attempt": 1, "finished_at": at, "origin": uuid.uuid4()}
    note = make_note(**note)
    return StageRun.objects.create(artifact=note, stage=stage, status=status, terminal=terminal, **given, **code).pk


def test_failures_of_long_ago_are_the_tries_that_ended_their_notes(client):
    club = make_club()
    failed, cancelled = ended_run(organization=club), ended_run(status="cancelled", stage="claims_extraction")
    ended_run(terminal=False)
    ended_run(at=LONG_AGO[1])
    assert rows(client, figure_link("artifacts_failed", *LONG_AGO, now=NOW)) == {failed, cancelled}
    assert rows(client, figure_link("artifacts_failed", *LONG_AGO, now=NOW, club=club.pk)) == {failed}
    assert rows(client, stage_link("transcription", "failed", *LONG_AGO, now=NOW)) == {failed}
    assert rows(client, stage_link("claims_extraction", "failed", *LONG_AGO, now=NOW)) == set()


@pytest.mark.parametrize("name", ["retries", "drafts", "ai_cost", "artifacts_no_speech"])
def test_what_no_list_keeps_has_no_link(name):
    assert figure_link(name, *LONG_AGO, now=NOW) is None
    assert stage_link("transcription", "completed", *LONG_AGO, now=NOW) is None
    assert prompt_link("claims-3", "claims", *LONG_AGO, now=NOW) is None


def test_events_lead_for_as_long_as_their_hour_is_kept(settings):
    settings.METRICS = {"events_kept": 12 * 3600}
    kept, gone = NOW.replace(minute=0) - 12 * HOUR, NOW.replace(minute=0) - 12 * HOUR - timedelta(seconds=1)
    assert "pipelineevent" in figure_link("retries", kept, NOW, now=NOW).url
    assert figure_link("retries", gone, NOW, now=NOW) is None


def test_a_note_that_the_engine_ended_is_found_both_ways(client):
    artifact = make_artifact(transcription=["permanent"])
    scheduled(artifact)
    run_to_the_end(artifact)
    assert artifact.status == Artifact.Status.FAILED
    today = (NOW - HOUR, NOW + 2 * HOUR)
    assert len(rows(client, figure_link("artifacts_failed", *today, now=NOW))) == 1
    assert len(rows(client, stage_link("transcription", "failed", *today, now=NOW))) == 1
    assert rows(client, ended_runs_link(*today)) == {artifact.runs.get().pk}


# --- What an address may say -----------------------------------------------------------------------------------------
LISTS = {
    "notes": ("admin:voicepipeline_artifact_changelist", ("received_in", "ready_in", "club")),
    "events": ("admin:voicepipeline_pipelineevent_changelist", ("in", "only", "prompt", "club")),
    "runs": ("admin:voicepipeline_stagerun_changelist", ("ended_in", "last", "club")),
}
NONSENSE = [
    "~",
    "yesterday~today",
    "2026-11-20T10:00:00",
    "2026-11-20T11:00:00~2026-11-20T10:00:00",
    "2026-11-20T10:00:00+01:00~2026-11-20T11:00:00+01:00",
    "0001-01-01T00:00:00~9999-12-31T23:59:59",
    "9" * 40,
    "\x00",
    "<script>",
]


@pytest.mark.parametrize("which", LISTS)
def test_nonsense_in_an_address_breaks_no_list(client, which):
    name, parameters = LISTS[which]
    for value in NONSENSE:
        assert client.get(reverse(name), dict.fromkeys(parameters, value)).status_code == 200, value


def test_a_list_says_what_it_was_narrowed_by(client):
    page = " ".join(client.get(figure_link("retries", *LONG_AGO, now=LONG_AGO[1]).url).content.decode().split())
    begins, ends = LONG_AGO
    words = [f"{each.day} {each:%b} {each.year}, {each:%H:%M}" for each in (begins, ends)]
    assert f"{words[0]} to {words[1]} (UTC)" in page
    assert "Clear all filters" in page
