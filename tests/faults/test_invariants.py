"""Each check of the invariant checker finds what it is there for."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from metrics.aggregation import aggregate_hourly_metrics
from retry.models import BulkRetry, BulkRetryItem, RetryAttempt, RetryKind
from retry.operations import retry_failed_stage, retry_full_pipeline
from tests.engine.helpers import claimed, make_artifact, make_due, run_to_the_end, scheduled
from tests.factories import make_user
from tests.faults.invariants import CHECKS, broken
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.engine.reclaiming import Suspect, reclaim
from voicepipeline.events import log_event, stable_event_id
from voicepipeline.models import Artifact, PipelineEvent, StageRun

pytestmark = pytest.mark.django_db

# The database itself refuses these; they are asked all the same, because a constraint can be dropped.
REFUSED_BY_CONSTRAINTS = {
    "one run at most is active for a note",
    "one result at most is in use for a stage",
    "a lease belongs to a running run, and a running run has one",
}
DELETE_EVENT = "DELETE FROM voicepipeline_pipelineevent WHERE event_type = '{}'"
DELETE_QUEUED = """
    DELETE FROM voicepipeline_providercall; DELETE FROM voicepipeline_stagerun WHERE status = 'queued'
"""
UPDATE_QUEUED = "UPDATE voicepipeline_stagerun SET {} WHERE status = 'queued'"
FAIL_NOTES = """
    UPDATE voicepipeline_artifact SET status = 'failed', failed_stage = 'transcription', error_code = 'x'
    WHERE status NOT IN ('completed', 'failed')
"""
OPEN_SERVICE = """
    INSERT INTO voicepipeline_aiservicehealth
        (service, state, reason, needs_person, changed_at, trouble_since, updated_at, probe_until)
    VALUES ('transcription', 'half_open', 'x', false, now(), now(), now() - interval '1 hour', now())
    ON CONFLICT (service) DO UPDATE SET state = excluded.state, reason = excluded.reason,
        trouble_since = excluded.trouble_since, updated_at = excluded.updated_at, probe_until = excluded.probe_until
