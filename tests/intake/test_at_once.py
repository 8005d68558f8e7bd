"""The same recording sent many times at the same instant, by real threads."""

import pytest

from tests.factories import make_coach
from tests.intake.helpers import files, recording, send
from tests.threads import at_once
from voicepipeline.models import Artifact, Coach, PipelineEvent, StageRun, VoiceNote

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 20
SECONDS = 60


def rows():
    return {model: model.objects.count() for model in (VoiceNote, Artifact, StageRun, PipelineEvent)}


@pytest.mark.parametrize("by", ["bytes", "message id"])
def test_twenty_at_once_are_one_note_and_nineteen_duplicates_of_it(media, by):
    content, coach = recording(), make_coach()
    given = {"sender": coach} if by == "bytes" else {"channel_message_id": "wamid.1"}
    outcomes = at_once(*[lambda: send(content, **given)] * AT_ONCE)
    assert sorted(outcome.result for outcome in outcomes) == ["accepted"] + ["duplicate"] * (AT_ONCE - 1)
    assert {outcome.artifact_id for outcome in outcomes} == {Artifact.objects.get().artifact_id}
    assert len(files(media)) == 1
    assert set(rows().values()) == {1}


def test_twenty_different_recordings_at_once_are_twenty_notes(media):
    coach = make_coach()
    contents = [recording() for _ in range(AT_ONCE)]
    outcomes = at_once(*[lambda content=content: send(content, sender=coach) for content in contents])
    assert [outcome.result for outcome in outcomes] == ["accepted"] * AT_ONCE
    assert len(files(media)) == AT_ONCE
    assert set(rows().values()) == {AT_ONCE}


def test_the_same_recording_from_twenty_coaches_at_once_is_twenty_notes():
    content = recording()
    coaches = [make_coach(first_name=f"Coach {number}") for number in range(AT_ONCE)]
    outcomes = at_once(*[lambda coach=coach: send(content, sender=coach) for coach in coaches])
    assert [outcome.result for outcome in outcomes] == ["accepted"] * AT_ONCE
    assert set(Artifact.objects.values_list("sender", flat=True)) == set(Coach.objects.values_list("pk", flat=True))
