"""The pages on which a list of players is handed in, looked at and applied."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_club, make_player, make_roster_import, make_team, make_user
from voicepipeline import roles
from voicepipeline.models import Player, RosterImport

pytestmark = pytest.mark.django_db(transaction=True)

ADD = reverse("admin:voicepipeline_rosterimport_add")
HEADER = "First name,Last name,Team,Number,Active\n"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


@pytest.fixture
def club(operator):
    return make_club()


@pytest.fixture
def send(client, club):
    def send(content, name="list.csv", **fields):
        data = content if isinstance(content, bytes) else content.encode()
        return client.post(ADD, {"club": club.pk, "file": SimpleUploadedFile(name, data), **fields})

    return send


def page_of(given):
    return reverse("admin:voicepipeline_rosterimport_change", args=[given.import_id])


def digest_on(response):
    return re.search(r'name="digest" value="(\w+)"', response.content.decode())[1]


def shown(response):
    """The words of a page, as they are read."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_a_list_is_handed_in_looked_at_and_applied(client, club, operator, send):
    make_player(organization=club, team=make_team(organization=club), external_id="1")
    response = send(f"{HEADER}Caoimhe,Burke,Minors,1,\nNiamh,Ryan,Minors,2,\n,Nobody,,,\n")
    given = RosterImport.objects.get()
    assert response["Location"] == page_of(given)
    preview = client.get(page_of(given))
    text = shown(preview)
    assert "4 Nobody The first name is missing. Add it." in text
    assert "last name: Kelly → Burke" in text
    assert "Minors 2" in text
    assert Player.objects.count() == 1
    applied = client.post(page_of(given), {"digest": digest_on(preview)}, follow=True)
    assert "The list was applied: 1 added, 1 changed. 1 line was left out." in shown(applied)
    assert sorted(map(str, Player.objects.all())) == ["Caoimhe Burke", "Niamh Ryan"]


def test_a_file_that_is_refused_says_why_beside_its_field(send):
    response = send(b"PK\x03\x04 and so on", "list.xlsx")
    assert "This is an Excel or other spreadsheet file, not a CSV file." in shown(response)
    assert not RosterImport.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"club": ""}, "Choose the club whose players these are."),
        ({"club": "no number"}, "This club is not there any more."),
        ({"file": ""}, "Choose the file with the list of players."),
    ],
    ids=["no club", "bad club", "no file"],
)
def test_a_form_that_is_not_filled_in_says_what_is_missing(send, fields, words):
    assert words in shown(send(HEADER, **fields))


def test_an_empty_file_and_one_that_is_too_large_are_refused(send):
    assert "The file is empty." in shown(send(""))
    assert "The file is too large" in shown(send(b"," * 6_000_000))


def test_what_was_remarkable_about_the_file_is_said_once(client, send):
    preview = client.get(send(f"{HEADER}Niamh,Ní Bhriain,,,\n".encode("cp1252"))["Location"])
    assert "was read as Windows-1252" in shown(preview)


def test_a_roster_that_changed_is_shown_anew_and_the_answers_are_kept(client, club, send):
    niamh = make_player(organization=club, first_name="Niamh")
    send(f"{HEADER}Neve,Kelly,,1,\nTom,Burke,,2,\n")
    given = RosterImport.objects.get()
    digest = digest_on(client.get(page_of(given)))
    Player.objects.filter(pk=niamh.pk).update(external_id="9")
    response = client.post(page_of(given), {"digest": digest, "answer-2": f"same-{niamh.pk}"})
    assert "the roster has changed since you saw this" in shown(response)
    assert f'value="same-{niamh.pk}" checked' in response.content.decode()
    assert digest_on(response) != digest
    assert Player.objects.count() == 1


@pytest.mark.parametrize("sent", [{}, {"digest": "x" * 5_000}, {"answer-2": "\x00"}], ids=["nothing", "long", "NUL"])
def test_a_post_that_no_page_made_does_nothing(client, club, send, sent):
    send(f"{HEADER}Tom,Burke,,2,\n")
    assert client.post(page_of(RosterImport.objects.get()), sent).status_code == 200
    assert not Player.objects.exists()


def test_whose_number_another_person_takes_is_said_beside_the_answer(client, club, send):
    niamh = make_player(organization=club, first_name="Niamh", external_id="7")
    make_player(organization=club, first_name="Neve", external_id="5", is_active=False, merged_into=niamh)
    text = shown(client.get(send(f"{HEADER}Zoe,Quirke,,5,\n")["Location"]))
    told = "number 5 is taken from Neve Kelly, who was merged into Niamh Kelly"
    assert f"Another person : is added to the roster; {told}" in text
    assert text.count("is taken from") == 1


def test_long_groups_are_cut_and_counted(client, club, send):
    rows = "".join(f"Tomasz,{chr(97 + at % 26) * 9}{chr(97 + at // 26) * 9},Squad {at},,\n" for at in range(250))
    text = shown(client.get(send(HEADER + rows)["Location"]))
    assert "To be added 250" in text
    assert text.count("and 50 more.") == 2  # the players, and their new teams


