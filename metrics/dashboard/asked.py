"""What the address asks the page to show: all of it, so that a page can be shared. What makes no sense is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from metrics import windows
from metrics.limits import limits
from metrics.windows import Grain, Window
from voicepipeline.models import Organization
from voicepipeline.text import row_number

RANGE_WORDS = {
    "1h": "1 hour",
    "6h": "6 hours",
    "24h": "24 hours",
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    windows.CUSTOM: "Other days",
}
# What a table of clubs can be sorted by; a minus before it turns it round.
SORTS = (
    "name",
    "received",
    "ready",
    "failed",
    "failure_rate",
    "typical",
    "slowest",
    "unclear",
    "cost",
    "cost_per_note",
)
DEFAULT_SORT = "-received"
ALL = "all"


@dataclass(frozen=True)
class Asked:
    """A window of time, whose figures, and how they are laid out."""

    window: Window
    now: datetime
    club: Organization | None = None
    compares: bool = False
    sort: str = DEFAULT_SORT
    shows_all_clubs: bool = False
    complaints: tuple[str, ...] = field(default=())

    @property
    def is_custom(self) -> bool:
        return self.window.key == windows.CUSTOM

    @property
    def first_day(self) -> str:
        return f"{self.window.start:%Y-%m-%d}"

    @property
    def last_day(self) -> str:
        """The day that the window ends with; one that ends at midnight does not touch the next."""
        return f"{min(self.window.end, self.now) - timedelta(microseconds=1):%Y-%m-%d}"

    @property
    def kept(self) -> dict[str, str]:
        """What the form does not ask for, and hands on."""
        asked = self._parameters()
        return {name: asked[name] for name in ("range", "sort", "clubs") if asked[name]}

    def in_range(self, key: str) -> str:
        """The same of another range; other days begin with those that are shown."""
        days = (
            {"since": self.first_day, "until": self.last_day} if key == windows.CUSTOM else {"since": "", "until": ""}
        )
        return self.address(range=key, **days)

    @property
    def words(self) -> str:
        """The window, and that it is not over where it is not."""
        label = self.window.label(self.now)
        is_moving = self.window.grain is Grain.MINUTE
        return f"{label}, so far" if self.window.is_running(self.now) and not is_moving else label

    @property
    def short_words(self) -> str:
        """Beside each figure, where the whole of it would be too long."""
        if self.window.grain is Grain.MINUTE:
            return self.words
        told = self._days_in_words() if self.is_custom else RANGE_WORDS[self.window.key]
        return f"{told}, so far" if self.window.is_running(self.now) else told

    def address(self, **changes: str) -> str:
        """This page with something else; an empty word leaves it out."""
        asked = self._parameters() | changes
        told = {name: value for name, value in asked.items() if value}
        return f"?{urlencode(told)}"

    def _parameters(self) -> dict[str, str]:
        return {
            "range": self.window.key,
            **(self._days() if self.is_custom else {}),
            "club": str(self.club.pk) if self.club else "",
            "compare": "1" if self.compares else "",
            "sort": self.sort if self.sort != DEFAULT_SORT else "",
            "clubs": ALL if self.shows_all_clubs else "",
        }

    def _days_in_words(self) -> str:
        """2 Nov to 5 Nov; of a part of a day the hours as well."""
        days = self._days()
        first, last = (datetime.fromisoformat(days[name]) for name in ("since", "until"))
        if len(days["since"]) > len(self.first_day):
            return f"{first.day} {first:%b %H:%M} to {last.day} {last:%b %H:%M}"
        told = f"{first.day} {first:%b}"
        return told if first == last else f"{told} to {last.day} {last:%b}"

    def _days(self) -> dict[str, str]:
        """As days where the window is of whole ones or goes on, else to the hour."""
        start, end = self.window.start, self.window.end
        in_days = Grain.DAY.floor(start) == start and (Grain.DAY.floor(end) == end or end > self.now)
        if in_days:
            return {"since": self.first_day, "until": self.last_day}
        return {"since": f"{start:%Y-%m-%d %H:%M}", "until": f"{end:%Y-%m-%d %H:%M}"}


def read_address(given: Mapping[str, str], *, now: datetime) -> Asked:
    """Whatever is given, something is shown."""
    key = given.get("range")
    window, complaint = windows.parse_window(key, given.get("since"), given.get("until"), now=now, how=limits())
    club, club_complaint = _club(given.get("club", ""))
    sort = given.get("sort", "")
    return Asked(
        window=window,
        now=now,
        club=club,
        compares=given.get("compare") == "1",
        sort=sort if sort.removeprefix("-") in SORTS and not sort.startswith("--") else DEFAULT_SORT,
        shows_all_clubs=given.get("clubs") == ALL,
        complaints=tuple(filter(None, (complaint, club_complaint))),
    )


def _club(given: str) -> tuple[Organization | None, str]:
    if not given:
        return None, ""
    club = Organization.objects.filter(pk=row_number(given) or 0).first()
    return club, "" if club else "There is no such club. Choose one from the list. Until then: all clubs."
