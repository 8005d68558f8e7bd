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


# What is asked of the metadata of events of a type. A "yes" changes what the event is, and gives that its name.
YES = {
    EventType.ARTIFACT_COMPLETED: "repeat",
    EventType.DRAFT_CONFIRMED: "automatic",
    **{stage.failed: "will_retry" for stage in IN_ORDER},
}
CONFIDENCES = {
    EventType.TRANSCRIPTION_COMPLETED: ("transcript_confidence", "transcripts_with_confidence"),
    EventType.CLAIMS_EXTRACTED: ("claim_confidence", "notes_with_claim_confidence"),
}
COUNTS = {
    EventType.CLAIMS_EXTRACTED: {"claims": "claim_count", "claims_unsupported": "claims_unsupported"},
    EventType.ENTITY_RESOLUTION_COMPLETED: {
        "entities": "entity_count",
        "entities_auto_resolved": "auto_resolved",
        "entities_user_resolved": "user_resolved",
        "entities_unresolved": "unresolved",
        "disambiguations": "disambiguation_count",
    },
    EventType.DRAFTS_GENERATED: {"drafts": "draft_count", "drafts_automatic": "automatic_count"},
}
# The first count that an event tells, the second…, whatever they count: few columns for all types of events.
COUNTED = [f"count_{place}" for place in range(max(map(len, COUNTS.values())))]


def asked_of(event_type: EventType) -> str:
    """One row of ASKED: keys of metadata, NULL for what events of this type do not tell."""
    keys = [
        YES.get(event_type),
        "outcome" if event_type == EventType.ARTIFACT_COMPLETED else None,
        "source_channel" if event_type in WHOLE_WAY else None,
        "confidence_score" if event_type in CONFIDENCES else None,
        *COUNTS.get(event_type, {}).values(),
    ]
    padded = keys + [None] * (4 + len(COUNTED) - len(keys))
    return ", ".join([f"('{event_type}'", *(f"'{key}'" if key else "NULL::text" for key in padded)]) + ")"


# Looked up once an event: asking every event for every key would take most of the time.
ASKED = f"""(VALUES
    {", ".join(asked_of(each) for each in EventType if each in {*YES, *WHOLE_WAY, *CONFIDENCES, *COUNTS})}
) AS asked (event_type, yes, outcome, source, confidence, {", ".join(COUNTED)})"""

DURATION = f"""
CASE WHEN event_type IN {quoted(*(stage.completed for stage in IN_ORDER))}
    OR event_type = '{EventType.ARTIFACT_COMPLETED}' AND metadata -> 'repeat' IS DISTINCT FROM 'true'
    THEN CASE WHEN duration_ms < {LONGEST_MS} THEN duration_ms END END"""

# What is read from each event, each key once,
READ = {
    "detail": "CASE WHEN metadata -> yes = 'true' THEN yes"
    " WHEN metadata ->> outcome = 'no_speech' THEN 'no_speech' END",
    "source_channel": "metadata ->> source",
    "prompt_version": "metadata -> 'prompt_version'",
    "duration": DURATION,
    "confidence": "metadata -> confidence",
    **{name: f"metadata -> {name}" for name in COUNTED},
    "ai_call": "metadata ->> 'ai_model' IS NOT NULL",
    "ai_cost": "metadata ->> 'ai_cost'",
}


def if_number(told: str, condition: str, kind: str) -> str:
    return (
        f"CASE WHEN jsonb_typeof({told}) = 'number' THEN"
        f" CASE WHEN {condition.format(f'({told})::numeric')} THEN ({told})::{kind} END END"
    )


# and what of it can be meant. Most costs are plain: metrics_ai_cost is asked about the others alone, it takes long.
TOLD = {
    "detail": "detail",
    "source_channel": f"CASE WHEN source_channel IN {quoted(*SourceChannel.values)} THEN source_channel END",
    "prompt_version": "CASE WHEN jsonb_typeof(prompt_version) = 'string'"
    f" AND length(prompt_version #>> '{{}}') BETWEEN 1 AND {LONGEST_PROMPT_VERSION}"
    " THEN prompt_version #>> '{}' END",
    "duration": "duration",
    "confidence": if_number("confidence", "{0} BETWEEN 0 AND 1", "numeric(13, 12)"),
    **{name: if_number(name, "{0} >= 0 AND mod({0}, 1) = 0", "integer") for name in COUNTED},
    "ai_call": "ai_call",
    "ai_cost": "CASE WHEN ai_cost IS NULL THEN NULL"
    " WHEN length(ai_cost) <= 10 AND ai_cost LIKE '_%%._%%' AND btrim(ai_cost, '0123456789') = '.'"
    " THEN ai_cost::numeric"
    " ELSE metrics_ai_cost(jsonb_build_object('ai_cost', ai_cost)) END",
}

# Events that are alike are added up once; every figure then follows from these few rows.
ALIKE = ("club", "event_type", "detail", "source_channel", "prompt_version")
ADDED_UP = {
    "events": "count(*)",
    "timed": "count(duration)",
    "total_ms": "sum(duration)",
    "with_confidence": "count(confidence)",
    "with_count": f"count({COUNTED[0]})",
    "ai_calls": "count(*) FILTER (WHERE ai_call)",
    "ai_calls_unpriced": "count(*) FILTER (WHERE ai_call AND ai_cost IS NULL)",
    **{name: f"sum({name})" for name in ("confidence", *COUNTED, "ai_cost")},
}


def number(condition: str) -> str:
    return f"coalesce(sum(events) FILTER (WHERE {condition}), 0)::bigint"


def number_of(*event_types: str, detail: str = "") -> str:
    """How many events of these types there were, with a condition on what they told."""
    return number(f"event_type IN {quoted(*event_types)}{detail and f' AND {detail}'}")


def total(column: str, kind: str = "bigint", *, of: str = "") -> str:
    """The sum of a column, of events of one type or of all."""
    only = of and f" FILTER (WHERE event_type = '{of}')"
    return f"coalesce(sum({column}){only}, 0)::{kind}"


FOR_THE_FIRST_TIME = "detail IS DISTINCT FROM 'repeat'"
FOR_GOOD = "detail IS NULL"
READY = number_of(EventType.ARTIFACT_COMPLETED, detail=FOR_THE_FIRST_TIME)
COSTS = {"ai_cost": total("ai_cost", "numeric"), **{name: total(name) for name in ("ai_calls", "ai_calls_unpriced")}}
CONFIDENCE = {
    event_type: {
        total_name: total("confidence", "float8", of=event_type),
        number_name: total("with_confidence", of=event_type),
    }
    for event_type, (total_name, number_name) in CONFIDENCES.items()
}
COUNT = {
    event_type: {name: total(column, of=event_type) for name, column in zip(names, COUNTED, strict=False)}
    for event_type, names in COUNTS.items()
}
CLAIMS = {
    **CONFIDENCE[EventType.CLAIMS_EXTRACTED],
    **COUNT[EventType.CLAIMS_EXTRACTED],
    "notes_with_claim_count": total("with_count", of=EventType.CLAIMS_EXTRACTED),
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
    **CONFIDENCE[EventType.TRANSCRIPTION_COMPLETED],
    **CLAIMS,
    **COUNT[EventType.ENTITY_RESOLUTION_COMPLETED],
    **COUNT[EventType.DRAFTS_GENERATED],
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
