"""Notes that are spoken or typed, and their way through the first two stages."""

from django.core.files.base import ContentFile

from tests.engine.helpers import active_run, make_due, scheduled
from tests.factories import make_coach, make_note, make_player, make_team
from voicepipeline.engine.execution import perform
from voicepipeline.models import Artifact, PipelineEvent, StageRun
from voicepipeline.simulator.audio import make_ogg, make_wav
from voicepipeline.stages.contract import StageFault

SCRIPT = "Niamh Kelly was excellent tonight. Aoife Ryan hurt her ankle and should rest."
SECONDS = 12


def spoken(script=SCRIPT, *, seconds=SECONDS, extension="wav", **fields):
    """A received recording with this script in it."""
    audio = (make_wav if extension == "wav" else make_ogg)(script, seconds)
    artifact = make_note(audio=audio, **fields)
    if extension != "wav":
        artifact.voice_note.audio.save(f"note.{extension}", ContentFile(audio))
    return artifact


def typed(text=SCRIPT, **fields):
    return make_note(text=text, **fields)


def squad(*names, **club):
    """A coach, and the players of the coach's team."""
    team = make_team(**club)
    coach = make_coach(organization=team.organization)
    coach.teams.add(team)
    return coach, [player(name, team) for name in names]


def player(name, team, **fields):
    first, _, last = name.partition(" ")
    return make_player(organization=team.organization, team=team, first_name=first, last_name=last, **fields)


def as_read(artifact):
    """As the engine reads it for a stage."""
    return Artifact.objects.select_related("voice_note").get(pk=artifact.pk)


def done(stage, artifact):
    """Load, work and store, as the engine does."""
    artifact = as_read(artifact)
    output = stage.work(stage.load(artifact))
    stage.store(artifact, output.data)
    return output


def fault_of(stage, artifact):
    try:
        stage.work(stage.load(as_read(artifact)))
    except StageFault as fault:
        return fault
    return None


def start(artifact):
    """Queue the first stage and perform it."""
    perform(scheduled(artifact).pk)
    artifact.refresh_from_db()
    return run_of(artifact, "transcription")


def go_on(artifact):
    """Perform the stage that is waiting."""
    run = active_run(artifact)
    make_due(artifact)
    perform(run.pk)
    artifact.refresh_from_db()
    return StageRun.objects.get(pk=run.pk)


def run_of(artifact, stage):
    return StageRun.objects.filter(artifact=artifact, stage=stage).latest("attempt")


def event_of(artifact, event_type):
    return PipelineEvent.objects.get(artifact=artifact, event_type=event_type)
