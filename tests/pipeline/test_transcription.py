"""The first stage on its own, against the simulated provider."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import make_club, make_coach, make_player, make_team, make_transcript
from tests.pipeline.helpers import SCRIPT, as_read, done, fault_of, player, spoken, squad, typed
from voicepipeline.ai.hearing import MAX_KEYWORDS, MAX_TEXT_CHARACTERS
from voicepipeline.ai.uploads import MAX_UPLOAD_BYTES
from voicepipeline.events import checked_metadata
from voicepipeline.models import ModelPrice, Transcript, VoiceNote
from voicepipeline.simulator.audio import make_wav
from voicepipeline.stages import transcription
from voicepipeline.stages.contract import NO_USAGE, PermanentFault, ProviderFault, TransientFault

pytestmark = pytest.mark.django_db


def transcript_of(artifact):
    return Transcript.objects.get(artifact=artifact)


def asked(simulator):
    """What the provider was asked for the last recording: the file's name, the names to listen for, the languages."""
    form = simulator.received[-1]
    return form.file("file").filename, form.texts("keywords[]"), form.texts("languages[]")


def replace_recording(artifact, content, name="note.wav"):
    artifact.voice_note.audio.save(name, ContentFile(content))
    VoiceNote.objects.filter(pk=artifact.voice_note_id).update(duration_seconds=None)


def test_a_recording_becomes_a_transcript():
    artifact = spoken()
    done(transcription, artifact)
    found = transcript_of(artifact)
    assert (found.text, found.verdict, found.languages) == (SCRIPT, "good", ["en"])
    assert (found.ai_model, found.is_typed, found.duration_seconds) == ("gpt-transcribe", False, Decimal("12.00"))


def test_its_event_tells_numbers_and_codes_only():
    output = done(transcription, spoken())
    told = {"transcript_word_count": 13, "transcript_duration": 12.0, "verdict": "good"}
    assert checked_metadata(output.metadata, strict=True) == told


@pytest.mark.parametrize("extension", ["oga", "opus", "ogg"])
def test_the_provider_is_sent_an_extension_that_it_takes(simulator, extension):
    done(transcription, spoken(extension=extension))
    assert asked(simulator)[0] == "recording.ogg"


def test_what_a_file_is_decides_and_not_what_it_is_called(simulator):
    artifact = spoken()
    replace_recording(artifact, make_wav(SCRIPT, 12), "note.mp3")
    done(transcription, artifact)
    assert asked(simulator)[0] == "recording.wav"


def test_the_players_of_the_senders_teams_are_listened_for_and_the_coaches_beside(simulator):
    coach, _ = squad("Niamh Kelly", "Aoife Ryan")
    other = make_team(organization=coach.organization, name="Under 8")
    player("Ciara Walsh", other)
    player("Gone Away", coach.teams.get(), is_active=False)
    make_coach(organization=coach.organization, first_name="Of", last_name="Another team")
    done(transcription, spoken(sender=coach))
    assert asked(simulator)[1] == ["Niamh Kelly", "Aoife Ryan", "Niamh Byrne"]


def test_without_a_team_the_whole_club_is_listened_for(simulator):
    club = make_club()
    make_player(organization=club, first_name="Róisín", last_name="Doyle")
    make_player(first_name="Of", last_name="Another club")
    done(transcription, spoken(organization=club))
    assert asked(simulator)[1] == ["Róisín Doyle"]


def test_a_team_that_the_sender_trains_in_another_club_is_not_listened_for(simulator):
    coach, _ = squad("Niamh Kelly", "Aoife Ryan")
    elsewhere = make_team()
    player("Of Another", elsewhere)
    make_coach(organization=coach.organization, first_name="Beside", last_name="Them").teams.add(elsewhere)
    coach.teams.add(elsewhere)
    done(transcription, spoken(sender=coach))
    assert asked(simulator)[1] == ["Niamh Kelly", "Aoife Ryan", "Niamh Byrne"]


def test_names_are_bounded_and_cleaned_so_that_none_refuses_the_request(simulator):
    coach, _ = squad("<b>Niamh</b> Kelly", "Aoife\r\nRyan", *(f"Player Number{n}" for n in range(MAX_KEYWORDS)))
    done(transcription, spoken(sender=coach))
    names = asked(simulator)[1]
    assert len(names) == MAX_KEYWORDS
    assert {"b Niamh /b Kelly", "Aoife Ryan"} <= set(names)


