"""A process that is killed at each point of the engine where it matters, and how the note gets on from there."""

import time
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from tests.engine.helpers import make_artifact, scheduled
from tests.faults.crashing import (
    After,
    AfterCommit,
    AnswerLost,
    Before,
    BeforeCommit,
    ByItself,
    act_in_child,
    crash,
    watch_until_killed,
)
from tests.faults.invariants import broken
from voicepipeline.engine.execution import perform
from voicepipeline.engine.scheduling import schedule_stage
from voicepipeline.engine.watchdog import Watchdog
from voicepipeline.models import Artifact, EventType, PipelineEvent, StageName, StageRun

pytestmark = [pytest.mark.faults, pytest.mark.trial, pytest.mark.django_db(transaction=True)]

CONVERGES_WITHIN_SECONDS = 30
SHORT = {
    "lease": 0.3,
    "first_pause": 0.1,
    "provider_pause": 0.1,
    "probe_pause": 0.1,
    "ring_again_first": 0.2,
    "forgotten_after": 0.2,
    "beat_every": 0.1,
}
RING = "voicepipeline.engine.doorbell:ring"
SCRIPTED = "tests.stages.transcription"


@dataclass(frozen=True)
class Point:
    """Where the process dies while it does what, and the traces of the recovery."""

    name: str
    moment: object
    doing: str = "perform"
    script: dict[str, list[str]] = field(default_factory=dict)
    crashes: int = 0  # runs reclaimed
    mended: int = 0  # times that nothing was scheduled and the watchdog put the note back
    faults: int = 0  # passing faults charged
    parked: int = 0
    ends: str = "completed"

    def __str__(self) -> str:
        return self.name


def during_transcription(*words: str) -> dict[str, list[str]]:
    return {"transcription": list(words)}


LAST = {"claims_extraction": [], "entity_resolution": [], "draft_generation": []}

