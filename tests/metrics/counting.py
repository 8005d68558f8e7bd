"""Events as the tests of live figures want them, and the figures counted once more in plain Python."""

from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal

from django.db import connection

from metrics.models import CounterType
from voicepipeline.events import NewEvent

MINUTE = timedelta(minutes=1)
C = CounterType
# What an event of this type adds to, unless its metadata say otherwise; of the others none adds to anything.
ADDS_TO = {
    "artifact_received": {C.ARTIFACTS_RECEIVED},
    "artifact_completed": {C.ARTIFACTS_COMPLETED},
    "artifact_failed": {C.ARTIFACTS_FAILED, C.FAILURES},
    "transcription_completed": {C.TRANSCRIPTIONS_COMPLETED},
    "transcription_failed": {C.FAILURES},
    "claims_extracted": {C.CLAIMS_EXTRACTED},
    "claims_extraction_failed": {C.FAILURES},
    "entity_resolution_completed": {C.ENTITIES_RESOLVED},
    "entity_resolution_failed": {C.FAILURES},
    "drafts_generated": {C.DRAFTS_GENERATED},
    "draft_generation_failed": {C.FAILURES},
    "retry_initiated": {C.RETRIES},
}


def db_minute():
    """The running minute by the clock of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('minute', clock_timestamp(), 'UTC')")
        return cursor.fetchone()[0]


def reference(events):
    """The figures of every minute, by minute and club; those of the platform by None."""
    minutes = defaultdict(Counter)
    for event in events:
        adds_to = set(ADDS_TO.get(event.event_type, ()))
        if event.metadata.get("repeat") or event.metadata.get("will_retry"):
            adds_to.clear()
        added = Counter(dict.fromkeys(adds_to, 1))
        if cost := event.metadata.get("ai_cost"):
            added[C.AI_COST] = cost
        minute = event.timestamp.replace(second=0, microsecond=0)
        for whose in {None, event.organization_id}:
            minutes[minute, whose].update(added)
    return minutes


def random_event(random, first, minutes, clubs):
    """Of any counted type, of a club or of none, in one of these minutes."""
    event_type = random.choice([*ADDS_TO, "transcription_started", "artifact_status_changed"])
    metadata = {}
    if event_type == "artifact_completed" and random.random() < 0.2:
        metadata["repeat"] = True
    if event_type.endswith("_failed") and event_type != "artifact_failed" and random.random() < 0.5:
        metadata["will_retry"] = True
    if random.random() < 0.3:
        metadata["ai_cost"] = Decimal(random.randrange(1, 10**6)).scaleb(-8)
    return NewEvent(
        event_type=event_type,
        organization_id=random.choice([None, *(club.pk for club in clubs)]),
        metadata=metadata,
        timestamp=first + timedelta(seconds=random.uniform(0, 60 * minutes - 1)),
    )
