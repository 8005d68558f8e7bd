"""Where a recording's audio is kept, and which notes can be linked to it."""

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from voicepipeline.models import Artifact, VoiceNote
from voicepipeline.models.notes import random_audio_name


@pytest.mark.parametrize(
    ("original", "suffix"),
    [
        ("note.OGG", ".ogg"),
        ("../../etc/passwd", ""),
        ("a.b/../c.mp3", ".mp3"),
        ("evil.mp3\x00.html", ".html"),
        ("niamh.áudio", ""),
        ("long.extension", ""),
        ("", ""),
    ],
)
def test_audio_is_kept_under_a_random_name_with_a_plain_extension(original, suffix):
    name = random_audio_name(VoiceNote(), original)
    folder, shard, file = name.split("/")
    assert (folder, shard) == ("audio", file[:2])
    assert file == f"{file[:32]}{suffix}"
    assert all(letter in "0123456789abcdef" for letter in file[:32])


@pytest.mark.django_db
def test_stored_audio_reads_back_and_tells_nothing_by_its_name(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    note = VoiceNote(source_channel="api")
    note.audio.save("Tommy hurt his ankle.ogg", ContentFile(b"OggS"))
    assert "Tommy" not in note.audio.name
    with VoiceNote.objects.get(pk=note.pk).audio.open() as audio:
        assert audio.read() == b"OggS"


@pytest.mark.django_db
def test_a_channels_message_is_kept_once():
    VoiceNote.objects.create(source_channel="whatsapp_audio", channel_message_id="wamid.1")
    VoiceNote.objects.create(source_channel="voicemail", channel_message_id="wamid.1")
    with pytest.raises(IntegrityError), transaction.atomic():
        VoiceNote.objects.create(source_channel="whatsapp_audio", channel_message_id="wamid.1")


@pytest.mark.django_db
def test_messages_without_an_id_are_not_taken_for_repeats():
    for _ in range(2):
        VoiceNote.objects.create(source_channel="app_recorded")
    assert VoiceNote.objects.count() == 2


@pytest.mark.django_db
def test_a_note_may_have_no_recording_and_no_club():
    artifact = Artifact.objects.create(source_channel="api")
    assert (artifact.voice_note, artifact.organization, artifact.most_likely_organization_id()) == (None, None, None)
