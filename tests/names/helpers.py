"""Notes whose statements have been read, and what the two stages after that make of them."""

from django.utils import timezone

from tests.factories import make_note, make_player, make_transcript, make_user
from voicepipeline.engine.execution import perform
from voicepipeline.engine.scheduling import schedule_stage
from voicepipeline.matching.keys import name_key
from voicepipeline.models import Artifact, EntityResolution, NameChoice, PipelineEvent, StageName, StageRun

RESOLUTION, DRAFTS = StageName.ENTITY_RESOLUTION, StageName.DRAFT_GENERATION
REAL_STAGES = {
    "entity_resolution": "voicepipeline.stages.resolution",
    "draft_generation": "voicepipeline.stages.drafts",
}
BEFORE = {RESOLUTION: ["transcription", "claims_extraction"]}
BEFORE[DRAFTS] = [*BEFORE[RESOLUTION], "entity_resolution"]


def make_read_note(stage=RESOLUTION, **fields):
    """A note that waits for this stage, with the results of those before it in use."""
    note = make_note(status=Artifact.Status.PROCESSING, current_stage=stage, **fields)
    make_transcript(note)
    for done in BEFORE[stage]:
        StageRun.objects.create(
            artifact=note,
            stage=done,
            generation=1,
            attempt=1,
            status="succeeded",
            effective=True,
            finished_at=timezone.now(),
        )
    return note


def scheduled(note, stage=RESOLUTION):
    scheduling = schedule_stage(note.pk, stage)
    assert scheduling.run is not None, scheduling.refusal
    return scheduling.run


def resolve(note):
    """Match the names of the note, by the engine; its matches by what was said."""
    perform(scheduled(note).pk)
    return matches(note)


def matches(note):
    rows = EntityResolution.objects.filter(artifact=note).select_related("player", "team", "coach_meant")
    return list(rows.order_by("claim__number", "mention_number"))


def the_match(note):
    (match,) = resolve(note)
    return match


def event(note, event_type):
    return PipelineEvent.objects.get(artifact=note, event_type=event_type)


def player(club, name, **fields):
    first, _, last = name.partition(" ")
    return make_player(organization=club, first_name=first, last_name=last, **fields)


def choose(note, text, *, kind="player_name", claim_key="", **target):
    by = make_user()
    return NameChoice.objects.create(
        artifact=note, kind=kind, name_key=name_key(kind, text), claim_key=claim_key, chosen_by=by, **target
    )