def test_questions_beyond_what_a_page_can_ask_are_left_for_the_next_time(client, club, send):
    preview = client.get(send(HEADER + "".join(f"Tomasz,Nowak,,{at},\n" for at in range(251)))["Location"])
    assert "The first 200 are shown; 50 more are left out this time" in shown(preview)
    assert preview.content.decode().count("<fieldset") == 200


def test_a_list_of_one_team_that_would_take_most_players_off_is_warned_of(client, club, send):
    for name in ("Niamh", "Tomasz", "Rui"):
        make_player(organization=club, first_name=name)
    whole = client.get(send(f"{HEADER}Niamh,Kelly,,,\nTomasz,Kelly,,,\n", deactivate_missing="on")["Location"])
    part = client.get(send(f"{HEADER}Niamh,Kelly,,,\n", deactivate_missing="on")["Location"])
    assert "More players would go than stay" not in shown(whole)
    assert "More players would go than stay: 2 are not on this list." in shown(part)


def test_an_applied_list_shows_what_came_of_it_and_no_names(client, club, send):
    send(f"{HEADER}Niamh,Kelly,,,\n")
    given = RosterImport.objects.get()
    client.post(page_of(given), {"digest": digest_on(client.get(page_of(given)))})
    page = client.get(page_of(given))
    client.get(page_of(given))
    assert "Applied" in shown(page)
    assert 'name="digest"' not in page.content.decode()
    again = client.post(page_of(given), {"digest": ""})
    assert "It was applied already" in shown(again)


def test_lists_that_wait_are_offered_to_whoever_handed_them_in(client, club, operator):
    make_roster_import(organization=club, uploaded_by=operator, filename="mine.csv")
    make_roster_import(organization=club, filename="theirs.csv")
    text = shown(client.get(ADD))
    assert "mine.csv" in text
    assert "theirs.csv" not in text


def test_a_club_can_be_chosen_by_the_link_that_leads_here(client, club):
    page = client.get(f"{ADD}?club={club.pk}").content.decode()
    assert page.count(f'value="{club.pk}" selected') == 2  # to hand a list in, and to take one away
    for strange in ("x", "٣", "9" * 30, "-1", "\x00"):
        assert client.get(ADD, {"club": strange}).status_code == 200


def test_a_list_older_than_a_day_is_not_shown(client, operator):
    old = make_roster_import(uploaded_by=operator, uploaded_at=timezone.now() - timedelta(hours=25))
    assert client.get(page_of(old)).status_code == 404
    assert "Your lists" not in shown(client.get(ADD))


def test_a_list_that_is_gone_leads_back(client, club):
    gone = make_roster_import(organization=club)
    RosterImport.objects.all().delete()
    assert client.get(page_of(gone)).status_code == 404
    assert client.post(page_of(gone), {"digest": ""})["Location"] == ADD


def test_the_roster_is_taken_away_as_a_file(client, club):
    make_player(organization=club, first_name="=1+1")
    response = client.get(reverse("admin:voicepipeline_roster_export", args=[club.pk]))
    assert re.fullmatch(rf'attachment; filename="players-{club.slug}-[\d-]+\.csv"', response["Content-Disposition"])
    assert b"".join(response.streaming_content).decode().splitlines()[1] == "'=1+1,Kelly,,,yes"


def test_whose_roster_is_taken_away_can_be_chosen(client, club):
    chosen = reverse("admin:voicepipeline_roster_export_chosen")
    export = reverse("admin:voicepipeline_roster_export", args=[club.pk])
    assert client.get(chosen, {"club": club.pk})["Location"] == export
    for strange in ("", "x", "\x00", "9" * 30):
        assert "Choose the club whose roster" in shown(client.get(chosen, {"club": strange}, follow=True))


def test_a_club_that_is_not_there_has_no_roster(client, operator):
    assert client.get(reverse("admin:voicepipeline_roster_export", args=[10**12])).status_code == 404


@pytest.mark.parametrize("page", ["add", "change", "export"])
def test_operators_who_may_not_read_content_see_no_names(client, page):
    given = make_roster_import()
    client.force_login(make_user(roles.OPERATOR, reads_content=False))
    address = {
        "add": ADD,
        "change": page_of(given),
        "export": reverse("admin:voicepipeline_roster_export", args=[given.organization_id]),
    }[page]
    assert client.get(address).status_code == 403


def test_the_preview_takes_as_many_queries_for_many_lines_as_for_one(client, club, operator, django_assert_num_queries):
    one = make_roster_import(organization=club, uploaded_by=operator)
    for number in range(100):
        make_player(organization=club, first_name=f"Name{number}", external_id=str(number))
    rows = [[at, "Tomasz", f"Nowak{at}", None, str(at), None, False, ""] for at in range(2, 150)]
    many = make_roster_import(organization=club, uploaded_by=operator, rows=rows)
    for given in (one, many):
        client.get(page_of(given))
        with django_assert_num_queries(9):
            client.get(page_of(given))
