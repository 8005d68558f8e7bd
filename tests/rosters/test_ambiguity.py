"""How often a club's names had to be asked about."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_claim, make_club, make_note, make_player, make_resolution, make_user
from voicepipeline import roles
from voicepipeline.admin.roster_unclear import Unclear, unclear_of

pytestmark = pytest.mark.django_db


def said(club, **fields):
    return make_resolution(make_claim(make_note(organization=club), "Niamh"), **fields)


def answered(club):
    return said(club, player=make_player(), status="user_resolved", resolved_by=make_user(), resolved_at=timezone.now())


def figures(club):
    return unclear_of([club.pk], now=timezone.now()).get(club.pk)


def test_of_the_mentions_matched_lately_those_that_a_person_was_asked_about_are_counted():
    club = make_club()
    said(club, player=make_player())
    said(club, status="unresolved")
    said(club)
    answered(club)
    said(club, status="unresolved", resolved_by=make_user(), resolved_at=timezone.now())
    assert figures(club) == Unclear(matched=5, asked=3, waiting=1)
    assert figures(club).words == "60 %"


def test_groups_older_mentions_and_other_clubs_are_not_counted():
    club = make_club()
    said(club, kind="group_reference", status="auto_resolved")
    said(club, created_at=timezone.now() - timedelta(days=30, seconds=1))
    said(make_club())
    assert figures(club) is None
    said(club, created_at=timezone.now() - timedelta(days=29))
    assert figures(club) == Unclear(1, 1, 1)


@pytest.mark.parametrize(
    ("unclear", "words"),
    [(Unclear(), "-"), (Unclear(10, 0), "0 %"), (Unclear(1000, 4), "0.4 %"), (Unclear(3, 1), "33 %")],
    ids=["nothing", "none", "few", "many"],
)
def test_a_share_of_nothing_is_not_known_and_a_small_one_is_not_rounded_away(unclear, words):
    assert unclear.words == words


def test_the_list_and_the_clubs_page_tell_it_and_a_button_leads_to_the_open_questions(client):
    club, silent = make_club(), make_club()
    said(club)
    said(club, player=make_player(organization=club))
    client.force_login(make_user(roles.VIEWER))
    listed = client.get(reverse("admin:voicepipeline_organization_changelist"))
    shares = {row.pk: row.unclear.words for row in listed.context["cl"].result_list}
    assert shares == {club.pk: "50 %", silent.pk: "-"}
    # Questions of any age wait there: no number of the last 30 days leads to them.
    names = f"{reverse('admin:voicepipeline_entityresolution_changelist')}?club={club.pk}"
    assert names not in listed.content.decode()
    page = client.get(reverse("admin:voicepipeline_organization_change", args=[club.pk])).content.decode()
    assert "1 of 2 mentions that were matched had to be asked about" in page
    assert page.count(f'href="{names}"') == 1
    assert "Match names again" not in page


LISTS = ("player", "team", "coach", "playeralias")


@pytest.mark.parametrize(
    ("role", "reads", "may_import"),
    [(roles.VIEWER, True, False), (roles.OPERATOR, True, True), (roles.OPERATOR, False, False)],
    ids=["viewer", "operator", "operator who may not read"],
)
def test_the_clubs_page_leads_to_its_roster_and_who_may_import_to_import_and_export(client, role, reads, may_import):
    club = make_club()
    client.force_login(make_user(role, reads_content=reads))
    page = client.get(reverse("admin:voicepipeline_organization_change", args=[club.pk])).content.decode()
    for model in LISTS:
        address = f"{reverse(f'admin:voicepipeline_{model}_changelist')}?club={club.pk}"
        assert f'href="{address}"' in page
        assert client.get(address).status_code == 200
    for address in (
        f"{reverse('admin:voicepipeline_rosterimport_add')}?club={club.pk}",
        reverse("admin:voicepipeline_roster_export", args=[club.pk]),
    ):
        assert (f'href="{address}"' in page) == may_import
        assert (client.get(address).status_code == 200) == may_import


def test_a_club_that_is_switched_off_is_offered_no_import(client):
    club = make_club(is_active=False)
    client.force_login(make_user(roles.OPERATOR))
    page = client.get(reverse("admin:voicepipeline_organization_change", args=[club.pk])).content.decode()
    assert "Export players" in page
    assert "Import players" not in page


def test_operators_find_matching_again_on_the_clubs_page(client):
    club = make_club()
    client.force_login(make_user(roles.OPERATOR))
    page = client.get(reverse("admin:voicepipeline_organization_change", args=[club.pk])).content.decode()
    assert reverse("admin:voicepipeline_organization_match_again", args=[club.pk]) in page
    assert client.get(reverse("admin:voicepipeline_organization_add")).status_code == 200
