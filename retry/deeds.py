"""What people did about failures, for the overview: retried notes one by one or in bulk, and decided about problems."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.urls import reverse

from retry.models import BulkRetry, FailureMark, RetryAttempt, RetryKind
from retry.problem_words import words_of
from voicepipeline.overview.asking import Question, newest_of, rows_of
from voicepipeline.overview.deeds import who
from voicepipeline.overview.parts import Deed
from voicepipeline.spans import span_text

Row = Mapping[str, Any]

NOTE, RETRIES = "admin:voicepipeline_artifact_change", "admin:retry_retryattempt_changelist"
BULK, PROBLEM = "admin:retry_bulkretry_change", "admin:retry_failuregroup_change"
# One by one so many are read, of the newest so many: those of bulk retries, each told by its bulk, stand in between.
READ, NEWEST = 100, 1_000
FEW = 20
A_SECOND = timedelta(seconds=1)
MARKED = {
    FailureMark.Kind.FIXED: ("build_circle", "marked a problem as fixed: {}"),
    FailureMark.Kind.SNOOZED: ("snooze", "put a problem aside: {}"),
    FailureMark.Kind.REOPENED: ("lock_open", "opened a problem again: {}"),
}


@cache
def deed_questions() -> dict[str, Question]:
    """To be asked beside whatever else is asked; always the same ones."""
    alone = newest_of(RetryAttempt.objects.all(), NEWEST).filter(bulk_item__isnull=True)[:READ]
    started = BulkRetry.objects.filter(started_at__isnull=False).order_by("-pk")[:FEW]
    marks = FailureMark.objects.filter(kind__in=list(MARKED)).order_by("-pk")[:FEW]
    problem = {"about": "group__fingerprint", "code": "group__error_code"}
    return {
        "retried": _rows(alone, by="requested_by", at="requested_at", what="kind", about="artifact__artifact_id"),
        "bulks": _rows(started, by="requested_by", at="started_at", what="expected", about="bulk_id"),
        "marks": _rows(marks, by="by", at="marked_at", what="kind", **problem),
    }


def deeds_of(answers: Mapping[str, Any]) -> Iterator[Deed]:
    yield from _retried(answers["retried"])
    for row in answers["bulks"]:
        number = row["deed_what"]
        words = f"started a bulk retry of {number:,} {'voice note' if number == 1 else 'voice notes'}"
        yield _deed(row, "replay", words, reverse(BULK, args=[row["deed_about"]]))
    for row in answers["marks"]:
        icon, words = MARKED[row["deed_what"]]
        sentence = words.format(words_of(row["deed_code"]).title)
        yield _deed(row, icon, sentence, reverse(PROBLEM, args=[row["deed_about"]]))


def _retried(rows: Sequence[Row]) -> Iterator[Deed]:
    """The same person's in a row are one."""
    for (_, over), same in groupby(rows, key=lambda row: (row["deed_by"], row["deed_what"] == RetryKind.FULL)):
        found = list(same)
        number = f"{len(found)}+" if len(found) == READ else str(len(found))
        notes = "a voice note" if len(found) == 1 else f"{number} voice notes"
        words = f"started {notes} over" if over else f"retried {notes}"
        yield _deed(found[0], "replay", words, _address(found))


def _address(rows: Sequence[Row]) -> str:
    """That of their one note, or of the list of exactly them."""
    if len({row["deed_about"] for row in rows}) == 1:
        return reverse(NOTE, args=[rows[0]["deed_about"]])
    span = span_text(_at(rows[-1]), _at(rows[0]) + A_SECOND)
    return f"{reverse(RETRIES)}?{urlencode({'who': rows[0]['deed_by'], 'how': 'alone', 'requested_in': span})}"


def _deed(newest: Row, icon: str, sentence: str, url: str) -> Deed:
    name = who(newest["deed_first_name"], newest["deed_last_name"], newest["deed_user_name"])
    return Deed(name, sentence, _at(newest), icon, url)


def _at(row: Row) -> datetime:
    return datetime.fromisoformat(row["deed_at"])


def _rows(rows: QuerySet[Any], *, by: str, **columns: str) -> Question:
    names = {"first_name": f"{by}__first_name", "last_name": f"{by}__last_name", "user_name": f"{by}__username"}
    return rows_of(rows.values(**{f"deed_{name}": F(path) for name, path in {"by": by, **names, **columns}.items()}))
