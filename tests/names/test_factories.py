"""That the builders make rows which the database accepts, also where nothing is given."""

import pytest

from tests.factories import (
    make_alias,
    make_claim,
    make_coach,
    make_draft,
    make_note,
    make_player,
    make_resolution,
    make_transcript,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("make", [make_note, make_transcript, make_claim, make_resolution, make_draft, make_alias])
def test_nothing_has_to_be_given(make):
    assert make().pk


def test_a_notes_club_is_its_senders():
    coach = make_coach()
    assert make_note(sender=coach).organization == coach.organization
    assert make_note(organization=None).organization is None


def test_a_recording_has_its_bytes():
    note = make_note(audio=b"RIFF").voice_note
    with note.audio.open() as file:
        assert (file.read(), note.size_bytes, note.text) == (b"RIFF", 4, "")


def test_a_settled_name_has_its_target():
    player = make_player()
    claim = make_claim(None, "Caoimhe", "Aoife")
    first, second = make_resolution(claim, player=player), make_resolution(claim)
    assert (first.status, second.status, second.raw_text) == ("auto_resolved", "needs_disambiguation", "Aoife")


def test_a_decided_entry_names_who_decided():
    assert make_draft(status="rejected", decided_by=make_user()).decided_at
    assert make_draft(status="confirmed", automatic=True).decided_at