"""
LONG_AGO = timezone.now() - timedelta(hours=1)
UPDATE_RETRIES = "UPDATE retry_retryattempt SET {} WHERE outcome = 'failed'"
UPDATE_ITEMS = "UPDATE retry_bulkretryitem SET {}"
NO_LONGER_IN_USE = "UPDATE voicepipeline_stagerun SET effective = false WHERE stage = 'draft_generation'"

DAMAGE = {
    "a completed note has a result of every stage in use": NO_LONGER_IN_USE,
    "a note that has ended has no active run": FAIL_NOTES,
    "tries are counted without gaps": UPDATE_QUEUED.format("attempt = 7"),
    "no budget is exceeded": UPDATE_QUEUED.format("crash_no = 3"),
    "budgets count what happened before in this stage": UPDATE_QUEUED.format("transient_no = 3"),
    "a failed note was ended by one run of its failed stage": FAIL_NOTES,
    "a failed run that ended nothing has a successor": DELETE_QUEUED,
    "the next stage follows a result in use": DELETE_QUEUED,
    "nothing on hold is rung for": UPDATE_QUEUED.format("rung_at = now()"),
    "what is on hold is told": DELETE_EVENT.format("stage_parked"),
    "a note is charged for a call only by a run that failed": "UPDATE voicepipeline_providercall SET charged = true",
    "a trouble is told when it begins and when it ends": OPEN_SERVICE,
    "a test that ended without a word is followed by another, if anybody waits": """
        UPDATE voicepipeline_stagerun
        SET not_before = now() - interval '1 hour', parked_since = now() - interval '1 hour'
        WHERE parked_since IS NOT NULL;
    """
    + OPEN_SERVICE,
    "a result in use is stored once, by the claim that held the lease": "DELETE FROM tests_stageresult",
    "nothing is stored but by a run whose result is in use": NO_LONGER_IN_USE,
    "every claim is told": DELETE_EVENT.format("claims_extraction_started"),
    "every start has one end, or is at work": DELETE_EVENT.format("stage_parked"),
    "a succeeded run is told as completed, once": DELETE_EVENT.format("claims_extracted"),
    "a failed run is told as failed, once, with what follows": DELETE_EVENT.format("transcription_failed"),
    "a dead worker's run is told as picked up again, once": DELETE_EVENT.format("stage_run_reclaimed"),
    "every end of a note is told once": DELETE_EVENT.format("artifact_completed"),
    "the last change of status that was told is the one that is written": """
        DELETE FROM voicepipeline_pipelineevent WHERE new_status = 'completed'
    """,
    "a run's cost is that of its events": DELETE_EVENT.format("drafts_generated"),
    "an event happened while its run was there": "SET LOCAL session_replication_role = replica; "
    "UPDATE voicepipeline_pipelineevent SET timestamp = timestamp - interval '1 hour'",
    "no event was dropped": """
        INSERT INTO voicepipeline_droppedevent (event_type, reason, dropped_at) VALUES ('x', 'y', now())
    """,
    "retries of a note are numbered from one without gaps": UPDATE_RETRIES.format("number = 7"),
    "one retry at most is under way for a note": """
        INSERT INTO retry_retryattempt (artifact_id, number, kind, generation, origin, requested_by_id, reason,
            requested_at, idempotency_key, deleted, agreed_to, problem_before, outcome, failed_stage, error_code,
            error_message, problem)
        SELECT artifact_id, number + 1, kind, generation, gen_random_uuid(), requested_by_id, '', now(), '', '{}', 0,
            '', outcome, '', '', '', ''
        FROM retry_retryattempt WHERE outcome = 'under_way'
    """,
    "a retry that was requested is told, once": DELETE_EVENT.format("retry_initiated"),
    "a retry that has ended is told as it ended, once": DELETE_EVENT.format("retry_succeeded"),
    "a retry ended as the last of its runs did": "UPDATE retry_retryattempt SET origin = gen_random_uuid()",
    "no retry is under way long after its note has ended": """
        UPDATE voicepipeline_artifact SET status = 'failed', failed_stage = 'transcription', error_code = 'x',
            updated_at = now() - interval '5 minutes'
        WHERE id IN (SELECT artifact_id FROM retry_retryattempt WHERE outcome = 'under_way')
    """,
    "a retry's failure is the one of its run": UPDATE_RETRIES.format("problem = 'another'"),
    "a note of a bulk retry stands as its retry does": UPDATE_ITEMS.format("problem = 'another'"),
    "a bulk retry that is over has nothing under way": UPDATE_ITEMS.format("state = 'requested', settled_at = NULL"),
    "a failure belongs to a problem": "DELETE FROM retry_failuremark; DELETE FROM retry_failuregroup",
    "live figures are what the events of each minute say": """
        UPDATE metrics_counter SET value = value + 1 WHERE counter_type = 'failures_1h'
    """,
    "the history of an hour is what its events say": "UPDATE metrics_metricssnapshot SET ai_calls = ai_calls + 1",
    "the history of a stage in an hour is what its events say": """
        UPDATE metrics_stagesnapshot SET failed = failed + 1 WHERE stage = 'transcription'
    """,
    "an hour that was counted has a row of the platform": """
        DELETE FROM metrics_stagesnapshot; DELETE FROM metrics_sourcesnapshot; DELETE FROM metrics_promptsnapshot;
        DELETE FROM metrics_metricssnapshot
    """,
    "no event stands uncounted in an hour that is final": """
        UPDATE metrics_period SET sealed_at = now(), events = events - 1 WHERE events > 0
    """,
}


@pytest.fixture(autouse=True)
def _a_bit_of_everything(settings):
    """Ready, failed for good, failed for now, on hold, crashed, and half way."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tests_stageresult")
    for script in ({"claims_extraction": ["transient"]}, {"transcription": ["permanent"]}):
        artifact = make_artifact(**script)
        scheduled(artifact)
        run_to_the_end(artifact)
    for script in ({"transcription": ["transient"]}, {"transcription": ["provider", "provider"]}, {}):
        perform(scheduled(make_artifact(**script)).pk)
    reclaimed(make_artifact())
    retried_in_every_way()
    aggregate_hourly_metrics(this_hour())


