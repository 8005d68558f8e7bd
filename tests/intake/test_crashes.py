"""A process that is killed while it takes a recording in: what is left, and what the sweep makes of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_coach
from tests.faults.crashing import AfterCommit, AnswerLost, Before, BeforeCommit, ByItself, act_in_child, crash
from tests.intake.crashing import read_and_die, take_in
from tests.intake.helpers import files, nothing_left, recording, send
from voicepipeline.intake.sweeping import Swept, sweep_orphans
from voicepipeline.models import Artifact, StageRun, VoiceNote

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

POINTS = {
    "while it is being read": (ByItself(), read_and_die, Swept(recordings=0, unfinished=1)),
    "read, before it is examined": (Before("voicepipeline.intake.receiving:examine"), take_in, Swept(0, 1)),
    "written, before it is kept": (Before("voicepipeline.intake.storing:keep"), take_in, Swept(0, 1)),
    "kept, before its row is begun": (Before("voicepipeline.intake.receiving:_write"), take_in, Swept(1, 0)),
    "before the row is committed": (BeforeCommit(), take_in, Swept(1, 0)),
}


def later():
    return timezone.now() + timedelta(hours=1, seconds=5)


@pytest.mark.parametrize(("moment", "act", "swept"), POINTS.values(), ids=POINTS)
def test_a_crash_before_the_commit_leaves_one_file_for_the_sweep_and_no_row(media, moment, act, swept):
    coach, content = make_coach(), recording()
    crash(moment, act, media, coach.pk, content)
    assert len(files(media)) == 1
    assert not VoiceNote.objects.exists()
    assert sweep_orphans(timezone.now()) == Swept(0, 0)
    assert sweep_orphans(later()) == swept
    assert nothing_left(media)
    assert send(content, sender=coach).result == "accepted"


def test_a_crash_after_the_commit_has_lost_nothing(media):
    coach, content = make_coach(), recording()
    crash(AfterCommit(), take_in, media, coach.pk, content)
    assert sweep_orphans(later()) == Swept(0, 0)
    (kept,) = files(media)
    note = VoiceNote.objects.get()
    assert media / note.audio.name == kept
    assert StageRun.objects.get().status == "queued"
    again = send(content, sender=coach)
    assert (again.result, again.artifact_id) == ("duplicate", Artifact.objects.get().artifact_id)


def test_a_connection_that_breaks_at_the_commit_is_asked_again_what_became_of_it(media, tmp_path):
    coach, told = make_coach(), tmp_path / "told"
    act_in_child(AnswerLost(), take_in, media, coach.pk, recording(), told)
    assert told.read_text() == f"accepted {Artifact.objects.get().artifact_id}"
    assert len(files(media)) == 1
