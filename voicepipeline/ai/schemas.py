"""The shape of a claims answer: checked by us, and sent along as a strict JSON schema."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Topic = Literal[
    "injury",
    "skill_rating",
    "skill_progress",
    "behavior",
    "performance",
    "attendance",
    "wellbeing",
    "recovery",
    "development_milestone",
    "physical_development",
    "parent_communication",
    "tactical",
    "team_culture",
    "todo",
    "session_plan",
]
MentionKind = Literal["player_name", "team_name", "group_reference", "coach_name"]
Severity = Literal["low", "medium", "high", "critical"]
Sentiment = Literal["positive", "neutral", "negative", "concerned"]
# What a note of a few minutes cannot exceed; a flood is not an answer.
MAX_CLAIMS = 60
MAX_MENTIONS = 40
# PostgreSQL refuses NUL in text.
WITHOUT_NUL = AfterValidator(lambda text: text.replace("\x00", ""))
Line = Annotated[str, StringConstraints(min_length=1, max_length=200), WITHOUT_NUL]
Paragraph = Annotated[str, StringConstraints(min_length=1, max_length=3_000), WITHOUT_NUL]
# What strict mode does not know, or has no use for. The limits are checked by us all the same.
NOT_SENT = frozenset({"title", "default", "minLength", "maxLength", "maxItems"})


class Shape(BaseModel):
    """Nothing more than what is named, and no guessing between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MentionShape(Shape):
    """Somebody or something spoken of, in the very words."""

    kind: MentionKind
    raw_text: Line
    position: Annotated[int, Field(ge=0)]
    roster_id: Line | None


class ClaimShape(Shape):
    """One statement about one entity."""

    topic: Topic
    title: Line
    description: Paragraph
    quote: Paragraph
    recommended_action: Paragraph | None
    time_reference: Line | None
    mentions: Annotated[list[MentionShape], Field(max_length=MAX_MENTIONS)]
    severity: Severity | None
    sentiment: Sentiment | None
    skill_name: Line | None
    skill_rating: Annotated[int, Field(ge=1, le=5)] | None
    confidence: Annotated[float, Field(ge=0, le=1)]


class ClaimsShape(Shape):
    claims: Annotated[list[ClaimShape], Field(max_length=MAX_CLAIMS)]


class PongShape(Shape):
    """The answer to a test call."""

    ok: bool


def strict_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The schema of this shape as strict mode wants it: everything required, nothing more."""
    strict: dict[str, Any] = _strict(shape.model_json_schema())
    return strict


def _strict(part: Any) -> Any:
    if isinstance(part, list):
        return [_strict(each) for each in part]
    if not isinstance(part, dict):
        return part
    # Under "properties" and "$defs" the keys are names, of which "title" may be one.
    kept = {
        key: {name: _strict(each) for name, each in value.items()} if key in ("properties", "$defs") else _strict(value)
        for key, value in part.items()
        if key not in NOT_SENT and key != "description"
    }
    if kept.get("type") == "object":
        kept |= {"additionalProperties": False, "required": list(kept.get("properties", {}))}
    return kept
