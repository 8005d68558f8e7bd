"""What a doorbell calls. Ids in, nothing out; the run's row is the truth about the work."""

from django.utils import timezone

from voicepipeline.engine.execution import perform_and_go_on
from voicepipeline.intake.sweeping import sweep_orphans
from voicepipeline.operations import bulk_work, entry_bulk, merged_history, rematching  # noqa: F401  say how their kinds are done
from voicepipeline.operations.entries import expire_entries as perform_expire_entries
from voicepipeline.operations.provider_models import check_models as perform_check_models
from voicepipeline.operations.schedules import perform_scheduled_job
from voicepipeline.operations.tidying import tidy_up as perform_tidy_up
from voicepipeline.tracebacks import job


@job
def transcribe_audio(voice_note_id: int, run_id: int) -> None:
    perform_and_go_on(run_id)


@job
def extract_claims(artifact_id: int, run_id: int) -> None:
    perform_and_go_on(run_id)


@job
def resolve_entities(artifact_id: int, run_id: int) -> None:
    perform_and_go_on(run_id)


@job
def generate_drafts(artifact_id: int, run_id: int) -> None:
    perform_and_go_on(run_id)


@job
def self_test() -> None:
    """Nothing to do: that a worker took it up is the answer."""


@job
def run_scheduled_job(name: str) -> None:
    perform_scheduled_job(name)


@job
def tidy_up() -> None:
    perform_tidy_up(now=timezone.now())


@job
def check_models() -> None:
    perform_check_models(now=timezone.now())


@job
def sweep_recordings() -> None:
    sweep_orphans(timezone.now())


@job
def expire_entries() -> None:
    perform_expire_entries(now=timezone.now())


@job
def work_in_bulk(bulk_pk: int) -> None:
    bulk_work.go_on(bulk_pk)
