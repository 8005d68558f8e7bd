"""The list of problems and the figures of each, counted as the rows are."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from retry import groups
from retry.group_queries import (
    HOURS_SHOWN,
    Asked,
    Tab,
    affected_clubs,
    affected_coaches,
    affected_rows,
    day_shown,
    failed_now,
    get_problem,
    list_problems,
)
from tests.engine.helpers import write_unguarded
from tests.factories import make_club, make_coach, make_user
from tests.retry.factories import NAMES, STATEMENTS, make_closed, make_failed
from tests.retry.problems import ended_at, fail, fail_again, group_of, in_an_hour, make_notes_of, make_problems
from voicepipeline import roles
from voicepipeline.models import StageRun

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 15, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR)


@pytest.fixture
def of_each_standing(ana):
    """One problem that is open, one that came back, one put aside, one whose time aside is over, and a fixed one."""
    named = {word: fail(message=f"{word} things") for word in ("plain", "back", "aside", "over", "fixed")}
    problems = {word: note.fingerprint for word, note in named.items()}
    for word in ("back", "fixed"):
        groups.mark_fixed(problems[word], by=ana, note="New key.")
    fail_again(named["back"])
    for word in ("aside", "over"):
        groups.snooze(problems[word], by=ana, until=in_an_hour() if word == "over" else in_an_hour() + HOUR)
    return {problem: word for word, problem in problems.items()}


def words_of(found, named):
    return {named[problem.group.fingerprint] for problem in found.shown}


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        (Tab.OPEN, {"plain", "back", "over"}),
        (Tab.CAME_BACK, {"back"}),
        (Tab.ASIDE, {"aside"}),
        (Tab.FIXED, {"fixed"}),
        (Tab.ALL, {"plain", "back", "aside", "over", "fixed"}),
    ],
)
def test_each_tab_shows_those_that_stand_so(of_each_standing, tab, words):
    found = list_problems(Asked(tab=tab), now=in_an_hour() + timedelta(minutes=5))
    assert words_of(found, of_each_standing) == words
    assert found.counts == {Tab.OPEN: 3, Tab.CAME_BACK: 1, Tab.ASIDE: 1, Tab.FIXED: 1, Tab.ALL: 5}


def test_a_problem_whose_time_aside_is_over_is_open_without_anything_happening(of_each_standing):
    assert words_of(list_problems(Asked(tab=Tab.ASIDE), now=timezone.now()), of_each_standing) == {"aside", "over"}
    later = in_an_hour() + timedelta(minutes=5)
    assert words_of(list_problems(Asked(tab=Tab.ASIDE), now=later), of_each_standing) == {"aside"}


def test_those_of_most_clubs_come_first_then_those_of_most_notes():
    one_club, two_clubs, two_notes = make_problems(3)
    club = make_club()
    make_notes_of(group_of(two_clubs), 1, organization=club)
    make_notes_of(group_of(two_notes), 2)
    found = list_problems(Asked(), now=timezone.now()).shown
    assert [problem.group.example for problem in found] == [two_clubs, two_notes, one_club]
    assert [(problem.clubs, problem.notes) for problem in found] == [(2, 2), (1, 3), (1, 1)]


def test_notes_and_clubs_are_those_that_fail_with_it_now():
    note = fail()
    fingerprint = note.fingerprint
    make_closed(), make_failed(NAMES), make_failed()
    make_notes_of(group_of(note), 1, organization=None)
    problem = get_problem(fingerprint, now=timezone.now())
    assert (problem.notes, problem.clubs) == (3, 2)
    assert failed_now(fingerprint).count() == problem.notes


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        (Asked(stage=STATEMENTS), 1),
        (Asked(stage=NAMES), 1),
        (Asked(code="REFUS"), 1),
        (Asked(code="declined by"), 1),
        (Asked(code="worker"), 1),
        (Asked(stage=NAMES, code="refused"), 0),
        (Asked(code="100%"), 0),
    ],
)
def test_problems_are_narrowed_by_stage_and_by_code_or_its_words(asked, number):
    fail(), fail(NAMES, code="worker_died")
    found = list_problems(asked, now=timezone.now())
    assert (len(found.shown), found.counts[Tab.ALL]) == (number, number)


def test_a_list_of_many_has_pages_and_the_last_stands_for_those_behind_it():
    note = fail()
    group = group_of(note)
    type(group).objects.bulk_create(
        type(group)(
            fingerprint=f"{number:016x}",
            stage=STATEMENTS,
            error_code="x",
            first_seen_at=NOW,
            last_seen_at=NOW,
            example=note,
        )
        for number in range(60)
    )
    first, second = (list_problems(Asked(page=page), now=timezone.now()) for page in (1, 99))
    assert (len(first.shown), first.pages) == (50, 2)
    assert (len(second.shown), second.page) == (11, 2)


# --- A day's failures -------------------------------------------------------------------------------------------------
def test_a_day_is_its_24_hours_with_the_one_that_runs():
    assert day_shown(NOW) == (datetime(2026, 3, 9, 16, tzinfo=UTC), datetime(2026, 3, 10, 16, tzinfo=UTC))


def test_a_day_counts_the_tries_that_ended_notes_by_the_hour():
    notes = [fail() for _ in range(5)]
    start, end = day_shown(NOW)
    moments = (start, start + HOUR, end - timedelta(seconds=1), start - timedelta(seconds=1), end)
    for note, moment in zip(notes, moments, strict=True):
        ended_at(note, moment)
    trend = get_problem(notes[0].fingerprint, now=NOW).trend
    assert (len(trend), trend[0], trend[1], trend[-1], sum(trend)) == (HOURS_SHOWN, 1, 1, 1, 3)


def test_tries_that_were_followed_by_another_are_not_counted():
    note = fail()
    write_unguarded(StageRun, note.runs.get(terminal=True).pk, terminal=False)
    assert get_problem(note.fingerprint, now=timezone.now()).of_today == 0


# --- Who is affected --------------------------------------------------------------------------------------------------
def test_clubs_and_coaches_are_told_by_how_many_of_their_notes_fail():
    coach = make_coach()
    note = fail(organization=coach.organization, sender=coach)
    group = group_of(note)
    make_notes_of(group, 2, sender=None, organization=None)
    clubs, coaches = affected_clubs(note.fingerprint), affected_coaches(note.fingerprint)
    assert [(each.pk, each.notes) for each in clubs] == [(None, 2), (coach.organization_id, 1)]
    assert [(each.name, each.club, each.notes) for each in coaches] == [
        ("", "", 2),
        ("Niamh Byrne", coach.organization.name, 1),
    ]


def test_lines_of_those_affected_say_when_their_notes_failed():
    coach = make_coach()
    notes = [fail(organization=coach.organization, sender=coach) for _ in range(2)]
    for note, moment in zip(notes, (NOW, NOW + HOUR), strict=True):
        ended_at(note, moment)
    (line,) = affected_rows(notes[0].fingerprint)
    assert (line.club, line.coach, line.notes) == (coach.organization.name, "Niamh Byrne", 2)
    assert (line.first_failed_at, line.last_failed_at) == (NOW, NOW + HOUR)


# --- Queries ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", [3, 20])
def test_the_list_asks_three_times_however_many_there_are(number, django_assert_num_queries):
    make_problems(number, with_input=False)
    with django_assert_num_queries(3):
        list_problems(Asked(), now=timezone.now())
