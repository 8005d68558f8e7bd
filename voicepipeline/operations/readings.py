"""That somebody has read or heard what notes say is itself recorded."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from voicepipeline.models import ContentReading, User
from voicepipeline.operations.api_keys import Caller

QUARTER = timedelta(minutes=15)
LATELY = timedelta(days=1)


def record_reading(reader: User | Caller, artifact_pks: Iterable[int], place: str) -> None:
    """Keep who read which notes, where and when, in one statement; again within the same quarter is no new reading."""
    who: dict[str, Any] = {"api_key_id": reader.key_id} if isinstance(reader, Caller) else {"user": reader}
    now = timezone.now()
    quarter = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % QUARTER
    ContentReading.objects.bulk_create(
        (
            ContentReading(artifact_id=pk, place=place, quarter=quarter, read_at=now, **who)
            for pk in sorted(set(artifact_pks))
        ),
        ignore_conflicts=True,
    )


def was_read_lately(user: User, artifact_pk: int, place: str) -> bool:
    """Whether this person is known to have had this note open there within a day."""
    since = timezone.now() - LATELY
    return ContentReading.objects.filter(artifact=artifact_pk, user=user, place=place, quarter__gt=since).exists()
