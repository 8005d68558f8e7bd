"""Clubs and their people."""

import pytest
from django.urls import reverse

from tests.factories import make_club, make_coach, make_player, make_team, make_user
from voicepipeline import roles
from voicepipeline.admin.clubs import LANGUAGES
from voicepipeline.models import Coach, Organization
from voicepipeline.policies.languages import language_code

pytestmark = pytest.mark.django_db
MAKERS = {"organization": make_club, "team": make_team, "coach": make_coach, "player": make_player}
# Session, viewer, their permissions (own and by role), bounded count, rows, what stands still; names of clubs where
# they filter; how unclear the names of clubs are.
QUERIES = {"organization": 8, "team": 8, "coach": 8, "player": 8}


def url(model, page, *arguments):
    return reverse(f"admin:voicepipeline_{model}_{page}", args=arguments)


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("model", MAKERS)
def test_each_list_asks_as_many_questions_for_a_hundred_rows_as_for_one(
    client, django_assert_num_queries, model, count
):
    client.force_login(make_user(roles.VIEWER))
    for _ in range(count):
        MAKERS[model]()
    with django_assert_num_queries(QUERIES[model]):
        client.get(url(model, "changelist"))


@pytest.mark.parametrize("model", MAKERS)
def test_each_list_is_searched_from_the_beginning_of_the_name(client, model):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    row = MAKERS[model]()
    assert len(client.get(url(model, "changelist"), {"q": str(row)[:4].lower()}).context["cl"].result_list) == 1
    assert len(client.get(url(model, "changelist"), {"q": "zzz"}).context["cl"].result_list) == 0


def test_an_operator_adds_a_club_and_a_coach(client):
    client.force_login(make_user(roles.OPERATOR))
    client.post(url("organization", "add"), {"name": "Na Fianna", "slug": "na-fianna", "is_active": "on"})
    club = Organization.objects.get(name="Na Fianna")
    team = make_team(organization=club)
    data = {"organization": club.pk, "first_name": "Ciara", "teams": [team.pk], "is_active": "on"}
    client.post(url("coach", "add"), data)
    assert list(Coach.objects.get(first_name="Ciara").teams.all()) == [team]


def save_club(client, *languages, **fields):
    club = Organization.objects.first() or make_club(languages=["en"])
    data = {"name": club.name, "slug": club.slug, "is_active": "on", "languages": languages, **fields}
    response = client.post(url("organization", "change", club.pk), data)
    club.refresh_from_db()
    return club.languages, response


def test_a_clubs_languages_are_chosen_by_their_names(client):
    client.force_login(make_user(roles.OPERATOR))
    assert save_club(client, "ga", "pl", "ar")[0] == ["ga", "pl", "ar"]
    page = client.get(url("organization", "change", Organization.objects.get().pk)).content.decode()
    assert '<option value="ga" selected>Irish</option>' in page
    assert '<option value="lo">Lao</option>' in page
    assert save_club(client)[0] == []


@pytest.mark.parametrize("code", ["xx", "en, ga", "english", "jw", "\x00"])
def test_a_language_that_is_none_is_refused_in_a_sentence(client, code):
    client.force_login(make_user(roles.OPERATOR))
    kept, response = save_club(client, "en", code)
    assert kept == ["en"]
    assert "Choose languages from the list." in response.content.decode()


def test_every_language_that_is_offered_is_a_code_that_providers_know(client):
    offered = [code for _, group in LANGUAGES for code, _ in group]
    assert len(offered) == len(set(offered))
    assert {language_code(code) for code in offered} == set(offered)
    assert {len(code) for code in offered} == {2}


@pytest.mark.parametrize(("model", "field"), [("coach", "teams"), ("player", "team")])
def test_a_team_of_another_club_is_refused_in_a_sentence(client, model, field):
    client.force_login(make_user(roles.OPERATOR))
    club = make_club(name="Na Fianna")
    team = make_team(organization=make_club(name="Ballina Rovers"), name="Under 14")
    data = {"organization": club.pk, "first_name": "Ciara", field: team.pk, "is_active": "on"}
    page = client.post(url(model, "add"), data).content.decode()
    assert "Under 14 is a team of Ballina Rovers, not of Na Fianna." in page
    data[field] = make_team(organization=club).pk
    assert client.post(url(model, "add"), data).status_code == 302


def test_teams_are_offered_with_their_clubs(client):
    client.force_login(make_user(roles.OPERATOR))
    team = make_team(organization=make_club(name="Na Fianna"))
    assert f"Na Fianna: {team.name}" in client.get(url("player", "add")).content.decode()


@pytest.mark.parametrize("model", MAKERS)
def test_a_viewer_looks_and_changes_nothing(client, model):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    row = MAKERS[model]()
    assert client.get(url(model, "change", row.pk)).status_code == 200
    assert client.post(url(model, "change", row.pk), {"name": "x", "first_name": "x"}).status_code == 403


@pytest.mark.parametrize("model", MAKERS)
def test_nobody_deletes_what_history_names(client, model):
    client.force_login(make_user(roles.ADMINISTRATOR))
    row = MAKERS[model]()
    assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()
