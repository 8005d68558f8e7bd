"""What nobody can say of a name: each refused in words, and nothing kept."""

# ruff: noqa: F401, F811 - fixtures are used by their names

import pytest
from django.core.exceptions import PermissionDenied

from tests.factories import make_claim, make_player, make_team, make_user, mention
from tests.names.conftest import club, coach, note, real_stages
from tests.names.helpers import make_read_note, player, resolve
from tests.review.name_helpers import asking, means, ready, settle, two_murphys
from voicepipeline import roles
from voicepipeline.models import Artifact, NameChoice, PlayerAlias

pytestmark = pytest.mark.django_db


def refused(note, meant, *args, **how):
    outcome = settle(note, meant, *args, **how)
    assert not outcome.done
    assert NameChoice.objects.count() == PlayerAlias.objects.count() == 0
    note.refresh_from_db()
    assert note.input_version == 0
    return outcome.message


def test_a_name_that_the_note_does_not_say_is_refused(club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    assert "says this name any more" in refused(note, eoin, "Kelly")


def test_a_name_that_was_said_as_another_kind_is_refused(club, coach, note):
    asking(note)
    assert "says this name any more" in refused(note, coach, kind="coach_name")


def test_a_statement_that_does_not_say_the_name_is_refused(club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Murphy", "Kelly")
    assert "does not say this name any more" in refused(note, eoin, claim_key="claim2")


def test_an_unknown_note_is_refused(club):
    eoin, _ = two_murphys(club)
    assert settle(Artifact(), eoin).message == "There is no voice note with this id."


def test_a_group_is_refused(club, note):
    eoin, _ = two_murphys(club)
    make_claim(note, mentions=[mention("the backs", "group_reference")])
    ready(note)
    assert "group" in refused(note, eoin, "the backs", kind="group_reference")


def test_a_player_of_another_club_is_refused(club, note):
    asking(note)
    assert "not on the roster of Club" in refused(note, make_player())


def test_a_team_for_a_players_name_is_refused(club, note):
    asking(note)
    assert refused(note, make_team(organization=club)) == "This is the name of a player, so choose a player."


def test_a_player_who_was_merged_away_is_refused(club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    sean.is_active, sean.merged_into = False, eoin
    sean.save()
    assert refused(note, sean) == "Seán Murphy has been merged into Eoin Murphy. Choose that player."


def test_a_player_who_left_may_be_meant(club, note):
    gone = player(club, "Eoin Murphy", is_active=False)
    asking(note)
    assert settle(note, gone).done
    assert means(note) == [gone]


def test_a_note_without_a_club_is_refused():
    orphan = make_read_note(organization=None)
    make_claim(orphan, "Murphy")
    resolve(orphan)
    assert "has no club" in refused(orphan, make_player())


@pytest.mark.parametrize(
    "who",
    [
        lambda: make_user(roles.VIEWER, reads_content=True),
        lambda: make_user(roles.OPERATOR, reads_content=False),
        lambda: make_user(roles.ADMINISTRATOR, is_platform_staff=False),
    ],
    ids=["viewer", "no reader", "no staff"],
)
def test_who_may_not_settle_names_or_not_read_them_is_refused(club, note, who):
    eoin, _ = two_murphys(club)
    asking(note)
    with pytest.raises(PermissionDenied):
        settle(note, eoin, by=who())
    assert NameChoice.objects.count() == 0
