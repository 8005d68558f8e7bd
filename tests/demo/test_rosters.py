"""The demo's people: as many as promised, made up, and hard to tell apart where that is wanted."""

from collections import Counter

from voicepipeline.demo.rosters import CLUBS, HEARD_AS, LEFT, NOBODYS_PHONE

TEAMS = [team for club in CLUBS for team in club.teams]
PLAYERS = [player for team in TEAMS for player in team.players]
COACHES = [coach for club in CLUBS for coach in club.coaches]


def test_there_are_3_clubs_8_teams_120_players_and_12_coaches():
    assert (len(CLUBS), len(TEAMS), len(PLAYERS), len(COACHES)) == (3, 8, 120, 12)


def test_nobody_is_there_twice():
    assert len(set(PLAYERS)) == len(PLAYERS)
    assert len({coach.phone for coach in COACHES}) == len(COACHES)


def test_phones_are_numbers_that_nobody_has():
    """+44 7700 900000 to 900999 are kept for films and plays."""
    assert NOBODYS_PHONE == "+447700900"
    assert all(len(coach.phone) == len("+447700900000") and coach.phone[1:].isdigit() for coach in COACHES)


def test_every_coach_has_teams_of_the_own_club():
    for club in CLUBS:
        names = {team.name for team in club.teams}
        assert all(coach.teams and names.issuperset(coach.teams) for coach in club.coaches)


def test_trust_and_languages_differ():
    assert {coach.trust_level for coach in COACHES} == {0, 1, 2, 3}
    assert len({coach.threshold for coach in COACHES}) == 3
    assert len({club.languages for club in CLUBS}) == 3


def test_one_team_has_several_murphys_and_names_that_sound_the_same():
    minors = next(team for team in TEAMS if team.name == "Minors")
    assert Counter(last for _, last in minors.players)["Murphy"] == 3
    assert {"Eoin", "Eoghan", "Owen"} <= {first for first, _ in minors.players}


def test_who_left_is_on_a_roster():
    assert PLAYERS.count(LEFT) == 1


def test_whoever_is_misheard_is_somebody():
    firsts = {first for first, _ in PLAYERS}
    assert not HEARD_AS.keys() - firsts
