"""Reading the history: the rows that stand for a span of time, of the platform or of one club."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from metrics import history_sql
from metrics.cover import Counted, Cover, cover
from metrics.limits import limits
from metrics.models import PeriodType
from metrics.windows import Grain
from voicepipeline.models import Organization


@dataclass(frozen=True)
class Known:
    """Which hours and days there are of a span, looked up once for all that is asked about parts of it."""

    start: datetime
    end: datetime
    club: int | None
    now: datetime
    counted: Sequence[Counted]

    @classmethod
    def of(cls, start: datetime, end: datetime, organization: Organization | None, *, now: datetime | None) -> "Known":
        club = organization.pk if organization else None
        return cls(start, end, club, now or timezone.now(), _counted(start, end, club))

    def asked(
        self,
        start: datetime,
        end: datetime,
        organization: Organization | None,
        *,
        period_type: PeriodType | None = None,
        as_one: bool = True,
    ) -> "Asked":
        """What stands for a part of the span; of what was not looked up nothing would be known."""
        if (organization.pk if organization else None) != self.club or start < self.start or end > self.end:
            raise ValueError("This was not looked up.")
        kept = limits().hours_kept
        how = cover(self.counted, start, end, now=self.now, hours_kept=kept, period_type=period_type, as_one=as_one)
        return Asked(how, self.club)


@dataclass(frozen=True)
class Asked:
    """What was asked for, and which rows answer it; platform and clubs are never read together but to be told apart."""

    cover: Cover
    club: int | None

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """What this statement of `history_sql` makes of the chosen rows."""
        chosen = [(row.period_type, row.start, part.start) for part in self.cover.parts for row in part.rows]
        types, starts, points = zip(*chosen, strict=True) if chosen else ((), (), ())
        several = [part.start for part in self.cover.parts if len(part.rows) > 1]
        values = {
            "types": list(types),
            "starts": list(starts),
            "points": list(points),
            "several": several,
            "club": self.club,
        }
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @property
    def whose(self) -> str:
        return history_sql.PLATFORM if self.club is None else history_sql.ONE_CLUB


def _counted(start: datetime, end: datetime, club: int | None) -> Sequence[Counted]:
    values = {"start": Grain.HOUR.floor(start), "day": Grain.DAY.floor(start), "end": end, "club": club}
    with connection.cursor() as cursor:
        cursor.execute(history_sql.COUNTED, values)
        return [
            Counted(PeriodType(period_type), period_start, aggregated_at, hours, is_final, has_gap)
            for period_type, period_start, aggregated_at, hours, is_final, has_gap in cursor.fetchall()
        ]
