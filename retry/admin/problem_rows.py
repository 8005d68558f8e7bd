"""How problems are shown: their states and figures in words, where these lead, and a day as a small picture."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from retry.group_queries import HOUR, Affected, Problem, day_shown
from retry.groups import is_open
from retry.models import FailureGroup, FailureMark
from retry.problem_words import CodeWords, words_of
from voicepipeline.admin.words import State, moment
from voicepipeline.masking import Eyes
from voicepipeline.spans import span_text

BAR, STEP, HEIGHT = 4, 5, 28
NOTES, RUNS = "admin:voicepipeline_artifact_changelist", "admin:voicepipeline_stagerun_changelist"
PAGE = "admin:retry_failuregroup_change"
OPEN, ASIDE, FIXED = "open", "aside", "fixed"
MARKS = {
    FailureMark.Kind.FIXED: "completed",
    FailureMark.Kind.SNOOZED: "closed",
    FailureMark.Kind.REOPENED: "waiting",
    FailureMark.Kind.CAME_BACK: "failed",
}


@dataclass(frozen=True)
class Trend:
    """The failures of 24 hours: a bar for each with any, a line for those with none, and the same in words."""

    bars: str
    gaps: str
    total: int
    words: str
    since: str


@dataclass(frozen=True)
class Row:
    """One problem as the list and its own page have it."""

    group: FailureGroup
    words: CodeWords
    said: str
    state: State
    standing: str
    notes: str
    clubs: str
    today: str
    failures: str
    trend: Trend
    url: str
    notes_url: str
    today_url: str
    example: str
    example_url: str
    first_seen: str
    last_seen: str
    has_notes: bool
    retry_words: str


def row_of(problem: Problem, now: datetime) -> Row:
    group, trend = problem.group, trend_of(problem.trend, now)
    example = group.example
    words = words_of(group.error_code)
    return Row(
        group=group,
        words=words,
        said="" if group.error_message == words.meaning else group.error_message,
        state=state_of(group, now),
        standing=standing_of(group, now),
        notes=f"{problem.notes:,}",
        clubs=f"{problem.clubs:,}",
        today=f"{trend.total:,}",
        failures=f"{group.failures:,}",
        trend=trend,
        url=reverse(PAGE, args=[group.fingerprint]),
        notes_url=notes_url(group.fingerprint),
        today_url=runs_url(group.fingerprint, now),
        example=str(example.artifact_id)[:8],
        example_url=reverse("admin:voicepipeline_artifact_change", args=[example.artifact_id]),
        first_seen=minute(group.first_seen_at),
        last_seen=minute(group.last_seen_at),
        has_notes=problem.notes > 0,
        retry_words=f"Retry {'this voice note' if problem.notes == 1 else f'these {problem.notes:,} voice notes'}",
    )


def minute(when: datetime | None) -> str:
    """A moment without its seconds: nothing here is as exact."""
    return moment(when).rpartition(":")[0]


def standing_of(group: FailureGroup, now: datetime) -> str:
    """Whether it is to be seen to: a problem whose time aside is over is open."""
    if is_open(group, now):
        return OPEN
    return FIXED if group.status == FailureGroup.Status.FIXED else ASIDE


def state_of(group: FailureGroup, now: datetime) -> State:
    match standing_of(group, now):
        case "aside":
            return State("closed", f"Put aside until {minute(group.snoozed_until)} UTC")
        case "fixed":
            return State("completed", "Fixed")
    return State("failed", "Came back") if group.came_back_at else State("waiting", "Open")


def notes_url(fingerprint: str, **more: str) -> str:
    """The voice notes that are counted, and no others."""
    return f"{reverse(NOTES)}?{_query(problem=fingerprint, **more)}"


def runs_url(fingerprint: str, now: datetime) -> str:
    """The tries that are counted as failures of a day."""
    span = span_text(*day_shown(now))
    return f"{reverse(RUNS)}?{_query(ended_in=span, status__exact='failed', last='yes', problem=fingerprint)}"


def _query(**values: str) -> str:
    query = QueryDict(mutable=True)
    query.update(values)
    return query.urlencode()


def trend_of(numbers: tuple[int, ...], now: datetime) -> Trend:
    start, _ = day_shown(now)
    most, total = max(numbers), sum(numbers)
    bars = "".join(_bar(position, _height(number, most)) for position, number in enumerate(numbers) if number)
    gaps = "".join(_bar(position, 1) for position, number in enumerate(numbers) if not number)
    since = f"failures since {start:%H:%M} UTC"
    if not total:
        return Trend(bars, gaps, 0, "None in the last 24 hours.", since)
    peak = start + numbers.index(most) * HOUR
    hour = f"from {peak:%H:%M} to {peak + HOUR:%H:%M} UTC"
    words = (
        f"{total:,}, all {hour}." if total == most else f"{total:,} in the last 24 hours, the most {hour}: {most:,}."
    )
    return Trend(bars, gaps, total, words, since)


def _bar(position: int, height: int) -> str:
    """A rectangle as one part of a path: a template for each of them would cost more than the query."""
    return f"M{position * STEP} {HEIGHT}v-{height}h{BAR}v{height}z"


def _height(number: int, most: int) -> int:
    """The smallest number can be told from none."""
    return max(4, round(number / most * HEIGHT))


def affected_rows(found: list[Affected], fingerprint: str, key: str) -> list[dict[str, Any]]:
    """Clubs or coaches, by the filter of the list of notes that names them."""
    return [
        {
            "name": each.name or "Not known",
            "club": each.club,
            "notes": f"{each.notes:,}",
            "key": "none" if each.pk is None else each.pk,
            "url": notes_url(fingerprint, **{key: "none" if each.pk is None else str(each.pk)}),
        }
        for each in found
    ]


def mark_rows(marks: list[FailureMark], eyes: Eyes) -> list[dict[str, Any]]:
    """What was decided, newest first; what people wrote may name players."""
    return [
        {
            "state": State(MARKS[FailureMark.Kind(mark.kind)], mark.get_kind_display()),
            "when": moment(mark.marked_at),
            "who": (mark.by.get_full_name() or mark.by.get_username()) if mark.by else "",
            "until": f"{minute(mark.until)} UTC" if mark.until else "",
            "note": eyes.text(mark.note),
        }
        for mark in marks
    ]
