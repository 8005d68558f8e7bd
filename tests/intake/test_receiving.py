"""What is sent becomes a voice note with its file, is told to be there already, or is refused with nothing left."""

import hashlib
import io
import resource
import stat
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests.engine.helpers import active_run, doorbells, events_of
from tests.factories import make_club, make_coach, make_user
from tests.intake.helpers import files, nothing_left, recording, send
from voicepipeline import roles
from voicepipeline.ai.uploads import MAX_UPLOAD_BYTES
from voicepipeline.intake.receiving import MAX_TEXT, receive_voice_note
from voicepipeline.models import Artifact, Pause, PipelineEvent, StageRun, VoiceNote

pytestmark = pytest.mark.django_db(transaction=True)


def received(outcome):
    return Artifact.objects.select_related("voice_note").get(artifact_id=outcome.artifact_id)


# --- Accepted --------------------------------------------------------------------------------------------------


def test_a_recording_becomes_a_note_whose_first_stage_is_queued(media):
    coach, content = make_coach(), recording(seconds=3)
    outcome = send(content, sender=coach, filename="Tommy hurt his ankle.WAV")
    assert (outcome.result, outcome.code) == ("accepted", "")
    artifact = received(outcome)
    assert (artifact.status, artifact.current_stage) == ("received", "transcription")
    assert (artifact.sender, artifact.organization) == (coach, coach.organization)
    run = active_run(artifact)
    assert doorbells() == [("voicepipeline.tasks.transcribe_audio", (artifact.voice_note_id, run.pk))]
    assert events_of(artifact) == ["artifact_received"]


def test_what_is_known_of_the_recording_is_kept(media):
    content = recording(seconds=3)
    note = received(send(content, sender=make_coach(), filename="x.wav")).voice_note
    assert (note.mime_type, note.size_bytes, note.duration_seconds) == ("audio/wav", len(content), Decimal(3))
    assert note.sha256 == hashlib.sha256(content).hexdigest()
    with note.audio.open() as kept:
        assert kept.read() == content


def test_one_file_is_kept_under_a_name_that_tells_nothing_readable_by_its_owner_alone(media):
    note = received(send(recording(), sender=make_coach(), filename="../../Tommy.sh")).voice_note
    assert files(media) == [media / note.audio.name]
    assert "Tommy" not in note.audio.name
    assert note.audio.name.endswith(".wav")
    assert stat.S_IMODE((media / note.audio.name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../etc/passwd", "/etc/passwd", "a\x00b.wav", "x" * 5000, "‮gpj.wav", "C:\\note.wav"]
)
def test_no_name_leads_out_of_the_folder_or_stops_a_good_recording(media, name):
    outcome = send(recording(), sender=make_coach(), filename=name)
    assert outcome.result == "accepted"
    (kept,) = files(media)
    assert kept.parent.parent == media / "audio"


def test_who_uploaded_it_stands_in_the_event(media):
    by = make_user(roles.OPERATOR)
    send(recording(), sender=make_coach(), by=by)
    event = PipelineEvent.objects.get()
    assert (event.actor, event.metadata["source_channel"], event.new_status) == (by, "admin_upload", "received")


def test_a_person_without_the_permission_sends_nothing(media):
    with pytest.raises(PermissionDenied):
        send(recording(), sender=make_coach(), by=make_user(roles.VIEWER))
    assert nothing_left(media)


def test_a_typed_note_needs_no_file(media):
    outcome = send(text="  Tommy trained well.\x00 ", source_channel="app_typed", sender=make_coach())
    artifact = received(outcome)
    assert (artifact.voice_note.text, artifact.voice_note.duplicate_key) == ("Tommy trained well.", "")
    assert StageRun.objects.filter(artifact=artifact, status="queued").count() == 1
    assert files(media) == []


@pytest.mark.parametrize(
    ("named", "from_coach", "confidence"), [(True, True, 1.0), (True, False, 1.0), (False, True, 0.9)]
)
def test_the_club_is_the_one_named_or_the_senders(named, from_coach, confidence):
    club = make_club()
    sender = make_coach(organization=club) if from_coach else None
    artifact = received(send(text="Trained well.", sender=sender, organization=club if named else None))
    assert artifact.organization == club
    assert artifact.org_context_candidates == [{"organization_id": club.pk, "confidence": confidence}]


def test_a_note_of_nobody_known_is_accepted_without_a_club():
    artifact = received(send(text="Trained well."))
    assert (artifact.organization, artifact.org_context_candidates) == (None, [])


def test_when_it_was_sent_can_be_told_but_lies_never_ahead():
    earlier, later = (timezone.now() + timedelta(days=days) for days in (-3, 3))
    assert received(send(text="One.", received_at=earlier)).received_at == earlier
    assert received(send(text="Two.", received_at=later)).received_at <= timezone.now()


def test_a_paused_pipeline_still_accepts():
    Pause.objects.create(subject="everything", reason="Maintenance", paused_by=make_user(roles.ADMINISTRATOR))
    assert send(text="Trained well.").result == "accepted"


def test_accepting_a_recording_takes_a_bounded_number_of_queries(django_assert_max_num_queries):
    coach = make_coach()
    with django_assert_max_num_queries(20):
        send(recording(), sender=coach)


# --- Duplicates ------------------------------------------------------------------------------------------------


def test_the_same_bytes_from_the_same_coach_are_answered_with_the_first_note(media):
    coach, content = make_coach(), recording()
    first = send(content, sender=coach)
    again = send(content, sender=coach, filename="another name.wav", source_channel="whatsapp_audio")
    assert (again.result, again.artifact_id) == ("duplicate", first.artifact_id)
    assert str(first.artifact_id)[:8] in again.message
    assert len(files(media)) == VoiceNote.objects.count() == Artifact.objects.count() == 1


def test_the_same_message_is_answered_without_reading_it_again():
    first = send(recording(), channel_message_id="wamid.1", source_channel="whatsapp_audio")

    class Unreadable(io.BytesIO):
        def read(self, *args):
            raise AssertionError("it was read")

    again = send(audio=Unreadable(), channel_message_id="wamid.1", source_channel="whatsapp_audio")
    assert (again.result, again.artifact_id) == ("duplicate", first.artifact_id)


def test_a_typed_message_comes_once_by_its_id():
    first = send(text="Trained well.", channel_message_id="1", source_channel="whatsapp_text")
    again = send(text="Trained well.", channel_message_id="1", source_channel="whatsapp_text")
    assert (again.result, again.artifact_id) == ("duplicate", first.artifact_id)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"channel_message_id": "1"}, {"channel_message_id": "2"}),
        ({"channel_message_id": "1"}, {"channel_message_id": "1", "source_channel": "api"}),
        ({}, {}),
    ],
)
def test_typed_notes_of_different_messages_are_never_duplicates(one, other):
    coach = make_coach()
    outcomes = [send(text="Trained well.", sender=coach, **given) for given in (one, other)]
    assert [outcome.result for outcome in outcomes] == ["accepted", "accepted"]


