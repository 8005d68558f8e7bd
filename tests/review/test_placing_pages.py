"""The lists of voice notes that wait for a person, the page of them all, and the forms of what is done about each."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_claim, make_club, make_coach, make_note, make_resolution, make_transcript, make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, NoteDecision, Transcript
from voicepipeline.operations.notes import close_artifact
from voicepipeline.operations.placing import mark_reviewed

pytestmark = pytest.mark.django_db

LIST = reverse("admin:voicepipeline_artifact_changelist")
PAGE = reverse("admin:voicepipeline_artifact_placing")
NEEDS = ("club", "coach", "review", "no_speech", "names")


@pytest.fixture
def aoife(client):
    user = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    client.force_login(user)
    return user


def heard(verdict, **fields):
    now = timezone.now()
    note = make_note(sender=make_coach(), status="completed", completed_at=now, first_completed_at=now, **fields)
    make_transcript(note, verdict=verdict)
    return note


WAITING = {
    "club": lambda: make_note(organization=None, sender=None),
    "coach": lambda: make_note(sender=None),
    "review": lambda: heard("flagged"),
    "no_speech": lambda: heard("no_speech", outcome="no_speech"),
    "names": lambda: make_resolution(make_claim(make_note(sender=make_coach()), "Niamh")).artifact,
}
KEYS = {"club": "assign-club", "coach": "attach-coach", "review": "reviewed", "no_speech": "reviewed"}


def found(client, needs):
    return {row.pk for row in client.get(LIST, {"needs": needs}).context["cl"].result_list}


def deed(note, key, needs=""):
    url = reverse("admin:voicepipeline_artifact_action", args=[note.artifact_id, key])
    return f"{url}?needs={needs}" if needs else url


def page_of(note):
    return reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])


# --- The lists --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("needs", NEEDS)
def test_each_list_has_the_notes_that_wait_for_that(client, aoife, needs):
    notes = {key: make().pk for key, make in WAITING.items()}
    make_note(sender=make_coach())
    expected = {notes[needs]} | ({notes["club"]} if needs == "coach" else set())
    assert found(client, needs) == expected


@pytest.mark.parametrize("needs", ["club", "coach"])
def test_what_somebody_has_closed_waits_for_nobody(client, aoife, needs):
    note = make_note(
        organization=None, sender=None, status="failed", failed_stage="transcription", error_code="x", fingerprint="x"
    )
    assert found(client, needs) == {note.pk}
    close_artifact(note.artifact_id, by=aoife, reason="Nobody needs it.")
    assert found(client, needs) == set()


@pytest.mark.parametrize("needs", ["review", "no_speech"])
def test_what_somebody_has_listened_to_leaves_its_list_and_its_mark(client, aoife, needs):
    note = WAITING[needs]()
    mark_reviewed(note.artifact_id, by=aoife)
    assert found(client, needs) == set()
    assert "To be reviewed" not in client.get(LIST).context["cl"].model_admin.state(
        client.get(LIST).context["cl"].result_list[0]
    )


@pytest.mark.parametrize("needs", KEYS)
def test_each_row_leads_to_its_one_action(client, aoife, needs):
    note = WAITING[needs]()
    assert deed(note, KEYS[needs], needs) in client.get(LIST, {"needs": needs}).content.decode()
    assert "What to do" not in client.get(LIST).content.decode()


@pytest.mark.parametrize("needs", KEYS)
def test_viewers_see_the_lists_without_actions(client, needs):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    note = WAITING[needs]()
    assert found(client, needs) == {note.pk}
    assert "What to do" not in client.get(LIST, {"needs": needs}).content.decode()


@pytest.mark.parametrize("needs", NEEDS)
def test_each_list_costs_the_same_with_one_row_and_with_a_hundred(client, aoife, needs):
    WAITING[needs]()
    client.get(LIST)
    costs = []
    for more in (0, 99):
        for _ in range(more):
            WAITING[needs]()
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST, {"needs": needs})
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 9


# --- The page of them all ---------------------------------------------------------------------------------------------
def test_the_page_counts_each_and_leads_to_each(client, aoife, django_assert_num_queries):
    for make in WAITING.values():
        make()
    client.get(PAGE)
    with django_assert_num_queries(10):
        response = client.get(PAGE)
    assert {home.key: home.count for home in response.context["homes"]} == {
        "club": "1",
        "coach": "2",
        "review": "1",
        "no_speech": "1",
    }
    for needs in KEYS:
        assert f'href="{LIST}?needs={needs}"' in response.content.decode()


def test_where_nothing_waits_the_page_says_so(client, aoife):
    page = client.get(PAGE).content.decode()
    assert page.count("None at the moment.") == len(KEYS)


# --- The forms --------------------------------------------------------------------------------------------------------
def test_a_club_is_assigned_from_the_list_and_one_is_back_in_it(client, aoife):
    note, club = WAITING["club"](), make_club(name="Na Fianna")
    url = deed(note, "assign-club", "club")
    assert "Na Fianna" in client.get(url).content.decode()
    response = client.post(url, {"club": club.pk, "seen": ""}, follow=True)
    assert response.redirect_chain == [(f"{LIST}?needs=club", 302)]
    assert "It is a voice note of Na Fianna now." in response.content.decode()
    note.refresh_from_db()
    assert note.organization == club


def test_a_wrong_club_is_changed_from_the_notes_page(client, aoife):
    note, club = make_note(), make_club(name="Na Fianna")
    url = deed(note, "change-club")
    assert f'href="{url}"' in client.get(page_of(note)).content.decode()
    response = client.post(url, {"club": club.pk, "seen": note.organization_id})
    assert response["Location"] == page_of(note)
    note.refresh_from_db()
    assert note.organization == club


def test_only_coaches_of_the_notes_club_are_offered_and_with_no_club_all_by_club(client, aoife):
    club = make_club(name="Na Fianna")
    ours = make_coach(organization=club, first_name="Orla", last_name="Daly", phone="+353871234567")
    make_coach(first_name="Niamh", last_name="Byrne")
    make_coach(organization=club, first_name="Left", last_name="Longago", is_active=False)
    note = make_note(organization=club)
    page = client.get(deed(note, "attach-coach")).content.decode()
    assert "Orla Daly, +353871234567" in page
    assert "Niamh Byrne" not in page
    assert "Longago" not in page
    everybody = client.get(deed(WAITING["club"](), "attach-coach")).content.decode()
    assert '<optgroup label="Na Fianna">' in everybody
    assert "Niamh Byrne" in everybody
    client.post(deed(note, "attach-coach"), {"coach": ours.pk, "seen": ""})
    note.refresh_from_db()
    assert note.sender == ours


@pytest.mark.parametrize(
    ("key", "data", "words"),
    [
        ("assign-club", {}, "Choose the club whose voice note it is."),
        ("assign-club", {"club": "0"}, "It is on the list no more. Choose another one."),
        ("assign-club", {"club": "x", "seen": "x"}, "It is on the list no more. Choose another one."),
        ("attach-coach", {}, "Choose the coach who sent it."),
        ("attach-coach", {"coach": str(2**70)}, "It is on the list no more. Choose another one."),
    ],
    ids=["no club", "gone", "nonsense", "no coach", "no such coach"],
)
def test_what_cannot_be_is_told_beside_its_field(client, aoife, key, data, words):
    note = WAITING["club"]()
    response = client.post(deed(note, key), data)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not NoteDecision.objects.exists()


def test_who_answers_from_an_old_page_is_told(client, aoife):
    note, first = WAITING["club"](), make_club(name="Na Fianna")
    client.post(deed(note, "assign-club"), {"club": first.pk, "seen": ""})
    response = client.post(deed(note, "assign-club"), {"club": make_club().pk, "seen": ""}, follow=True)
    assert "Aoife Kelly has said since you looked that its club is Na Fianna." in response.content.decode()
    note.refresh_from_db()
    assert note.organization == first


def test_listened_to_is_a_press_and_the_notes_page_tells_by_whom(client, aoife):
    note = WAITING["review"]()
    assert "Mark as listened to" in client.get(page_of(note)).content.decode()
    client.post(deed(note, "reviewed", "review"))
    assert Transcript.objects.get().reviewed_by == aoife
    page = client.get(page_of(note)).content.decode()
    assert "Aoife Kelly has listened to it" in page
    assert "Mark as listened to" not in page
    assert "Somebody should listen" not in page


@pytest.mark.parametrize("key", ["assign-club", "attach-coach", "reviewed", "change-club", "change-coach"])
def test_viewers_open_no_form(client, key):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    assert client.get(deed(WAITING["review"](), key)).status_code == 403


def test_who_may_not_hear_a_note_cannot_have_listened_to_it(client):
    client.force_login(make_user(roles.OPERATOR, reads_content=False))
    note = WAITING["review"]()
    assert client.get(deed(note, "reviewed")).status_code == 403
    assert "What to do" not in client.get(LIST, {"needs": "review"}).content.decode()
    assert "Mark as listened to" not in client.get(page_of(note)).content.decode()


@pytest.mark.parametrize(("reads", "shown"), [(True, "+353871234567"), (False, "••• 67")], ids=["reader", "other"])
def test_the_number_a_note_was_sent_from_is_for_readers(client, reads, shown):
    client.force_login(make_user(roles.OPERATOR, reads_content=reads))
    note = WAITING["club"]()
    note.voice_note.sender_address = "+353871234567"
    note.voice_note.save()
    for url in (page_of(note), deed(note, "attach-coach")):
        page = client.get(url).content.decode()
        assert shown in page
        assert reads or "+353871234567" not in page


@pytest.mark.parametrize(("key", "words"), [("assign-club", "has a club"), ("reviewed", "Nobody has to listen")])
def test_what_makes_no_sense_offers_no_form(client, aoife, key, words):
    page = client.get(deed(make_note(sender=make_coach()), key)).content.decode()
    assert words in page
    assert "vp-button-primary" not in page


def test_five_thousand_coaches_cost_no_more_queries(client, aoife, django_assert_num_queries):
    club = make_club()
    note = make_note(organization=club)
    make_coach(organization=club)
    client.get(deed(note, "attach-coach"))
    with CaptureQueriesContext(connection) as one:
        client.get(deed(note, "attach-coach"))
    for _ in range(50):
        make_coach(organization=club)
    with django_assert_num_queries(len(one)):
        client.get(deed(note, "attach-coach"))
    assert Artifact.objects.count() == 1
