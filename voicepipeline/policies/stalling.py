"""When a note has made no progress for too long."""

from datetime import datetime, timedelta


def last_progress(*moments: datetime | None) -> datetime:
    """When a note last moved: a run that is not due yet counts from when it will be."""
    return max(moment for moment in moments if moment is not None)


def is_stalled(last_moved: datetime, now: datetime, limit: timedelta) -> bool:
    return now - last_moved > limit