def test_two_recordings_in_the_same_second_are_two_notes():
    coach, now = make_coach(), timezone.now()
    outcomes = [send(recording(words), sender=coach, received_at=now) for words in ("One more.", "One  more.")]
    assert [outcome.result for outcome in outcomes] == ["accepted", "accepted"]


def test_the_same_bytes_from_another_coach_are_another_note(media):
    content = recording()
    outcomes = [send(content, sender=make_coach()) for _ in range(2)]
    assert [outcome.result for outcome in outcomes] == ["accepted", "accepted"]
    assert len(files(media)) == 2


def test_the_same_bytes_from_nobody_known_are_kept_twice_for_they_may_be_of_two_people():
    content = recording()
    assert [send(content).result for _ in range(2)] == ["accepted", "accepted"]


# --- Refused ---------------------------------------------------------------------------------------------------

REFUSED = {
    "zero bytes": (b"", "note.mp3", "empty"),
    "a web page named .mp3": (b"<!doctype html><script>alert(1)</script>" * 50, "note.mp3", "web_page"),
    "a web page with a path": (b"<html><body>" * 50, "../../note.mp3", "web_page"),
    "text": (b"Tommy trained well. " * 50, "note.ogg", "text"),
    "a program": (b"\x7fELF" + bytes(5000), "note.wav", "not_a_recording"),
    "only a header": (recording()[:44], "note.wav", "cut_off"),
    "half a second": (recording(seconds=0.5), "note.wav", "too_short"),
}


