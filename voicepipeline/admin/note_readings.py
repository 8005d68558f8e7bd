"""Opening a note's page is recorded, where its content was to be read."""

from typing import Any

from django.http import HttpRequest

from voicepipeline.access import may_read_content
from voicepipeline.models import Artifact, ContentReading
from voicepipeline.operations.readings import record_reading, was_read_lately

PLACE = ContentReading.Place.NOTE_PAGE


def opened(request: HttpRequest, artifact: Artifact) -> None:
    """Also where there is nothing to read yet: what comes later, the open page shows by itself."""
    user: Any = request.user
    if may_read_content(user):
        record_reading(user, [artifact.pk], PLACE)


def still_open(request: HttpRequest, artifact: Artifact) -> None:
    """A page that asks again for itself is no new reading; one that was never opened, or is open for days, is."""
    user: Any = request.user
    if may_read_content(user) and not was_read_lately(user, artifact.pk, PLACE):
        record_reading(user, [artifact.pk], PLACE)
