"""How voice notes fare, as the API tells it to their own club."""

import base64
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Q
from django.utils import timezone

from voicepipeline.api.problems import no_such_note, wrong_fields
from voicepipeline.api.schemas import LARGEST_ID
from voicepipeline.api.sending import links_to
from voicepipeline.explanations import explain
from voicepipeline.masking import Eyes
from voicepipeline.models import Artifact, Coach, ContentReading, InsightDraft, Player, SourceChannel, Team
from voicepipeline.note_states import state_of_row, with_standing
from voicepipeline.operations.api_keys import Caller
from voicepipeline.operations.readings import record_reading
from voicepipeline.situations import load_situation

CURSOR = re.compile(rb"(-?\d{1,17})\.(\d{1,19})", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOSED = "People have looked at it and settled that nothing more is done about it."

Somebody = TypeVar("Somebody", bound=Coach | Player | Team)

# --- One ------------------------------------------------------------------------------------------------------


def standing(note_id: uuid.UUID, caller: Caller) -> dict[str, Any]:
    """What is answered to a sending: the id, and where the note stands as far as this club may know."""
    row = with_standing(Artifact.objects.filter(artifact_id=note_id, organization_id=caller.club_id)).first()
    status, text = Artifact.Status.RECEIVED, str(Artifact.Status.RECEIVED.label)
    if row is not None:
        status, text = row.status, state_of_row(row, timezone.now()).words
    return {"id": note_id, "status": status, "status_text": text, "links": links_to(note_id)}


def one_note(note_id: uuid.UUID, caller: Caller) -> dict[str, Any]:
    notes = Artifact.objects.filter(artifact_id=note_id, organization_id=caller.club_id)
    row = with_standing(notes.select_related("voice_note", "closed_by", "sender")).first()
    if row is None:
        raise no_such_note()
    eyes = Eyes(read=caller.reads_content)
    entries = list(InsightDraft.objects.filter(artifact=row).select_related("player", "team"))
    if entries and eyes.read:
        record_reading(caller, [row.pk], ContentReading.Place.API)
    return {
        **told(row, caller, timezone.now()),
        "explanation": _explanation(row),
        "content_hidden": not caller.reads_content,
        "entries": [_entry(entry, row, caller, eyes) for entry in entries],
    }


def _explanation(artifact: Artifact) -> str:
    """Without the advice, which is for those who work here, and without their names and reasons."""
    if artifact.closed_at:
        return CLOSED
    known = explain(load_situation(artifact))
    return " ".join(sentence for sentence in (known.where, known.why, known.next) if sentence)


def _entry(entry: InsightDraft, artifact: Artifact, caller: Caller, eyes: Eyes) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "status": entry.status,
        "status_text": "On hold" if entry.held_at else entry.get_status_display(),
        "on_hold": entry.held_at is not None,
        "topic": entry.topic,
        "topic_text": entry.get_topic_display(),
        "whom": _whom(entry, artifact, caller, eyes),
        **{name: eyes.text(getattr(entry, name)) for name in SAID},
        "skill_rating": entry.skill_rating,
        "severity": entry.severity,
        "sentiment": entry.sentiment,
        "decided_at": entry.decided_at,
    }


SAID = ("title", "description", "quote", "recommended_action", "skill_name", "time_reference")


def _whom(entry: InsightDraft, artifact: Artifact, caller: Caller, eyes: Eyes) -> dict[str, Any]:
    if entry.player_id is not None:
        player = _own(entry.player, caller)
        return {"kind": "player", "id": player and player.pk, "name": eyes.name(player) if player else ""}
    kind, whom = ("team", entry.team) if entry.team_id is not None else ("coach", artifact.sender)
    own = _own(whom, caller)
    return {"kind": kind, "id": own and own.pk, "name": str(own or "")}


def _own(somebody: Somebody | None, caller: Caller) -> Somebody | None:
    """Nobody of another club: a note that was given to this one may still have who sent it there, or whom it named."""
    return somebody if somebody is not None and somebody.organization_id == caller.club_id else None


# --- Many -----------------------------------------------------------------------------------------------------


def many_notes(
    caller: Caller, *, status: str | None, since: datetime | None, cursor: str | None, limit: int
) -> dict[str, Any]:
    """A page of the club's notes, newest first; the next page begins behind the last of this one."""
    notes = Artifact.objects.filter(organization_id=caller.club_id)
    if status is not None:
        notes = notes.filter(status=status)
    if since is not None:
        notes = notes.filter(received_at__gte=since)
    if cursor is not None:
        when, pk = _place(cursor)
        notes = notes.filter(received_at__lte=when).filter(Q(received_at__lt=when) | Q(pk__lt=pk))
    rows = list(with_standing(notes.select_related("voice_note", "sender"))[: limit + 1])
    page, now = rows[:limit], timezone.now()
    return {
        "items": [told(row, caller, now) for row in page],
        "next_cursor": cursor_of(page[-1]) if len(rows) > limit else None,
    }


def told(row: Any, caller: Caller, now: datetime) -> dict[str, Any]:
    state, sender = state_of_row(row, now), _own(row.sender, caller)
    return {
        "id": row.artifact_id,
        "status": row.status,
        "status_text": state.words,
        "on_hold": state.key == "on_hold",
        "closed": row.closed_at is not None,
        "source": row.source_channel,
        "message_id": _message_id(row, caller),
        "sender_id": sender and sender.pk,
        "names_to_check": row.open_names or 0,
        "received_at": row.received_at,
        "completed_at": row.completed_at,
        "updated_at": row.updated_at,
        "links": links_to(row.artifact_id),
    }


def _message_id(artifact: Artifact, caller: Caller) -> str | None:
    """As the club sent it; none of a note that another club sent and people here have given to this one."""
    message_id = artifact.voice_note.channel_message_id if artifact.voice_note else ""
    if artifact.source_channel != SourceChannel.API:
        return message_id or None
    own = f"{caller.club_id}/"
    return message_id.removeprefix(own) if message_id.startswith(own) else None


def cursor_of(row: Artifact) -> str:
    micros = (row.received_at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{micros}.{row.pk}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[datetime, int]:
    try:
        found = CURSOR.fullmatch(base64.b64decode(f"{cursor}===", altchars=b"-_"))
        if found and int(found[2]) <= LARGEST_ID:
            return EPOCH + timedelta(microseconds=int(found[1])), int(found[2])
    except (ValueError, OverflowError):
        pass
    raise wrong_fields([("cursor", "Give the next_cursor of the page before, as it was.")])
