"""What a child process does that is killed while it takes a recording in."""

import io

from django.test import override_settings

from tests.faults.crashing import die
from tests.intake.helpers import send
from voicepipeline.models import Coach


class DiesAtTheEnd(io.BytesIO):
    """All of it is read, and before the end is known, the process is gone."""

    def read(self, *args):
        return super().read(*args) or die()


def take_in(media, coach_pk, content, told=None):
    """Send this, with the test's folder for recordings; an answer is written to the file `told`."""
    override_settings(MEDIA_ROOT=media).enable()
    outcome = send(content, sender=Coach.objects.get(pk=coach_pk))
    if told:
        told.write_text(f"{outcome.result} {outcome.artifact_id}")


def read_and_die(media, coach_pk, content):
    override_settings(MEDIA_ROOT=media).enable()
    send(audio=DiesAtTheEnd(content), sender=Coach.objects.get(pk=coach_pk))
