"""What colleagues did: retried, settled, confirmed, closed, paused, resumed. The same deed in a row is one line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import CharField, F, QuerySet, UUIDField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.urls import reverse

from voicepipeline.models import EventType, NoteDecision, Pause, PipelineEvent
from voicepipeline.overview.parts import Deed

READ = 200
NOTE = "admin:voicepipeline_artifact_change"
AI_SERVICE = "admin:voicepipeline_aiservicehealth_changelist"
PAUSED, RESUMED = "paused", "resumed"
NOTHING, NO_NOTE, NOTE_ID = Value(""), Value(None, UUIDField()), F("artifact__artifact_id")
COLUMNS = ("what", "about", "note", "at", "by", "first_name", "last_name", "user_name")


@dataclass(frozen=True)
class Telling:
    """How a kind of deed is told of one note, and of several."""

    one: str
    many: str  # with a place for how many
    icon: str


TOLD = {
    EventType.RETRY_INITIATED: Telling("retried a voice note", "retried {} voice notes", "replay"),
    EventType.ENTITY_RESOLVED_BY_PERSON: Telling("settled a name", "settled {} names", "person_check"),
    EventType.NAME_CHOICE_UNDONE: Telling("took a settled name back", "took {} settled names back", "undo"),
    EventType.DRAFT_CONFIRMED: Telling("confirmed an entry", "confirmed {} entries", "check"),
    EventType.DRAFT_REJECTED: Telling("rejected an entry", "rejected {} entries", "close"),
    EventType.DRAFT_UNDONE: Telling("took a decision about an entry back", "took {} decisions back", "undo"),
    EventType.CIRCUIT_BREAKER_CLOSED: Telling("resumed the AI service", "resumed the AI service {} times", "cloud"),
    EventType.ARTIFACT_RECEIVED: Telling("uploaded a voice note", "uploaded {} voice notes", "upload_file"),
    NoteDecision.Kind.RELEASED: Telling("released a voice note", "released {} voice notes", "play_arrow"),
    NoteDecision.Kind.CLOSED: Telling("closed a voice note", "closed {} voice notes", "do_not_disturb_on"),
    NoteDecision.Kind.REOPENED: Telling("reopened a voice note", "reopened {} voice notes", "lock_open"),
    NoteDecision.Kind.CLUB_ASSIGNED: Telling("gave a voice note its club", "gave {} voice notes their club", "shield"),
    NoteDecision.Kind.SENDER_ATTACHED: Telling("gave a voice note its coach", "gave {} voice notes a coach", "sports"),
    NoteDecision.Kind.REVIEWED: Telling("listened to a voice note", "listened to {} voice notes", "hearing"),
    PAUSED: Telling("paused work: {}", "paused work {} times", "pause"),
    RESUMED: Telling("resumed work: {}", "resumed work {} times", "play_arrow"),
}
EVENTS = frozenset(what for what in TOLD if what in EventType.values)


def own_deeds() -> Iterator[Deed]:
    """The newest first, from one query."""
    several = _events().union(_decisions(), _paused(), _resumed(), all=True)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in several.order_by("-deed_at")[:READ]]
    for _, same in groupby(rows, key=lambda row: (row["what"], row["about"], row["by"])):
        yield _deed(list(same))


def _deed(same: Sequence[dict[str, Any]]) -> Deed:
    newest, number = same[0], len(same)
    telling = TOLD[newest["what"]]
    if newest["about"]:
        sentence = telling.one.format(str(Pause.Subject(newest["about"]).label).lower())
    else:
        sentence = telling.one if number == 1 else telling.many.format(f"{number}+" if number == READ else number)
    return Deed(
        key=f"{newest['what']}-{newest['by']}-{same[-1]['at']:%s}",
        who=f"{newest['first_name']} {newest['last_name']}".strip() or newest["user_name"],
        sentence=sentence,
        at=newest["at"],
        icon=telling.icon,
        url=_address(newest, number),
    )


def _address(newest: dict[str, Any], number: int) -> str:
    if newest["what"] in (PAUSED, RESUMED, EventType.CIRCUIT_BREAKER_CLOSED):
        return reverse(AI_SERVICE)
    return reverse(NOTE, args=[newest["note"]]) if number == 1 and newest["note"] else ""


# --- Where it is kept -----------------------------------------------------------------------------------------------
def _events() -> QuerySet[Any, Any]:
    by_people = PipelineEvent.objects.filter(actor__isnull=False, event_type__in=[*EVENTS])
    return _columns(by_people.order_by("-id"), what=F("event_type"), note=NOTE_ID, at="timestamp", by="actor")


def _decisions() -> QuerySet[Any, Any]:
    decisions = NoteDecision.objects.order_by("-decided_at")
    return _columns(decisions, what=F("kind"), note=NOTE_ID, at="decided_at", by="by")


def _paused() -> QuerySet[Any, Any]:
    pauses = Pause.objects.order_by("-paused_at")
    return _columns(pauses, what=Value(PAUSED), about=F("subject"), at="paused_at", by="paused_by")


def _resumed() -> QuerySet[Any, Any]:
    ended = Pause.objects.filter(resumed_at__isnull=False).order_by("-resumed_at")
    return _columns(ended, what=Value(RESUMED), about=F("subject"), at="resumed_at", by="resumed_by")


def _columns(
    rows: QuerySet[Any],
    *,
    what: Combinable,
    at: str,
    by: str,
    about: Combinable = NOTHING,
    note: Combinable = NO_NOTE,
) -> QuerySet[Any, Any]:
    told: QuerySet[Any, Any] = rows.annotate(
        deed_what=Cast(what, CharField()),
        deed_about=Cast(about, CharField()),
        deed_note=note,
        deed_at=F(at),
        deed_by=F(by),
        deed_first_name=F(f"{by}__first_name"),
        deed_last_name=F(f"{by}__last_name"),
        deed_user_name=F(f"{by}__username"),
    ).values_list(*(f"deed_{column}" for column in COLUMNS))[:READ]
    return told
