"""The queue of names to check, and what was answered lately."""

# ruff: noqa: F401, F811 - fixtures are used by their names

import re

import pytest

from tests.factories import make_claim, make_club, make_coach, make_note, make_resolution, mention
from tests.names.conftest import club, coach, note, real_stages
from tests.review.name_helpers import asking, operator, settle, two_murphys
from tests.review.name_pages import QUEUE, ana, names_on, queries_of, question, text_of
from voicepipeline.admin.name_queue import MOST_CLUBS, MOST_COACHES
from voicepipeline.models import Coach, EntityResolution, NameChoice, Organization

pytestmark = pytest.mark.django_db


def test_the_queue_has_one_row_for_each_name_of_each_note_in_the_order_of_arrival(client, ana):
    first, second = make_note(), make_note()
    question("Neve", second), question("Murphy", first), question("murphy's", first), question("Aoife", first)
    question("Settled", first)
    EntityResolution.objects.filter(raw_text="Settled").update(status="unresolved")
    page = client.get(QUEUE)
    assert names_on(page) == ["Aoife", "Murphy", "Neve"]
    assert "3 names to check" in text_of(page)
    assert "In the order in which the voice notes arrived here." in text_of(page)
    assert "Player, said 2 times Eoin Murphy 93 · Seán Murphy 90" in text_of(page)


def test_the_queue_is_narrowed_to_a_club_and_to_a_coach(client, ana):
    siobhan = make_coach(first_name="Siobhán")
    other = make_coach(organization=siobhan.organization, first_name="Mick")
    question("Murphy", make_note(sender=siobhan)), question("Neve", make_note(sender=other)), question("Aoife")
    assert names_on(client.get(QUEUE, {"club": siobhan.organization_id})) == ["Murphy", "Neve"]
    page = client.get(QUEUE, {"club": siobhan.organization_id, "coach": other.pk})
    assert names_on(page) == ["Neve"]
    assert f"?club={siobhan.organization_id}&amp;coach={other.pk}" in page.content.decode()


def test_a_coach_of_another_club_is_dropped_and_the_page_says_so(client, ana):
    siobhan, stranger = make_coach(first_name="Siobhán"), make_coach(first_name="Mick")
    question("Murphy", make_note(sender=siobhan)), question("Neve", make_note(sender=stranger))
    page = client.get(QUEUE, {"club": siobhan.organization_id, "coach": stranger.pk})
    assert names_on(page) == ["Murphy"]
    assert "The coach is not of this club: names of all its coaches are shown." in text_of(page)
    assert f"coach={stranger.pk}" not in page.content.decode()


@pytest.mark.parametrize("given", ["club", "coach"])
def test_who_is_not_there_narrows_nothing_and_the_page_says_so(client, ana, given):
    question("Murphy")
    page = client.get(QUEUE, {given: 10**17})
    assert names_on(page) == ["Murphy"]
    assert f"There is no such {given}: names of all clubs and coaches are shown." in text_of(page)


def test_the_chosen_club_and_coach_can_be_chosen_however_many_there_are(ana, client):
    coach = make_coach(organization=make_club(name="Żubry"), first_name="Zoë", last_name="Żak")
    Organization.objects.bulk_create(
        Organization(name=f"Able {number:03}", slug=f"able-{number}") for number in range(MOST_CLUBS)
    )
    Coach.objects.bulk_create(
        Coach(organization=coach.organization, first_name="Ann", last_name=f"Able {number:03}")
        for number in range(MOST_COACHES)
    )
    question("Murphy", make_note(sender=coach))
    page = client.get(QUEUE, {"club": coach.organization_id, "coach": coach.pk}).content.decode()
    assert f'<option value="{coach.organization_id}" selected>Żubry</option>' in page
    assert f'<option value="{coach.pk}" selected>Zoë Żak</option>' in page


@pytest.mark.parametrize("given", ["abc", "-1", "9" * 40, "٣"])
def test_the_queue_takes_no_harm_from_what_is_no_number(client, ana, given):
    question()
    assert client.get(QUEUE, {"club": given, "coach": given, "after": given, "done": given}).status_code == 200
    assert client.get(QUEUE, {"tab": "answered", "page": given}).status_code == 200


def test_the_queue_is_turned_page_by_page_and_a_page_ends_with_a_note(client, ana):
    notes = [make_note() for _ in range(3)]
    for artifact in notes:
        for number in range(20):
            question(f"Name{'abcdefghijklmnopqrst'[number]}", artifact)
    first = client.get(QUEUE)
    assert len(names_on(first)) == 40
    following = re.search(r'href="([^"]*after=[^"]*)"', first.content.decode())[1]
    second = client.get(following.replace("&amp;", "&"))
    assert len(names_on(second)) == 20
    assert "Back to the first page" in text_of(second)


def test_the_queue_says_so_when_one_note_asks_more_than_a_page_holds(client, ana):
    artifact = make_note()
    claim = make_claim(artifact, mentions=[mention(f"Name{number}x{'a' * number}") for number in range(60)])
    for _ in range(60):
        make_resolution(claim)
    page = client.get(QUEUE)
    assert len(names_on(page)) == 50
    assert "asks for more names than a page holds" in text_of(page)


def test_the_queue_says_so_when_nothing_is_unclear(client, ana):
    assert "No name is unclear." in text_of(client.get(QUEUE))


def test_the_queue_costs_the_same_for_one_row_and_for_many(client, ana):
    question()
    few = queries_of(client, QUEUE)
    for number in range(45):
        question(f"Name{number}", make_note(sender=make_coach()) if number % 5 == 0 else None)
    assert queries_of(client, QUEUE) == few <= 16


def test_answers_are_listed_newest_first_with_who_and_undo(client, ana, club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Murphy", "Merphy")
    settle(note, eoin), settle(note, None, "Merphy", by=ana)
    page = client.get(QUEUE, {"tab": "answered"})
    assert names_on(page) == ["Merphy", "Murphy"]
    assert "nobody on the roster in the whole voice note Ana Nowak" in text_of(page)
    assert page.content.decode().count("/undo/") == 2


def test_answers_cost_the_same_for_one_row_and_for_many(client, ana):
    def answer():
        row = question()
        NameChoice.objects.create(
            artifact=row.artifact, kind=row.kind, name_key=row.name_key, raw_text="Murphy", chosen_by=operator()
        )

    answer()
    url = QUEUE + "?tab=answered"
    few = queries_of(client, url)
    for _ in range(20):
        answer()
    assert queries_of(client, url) == few <= 16
