"""What is read from an event, and the figures that follow from events that were added up, as SQL.

What an event tells is not always to be trusted; raw SQL and old releases wrote some of it.

- What cannot be meant is as if it had not been told: a cost that is no amount of money (metrics_ai_cost, as for live
  figures), a count that is negative or no whole number, a confidence outside 0 to 1, a "yes" other than JSON's true, an
  unknown source channel, an empty or endless prompt version, a duration of 30 years, metadata that is no object. The
  event counts all the same.
- A count too big to be true (beyond 2^31) breaks the statement: the figures would be wrong with it, and wrong without a
  sign if it were left out. What happens then stands in metrics/hours.py.
"""

from metrics.models import END_TO_END, PromptSnapshot
from voicepipeline.models import EventType, SourceChannel
from voicepipeline.stages import IN_ORDER

LONGEST_PROMPT_VERSION = PromptSnapshot._meta.get_field("prompt_version").max_length
LONGEST_MS = 10**12
WHOLE_WAY = (EventType.ARTIFACT_RECEIVED, EventType.ARTIFACT_COMPLETED, EventType.ARTIFACT_FAILED)


def quoted(*words: str) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


def count_told(event_type: EventType, key: str) -> str:
    """A whole number that is not negative, by events of this type."""
    told = f"metadata -> '{key}'"
    return (
        f"CASE WHEN event_type = '{event_type}' THEN CASE WHEN jsonb_typeof({told}) = 'number' THEN"
        f" CASE WHEN ({told})::numeric >= 0 AND mod(({told})::numeric, 1) = 0 THEN ({told})::integer END END END"
    )


def share_told(event_type: EventType, key: str) -> str:
    """A number from 0 to 1, by events of this type."""
    told = f"metadata -> '{key}'"
    return (
        f"CASE WHEN event_type = '{event_type}' THEN CASE WHEN jsonb_typeof({told}) = 'number' THEN"
        f" CASE WHEN ({told})::numeric BETWEEN 0 AND 1 THEN ({told})::numeric END END END"
    )


DETAIL = f"""
CASE
    WHEN event_type = '{EventType.ARTIFACT_COMPLETED}' THEN
        CASE WHEN metadata -> 'repeat' = 'true' THEN 'repeat'
             WHEN metadata ->> 'outcome' = 'no_speech' THEN 'no_speech' END
    WHEN event_type IN {quoted(*(stage.failed for stage in IN_ORDER))} THEN
        CASE WHEN metadata -> 'will_retry' = 'true' THEN 'will_retry' END
    WHEN event_type = '{EventType.DRAFT_CONFIRMED}' THEN
        CASE WHEN metadata -> 'automatic' = 'true' THEN 'automatic' END
END"""

CHANNEL = f"""
CASE WHEN event_type IN {quoted(*WHOLE_WAY)}
    AND metadata ->> 'source_channel' IN {quoted(*SourceChannel.values)} THEN metadata ->> 'source_channel' END"""

PROMPT_VERSION = f"""
CASE WHEN jsonb_typeof(metadata -> 'prompt_version') = 'string'
    AND length(metadata ->> 'prompt_version') BETWEEN 1 AND {LONGEST_PROMPT_VERSION}
    THEN metadata ->> 'prompt_version' END"""

DURATION = f"""
CASE WHEN event_type IN {quoted(*(stage.completed for stage in IN_ORDER))}
    OR event_type = '{EventType.ARTIFACT_COMPLETED}' AND metadata -> 'repeat' IS DISTINCT FROM 'true'
    THEN CASE WHEN duration_ms < {LONGEST_MS} THEN duration_ms END END"""

CONFIDENCES = {
    "transcript_confidence": share_told(EventType.TRANSCRIPTION_COMPLETED, "confidence_score"),
    "claim_confidence": share_told(EventType.CLAIMS_EXTRACTED, "confidence_score"),
}
COUNTS = {
    "claims": count_told(EventType.CLAIMS_EXTRACTED, "claim_count"),
    "claims_unsupported": count_told(EventType.CLAIMS_EXTRACTED, "claims_unsupported"),
    "entities": count_told(EventType.ENTITY_RESOLUTION_COMPLETED, "entity_count"),
    "entities_auto_resolved": count_told(EventType.ENTITY_RESOLUTION_COMPLETED, "auto_resolved"),
    "entities_user_resolved": count_told(EventType.ENTITY_RESOLUTION_COMPLETED, "user_resolved"),
    "entities_unresolved": count_told(EventType.ENTITY_RESOLUTION_COMPLETED, "unresolved"),
    "disambiguations": count_told(EventType.ENTITY_RESOLUTION_COMPLETED, "disambiguation_count"),
    "drafts": count_told(EventType.DRAFTS_GENERATED, "draft_count"),
    "drafts_automatic": count_told(EventType.DRAFTS_GENERATED, "automatic_count"),
}
# What is read from each event.
TOLD = {
    "detail": DETAIL,
    "source_channel": CHANNEL,
    "prompt_version": PROMPT_VERSION,
    "duration": DURATION,
    **CONFIDENCES,
    **COUNTS,
    "ai_call": "metadata ->> 'ai_model' IS NOT NULL",
    "ai_cost": "metrics_ai_cost(metadata)",
}