def test_the_clubs_languages_go_along(simulator):
    done(transcription, spoken(organization=make_club(languages=["en", "ga"])))
    assert asked(simulator)[2] == ["en", "ga"]


def test_without_a_club_nothing_is_listened_for(simulator):
    done(transcription, spoken(organization=None))
    assert asked(simulator)[1:] == ([], [])


def test_a_language_that_the_club_does_not_speak_is_flagged():
    artifact = spoken(organization=make_club(languages=["pl"]))
    done(transcription, artifact)
    assert (transcript_of(artifact).verdict, transcript_of(artifact).verdict_reasons) == (
        "flagged",
        ["unexpected_language"],
    )


def test_a_typed_note_is_its_own_transcript_and_costs_nothing(calls):
    artifact = typed("  Niamh sharp today.  ")
    output = done(transcription, artifact)
    found = transcript_of(artifact)
    assert (found.text, found.is_typed, found.verdict) == ("Niamh sharp today.", True, "good")
    assert (output.usage, calls()["transcriptions"]) == (NO_USAGE, 0)


def test_silence_is_an_outcome_and_no_failure():
    artifact = spoken("")
    output = done(transcription, artifact)
    artifact.refresh_from_db()
    assert (artifact.outcome, transcript_of(artifact).verdict) == ("no_speech", "no_speech")
    assert output.metadata["outcome"] == "no_speech"


def test_words_that_a_model_makes_up_on_silence_are_no_speech(befall):
    befall("transcriptions", "text_on_silence")
    artifact = spoken("")
    done(transcription, artifact)
    artifact.refresh_from_db()
    assert artifact.outcome == "no_speech"


def test_the_names_to_listen_for_read_back_are_no_speech():
    coach, _ = squad("Niamh Kelly", "Aoife Ryan", "Ciara Walsh")
    artifact = spoken("Niamh Kelly, Aoife Ryan and Ciara Walsh", sender=coach)
    done(transcription, artifact)
    assert (transcript_of(artifact).verdict, transcript_of(artifact).verdict_reasons) == (
        "no_speech",
        ["names_read_back"],
    )


def test_doubts_are_kept_with_their_reasons_and_the_note_goes_on():
    artifact = spoken("well done lads " * 12, seconds=20)
    output = done(transcription, artifact)
    artifact.refresh_from_db()
    assert (transcript_of(artifact).verdict, artifact.outcome) == ("flagged", "")
    assert checked_metadata(output.metadata, strict=True)["verdict_reasons"] == ["repeats_itself"]


def segment(**fields):
    return {"start": 0.0, "end": 1.0, "text": "Thank you for that everybody.", "avg_logprob": -0.2, **fields}


