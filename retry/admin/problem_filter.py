"""The filters of the list of voice notes to which figures of problems lead."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from retry.models import FailureGroup
from retry.problem_words import words_of
from voicepipeline.admin.lists import ChosenFilter
from voicepipeline.admin.run_filters import FINGERPRINT
from voicepipeline.models import Coach
from voicepipeline.text import row_number

SHOWN = 8


class ProblemFilter(ChosenFilter):
    """Voice notes that have this problem now: failed, and not closed."""

    title = "problem"
    parameter_name = "problem"

    def words(self, value: str) -> str:
        return self._name if FINGERPRINT.fullmatch(value) else ""

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(status="failed", closed_at__isnull=True, fingerprint=value)

    @cached_property
    def _name(self) -> str:
        value = self.value() or ""
        group = FailureGroup.objects.filter(fingerprint=value).first()
        if group is None:
            return f"Problem {value[:SHOWN]}"
        return f"{group.get_stage_display()}: {words_of(group.error_code).title}"


class CoachFilter(ChosenFilter):
    """Voice notes of this coach, or `none` for those whose coach is not known."""

    title = "coach"
    parameter_name = "coach"
    NONE = "none"

    def words(self, value: str) -> str:
        return "Not known" if value == self.NONE else self._name

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return queryset.filter(sender=None if value == self.NONE else row_number(value))

    @cached_property
    def _name(self) -> str:
        pk = row_number(self.value() or "")
        coach = Coach.objects.filter(pk=pk).first() if pk is not None else None
        return str(coach) if coach else ""
