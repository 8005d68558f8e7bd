"""A list of thousands with one line in thirty that is wrong: the preview is exact, and all of it is quick."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_club, make_user
from tests.rosters.roster_lists import BigList
from voicepipeline import roles
from voicepipeline.models import Player, RosterChange, RosterImport, Team
from voicepipeline.operations.roster_import import apply_import, keep_list, preview

pytestmark = pytest.mark.django_db(transaction=True)

BOUND = 10  # seconds
# Locks, reads and writes of an import, and the transaction around them.
MOST_STATEMENTS = 16


def handed_in(big, club, by):
    kept = keep_list(big.content(), organization=club, filename="all.csv", deactivate_missing=True, by=by)
    return RosterImport.objects.get(import_id=kept.import_id)


def verify_preview(plan, expected):
    assert {
        one.line: one.problem[: len(expected.refused.get(one.line, ""))] for one in plan.refused
    } == expected.refused
    asked = {one.line: tuple(who.update.player for who in one.candidates if who.update) for one in plan.questions}
    assert asked == expected.questions
    assert {one.line: one.state.name for one in plan.added} == expected.added
    told = {one.line: [(str(each.field), each.old, each.new) for each in one.differences] for one in plan.changed}
    assert told == expected.changed
    assert {one.line: one.player for one in plan.reactivated} == expected.reactivated
    assert {one.line: one.player for one in plan.deactivated} == expected.deactivated
    assert {one.player for one in plan.missing} == expected.missing
    assert {one.line for one in plan.unchanged} == expected.unchanged
    assert plan.new_teams == dict(expected.new_teams)


def verify_roster(club, plan):
    """What is written is what was shown, and nothing else."""
    rows = {row.pk: row for row in Player.objects.filter(organization=club).select_related("team")}
    for update in plan.updates:
        row, state = rows[update.player], update.state
        assert (row.first_name, row.last_name, row.external_id, row.is_active) == (
            state.first,
            state.last,
            state.number,
            state.active,
        )
        assert (row.team.name if row.team else None) == (state.team.name if state.team else None)
    assert not any(rows[one.player].is_active for one in plan.missing)
    untouched = {one.update.player for asked in plan.questions for one in asked.candidates if one.update}
    assert all(rows[pk].is_active for pk in untouched)


def story(size):
    """Hand in, look, apply; returns the seconds of each and the number of statements of the last."""
    club, by = make_club(), make_user(roles.OPERATOR)
    big = BigList(club, size)
    before = Player.objects.count()
    moments = [time.monotonic()]
    given = handed_in(big, club, by)
    moments.append(time.monotonic())
    plan = preview(given)
    moments.append(time.monotonic())
    verify_preview(plan, big.expected)
    started = time.monotonic()
    with CaptureQueriesContext(connection) as queries:
        outcome = apply_import(given.import_id, by=by, digest=plan.digest(), answers={})
    applied = time.monotonic() - started
    assert outcome.done, outcome.message
    assert Player.objects.count() == before + len(big.expected.added)
    assert set(Team.objects.filter(name__startswith="Brand").values_list("name", flat=True)) == set(plan.new_teams)
    verify_roster(club, plan)
    change = RosterChange.objects.get()
    assert (len(change.details["added"]), change.details["counts"]["added"]) == (len(big.expected.added),) * 2
    given.refresh_from_db()
    assert given.rows == []
    return {"hand in": moments[1] - moments[0], "look": moments[2] - moments[1], "apply": applied}, len(queries)


def test_the_preview_of_a_dirty_list_is_exact_and_applying_it_takes_as_many_statements_as_a_small_one():
    _, statements = story(size=900)
    assert statements <= MOST_STATEMENTS


@pytest.mark.trial
def test_five_thousand_players_with_three_in_a_hundred_wrong(record_property):
    seconds, statements = story(size=5_000)
    record_property("seconds", seconds)
    assert max(seconds.values()) <= BOUND, seconds
    assert statements <= MOST_STATEMENTS
