"""What everybody is to know: AI services that are paused, what people have paused, models soon gone. One query."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import CharField, DateTimeField, F, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from voicepipeline.ai.endpoint import configured_models
from voicepipeline.ai.faults import FAULTS
from voicepipeline.models import AIService, AIServiceHealth, Pause, ProviderModel
from voicepipeline.operations.provider_models import Told, cautions_of

# More pauses than this are told as many.
MOST_READ = 100
MODEL = "model"
COLUMNS = ("what", "how", "why", "urgent", "club", "since")
DOWN = "The AI service is down."


@dataclass(frozen=True)
class Standstill:
    """An AI service that is not normal, one pause of a person's, or a caution of a model that will soon be gone."""

    service: str = ""
    state: str = ""
    reason: str = ""
    needs_person: bool = False
    subject: str = ""
    club: str | None = None
    since: datetime | None = None
    caution: str = ""


@dataclass(frozen=True)
class Notice:
    """One sentence for the top of every page."""

    sentence: str
    needs_person: bool = False
    stands_still: bool = True


def load_standstills() -> list[Standstill]:
    health = AIServiceHealth.objects.exclude(state=AIServiceHealth.State.CLOSED).order_by()
    pauses = Pause.objects.filter(resumed_at__isnull=True).order_by()
    nothing = Value("", CharField())
    services = health.annotate(
        what=F("service"),
        how=F("state"),
        why=F("reason"),
        urgent=F("needs_person"),
        club=Value(None, CharField()),
        since=F("trouble_since"),
    ).values_list(*COLUMNS)
    stopped = pauses.annotate(
        what=F("subject"),
        how=nothing,
        why=nothing,
        urgent=Value(False),
        club=F("organization__name"),
        since=F("paused_at"),
    ).values_list(*COLUMNS)
    rows = list(_models().union(services, stopped, all=True)[:MOST_READ])
    told = {what: _told(why, offered) for what, how, why, offered, *_ in rows if how == MODEL}
    cautions = cautions_of(told, today=timezone.now().date())
    return [*_standing([row for row in rows if row[1] != MODEL]), *(Standstill(caution=each) for each in cautions)]


def _models() -> QuerySet[Any, Any]:
    """What the provider has told of the configured models, in the columns of the others."""
    models = ProviderModel.objects.filter(name__in=configured_models().values()).order_by()
    day = Coalesce(Cast("shutdown_on", CharField()), Value("", CharField()))
    return models.annotate(
        what=F("name"),
        how=Value(MODEL, CharField()),
        why=day,
        urgent=F("offered"),
        club=Value(None, CharField()),
        since=Value(None, DateTimeField()),
    ).values_list(*COLUMNS)


def _told(day: str, offered: bool) -> Told:
    return offered, date.fromisoformat(day) if day else None


def _standing(rows: Iterable[Any]) -> list[Standstill]:
    return [
        Standstill(service=what, state=how, reason=why, needs_person=urgent, since=since)
        if how
        else Standstill(subject=what, club=club, since=since)
        for what, how, why, urgent, club, since in rows
    ]


def notice_of(standing: Sequence[Standstill]) -> Notice | None:
    """The sentence that matters most, with a hint at the others."""
    sentences = [
        *_services([each for each in standing if each.needs_person]),
        *_services([each for each in standing if each.service and not each.needs_person]),
        *_pauses([each for each in standing if each.subject]),
    ]
    caution = next((each.caution for each in standing if each.caution), "")
    if not sentences:
        return Notice(caution, stands_still=False) if caution else None
    more = len(sentences) - 1
    other = f" {more} more {'thing is' if more == 1 else 'things are'} paused." if more else ""
    rest = f"{other} {caution}" if caution else other
    return Notice(sentences[0] + rest, any(each.needs_person for each in standing))


def _services(troubled: Sequence[Standstill]) -> list[str]:
    """A sentence for each reason, with all the services that it stops."""
    reasons: dict[str, list[str]] = {}
    for each in sorted(troubled, key=lambda each: each.service, reverse=True):
        reasons.setdefault(trouble_words(each.reason), []).append(str(AIService(each.service).label).lower())
    person = any(each.needs_person for each in troubled)
    ending = "nothing is lost." if person else "nothing is lost, and it is tried again by itself."
    return [
        f"{reason}: {' and '.join(services)} {'is' if len(services) == 1 else 'are'} on hold for all clubs; {ending}"
        for reason, services in reasons.items()
    ]


def trouble_words(code: str) -> str:
    """Why an AI service is paused, as the beginning of a sentence."""
    return FAULTS.get(code, (None, DOWN))[1].removesuffix(".")


def _pauses(stopped: Sequence[Standstill]) -> list[str]:
    """A sentence for each subject, the widest first."""
    return [
        _pause(subject, [each.club for each in stopped if each.subject == subject])
        for subject in Pause.Subject.values
        if any(each.subject == subject for each in stopped)
    ]


def _pause(subject: str, clubs: Sequence[str | None]) -> str:
    whom = "for all clubs" if None in clubs else f"for {clubs[0]}" if len(clubs) == 1 else f"for {len(clubs)} clubs"
    if subject == Pause.Subject.AUTOMATIC_CONFIRMATION:
        return f"Automatic confirmation is switched off {whom}: every suggested entry waits for a person."
    stage = f"The stage {Pause.Subject(subject).label}"
    what = "All work on voice notes" if subject == Pause.Subject.EVERYTHING else stage
    return f"{what} is paused {whom}: voice notes are accepted and wait; nothing is lost."
