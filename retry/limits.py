"""Every limit of retries, as the settings have them."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from voicepipeline.configuration import changed_limits

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limits:
    # Of one voice note, by whomever.
    retries_an_hour: int = 10
    # By one person, of those that delete what was confirmed or everything that was made.
    destructive_an_hour: int = 100
    # After so many retries that ended with the same problem somebody has to say what has changed.
    same_problem_asked_after: int = 3
    preview_valid_for: timedelta = HOUR
    most_in_bulk: int = 10_000
    # A bulk retry tries so many before the rest, and stops by itself when the same problem comes back on more than
    # this share of those that ended lately.
    tried_first: int = 3
    stops_above_percent: int = 50
    looked_back_at: int = 20
    # How much of the workers retries in bulk may take up; fresh notes have the others.
    share_of_workers_percent: int = 50
    # How long the watchdog begins retries in bulk before it sees to other things; the next are begun a moment later.
    longest_step: timedelta = timedelta(seconds=1)


def limits() -> Limits:
    """The limits now: the defaults above, changed where RETRY in the settings says so, durations in seconds."""
    return changed_limits("RETRY", Limits, settings.RETRY)