# Events that are alike are added up once; every figure then follows from these few rows.
ALIKE = ("club", "event_type", "detail", "source_channel", "prompt_version")
ADDED_UP = {
    "events": "count(*)",
    "timed": "count(duration)",
    "total_ms": "sum(duration)",
    "transcripts_with_confidence": "count(transcript_confidence)",
    "notes_with_claim_confidence": "count(claim_confidence)",
    "notes_with_claim_count": "count(claims)",
    "ai_calls": "count(*) FILTER (WHERE ai_call)",
    "ai_calls_unpriced": "count(*) FILTER (WHERE ai_call AND ai_cost IS NULL)",
    **{name: f"sum({name})" for name in (*CONFIDENCES, *COUNTS, "ai_cost")},
}


def number(condition: str) -> str:
    return f"coalesce(sum(events) FILTER (WHERE {condition}), 0)::bigint"


def number_of(*event_types: str, detail: str = "") -> str:
    """How many events of these types there were, with a condition on what they told."""
    return number(f"event_type IN {quoted(*event_types)}{detail and f' AND {detail}'}")


def total(column: str, kind: str = "bigint") -> str:
    return f"coalesce(sum({column}), 0)::{kind}"


FOR_THE_FIRST_TIME = "detail IS DISTINCT FROM 'repeat'"
FOR_GOOD = "detail IS NULL"
READY = number_of(EventType.ARTIFACT_COMPLETED, detail=FOR_THE_FIRST_TIME)
COSTS = {"ai_cost": total("ai_cost", "numeric"), **{name: total(name) for name in ("ai_calls", "ai_calls_unpriced")}}
CLAIMS = {
    "claim_confidence": total("claim_confidence", "float8"),
    **{name: total(name) for name in ("notes_with_claim_confidence", "claims", "notes_with_claim_count")},
    "claims_unsupported": total("claims_unsupported"),
}
NOTES = {
    "artifacts_received": number_of(EventType.ARTIFACT_RECEIVED),
    "artifacts_completed": READY,
    "artifacts_failed": number_of(EventType.ARTIFACT_FAILED),
    "artifacts_no_speech": number_of(EventType.ARTIFACT_COMPLETED, detail="detail = 'no_speech'"),
}
DECISIONS = {
    "drafts_confirmed": number_of(EventType.DRAFT_CONFIRMED),
    "drafts_rejected": number_of(EventType.DRAFT_REJECTED),
    "drafts_undone": number_of(EventType.DRAFT_UNDONE),
}

FIGURES = {
    **NOTES,
    "transcript_confidence": total("transcript_confidence", "float8"),
    "transcripts_with_confidence": total("transcripts_with_confidence"),
    **CLAIMS,
    **{name: total(name) for name in COUNTS if name not in CLAIMS},
    **DECISIONS,
    "retries": number_of(EventType.RETRY_INITIATED),
    "retries_succeeded": number_of(EventType.RETRY_SUCCEEDED),
    "retries_failed": number_of(EventType.RETRY_FAILED),
    **COSTS,
}
SOURCES = {
    **NOTES,
    "timed": total("timed"),
    "total_ms": total("total_ms"),
}
PROMPTS = {
    "completed": number_of(EventType.CLAIMS_EXTRACTED),
    "failed": number_of(EventType.CLAIMS_EXTRACTION_FAILED, detail=FOR_GOOD),
    **CLAIMS,
    **DECISIONS,
    "drafts_confirmed_automatically": number_of(EventType.DRAFT_CONFIRMED, detail="detail = 'automatic'"),
    **COSTS,
}
STAGE = " ".join(
    [
        "CASE",
        *(
            f"WHEN event_type IN {quoted(stage.started, stage.completed, stage.failed)} THEN '{stage.name}'"
            for stage in IN_ORDER
        ),
        f"WHEN event_type IN {quoted(*WHOLE_WAY)} THEN '{END_TO_END}' END",
    ]
)
STAGES = {
    "attempts": number_of(*(stage.started for stage in IN_ORDER), EventType.ARTIFACT_RECEIVED),
    "completed": number_of(
        *(stage.completed for stage in IN_ORDER), EventType.ARTIFACT_COMPLETED, detail=FOR_THE_FIRST_TIME
    ),
    "failed": number_of(*(stage.failed for stage in IN_ORDER), EventType.ARTIFACT_FAILED, detail=FOR_GOOD),
    "timed": total("timed"),
    "total_ms": total("total_ms"),
}
