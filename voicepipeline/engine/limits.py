"""Every interval and limit of the engine, as the settings have them."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from voicepipeline.configuration import changed_limits
from voicepipeline.policies.backoff import FIRST_DELAY, LONGEST_DELAY


@dataclass(frozen=True)
class Limits:
    lease: timedelta = timedelta(seconds=60)
    # A run that works longer than this has its lease no longer renewed.
    longest_run: timedelta = timedelta(seconds=240)
    transient_budget: int = 6
    crash_budget: int = 3
    # The pause after a note's first passing fault; it doubles with each further one.
    first_pause: timedelta = FIRST_DELAY
    longest_pause: timedelta = LONGEST_DELAY
    # A note that the provider failed waits about this long, while the service is not paused.
    provider_pause: timedelta = timedelta(seconds=10)
    # An AI service is paused after this many failures in a row, or when at least this share of the calls in the
    # window has failed, if there were enough of them.
    breaker_faults_in_a_row: int = 5
    breaker_calls: int = 10
    breaker_share_percent: int = 50
    breaker_window: timedelta = timedelta(seconds=60)
    # The pause before a paused service is tested; it doubles with each test that fails.
    probe_pause: timedelta = timedelta(seconds=60)
    longest_probe_pause: timedelta = timedelta(minutes=15)
    provider_calls_kept: timedelta = timedelta(hours=1)
    ring_again_first: timedelta = timedelta(seconds=30)
    ring_again_longest: timedelta = timedelta(minutes=10)
    doorbells_per_worker: int = 4
    # A job sees to the notes of a bulk action for this long, then makes room for others.
    bulk_slice: timedelta = timedelta(seconds=15)
    # Rung for again when nobody has moved it for this long.
    bulk_quiet_for: timedelta = timedelta(seconds=60)
    watchdog_pause: timedelta = timedelta(seconds=1)
    forgotten_after: timedelta = timedelta(seconds=30)
    beat_every: timedelta = timedelta(seconds=5)
    cluster_lost_after: timedelta = timedelta(seconds=30)
    # A cluster that has been quiet for this long is given a self-test.
    self_test_after: timedelta = timedelta(seconds=30)
    wedged_after: timedelta = timedelta(seconds=90)
    stopping_grace: timedelta = timedelta(seconds=5)
    # A note that makes no progress for this long in a stage is shown as stalled, and may be released.
    transcription_stalled_after: timedelta = timedelta(minutes=10)
    claims_extraction_stalled_after: timedelta = timedelta(minutes=10)
    entity_resolution_stalled_after: timedelta = timedelta(minutes=10)
    draft_generation_stalled_after: timedelta = timedelta(minutes=10)

    @property
    def heartbeat(self) -> timedelta:
        return self.lease / 3

    def stalled_after(self, stage: str) -> timedelta:
        """How long a note may stand still in this stage; one that has not entered any waits for the first."""
        limit: timedelta = getattr(self, f"{stage or 'transcription'}_stalled_after")
        return limit


def limits() -> Limits:
    """The limits now: the defaults above, changed where ENGINE in the settings says so, durations in seconds."""
    return changed_limits("ENGINE", Limits, settings.ENGINE)