def test_times_and_confidence_are_kept_where_the_model_tells_them(settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    artifact = spoken()
    output = done(transcription, artifact)
    found = transcript_of(artifact)
    assert [each["text"] for each in found.segments] == SCRIPT.replace(". ", ".\n").splitlines()
    assert found.segments[0]["start_seconds"] == 0.0
    assert found.confidence == pytest.approx(0.78, abs=0.01)
    assert output.metadata["confidence_score"] == found.confidence
    assert (output.usage.audio_seconds, output.usage.cost_usd) == (Decimal("12.00"), None)


def test_a_model_that_hears_silence_is_believed(settings, simulator):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    simulator.said_instead["segments"] = [segment(no_speech_prob=0.97), segment(no_speech_prob=0.95)]
    artifact = spoken()
    done(transcription, artifact)
    assert transcript_of(artifact).verdict_reasons == ["model_heard_silence"]


def test_whatever_a_provider_says_fits_its_columns(settings, simulator):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    hostile = segment(text="a\x00b", avg_logprob=-1e308, no_speech_prob=1e308)
    simulator.said_instead.update(text="word \x00 " * 40_000, language="e\x00n" * 30, duration=999_999.999)
    simulator.said_instead["segments"] = [hostile] * (transcription.MAX_SEGMENTS + 5)
    artifact = spoken()
    done(transcription, artifact)
    found = transcript_of(artifact)
    assert (len(found.text), len(found.segments)) == (MAX_TEXT_CHARACTERS, transcription.MAX_SEGMENTS)
    assert (found.confidence, found.duration_seconds, len(found.languages[0])) == (0.0, Decimal("12.00"), 20)


def test_a_second_result_replaces_the_first():
    artifact = spoken("")
    done(transcription, artifact)
    replace_recording(artifact, make_wav(SCRIPT, 12))
    done(transcription, artifact)
    artifact.refresh_from_db()
    assert (transcript_of(artifact).text, artifact.outcome) == (SCRIPT, "")


def test_a_duration_that_was_not_known_is_kept():
    artifact = spoken()
    done(transcription, artifact)
    artifact.voice_note.refresh_from_db()
    assert artifact.voice_note.duration_seconds == Decimal("12.00")


def test_a_duration_that_was_known_stays_whatever_the_model_tells(settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    artifact = spoken()
    VoiceNote.objects.filter(pk=artifact.voice_note_id).update(duration_seconds=Decimal("11.50"))
    done(transcription, artifact)
    artifact.voice_note.refresh_from_db()
    assert artifact.voice_note.duration_seconds == Decimal("11.50")


def test_a_removed_transcript_takes_the_outcome_along():
    artifact = spoken("")
    done(transcription, artifact)
    assert transcription.remove(as_read(artifact)) == {"transcripts": 1}
    artifact.refresh_from_db()
    assert (artifact.outcome, Transcript.objects.filter(artifact=artifact).exists()) == ("", False)


def test_removing_nothing_counts_nothing():
    make_transcript()
    assert transcription.remove(spoken()) == {"transcripts": 0}


# --- What is not sent ------------------------------------------------------------------------------------------


def test_a_recording_that_is_gone_is_said_so_before_anything_is_paid(calls):
    artifact = spoken()
    default_storage.delete(artifact.voice_note.audio.name)
    fault = fault_of(transcription, artifact)
    assert (type(fault), fault.code, fault.usage) == (PermanentFault, "recording_missing", NO_USAGE)
    assert "no longer where it was kept" in fault.message
    assert calls()["transcriptions"] == 0


def test_a_recording_that_cannot_be_read_just_now_is_tried_again(settings):
    artifact = spoken()
    path = Path(settings.MEDIA_ROOT, artifact.voice_note.audio.name)
    path.unlink()
    path.symlink_to(path)  # reading it is an error of the file system
    fault = fault_of(transcription, artifact)
    assert (type(fault), fault.code) == (TransientFault, "recording_unreadable")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>" * 9, "web_page"),
        (b"RIFF\x00\x00\x00\x00WAVE" + bytes(MAX_UPLOAD_BYTES), "too_large"),
    ],
)
def test_what_no_provider_takes_is_refused_in_plain_words(calls, content, code):
    artifact = spoken()
    replace_recording(artifact, content)
    fault = fault_of(transcription, artifact)
    assert (type(fault), fault.code, calls()["transcriptions"]) == (PermanentFault, code, 0)
    assert fault.message.endswith(".")


def test_less_than_a_second_is_refused(calls):
    fault = fault_of(transcription, spoken(seconds=0.4))
    assert (type(fault), fault.code, calls()["transcriptions"]) == (PermanentFault, "too_short", 0)


def test_a_note_without_a_recording_is_said_so():
    artifact = spoken()
    artifact.voice_note = None
    artifact.save()
    assert fault_of(transcription, artifact).code == "recording_missing"


# --- What it cost ----------------------------------------------------------------------------------------------


def test_what_was_used_is_told_and_its_cost():
    usage = done(transcription, spoken()).usage
    assert (usage.ai_model, usage.audio_seconds, usage.input_tokens) == ("gpt-transcribe", Decimal("12.00"), 120)
    assert usage.request_id.startswith("req_sim")
    assert usage.provider_ms is not None
    assert usage.cost_usd == Decimal("0.0009")


def test_an_unknown_price_is_an_unknown_cost():
    ModelPrice.objects.all().delete()
    assert done(transcription, spoken()).usage.cost_usd is None


def test_a_provider_in_trouble_is_not_the_notes_fault(befall):
    befall("transcriptions", "status:503")
    fault = fault_of(transcription, spoken())
    assert isinstance(fault, ProviderFault)
    assert (fault.usage.ai_model, fault.usage.provider_ms is not None) == ("gpt-transcribe", True)


def test_reading_a_note_takes_a_fixed_number_of_queries(django_assert_num_queries):
    coach, _ = squad(*(f"Player Number{n}" for n in range(30)))
    artifact = as_read(spoken(sender=coach))
    with django_assert_num_queries(5):
        transcription.load(artifact)


def test_the_work_itself_asks_the_database_nothing(django_assert_num_queries):
    given = transcription.load(as_read(spoken()))
    with django_assert_num_queries(0):
        transcription.work(given)
