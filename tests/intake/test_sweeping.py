"""What the sweep deletes, and what it must leave alone."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_coach
from tests.intake.helpers import files, recording, send
from voicepipeline.intake import sweeping
from voicepipeline.intake.sweeping import TOO_MANY, Swept, sweep_orphans
from voicepipeline.models import ScheduledJob, VoiceNote
from voicepipeline.operations.schedules import perform_scheduled_job

pytestmark = pytest.mark.django_db(transaction=True)


def left_over(media, name, hours=2):
    path = media / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"RIFF")
    at = (timezone.now() - timedelta(hours=hours)).timestamp()
    os.utime(path, (at, at))
    return path


def test_only_what_no_note_names_and_nobody_has_touched_for_an_hour_goes(media):
    send(recording(), sender=make_coach())
    named = media / VoiceNote.objects.get().audio.name
    os.utime(named, (0, 0))
    fresh = left_over(media, "audio/ab/fresh.wav", hours=0.9)
    left_over(media, "audio/ab/orphan.wav")
    left_over(media, "audio/orphan.wav")
    left_over(media, "incoming/abc.part")
    writing = left_over(media, "incoming/def.part", hours=0)
    assert sweep_orphans(timezone.now()) == Swept(recordings=2, unfinished=1)
    assert files(media) == sorted([named, fresh, writing])


def test_files_elsewhere_and_what_links_lead_to_are_left_alone(media, tmp_path):
    elsewhere = left_over(media, "exports/report.csv")
    outside = left_over(tmp_path, "outside/secret.wav")
    (media / "audio").mkdir()
    (media / "audio" / "link").symlink_to(outside.parent)
    (media / "audio" / "link.wav").symlink_to(outside)
    assert sweep_orphans(timezone.now()) == Swept(0, 0)
    assert elsewhere.exists()
    assert outside.exists()


def test_without_any_folder_there_is_nothing_to_sweep(media):
    assert sweep_orphans(timezone.now()) == Swept(0, 0)


def test_a_database_that_knows_hardly_any_recording_is_the_wrong_one(media, caplog):
    for number in range(TOO_MANY + 1):
        left_over(media, f"audio/ab/{number:032x}.wav")
    unfinished = left_over(media, "incoming/abc.part")
    assert sweep_orphans(timezone.now()) == Swept(0, 1, refused=True)
    assert len(files(media)) == TOO_MANY + 1
    assert not unfinished.exists()
    assert "right database" in caplog.text


def test_many_are_asked_for_at_a_time(media, django_assert_num_queries):
    for number in range(60):
        left_over(media, f"audio/{number % 7:02x}/{number:032x}.wav")
    with django_assert_num_queries(1):
        assert sweep_orphans(timezone.now()).recordings == 60


def test_what_was_deleted_is_counted_in_the_log_and_not_named(media, caplog):
    left_over(media, "audio/ab/0123456789abcdef.wav")
    sweep_orphans(timezone.now())
    record = next(record for record in caplog.records if record.name == sweeping.__name__)
    assert record.recordings == 1
    assert "0123456789abcdef" not in str(record.__dict__)


def test_it_runs_by_the_clock(media):
    orphan = left_over(media, "audio/ab/orphan.wav")
    perform_scheduled_job("Sweep recordings")
    assert not orphan.exists()
    assert ScheduledJob.objects.get(name="Sweep recordings").last_succeeded