@pytest.mark.parametrize(("content", "name", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_recording_is_refused_and_nothing_is_left(media, content, name, code):
    outcome = send(content, sender=make_coach(), filename=name)
    assert (outcome.result, outcome.code, outcome.artifact_id) == ("refused", code, None)
    assert outcome.message.endswith(".")
    assert nothing_left(media)
    assert not PipelineEvent.objects.exists()


def test_a_truncated_recording_is_kept_as_far_as_it_goes_or_refused_and_never_half_done(media):
    whole = recording(seconds=10)
    short = send(whole[: len(whole) // 2], sender=make_coach(), filename="x.wav")
    note = received(short).voice_note
    assert note.duration_seconds < 6
    with note.audio.open() as kept:
        assert kept.read() == whole[: len(whole) // 2]


class Endless(io.RawIOBase):
    """A recording without an end, and how much of it was read."""

    def __init__(self):
        self.start, self.taken = recording(), 0

    def readable(self):
        return True

    def read(self, size=-1):
        assert size > 0, "asked for everything at once"
        assert self.taken < 2 * MAX_UPLOAD_BYTES, "asked for more and more"
        chunk, self.start = (self.start + bytes(size))[:size], self.start[size:]
        self.taken += size
        return chunk


def test_a_recording_that_is_too_large_is_read_no_further_than_the_limit(media):
    audio = Endless()
    outcome = send(audio=audio, sender=make_coach())
    assert (outcome.result, outcome.code) == ("refused", "too_large")
    assert audio.taken < MAX_UPLOAD_BYTES + 1_048_576
    assert nothing_left(media)


def test_thirty_megabytes_are_refused_with_their_size(media):
    outcome = send(recording() + bytes(30 * 1_048_576), sender=make_coach(), filename="match.wav")
    assert (outcome.result, outcome.code) == ("refused", "too_large")
    assert "30.1 MB" in outcome.message
    assert nothing_left(media)


@pytest.mark.parametrize("read_before", [0, 1, 2])
def test_an_upload_that_breaks_off_is_told_so(media, read_before):
    class Broken(Endless):
        def read(self, size=-1):
            if self.taken >= read_before * size:
                raise OSError("connection reset by peer")
            return super().read(size)

    outcome = send(audio=Broken(), sender=make_coach())
    assert (outcome.result, outcome.code, outcome.may_work_later) == ("refused", "broken_off", True)
    assert nothing_left(media)


def test_a_stream_that_fails_in_a_way_nobody_foresaw_leaves_nothing(media):
    class Faulty(Endless):
        def read(self, size=-1):
            if self.taken:
                raise ZeroDivisionError
            return super().read(size)

    with pytest.raises(ZeroDivisionError):
        send(audio=Faulty(), sender=make_coach())
    assert nothing_left(media)


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty"), (" \n\t", "empty"), ("\x00", "empty"), ("a" * (MAX_TEXT + 1), "too_long")]
)
def test_a_typed_note_has_something_to_say_and_an_end(media, text, code):
    outcome = send(text=text)
    assert (outcome.result, outcome.code) == ("refused", code)
    assert nothing_left(media)


def test_a_coach_of_another_club_is_refused(media):
    coach, club = make_coach(), make_club()
    outcome = send(recording(), sender=coach, organization=club)
    assert outcome.code == "coach_of_another_club"
    assert str(coach) in outcome.message
    assert str(club) in outcome.message
    assert nothing_left(media)


@pytest.mark.parametrize("message_id", ["x" * 201, "a\x00b", "a\nb"])
def test_a_message_id_that_cannot_be_kept_is_refused(media, message_id):
    assert send(recording(), channel_message_id=message_id).code == "unusable_message_id"
    assert nothing_left(media)


@pytest.mark.parametrize("given", [{"source_channel": "carrier pigeon"}, {"audio": io.BytesIO(b"x"), "text": "y"}])
def test_what_only_our_own_code_can_get_wrong_is_an_error(given):
    with pytest.raises(ValueError, match=r"channel|not both"):
        send(**{"text": "x", **given})


# --- A disk and a database that refuse -------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_told_and_may_work_later(media):
    media.write_text("where the folder should be")
    outcome = send(recording(), sender=make_coach())
    assert (outcome.result, outcome.code, outcome.may_work_later) == ("refused", "not_stored", True)
    assert "administrator" in outcome.message
    assert str(media) not in outcome.message
    assert not VoiceNote.objects.exists()


@pytest.fixture
def little_room():
    """No file of this process grows beyond 100 kB: the nearest thing to a full disk that needs no disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("seconds", [20, 60])
def test_a_full_disk_is_told_and_leaves_nothing(media, little_room, seconds):
    outcome = send(recording(seconds=seconds), sender=make_coach())
    assert (outcome.result, outcome.code) == ("refused", "not_stored")
    assert "the disk is full" in outcome.message
    assert nothing_left(media)
    assert send(recording(seconds=3), sender=make_coach()).result == "accepted"


@pytest.fixture(params={"a broken rule": "23514", "a fault of its own": "P0001", "a shutdown": "57014"}.values())
def refusing_database(request):
    """The database refuses artifacts, in one of the ways that Django tells apart."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = '{request.param}'; END $$"
        )
        cursor.execute("CREATE TRIGGER refusing BEFORE INSERT ON voicepipeline_artifact EXECUTE FUNCTION refuse()")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refusing ON voicepipeline_artifact")
        cursor.execute("DROP FUNCTION refuse")


def test_a_row_that_the_database_refuses_takes_its_file_along(media, refusing_database):
    with pytest.raises(DatabaseError, match="not today"):
        send(recording(), sender=make_coach())
    assert nothing_left(media)


def test_it_refuses_to_work_inside_a_transaction_that_could_still_be_undone(media):
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        receive_voice_note(source_channel="api", audio=None, text="x", sender=None, organization=None)
    assert nothing_left(media)
