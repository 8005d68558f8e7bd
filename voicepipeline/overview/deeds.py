"""What colleagues did: settled, confirmed, held, closed, paused, resumed. The same deed in a row is one line.

What was asked for many notes at once is told by the request, and not again by each of its notes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Case, CharField, DateTimeField, F, IntegerField, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils import timezone

from voicepipeline.models import BulkWork, EntryDecision, EventType, NoteDecision, Pause, PipelineEvent
from voicepipeline.overview.asking import newest_of
from voicepipeline.overview.parts import Deed
from voicepipeline.spans import span_text
from voicepipeline.text import one_line

# Of each kind of row so many are read, of the newest so many: what many were done to at once may stand in between.
READ, NEWEST = 100, 1_000
LONGEST_NAME = 60
NOTE = "admin:voicepipeline_artifact_change"
EVENTS = "admin:voicepipeline_pipelineevent_changelist"
BULK_WORK = "admin:voicepipeline_bulkwork_change"
AI_SERVICE = "admin:voicepipeline_aiservicehealth_changelist"
# Events are kept for 48 hours; and stand in the log a moment after what they tell of.
LISTED, A_MOMENT = timedelta(hours=47), timedelta(seconds=2)
PAUSED, RESUMED = "paused", "resumed"
ENTRY, DECIDED, WORK = "entry_", "note_", "work_"
NOTHING, ONE, NOT_YET, NOTE_ID = Value(""), Value(1), Value(None), F("artifact__artifact_id")


class Row(NamedTuple):
    """One deed as it was read; `about` is its note, what was paused, or the request for many."""

    what: str
    about: str | None
    club: str | None
    number: int
    at: datetime
    by: int
    first_name: str
    last_name: str
    user_name: str
    ended: datetime | None  # what was asked for many


@dataclass(frozen=True)
class Telling:
    """How a kind of deed is told once, and several times in a row; without `many` each is told by itself."""

    icon: str
    one: str
    many: str = ""
    event_type: str = ""  # by which they are listed


@dataclass(frozen=True)
class AtOnce:
    """How a request for many is told."""

    icon: str
    one: str
    many: str


TOLD = {
    EventType.ENTITY_RESOLVED_BY_PERSON: Telling(
        "person_check", "settled a name", "settled {} names", EventType.ENTITY_RESOLVED_BY_PERSON
    ),
    EventType.NAME_CHOICE_UNDONE: Telling(
        "undo", "took a settled name back", "took {} settled names back", EventType.NAME_CHOICE_UNDONE
    ),
    EventType.ARTIFACT_RECEIVED: Telling(
        "upload_file", "uploaded a voice note", "uploaded {} voice notes", EventType.ARTIFACT_RECEIVED
    ),
    EventType.CIRCUIT_BREAKER_CLOSED: Telling("cloud_done", "resumed the AI service"),
    f"{ENTRY}confirmed": Telling("check", "confirmed an entry", "confirmed {} entries", EventType.DRAFT_CONFIRMED),
    f"{ENTRY}rejected": Telling("close", "rejected an entry", "rejected {} entries", EventType.DRAFT_REJECTED),
    f"{ENTRY}held": Telling("pause", "put an entry on hold", "put {} entries on hold"),
    f"{ENTRY}released": Telling("play_arrow", "took an entry off hold", "took {} entries off hold"),
    f"{ENTRY}undone": Telling(
        "undo", "took a decision about an entry back", "took {} decisions about entries back", EventType.DRAFT_UNDONE
    ),
    f"{DECIDED}released": Telling("play_arrow", "released a voice note", "released {} voice notes"),
    f"{DECIDED}closed": Telling("do_not_disturb_on", "closed a voice note", "closed {} voice notes"),
    f"{DECIDED}reopened": Telling("lock_open", "reopened a voice note", "reopened {} voice notes"),
    f"{DECIDED}club_assigned": Telling("shield", "gave a voice note its club", "gave {} voice notes their clubs"),
    f"{DECIDED}sender_attached": Telling("sports", "gave a voice note its coach", "gave {} voice notes their coaches"),
    f"{DECIDED}reviewed": Telling("hearing", "listened to a voice note", "listened to {} voice notes"),
    PAUSED: Telling("pause", "paused {}"),
    RESUMED: Telling("play_arrow", "resumed {}"),
}
AT_ONCE = {
    f"{WORK}confirm_entries": AtOnce(
        "done_all", "started to confirm 1 entry at once", "started to confirm {} entries at once"
    ),
    f"{WORK}reject_entries": AtOnce(
        "close", "started to reject 1 entry at once", "started to reject {} entries at once"
    ),
    f"{WORK}hold_entries": AtOnce(
        "pause", "started to put 1 entry on hold at once", "started to put {} entries on hold at once"
    ),
    f"{WORK}match_again": AtOnce("group", "had a name matched again", "had {} names matched again"),
    f"{WORK}merge_players": AtOnce("merge", "merged two players", "merged two players"),
}
EVENT_TYPES = [what for what in TOLD if what in EventType.values]


def own_deeds() -> Iterator[Deed]:
    """The newest first, from one query."""
    with connection.cursor() as cursor:
        cursor.execute(*_question())
        rows = [Row(*each) for each in cursor.fetchall()]
    works = [row for row in rows if row.what in AT_ONCE]
    for _, same in groupby(rows, key=_alike):
        yield _deed(list(same), works)


@cache
def _question() -> tuple[str, tuple[Any, ...]]:
    """It is always the same one: compiling it takes longer than answering it."""
    several = _events().union(_about_entries(), _about_notes(), _paused(), _resumed(), _at_once(), all=True)
    sql, values = several.order_by("-deed_at").query.sql_with_params()
    return sql, tuple(values)


def who(first_name: str, last_name: str, user_name: str) -> str:
    return one_line(f"{first_name} {last_name}".strip() or user_name, LONGEST_NAME)


def _alike(row: Row) -> tuple[object, ...]:
    by_itself = row.what in AT_ONCE or not TOLD[row.what].many
    return (row.what, row.by, *((row.about, row.club) if by_itself else ()))


def _deed(same: Sequence[Row], works: Sequence[Row]) -> Deed:
    newest = same[0]
    at_once = AT_ONCE.get(newest.what)
    return Deed(
        who=who(newest.first_name, newest.last_name, newest.user_name),
        sentence=_several(at_once, newest.number) if at_once else _sentence(newest, len(same)),
        at=newest.at,
        icon=at_once.icon if at_once else TOLD[newest.what].icon,
        url=reverse(BULK_WORK, args=[newest.about]) if at_once else _address(same, works),
    )


def _several(at_once: AtOnce, number: int) -> str:
    return at_once.one if number == 1 else at_once.many.format(f"{number:,}")


def _sentence(newest: Row, number: int) -> str:
    telling = TOLD[newest.what]
    if newest.what in (PAUSED, RESUMED):
        subject = str(Pause.Subject(newest.about or "").label).lower()
        return telling.one.format(f"{subject} for {one_line(newest.club, LONGEST_NAME)}" if newest.club else subject)
    if number == 1 or not telling.many:
        return telling.one
    return telling.many.format(f"{number}+" if number == READ else number)


def _address(same: Sequence[Row], works: Sequence[Row]) -> str:
    """That of their one note, or of the list of exactly them."""
    newest, oldest = same[0], same[-1]
    telling = TOLD[newest.what]
    if not telling.many:
        return reverse(AI_SERVICE)
    if len({row.about for row in same}) == 1:
        return reverse(NOTE, args=[newest.about]) if newest.about else ""
    if (
        not telling.event_type
        or oldest.at < timezone.now() - LISTED
        or any(_stands_among(same, each) for each in works)
    ):
        return ""
    query = {
        "event_type__exact": telling.event_type,
        "who": newest.by,
        "in": span_text(oldest.at, newest.at + A_MOMENT),
    }
    return f"{reverse(EVENTS)}?{urlencode(query)}"


def _stands_among(same: Sequence[Row], work: Row) -> bool:
    """Whether entries that this person decided about at once are listed in the same time."""
    newest, oldest = same[0], same[-1]
    is_later, is_over = work.at > newest.at + A_MOMENT, work.ended is not None and work.ended < oldest.at - A_MOMENT
    return newest.what.startswith(ENTRY) and work.by == newest.by and not is_later and not is_over


# --- Where it is kept -----------------------------------------------------------------------------------------------
def _events() -> QuerySet[Any, Any]:
    by_people = newest_of(PipelineEvent.objects.filter(actor__isnull=False), NEWEST).filter(event_type__in=EVENT_TYPES)
    return _columns(by_people, what=F("event_type"), about=NOTE_ID, at="timestamp", by="actor")


def _about_entries() -> QuerySet[Any, Any]:
    """One by one; who edits an entry confirms it."""
    decisions = newest_of(EntryDecision.objects.all(), NEWEST).filter(bulk__isnull=True)
    kind = Case(When(kind=EntryDecision.Kind.EDITED, then=Value("confirmed")), default=F("kind"))
    return _columns(decisions, what=Concat(Value(ENTRY), kind), about=NOTE_ID, at="decided_at", by="by")


def _about_notes() -> QuerySet[Any, Any]:
    decisions = NoteDecision.objects.order_by("-decided_at")
    return _columns(decisions, what=Concat(Value(DECIDED), F("kind")), about=NOTE_ID, at="decided_at", by="by")


def _paused() -> QuerySet[Any, Any]:
    pauses = Pause.objects.order_by("-paused_at")
    club = F("organization__name")
    return _columns(pauses, what=Value(PAUSED), about=F("subject"), club=club, at="paused_at", by="paused_by")


def _resumed() -> QuerySet[Any, Any]:
    ended = Pause.objects.filter(resumed_at__isnull=False).order_by("-resumed_at")
    club = F("organization__name")
    return _columns(ended, what=Value(RESUMED), about=F("subject"), club=club, at="resumed_at", by="resumed_by")


def _at_once() -> QuerySet[Any, Any]:
    works = BulkWork.objects.order_by("-pk")
    what = Concat(Value(WORK), F("kind"))
    several = {"number": F("expected"), "ended": F("finished_at")}
    return _columns(works, what=what, about=F("pk"), at="created_at", by="requested_by", **several)


def _columns(
    rows: QuerySet[Any],
    *,
    what: Combinable,
    at: str,
    by: str,
    about: Combinable,
    club: Combinable = NOTHING,
    number: Combinable = ONE,
    ended: Combinable = NOT_YET,
) -> QuerySet[Any, Any]:
    told: QuerySet[Any, Any] = rows.annotate(
        deed_what=Cast(what, CharField()),
        deed_about=Cast(about, CharField()),
        deed_club=Cast(club, CharField()),
        deed_number=Cast(number, IntegerField()),
        deed_at=F(at),
        deed_by=F(by),
        deed_first_name=F(f"{by}__first_name"),
        deed_last_name=F(f"{by}__last_name"),
        deed_user_name=F(f"{by}__username"),
        deed_ended=Cast(ended, DateTimeField()),
    ).values_list(*(f"deed_{column}" for column in Row._fields))[:READ]
    return told
