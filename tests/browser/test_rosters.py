"""Two rows of one player are merged, and a club's open questions find their answers."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.factories import make_alias, make_claim, make_club, make_coach, make_player, make_team
from tests.names.helpers import REAL_STAGES, make_read_note, matches, resolve
from tests.rosters.read_notes import entries, finish, the_work
from voicepipeline.models import BulkWork

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def _real_stages(settings):
    settings.STAGE_CODE = REAL_STAGES


@pytest.fixture
def club(_real_stages):
    return make_club(name="Na Fianna")


@pytest.fixture
def twice(club):
    """One player who came twice, once misspelt and without a team."""
    team = make_team(organization=club)
    return (
        make_player(organization=club, first_name="Caoimhe", last_name="Kelly", team=team, external_id="17"),
        make_player(organization=club, first_name="Keeva", last_name="Kelly"),
    )


@pytest.fixture
def note(club, twice):
    coach = make_coach(organization=club)
    make_alias("Kiki", player=twice[1], coach=coach)
    note = make_read_note(sender=coach)
    make_claim(note, "Caoimhe Kelly")
    make_claim(note, "Zebedee")
    resolve(note)
    finish(note)
    return note


@pytest.mark.trial
def test_a_player_is_merged_and_open_questions_are_matched_again(
    page, sign_in, administrator, check_page, club, twice, note
):
    stays, goes = twice
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_player_change", args=[stays.pk]))
    check_page()
    page.get_by_role("link", name="Merge with another player").click()
    check_page()
    page.get_by_role("link", name="Compare with Keeva Kelly").click()
    expect(page.get_by_text("A merge cannot be taken back.")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Merge: Caoimhe Kelly stays").click()
    expect(page.get_by_text("Keeva Kelly is Caoimhe Kelly now.")).to_be_visible()
    the_work(BulkWork.Kind.MERGE_PLAYERS)
    assert [match.player for match in matches(note)] == [stays, None]
    page.goto(reverse("admin:voicepipeline_player_change", args=[goes.pk]))
    expect(page.get_by_text("Merged into Caoimhe Kelly.")).to_be_visible()
    check_page()

    zebedee = make_player(organization=club, first_name="Zebedee", last_name="Quin")
    page.goto(reverse("admin:voicepipeline_organization_change", args=[club.pk]))
    check_page()
    page.get_by_role("link", name="Match names again").click()
    expect(page.get_by_text("1 open question in 1 voice note")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Match again").click()
    expect(page.get_by_text("The open questions of Na Fianna are being matched again.")).to_be_visible()
    the_work(BulkWork.Kind.MATCH_AGAIN)
    assert [entry.player for entry in entries(note)] == [stays, zebedee]


@pytest.mark.trial
def test_the_pages_of_rosters_serve_everybody_in_every_look(
    page, look, sign_in, administrator, check_page, club, twice, note
):
    stays, goes = twice
    alias = stays.organization.aliases.get()
    merge = reverse("admin:voicepipeline_player_merge", args=[stays.pk])
    sign_in(administrator)
    for url in (
        reverse("admin:voicepipeline_player_changelist"),
        merge,
        f"{merge}?with={goes.pk}",
        reverse("admin:voicepipeline_organization_changelist"),
        reverse("admin:voicepipeline_organization_match_again", args=[club.pk]),
        reverse("admin:voicepipeline_playeralias_changelist"),
        reverse("admin:voicepipeline_playeralias_remove", args=[alias.pk]),
        reverse("admin:voicepipeline_playeralias_remove_many") + "?since=2020-01-01T00:00&until=2099-01-01T00:00",
        reverse("admin:voicepipeline_rosterchange_changelist"),
    ):
        page.goto(url)
        check_page()
