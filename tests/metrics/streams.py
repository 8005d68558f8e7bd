"""Streams of events as life sends them: late, twice, out of order, with clocks that disagree, across every midnight."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from tests.metrics.reference import HOUR, STAGES, start_of_day, start_of_hour
from voicepipeline.events import NewEvent
from voicepipeline.models import EventType, SourceChannel

# The streams run over the midnight at which these days begin.
MIDNIGHTS = {
    "new year": datetime(2026, 1, 1, tzinfo=UTC),
    "29 February": datetime(2024, 2, 29, tzinfo=UTC),
    "1 March of a leap year": datetime(2024, 3, 1, tzinfo=UTC),
    "1 March": datetime(2025, 3, 1, tzinfo=UTC),
    "end of a month": datetime(2025, 5, 1, tzinfo=UTC),
    "clocks go forward": datetime(2026, 3, 29, tzinfo=UTC),
    "clocks go back": datetime(2025, 10, 26, tzinfo=UTC),
    "any day": datetime(2025, 7, 9, tzinfo=UTC),
}
# Hours from that midnight in which something may happen; in others of those days nothing does.
BUSY_HOURS = (-24, -2, -1, 0, 1, 23, 24)
CLUBS = 3
MICROSECOND = timedelta(microseconds=1)
COUNTS = st.integers(0, 30) | st.just(2**31 - 1)
SHARES = st.floats(0, 1) | st.sampled_from([0, 1, 0.5])
FLAGS = st.booleans()
VALUES = {
    "ai_cost": st.decimals(0, 40, places=8) | st.sampled_from([Decimal(0), Decimal("1E-8"), Decimal("0.1")]),
    "ai_model": st.sampled_from(["gpt-transcribe", "gpt-6-luna"]),
    "attempt": COUNTS,
    "auto_resolved": COUNTS,
    "automatic": FLAGS,
    "automatic_count": COUNTS,
    "claim_count": COUNTS,
    "claims_unsupported": COUNTS,
    "confidence_score": SHARES,
    "disambiguation_count": COUNTS,
    "draft_count": COUNTS,
    "entity_count": COUNTS,
    "outcome": st.sampled_from(["no_speech", "recovered"]),
    "prompt_version": st.sampled_from(["claims-1", "claims-2", 'ein "neuer", 100 %s {Prompt}', "v" * 200]),
    "repeat": FLAGS,
    "source_channel": st.sampled_from(SourceChannel.values),
    "unresolved": COUNTS,
    "user_resolved": COUNTS,
    "will_retry": FLAGS,
}
AI = ("ai_cost", "ai_model", "prompt_version")
USUAL_KEYS = {
    "artifact_received": ("source_channel",),
    "artifact_completed": ("source_channel", "outcome", "repeat"),
    "artifact_failed": ("source_channel",),
    "transcription_completed": ("confidence_score", "ai_cost", "ai_model"),
    "claims_extracted": ("claim_count", "claims_unsupported", "confidence_score", "entity_count", *AI),
    "entity_resolution_completed": (
        "entity_count",
        "auto_resolved",
        "user_resolved",
        "unresolved",
        "disambiguation_count",
    ),
    "drafts_generated": ("draft_count", "automatic_count"),
    "draft_confirmed": ("automatic", "prompt_version", "confidence_score"),
    "draft_rejected": ("prompt_version",),
    "draft_undone": ("prompt_version",),
    "stage_result_discarded": AI,
    **{failed: ("will_retry", "attempt", *AI) for _, _, failed in STAGES.values()},
}
TIMED = ["artifact_completed", *(completed for _, completed, _ in STAGES.values())]
# Those that tell the most come most often.
ANY_TYPE = st.sampled_from(TIMED) | st.sampled_from(sorted(USUAL_KEYS)) | st.sampled_from(EventType.values)


@dataclass(frozen=True)
class Stream:
    """Events in the order in which they are logged, in batches; after each, hours are counted."""

    midnight: datetime
    batches: list
    quiet_hours: list

    @property
    def events(self):
        return [event for batch in self.batches for event in batch]

    def hours(self):
        return sorted({start_of_hour(event["timestamp"]) for event in self.events} | set(self.quiet_hours))


@st.composite
def durations(draw):
    """Milliseconds between two clocks, which may be wrong; None: nobody took the time."""
    return draw(st.none() | st.integers(-5, 5) | st.integers(0, 600_000) | st.integers(0, 10**10))


@st.composite
def moments(draw, midnight):
    """Often the very first or last moment of an hour."""
    hour = midnight + draw(st.sampled_from(BUSY_HOURS)) * HOUR
    return hour + draw(
        st.sampled_from([timedelta(0), MICROSECOND, HOUR - MICROSECOND])
        | st.timedeltas(timedelta(0), HOUR - MICROSECOND)
    )


@st.composite
def metadata(draw, event_type):
    """The usual keys of this type, each there or not, and now and then one that means something elsewhere."""
    keys = {*USUAL_KEYS.get(event_type, ()), *draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=2))}
    return draw(st.fixed_dictionaries({}, optional={key: VALUES[key] | st.none() for key in sorted(keys)}))


@st.composite
def events(draw, midnight, event_types=ANY_TYPE):
    event_type = draw(event_types)
    return {
        "event_id": uuid.UUID(int=draw(st.integers(1, 200) | st.integers(0, 2**128 - 1))),
        "event_type": event_type,
        "club": draw(st.none() | st.integers(0, CLUBS - 1)),
        "timestamp": draw(moments(midnight)),
        "duration_ms": draw(durations()),
        "metadata": draw(metadata(event_type)),
    }


@st.composite
def crowds(draw, midnight):
    """Many events alike, apart from how long they took."""
    model = draw(events(midnight, st.sampled_from(TIMED)))
    lengths = draw(st.lists(st.integers(0, 200_000), min_size=2, max_size=60))
    hours = draw(st.lists(st.sampled_from(BUSY_HOURS), min_size=1, max_size=4))
    return [
        model
        | {
            "event_id": uuid.UUID(int=2**127 + number * 2**20 + length),
            "duration_ms": length,
            "timestamp": midnight + hours[number % len(hours)] * HOUR + timedelta(seconds=number),
        }
        for number, length in enumerate(lengths)
    ]


@st.composite
def batches(draw, midnight, fewest, most):
    single = draw(st.lists(events(midnight), min_size=fewest, max_size=most))
    crowd = draw(st.just([]) | crowds(midnight))
    return [*single, *crowd]


@st.composite
def streams(draw, midnights=tuple(MIDNIGHTS), *, fewest=0, most=25):
    """Up to three batches of so many events, the later ones late for hours that have been counted; then repeats."""
    midnight = MIDNIGHTS[draw(st.sampled_from(midnights))]
    found = draw(st.lists(batches(midnight, fewest, most), min_size=2 if fewest else 1, max_size=3))
    sent = [event for batch in found for event in batch]
    if sent:
        repeated = draw(st.lists(st.sampled_from(sent), max_size=4))
        found.append([event | {"event_type": draw(st.sampled_from(EventType.values))} for event in repeated])
    quiet = draw(st.lists(st.integers(-24, 47), max_size=2, unique=True))
    return Stream(midnight, found, [midnight + number * HOUR for number in quiet])


def new_event(event, clubs):
    """As the pipeline logs it: durations follow from when work began and ended."""
    ended = event["timestamp"]
    duration = event["duration_ms"]
    return NewEvent(
        event_id=event["event_id"],
        event_type=event["event_type"],
        organization_id=None if event["club"] is None else clubs[event["club"]].pk,
        timestamp=ended,
        stage_started_at=None if duration is None else ended - timedelta(milliseconds=duration),
        stage_completed_at=ended,
        metadata=event["metadata"],
    )


def days_of(hours):
    return sorted({start_of_day(hour) for hour in hours})
