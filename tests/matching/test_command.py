import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_alias, make_coach, make_player
from voicepipeline.models import Coach, Organization, Player, Team

ROSTER = [
    {"id": 1, "first_name": "Niamh", "last_name": "Kelly", "team": "U14", "active": True},
    {"id": 2, "first_name": "Eoin", "last_name": "Murphy", "team": "U14", "active": True},
    {"id": "p3", "first_name": "Eoghan", "last_name": "Murphy", "team": "U16", "active": True},
]


@pytest.fixture
def roster(tmp_path):
    path = tmp_path / "roster.json"
    path.write_text(json.dumps(ROSTER))
    return str(path)


def run(*arguments, **options):
    out = io.StringIO()
    call_command("match_names", *arguments, stdout=out, **options)
    return out.getvalue().splitlines()


def test_one_line_a_name_says_decision_who_scores_and_reason(roster):
    linked, asked, none = run("Neve Kelly", "Owen Murphy", "the referee", roster=roster)
    assert linked.startswith("'Neve Kelly': link Niamh Kelly #1 (98, first name 97, last name 100) · a known spelling")
    assert asked.startswith("'Owen Murphy': ask · 2 people fit equally well · Eoin Murphy #2")
    assert "Eoghan Murphy #p3" in asked
    assert none == "'the referee': none · nobody on the roster has a name like it"


def test_json_is_one_object_a_line(roster):
    linked, asked = map(json.loads, run("Neve Kelly", "Owen Murphy", roster=roster, json=True))
    assert (linked["decision"], linked["person"]["id"], linked["runner_up"]) == ("link", 1, None)
    assert (asked["decision"], asked["person"], asked["runner_up"]["id"]) == ("ask", None, "p3")


def test_names_may_come_from_standard_input(roster, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("Niamh Kelly\n\nEoin Murphy\n"))
    assert len(run("-", roster=roster)) == 2


def test_a_player_of_another_team_is_asked_about(roster):
    (line,) = run("Niamh Kelly", roster=roster, team="U16")
    assert "ask · Niamh Kelly plays for another team: U14" in line


def test_what_a_terminal_would_act_on_is_not_printed(roster):
    (line,) = run("\x1b[2J\u202eNiamh\udcff", roster=roster)
    assert "\x1b" not in line
    line.encode()


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: No such file or directory\.$"):
        run("Niamh", roster=str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe\xfa", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "holds no list of players"),
        (b"[]", "holds no list of players"),
        (b"[3]", "Entry 1 of the roster file is not a player"),
        (b'[{"first_name": "Niamh"}]', "Entry 1 of the roster file has no valid id"),
        (b'[{"id": true, "first_name": "Niamh"}]', "has no valid id"),
        (b'[{"id": 1, "first_name": null}]', "has no valid first_name"),
        (b'[{"id": 1, "first_name": "Niamh", "active": "no"}]', "has no valid active"),
    ],
)
def test_a_broken_roster_file_is_refused_in_one_sentence(tmp_path, content, refusal):
    path = tmp_path / "roster.json"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=refusal) as refused:
        run("Niamh", roster=str(path))
    assert refused.value.returncode == 1
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("names", "options", "refusal"),
    [
        ((), {}, "There is no name to match"),
        (("-", "Niamh"), {}, "give it alone, or names without it"),
        (("Niamh", "-"), {}, "give it alone, or names without it"),
        (("Niamh",), {"team": "U99"}, "in a team named 'U99'"),
        (("Niamh",), {"organization": "x"}, "without --organization"),
    ],
)
def test_what_cannot_be_asked_is_refused(roster, names, options, refusal):
    with pytest.raises(CommandError, match=refusal):
        run(*names, roster=roster, **options)


def test_a_roster_or_a_club_is_needed():
    with pytest.raises(CommandError, match="Say whose players are meant"):
        run("Niamh")


@pytest.fixture
def club():
    return Organization.objects.create(name="St Brigid's", slug="st-brigids")


@pytest.mark.django_db
def test_a_clubs_players_are_matched_as_its_coach_sees_them(club):
    girls = Team.objects.create(organization=club, name="Girls")
    boys = Team.objects.create(organization=club, name="Boys")
    Player.objects.create(organization=club, team=girls, first_name="Niamh", last_name="Kelly")
    Player.objects.create(organization=club, team=boys, first_name="Eoin", last_name="Murphy")
    coach = Coach.objects.create(organization=club, first_name="Ann")
    coach.teams.add(girls)
    own, other = run("Neve", "Eoin", organization="st-brigids", coach=coach.pk)
    assert "link Niamh Kelly" in own
    assert "ask · Eoin Murphy plays for another team: Boys" in other


@pytest.mark.django_db
def test_a_player_who_left_is_asked_about(club):
    Player.objects.create(organization=club, first_name="Niamh", last_name="Kelly", is_active=False)
    (line,) = run("Niamh Kelly", organization="st-brigids")
    assert "ask · Niamh Kelly is no longer active" in line


@pytest.mark.django_db
def test_learned_names_of_the_club_count_and_a_coachs_own_only_for_that_coach(club):
    niamh = make_player(organization=club, first_name="Niamh", last_name="Kelly")
    make_alias("Red", player=niamh)
    coach = make_coach(organization=club)
    make_alias("Nipper", player=niamh, coach=coach)
    red, nipper = run("Red", "Nipper", organization="st-brigids")
    assert "link Niamh Kelly" in red
    assert ": none" in nipper
    (as_coach,) = run("Nipper", organization="st-brigids", coach=coach.pk)
    assert "called this before" in as_coach


@pytest.mark.django_db
def test_an_unknown_club_is_refused():
    with pytest.raises(CommandError, match="There is no club with the slug 'nowhere'"):
        run("Niamh", organization="nowhere")


@pytest.mark.django_db
def test_a_coach_of_another_club_is_refused(club):
    other = Organization.objects.create(name="Other", slug="other")
    coach = Coach.objects.create(organization=other, first_name="Ann")
    with pytest.raises(CommandError, match="has no coach with the id"):
        run("Niamh", organization="st-brigids", coach=coach.pk)