POINTS = [
    Point("schedule, before its commit", BeforeCommit(), "schedule", mended=1),
    Point("schedule, after its commit, before ringing", AfterCommit(), "schedule"),
    Point("schedule, after ringing", After(RING), "schedule"),
    Point("claim, before its commit", BeforeCommit()),
    Point("claim, after its commit", AfterCommit(), crashes=1),
    Point("before the work, while its input is read", Before(f"{SCRIPTED}:load"), crashes=1),
    Point("before the work, with its input read", Before(f"{SCRIPTED}:work"), crashes=1),
    Point("during the work", ByItself(), script=during_transcription("die"), crashes=1),
    Point("after the work, before finish", After(f"{SCRIPTED}:work"), crashes=1),
    Point("in heartbeat, before its write", Before("voicepipeline.engine.heartbeat:extend_lease"),
          script=during_transcription("slow:20"), crashes=1),
    Point("in heartbeat, after its write", After("voicepipeline.engine.heartbeat:extend_lease"),
          script=during_transcription("slow:20"), crashes=1),
    Point("finish, with its results stored", After(f"{SCRIPTED}:store"), crashes=1),
    Point("finish, before its commit", BeforeCommit(2), crashes=1),
    Point("finish, after its commit, before ringing", AfterCommit(2)),
    Point("finish, after ringing", After(RING)),
    Point("finish of the last stage, before its commit", BeforeCommit(2), "last stage", crashes=1),
    Point("finish of the last stage, after its commit", AfterCommit(2), "last stage"),
    Point("a passing fault, before its commit", BeforeCommit(2), script=during_transcription("transient"), crashes=1),
    Point("a passing fault, after its commit", AfterCommit(2), script=during_transcription("transient"), faults=1),
    Point("a lasting fault, before its commit", BeforeCommit(2), script=during_transcription("permanent"), crashes=1),
    Point("a lasting fault, after its commit", AfterCommit(2), script=during_transcription("permanent"),
          ends="failed"),
    Point("put on hold, before its commit", BeforeCommit(2), script=during_transcription("provider"), crashes=1),
    Point("put on hold, after its commit", AfterCommit(2), script=during_transcription("provider"), parked=1),
    Point("reclaim, before its commit", BeforeCommit(), "reclaim", crashes=1),
    Point("reclaim, after its commit, before ringing", AfterCommit(), "reclaim", crashes=1),
    Point("reclaim, after ringing", After(RING), "reclaim", crashes=1),
    Point("ringing again, before the doorbell is there", Before(RING), "ring again"),
    Point("putting back, before its commit", BeforeCommit(), "mend", mended=1),
    Point("putting back, after its commit, before ringing", AfterCommit(), "mend", mended=1),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _short_limits(settings):
    settings.ENGINE = SHORT


@pytest.fixture(autouse=True)
def _no_earlier_results(db):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tests_stageresult")


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_crash_at_this_point_costs_nothing(point):
    artifact = make_artifact(**point.script)
    crash_while(point, artifact)
    recover(artifact)
    assert artifact.status == point.ends
    assert traces(artifact) == {
        "crashes": point.crashes,
        "mended": point.mended,
        "faults": point.faults,
        "parked": point.parked,
    }
    with connection.cursor() as cursor:
        assert broken(cursor) == []


UNHEARD = {
    "claim": (AnswerLost(1), [], ["queued"]),
    "finish": (AnswerLost(2), [], ["succeeded", "queued"]),
    "a passing fault": (AnswerLost(2), ["transient"], ["failed", "queued"]),
    "put on hold": (AnswerLost(2), ["provider"], ["queued"]),
}


@pytest.mark.parametrize("name", UNHEARD)
def test_a_commit_whose_answer_is_lost_is_neither_repeated_nor_charged(name):
    moment, words, statuses = UNHEARD[name]
    artifact = make_artifact(transcription=words)
    act_in_child(moment, perform, scheduled(artifact).pk)
    runs = StageRun.objects.filter(artifact=artifact).order_by("id")
    assert list(runs.values_list("status", flat=True)) == statuses
    recover(artifact)
    assert artifact.status == "completed"
    assert traces(artifact)["crashes"] == 0
    with connection.cursor() as cursor:
        assert broken(cursor) == []


def crash_while(point: Point, artifact: Artifact) -> None:
    match point.doing:
        case "schedule":
            crash(point.moment, schedule_stage, artifact.pk, StageName.TRANSCRIPTION)
        case "perform":
            crash(point.moment, perform, scheduled(artifact).pk)
        case "last stage":
            run_before_the_last_stage(artifact)
            crash(point.moment, perform, StageRun.objects.get(artifact=artifact, status="queued").pk)
        case "reclaim":
            crash(AfterCommit(), perform, scheduled(artifact).pk)
            crash(point.moment, watch_until_killed)
        case "ring again":
            run = scheduled(artifact)
            StageRun.objects.filter(pk=run.pk).update(rung_at=None, ring_count=0)
            crash(point.moment, watch_until_killed)
        case "mend":
            crash(point.moment, watch_until_killed)


def run_before_the_last_stage(artifact: Artifact) -> None:
    scheduled(artifact)
    for _ in range(3):
        perform(StageRun.objects.get(artifact=artifact, status="queued").pk)
    OrmQ.objects.all().delete()


def recover(artifact: Artifact) -> None:
    """A watchdog that knows nothing of before, and a worker that answers whatever rings, until the note has ended."""
    watchdog = Watchdog()
    deadline = time.monotonic() + CONVERGES_WITHIN_SECONDS
    while artifact.is_active:
        assert time.monotonic() < deadline, list(StageRun.objects.filter(artifact=artifact).values())
        watchdog.round()
        answer_doorbells()
        artifact.refresh_from_db()


def answer_doorbells() -> None:
    for row in OrmQ.objects.order_by("id"):
        package = SignedPackage.loads(row.payload)
        import_string(package["func"])(*package["args"])
        row.delete()


def traces(artifact: Artifact) -> dict[str, int]:
    runs = StageRun.objects.filter(artifact=artifact, status="failed", terminal=False)
    events = PipelineEvent.objects.filter(artifact=artifact)
    return {
        "crashes": runs.filter(error_code="worker_died").count(),
        "mended": events.filter(metadata__reason="nothing_was_scheduled").count(),
        "faults": runs.exclude(error_code="worker_died").count(),
        "parked": events.filter(event_type=EventType.STAGE_PARKED).count(),
    }
