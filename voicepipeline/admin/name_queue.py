"""Which names wait for a person: the open questions in order, page by page, and the answers that were given lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac

from voicepipeline.admin.words import moment
from voicepipeline.masking import Eyes
from voicepipeline.models import Artifact, Coach, EntityResolution, MentionKind, NameChoice, Organization
from voicepipeline.operations.ai_service import name_of
from voicepipeline.operations.name_words import whom
from voicepipeline.text import row_number

A_PAGE = 50
MOST_COUNTED = 10_000
MOST_PAGES_OF_ANSWERS = 100
MOST_CLUBS, MOST_COACHES = 500, 500
MOST_OFFERED = 5
ORDER = ("artifact_id", "kind", "name_key")


class Question(NamedTuple):
    """One name of one note: whatever is asked about it, is asked once."""

    artifact_pk: int
    kind: str
    key: str

    @classmethod
    def of(cls, row: EntityResolution | NameChoice) -> "Question":
        return cls(row.artifact_id, row.kind, row.name_key)

    @property
    def mark(self) -> str:
        """What stands for the name in addresses: they end up in logs, and nobody can read it back."""
        return salted_hmac("voicepipeline.names", "/".join(map(str, self))).hexdigest()[:20]


@dataclass(frozen=True)
class Filters:
    """Whose names are looked at; kept from question to question."""

    club: int | None = None
    coach: int | None = None

    def narrow(self, rows: QuerySet[Any], path: str = "") -> QuerySet[Any]:
        if self.club is not None:
            rows = rows.filter(**{f"{path}organization_id": self.club})
        if self.coach is not None:
            rows = rows.filter(**{f"{path}sender_id": self.coach})
        return rows

    def query(self, **more: object) -> str:
        """As it stands in an address."""
        given = {"club": self.club, "coach": self.coach, **more}
        told = urlencode({name: value for name, value in given.items() if value not in (None, "")})
        return f"?{told}" if told else ""


def filters_of(given: Mapping[str, Any]) -> Filters:
    return Filters(number_in(given.get("club")), number_in(given.get("coach")))


def without_strangers(filters: Filters) -> tuple[Filters, str]:
    """The same without who is not there, or not of the chosen club and so finds nothing; and what to say of it."""
    club, coach = filters.club, filters.coach
    if club is not None and not Organization.objects.filter(pk=club).exists():
        return Filters(), "There is no such club: names of all clubs and coaches are shown."
    if coach is None:
        return filters, ""
    coaches = Coach.objects.filter(pk=coach)
    if (coaches if club is None else coaches.filter(organization=club)).exists():
        return filters, ""
    if club is None:
        return Filters(), "There is no such coach: names of all clubs and coaches are shown."
    return Filters(club=club), "The coach is not of this club: names of all its coaches are shown."


def number_in(text: object) -> int | None:
    """The number of a row, or None for anything else."""
    return row_number(str(text or ""))


def open_names(filters: Filters) -> QuerySet[Any]:
    unclear = EntityResolution.objects.filter(status=EntityResolution.Status.NEEDS_DISAMBIGUATION)
    return filters.narrow(unclear)


def count_open(filters: Filters) -> int:
    """How many questions are open; counting stops beyond what anybody answers in a day."""
    return int(open_names(filters).order_by(*ORDER).values(*ORDER).distinct()[: MOST_COUNTED + 1].count())


def next_question(filters: Filters, after: Question) -> Question | None:
    """The open question that follows, whether this one is open or not."""
    later = Q(artifact_id__gt=after.artifact_pk) | Q(artifact_id=after.artifact_pk, kind__gt=after.kind)
    later |= Q(artifact_id=after.artifact_pk, kind=after.kind, name_key__gt=after.key)
    # The first condition alone lets the index begin at the right place.
    rows = open_names(filters).filter(artifact_id__gte=after.artifact_pk).filter(later)
    found = rows.order_by(*ORDER).values_list(*ORDER).first()
    return Question(*found) if found else None


def question_before(filters: Filters, before: Question) -> Question | None:
    earlier = Q(artifact_id__lt=before.artifact_pk) | Q(artifact_id=before.artifact_pk, kind__lt=before.kind)
    earlier |= Q(artifact_id=before.artifact_pk, kind=before.kind, name_key__lt=before.key)
    rows = open_names(filters).filter(artifact_id__lte=before.artifact_pk).filter(earlier)
    found = rows.order_by(*(f"-{column}" for column in ORDER)).values_list(*ORDER).first()
    return Question(*found) if found else None


def question_url(question: Question, artifact_id: object, filters: Filters | None = None, **more: object) -> str:
    arguments = [artifact_id, question.kind, question.mark]
    url = reverse("admin:voicepipeline_entityresolution_question", args=arguments)
    return url + (filters or Filters()).query(**more)


def url_of(question: Question | None, filters: Filters, **more: object) -> str:
    """The address of a question of which only the row is known; empty when there is none."""
    if question is None:
        return ""
    artifact_id = Artifact.objects.values_list("artifact_id", flat=True).get(pk=question.artifact_pk)
    return question_url(question, artifact_id, filters, **more)


# --- The page of open questions -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    url: str
    spoken: str
    kind: str
    times: str
    offered: list[str]
    coach: str
    club: str
    received: str
    note: str
    note_url: str


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    notes: list[int]  # their artifacts
    after: int | None = None  # where the next page begins, if there is one
    cut: bool = False  # one note asks more than a page holds


def load_page(filters: Filters, after: int | None, eyes: Eyes) -> Page:
    """In the order of arrival; a page ends with a note, so that one number says where the next one begins."""
    rows = open_names(filters).filter(artifact_id__gt=after) if after else open_names(filters)
    asked = rows.values(*ORDER).annotate(first=Min("pk"), times=Count("pk")).order_by(*ORDER)
    found = list(asked[: A_PAGE + 1])
    more = len(found) > A_PAGE
    last = found[-1]["artifact_id"] if more else None
    cut = more and found[0]["artifact_id"] == last
    shown = found[:A_PAGE] if cut or not more else [each for each in found if each["artifact_id"] != last]
    people = EntityResolution.objects.select_related("artifact", "organization", "sender")
    first = people.in_bulk([each["first"] for each in shown])
    made = [_row(first[each["first"]], each["times"], filters, eyes) for each in shown if each["first"] in first]
    notes = sorted({each["artifact_id"] for each in shown})
    return Page(made, notes, after=notes[-1] if more else None, cut=cut)


def _row(asked: EntityResolution, times: int, filters: Filters, eyes: Eyes) -> Row:
    question = Question.of(asked)
    artifact = asked.artifact
    return Row(
        url=question_url(question, artifact.artifact_id, filters),
        spoken=eyes.name(asked.raw_text),
        kind=MentionKind(asked.kind).label,
        times="once" if times == 1 else f"{times} times",
        offered=[f"{eyes.name(name)} {score}".strip() for name, score in _offered(asked.candidates)],
        coach=str(asked.sender or "Unknown"),
        club=str(asked.organization or "Unknown"),
        received=moment(artifact.received_at),
        note=str(artifact.artifact_id)[:8],
        note_url=reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]),
    )


def _offered(candidates: Any) -> list[tuple[str, str]]:
    """Names and scores as they were stored."""
    given = candidates[:MOST_OFFERED] if isinstance(candidates, list) else []
    return [(str(each.get("name") or ""), score_of(each)) for each in given if isinstance(each, dict)]


def score_of(candidate: Mapping[str, Any]) -> str:
    score = candidate.get("score")
    return f"{score:.0f}" if isinstance(score, int | float) and not isinstance(score, bool) else ""


# --- Answers ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Answer:
    choice: NameChoice
    url: str
    spoken: str
    kind: str
    whom: str
    where: str
    by: str
    at: str
    coach: str
    club: str
    undone: str  # by whom and when, if it was


def load_answers(filters: Filters, page: int, eyes: Eyes) -> tuple[list[Answer], bool]:
    """The newest first, and whether there are older ones to turn to."""
    rows = filters.narrow(NameChoice.objects.all(), "artifact__").order_by("-chosen_at", "-pk")
    # Planning a join of them all takes longer than fetching each beside it.
    beside = ("artifact__organization", "artifact__sender", "player", "team", "coach_meant", "chosen_by", "undone_by")
    begin = (page - 1) * A_PAGE
    found = list(rows.select_related("artifact").prefetch_related(*beside)[begin : begin + A_PAGE + 1])
    more = len(found) > A_PAGE and page < MOST_PAGES_OF_ANSWERS
    return [answer_of(each, filters, eyes) for each in found[:A_PAGE]], more


def answer_of(choice: NameChoice, filters: Filters, eyes: Eyes) -> Answer:
    question = Question.of(choice)
    learned = ", remembered" if choice.alias_id is not None else ""
    return Answer(
        choice=choice,
        url=question_url(question, choice.artifact.artifact_id, filters),
        spoken=eyes.name(choice.raw_text or choice.name_key),
        kind=MentionKind(choice.kind).label,
        whom=eyes.name(whom(choice)) if choice.player or choice.coach_meant else whom(choice),
        where="in one statement only" if choice.claim_key else f"in the whole voice note{learned}",
        by=name_of(choice.chosen_by),
        at=moment(choice.chosen_at),
        coach=str(choice.artifact.sender or "Unknown"),
        club=str(choice.artifact.organization or "Unknown"),
        undone=f"{name_of(choice.undone_by)}, {moment(choice.undone_at)}" if choice.undone_by else "",
    )


# --- Filters ------------------------------------------------------------------------------------------------------
def choices_of(filters: Filters) -> dict[str, list[tuple[int, str]]]:
    """Clubs to choose from, and coaches once it is known of which club."""
    clubs = _with_chosen(Organization.objects.all(), MOST_CLUBS, filters.club)
    of_club = Coach.objects.filter(organization=filters.club) if filters.club is not None else Coach.objects.none()
    return {"clubs": clubs, "coaches": _with_chosen(of_club, MOST_COACHES, filters.coach)}


def _with_chosen(rows: QuerySet[Any], most: int, chosen: int | None) -> list[tuple[int, str]]:
    """As many as fit into a list, and whoever is chosen: what narrows a page has to be seen on it."""
    found = [(row.pk, str(row)) for row in rows[:most]]
    if chosen is None or any(pk == chosen for pk, _ in found):
        return found
    return [*((row.pk, str(row)) for row in rows.model.objects.filter(pk=chosen)), *found]