def this_hour():
    """That of the newest event: the next may have begun while they were made."""
    newest = PipelineEvent.objects.latest("timestamp").timestamp
    return newest.replace(minute=0, second=0, microsecond=0)


def reclaimed(artifact: Artifact) -> None:
    run = scheduled(artifact)
    taken = claimed(artifact)
    lease_until = StageRun.objects.get(pk=run.pk).lease_until
    assert lease_until is not None
    assert reclaim(Suspect(run.pk, artifact.pk, taken.token, lease_until))


def retried_in_every_way() -> None:
    """Retries that succeeded, failed again as a part of many, made way for a newer one, and are under way."""
    by = make_user(roles.ADMINISTRATOR)
    for words in (["permanent"], ["permanent", "permanent"], ["permanent"]):
        note = run_to_the_end(started(transcription=words))
        assert retry_failed_stage(note.artifact_id, by=by).success
        if len(words) > 1 or not RetryAttempt.objects.filter(outcome="succeeded").exists():
            run_to_the_end(note)
    StageRun.objects.filter(artifact=note).active().update(not_before=LONG_AGO, queued_at=LONG_AGO)
    Artifact.objects.filter(pk=note.pk).update(updated_at=LONG_AGO)
    assert retry_full_pipeline(note.artifact_id, by=by, reason="It stands still.").success
    as_one_of_many(RetryAttempt.objects.get(outcome="failed"))


def as_one_of_many(attempt: RetryAttempt) -> None:
    times = {"started_at": attempt.requested_at, "finished_at": attempt.finished_at}
    bulk = BulkRetry.objects.create(
        kind=RetryKind.TRANSCRIPTION, requested_by=attempt.requested_by, reason="x", state="finished", **times
    )
    kept = {"state": "failed", "problem": attempt.problem, "settled_at": attempt.finished_at}
    BulkRetryItem.objects.create(
        bulk=bulk, artifact=attempt.artifact, attempt=attempt, position=1, generation=1, **kept
    )


def started(**script: list[str]) -> Artifact:
    artifact = make_artifact(**script)
    scheduled(artifact)
    return artifact


def violated(damage: str = "") -> set[str]:
    """Which checks do not hold, after this has been done to the rows; it is undone again."""
    with transaction.atomic(), connection.cursor() as cursor:
        if damage:
            cursor.execute(damage)
        found = {violation.check for violation in broken(cursor)}
        transaction.set_rollback(bool(damage))
    return found


def test_nothing_is_wrong_with_what_the_engine_wrote():
    assert violated() == set()


def test_damage_is_found():
    """Each on the same rows: making them takes longer than all the rest."""
    assert [check for check, damage in DAMAGE.items() if check not in violated(damage)] == []


def test_a_result_that_was_discarded_although_it_counted_is_found():
    run = StageRun.objects.filter(effective=True).first()
    event_id = stable_event_id(f"run/{run.pk}/{run.lease_token}", "stage_result_discarded")
    log_event("stage_result_discarded", run.artifact, event_id=event_id)
    assert violated() == {"a result is discarded only of a claim that had lost its lease"}


def test_a_cost_that_is_told_twice_is_found():
    run = StageRun.objects.filter(effective=True).first()
    event_id = stable_event_id(f"run/{run.pk}/{run.lease_token}", "stage_parked")
    log_event("stage_parked", run.artifact, event_id=event_id, metadata={"ai_cost": run.cost_usd})
    assert "a claim's cost is told once" in violated()


def test_a_run_that_is_on_hold_and_taken_up_again_is_in_order():
    run = StageRun.objects.get(parked_since__isnull=False)
    make_due(run.artifact)
    perform(run.pk)
    assert violated() == set()


def test_every_check_is_tried():
    tried = DAMAGE.keys() | REFUSED_BY_CONSTRAINTS
    assert CHECKS.keys() - tried == {
        "a result is discarded only of a claim that had lost its lease",
        "a claim's cost is told once",
    }
