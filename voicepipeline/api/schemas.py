"""What the API takes and gives, as its document describes it."""

import re
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from voicepipeline.intake.receiving import MAX_TEXT
from voicepipeline.models import Artifact, InsightDraft, SourceChannel, Topic

# With the club's own number before it, it fits its column.
MAX_MESSAGE_ID = 180
MOST_A_PAGE = 100
LARGEST_ID = 2**63 - 1
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
WRITTEN_OUT = re.compile(r"\d{4}-", re.ASCII)
PHONE = r"^[+(0-9][0-9 ()./-]{2,38}[0-9]$"


def _written_out(value: object) -> object:
    """A bare number would be read as seconds or milliseconds since 1970, whichever looks likelier."""
    if not isinstance(value, str) or not WRITTEN_OUT.match(value):
        raise PydanticCustomError("no_moment", "Give the time as in 2026-05-04T18:30:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    """Offsets of a day less a minute are well formed, and nothing that the database understands."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("no_moment", "Give a time between the years 1 and 9999") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]


class NewNote(BaseModel):
    """A voice note that is sent: its text, or an audio file beside this, and who sent it."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[
        str | None,
        Field(min_length=1, max_length=MAX_TEXT, description="What was typed. Either this or audio."),
    ] = None
    sender_phone: Annotated[
        str | None,
        Field(
            pattern=PHONE,
            max_length=40,
            description="The phone that it was sent from. When no coach of the club has it, the note is accepted all "
            "the same, and people here find out who sent it. Either this or sender_id.",
            examples=["+353 86 123 4567"],
        ),
    ] = None
    sender_id: Annotated[
        int | None,
        Field(strict=True, ge=1, le=LARGEST_ID, description="The coach's number here. Either this or sender_phone."),
    ] = None
    message_id: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_MESSAGE_ID,
            description="Your own id of this message: what has come with it before is not taken twice.",
        ),
    ] = None
    recorded_at: Annotated[Moment | None, Field(description="When it was recorded or written; without it, now.")] = None


def request_body() -> dict[str, Any]:
    """How `POST /voice-notes` is described: as a form with a file, or as JSON."""
    described = NewNote.model_json_schema()
    fields = {name: _plain(field) for name, field in described["properties"].items()}
    audio = {
        "type": "string",
        "format": "binary",
        "description": "The recording: MP3, M4A, MP4, OGG, WAV, WebM or FLAC, one second to four hours, at most 25 MB. "
        "Either this or text.",
    }
    form = {"type": "object", "properties": {"audio": audio, **fields}, "additionalProperties": False}
    json = {"type": "object", "properties": fields, "required": ["text"], "additionalProperties": False}
    senders = [{"required": ["sender_phone"]}, {"required": ["sender_id"]}]
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    **form,
                    "allOf": [{"oneOf": [{"required": ["audio"]}, {"required": ["text"]}]}, {"oneOf": senders}],
                }
            },
            "application/json": {"schema": {**json, "oneOf": senders}},
        },
    }


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    """Without the null that stands for a field that is not sent."""
    (kind,) = [each for each in field.pop("anyOf") if each["type"] != "null"]
    return {key: value for key, value in {**kind, **field}.items() if key not in ("default", "title")}


Status = Literal["received", "transcribing", "transcribed", "processing", "completed", "failed"]
EntryStatus = Literal["pending", "confirmed", "applied", "rejected", "expired"]
assert set(Status.__args__) == set(Artifact.Status.values)  # type: ignore[attr-defined]  # noqa: S101
assert set(EntryStatus.__args__) == set(InsightDraft.Status.values)  # type: ignore[attr-defined]  # noqa: S101


class Links(Schema):
    self: str = Field(description="The address of the voice note.")


class Received(Schema):
    """The voice note is safe; what becomes of it is told at its address."""

    id: uuid.UUID
    status: Status
    status_text: str = Field(description="The same in words.", examples=["Received"])
    links: Links


class Note(Schema):
    """A voice note and how it fares."""

    id: uuid.UUID
    status: Status
    status_text: str = Field(
        description="Where it stands, in words.",
        examples=["Ready, 3 names to check", "On hold: the AI service is down"],
    )
    on_hold: bool = Field(description="It waits for something that is not its fault, and goes on by itself.")
    closed: bool = Field(description="It failed, and people have settled that nothing more is done about it.")
    source: SourceChannel
    message_id: str | None = Field(description="Your own id of this message.")
    sender_id: int | None = Field(description="The number of the coach here; null while it is not known who sent it.")
    names_to_check: int = Field(description="How many names people here have to say the meaning of.")
    received_at: datetime
    completed_at: datetime | None
    updated_at: datetime
    links: Links


class Whom(Schema):
    """Whom an entry is for."""

    kind: Literal["player", "team", "coach"]
    id: int | None
    name: str


class Entry(Schema):
    """A suggested entry. Without the scope content:read its texts read “Hidden” and names are initials."""

    id: int
    status: EntryStatus
    status_text: str
    on_hold: bool
    topic: Topic
    topic_text: str
    whom: Whom
    title: str
    description: str
    quote: str
    recommended_action: str
    skill_name: str
    skill_rating: int | None
    time_reference: str
    severity: str
    sentiment: str
    decided_at: datetime | None


class NoteWithEntries(Note):
    explanation: str = Field(description="Where it is, why, and what happens next, in a few sentences.")
    content_hidden: bool = Field(description="Whether texts and names are hidden, for want of content:read.")
    entries: list[Entry]


class NotePage(Schema):
    """Voice notes, newest first."""

    items: list[Note]
    next_cursor: str | None = Field(description="Give it as cursor to read on; null on the last page.")
