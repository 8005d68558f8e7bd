"""An hour or a UTC day that is being written: what comes of it, and that only one writes it at a time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection

from metrics.limits import DAY, HOUR
from metrics.models import PeriodType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LENGTHS = {PeriodType.HOUR: HOUR, PeriodType.DAY: DAY}
# The first key of an advisory lock; the second is the number of hours or days since 1970.
LOCKS = {PeriodType.HOUR: 730261, PeriodType.DAY: 730262}


@dataclass(frozen=True)
class Aggregated:
    """What was written; `busy`: somebody else is at this period, `refused`: it is final."""

    period_start: datetime
    events: int = 0
    rows: int = 0
    hours: int | None = None  # of a day: of how many of its hours
    gaps: list[int] = field(default_factory=list)  # clubs that could not be counted; Period.NO_CLUB for none
    busy: bool = False
    refused: bool = False


def checked_start(kind: PeriodType, start: datetime) -> datetime:
    """This moment in UTC, if such a period begins with it."""
    if start.tzinfo is None:
        raise ValueError(f"{start} names no time zone.")
    start = start.astimezone(UTC)
    if (start - EPOCH) % LENGTHS[kind]:
        raise ValueError(f"{start.isoformat()} is not the beginning of a UTC {kind}.")
    return start


def hold_period(kind: PeriodType, start: datetime) -> bool:
    """Whether this transaction alone may write this period until it ends; False: another one does."""
    with connection.cursor() as cursor:
        number = (start - EPOCH) // LENGTHS[kind]
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCKS[kind], number])
        return bool(cursor.fetchone()[0])
