"""The same Idempotency-Key: the same content is the same voice note, other content is refused."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api.helpers import problem
from tests.intake.helpers import files, nothing_left, recording
from voicepipeline.intake.receiving import receive_voice_note
from voicepipeline.intake.requests import KEPT, OtherContent, forget_old_requests, receive_once
from voicepipeline.models import ApiRequest, Artifact, Coach, VoiceNote

pytestmark = pytest.mark.django_db

PHONE = "+353861234567"


@pytest.mark.parametrize("audio", [None, recording()], ids=["typed", "spoken"])
@pytest.mark.parametrize("sender", ["known", "unknown"])
def test_sent_again_it_is_the_same_note(post, coach, media, audio, sender):
    fields = {"sender_phone": PHONE if sender == "known" else "+353869999999"}
    if audio is None:
        fields["text"] = "Trained well."
    first = post(audio, idempotency_key="k-1", name="one.wav", **fields)
    again = post(audio, idempotency_key="k-1", name="two.wav", **fields)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    assert VoiceNote.objects.count() == 1
    assert len(files(media)) == (audio is not None)


@pytest.mark.parametrize("audio", [None, recording()], ids=["typed", "spoken"])
@pytest.mark.parametrize("by", ["number", "phone"])
def test_sent_again_after_its_coach_has_left_it_is_the_same_note(post, coach, media, audio, by):
    fields = {"sender_id": coach.pk} if by == "number" else {"sender_phone": PHONE}
    if audio is None:
        fields["text"] = "Trained well."
    first = post(audio, idempotency_key="k-1", **fields)
    Coach.objects.update(is_active=False)
    again = post(audio, idempotency_key="k-1", **fields)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert Artifact.objects.get().sender == coach
    assert len(files(media)) == (audio is not None)


def test_other_content_of_a_coach_who_has_left_is_refused_for_its_key(post, coach):
    post(idempotency_key="k-1", text="Trained well.", sender_id=coach.pk)
    Coach.objects.update(is_active=False)
    refused = post(idempotency_key="k-1", text="Trained badly.", sender_id=coach.pk)
    assert problem(refused) == (409, "idempotency_key_used")


def test_what_never_became_a_note_is_refused_once_its_coach_has_left(post, coach, media):
    media.write_text("where the folder should be")
    sent = {"audio": recording(), "sender_id": coach.pk, "idempotency_key": "k-1"}
    assert post(**sent).status_code == 503
    media.unlink()
    Coach.objects.update(is_active=False)
    assert problem(post(**sent)) == (422, "invalid")
    assert nothing_left(media)


OTHERS = {
    "text": {"text": "Trained badly."},
    "the sender": {"sender_phone": "+353860000000"},
    "the message id": {"message_id": "m-2"},
    "the time": {"recorded_at": "2026-05-04T18:30:01Z"},
    "a field less": {"recorded_at": ""},
    "audio for text": {"text": "", "audio": recording()},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_with_other_content_it_is_refused_and_nothing_happens(post, coach, media, other):
    sent = {"text": "Trained well.", "sender_phone": PHONE, "message_id": "m-1", "recorded_at": "2026-05-04T18:30:00Z"}
    assert post(idempotency_key="k-1", **sent).status_code == 201
    refused = post(idempotency_key="k-1", **{**sent, **other})
    assert problem(refused) == (409, "idempotency_key_used")
    assert VoiceNote.objects.count() == 1
    assert files(media) == []


def test_another_recording_under_the_same_key_is_refused(post, coach, media):
    assert post(recording(), sender_phone=PHONE, idempotency_key="k-1").status_code == 201
    assert problem(post(recording(), sender_phone=PHONE, idempotency_key="k-1"))[0] == 409
    assert len(files(media)) == 1


def test_two_clubs_may_use_the_same_key(post, coach, make_other):
    sent = {"text": "Trained well.", "sender_phone": PHONE, "idempotency_key": "k-1"}
    answers = [post(**sent), post(**sent, secret=make_other().secret)]
    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize("idempotency_key", ["", "a b", "x" * 201, "é", "a\tb"])
def test_a_key_that_cannot_be_kept_is_refused(post, coach, idempotency_key):
    response = post(text="x", sender_phone=PHONE, idempotency_key=idempotency_key)
    assert problem(response) == (422, "invalid")


def test_what_was_refused_gives_its_key_back(post, coach, media):
    assert problem(post(b"<html>" * 100, sender_phone=PHONE, idempotency_key="k-1"))[0] == 422
    assert not ApiRequest.objects.exists()
    assert nothing_left(media)
    assert post(recording(), sender_phone=PHONE, idempotency_key="k-1").status_code == 201


def test_a_sending_that_broke_off_before_the_note_was_there_is_taken_up(post, coach):
    class Killed(BaseException):
        pass

    fields = {"text": "Trained well.", "sender_phone": PHONE}
    post(idempotency_key="k-1", **fields)
    request = ApiRequest.objects.get()
    ApiRequest.objects.all().delete()

    def dies(artifact_id):
        raise Killed

    with pytest.raises(Killed):
        receive_once(request.organization_id, "k-2", request.fingerprint, dies)
    kept = ApiRequest.objects.get()
    again = post(idempotency_key="k-2", **fields)
    assert (again.status_code, again.json()["id"]) == (201, str(kept.artifact_id))


def test_a_sending_that_broke_off_before_its_answer_is_answered_with_its_note(club, coach):
    def receive(artifact_id):
        note = {"source_channel": "api", "audio": None, "text": "x", "sender": None, "organization": club}
        return receive_voice_note(**note, artifact_id=artifact_id)

    first, again = (receive_once(club.pk, "k-1", "f" * 64, receive) for _ in range(2))
    assert (first.result, again.result, again.artifact_id) == ("accepted", "duplicate", first.artifact_id)
    with pytest.raises(OtherContent):
        receive_once(club.pk, "k-1", "0" * 64, receive)


def test_the_answer_tells_how_the_note_fares_meanwhile(post, coach):
    sent = {"text": "Trained well.", "sender_phone": PHONE, "idempotency_key": "k-1"}
    assert post(**sent).json()["status_text"] == "Received"
    Artifact.objects.update(status="transcribing")
    assert post(**sent).json()["status_text"] == "Transcribing"


def test_keys_are_remembered_for_a_month(club):
    now = timezone.now()
    for age in (KEPT + timedelta(hours=1), KEPT - timedelta(hours=1)):
        ApiRequest.objects.create(
            organization=club, idempotency_key=str(age), fingerprint="f", artifact_id=uuid.uuid4(), created_at=now - age
        )
    assert forget_old_requests(now=now) == 1
    assert ApiRequest.objects.count() == 1
