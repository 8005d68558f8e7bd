"""The problems of most clubs, counted no further than pages tell."""

from datetime import timedelta

import pytest
from django.utils import timezone

from retry.worst_problems import MOST_CLUBS, MOST_COMPARED, MOST_NOTES, whose, worst_problems
from tests.factories import make_club, make_event
from tests.retry.factories import make_closed
from tests.retry.problems import fail, group_of, make_notes_of, make_problems
from voicepipeline.models import Artifact, EventType, Organization

pytestmark = pytest.mark.django_db
MOST = 9


def worst(most=MOST):
    return worst_problems(most, now=timezone.now())


def test_those_of_most_clubs_come_first_then_those_of_most_notes():
    one_club, two_clubs, two_notes = make_problems(3)
    make_notes_of(group_of(two_clubs), 1, organization=make_club())
    make_notes_of(group_of(two_notes), 2)
    assert [(group.example, group.clubs, group.notes) for group in worst()] == [
        (two_clubs, 2, 2),
        (two_notes, 1, 3),
        (one_club, 1, 1),
    ]


def test_notes_of_no_club_are_counted_and_are_of_none():
    make_notes_of(group_of(fail()), 2, organization=None)
    assert [whose(group) for group in worst()] == ["3 voice notes of 1 club"]


def test_who_has_no_club_at_all_is_told_by_notes_alone():
    Artifact.objects.filter(pk=fail().pk).update(organization=None)
    assert [whose(group) for group in worst()] == ["1 voice note"]


def test_problems_that_no_note_fails_with_now_are_left_out():
    note = make_closed()
    make_event(note, EventType.ARTIFACT_FAILED)
    assert group_of(note).status == "open"
    assert worst() == []


def test_it_is_counted_to_one_beyond_what_is_told():
    group = group_of(fail())
    clubs = Organization.objects.bulk_create(
        Organization(name=f"Many {number}", slug=f"many-{number}") for number in range(MOST_CLUBS)
    )
    for club in clubs:
        make_notes_of(group, MOST_NOTES // MOST_CLUBS, organization=club)
    (found,) = worst()
    assert (found.notes, found.clubs, whose(found)) == (501, 21, "500+ voice notes of 20+ clubs")


def test_those_last_seen_are_compared():
    group = group_of(fail())
    older = group.last_seen_at - timedelta(days=1)
    notes = [make_notes_of(group, 1)[0] for _ in range(MOST_COMPARED)]
    for number, note in enumerate(notes):
        note.fingerprint = f"{number:016x}"
    Artifact.objects.bulk_update(notes, ["fingerprint"])
    values = {"stage": group.stage, "error_code": "x", "first_seen_at": older, "last_seen_at": older}
    type(group).objects.bulk_create(type(group)(fingerprint=each.fingerprint, example=each, **values) for each in notes)
    found = worst(MOST_COMPARED + 1)
    assert (len(found), found[0].fingerprint) == (MOST_COMPARED, group.fingerprint)


def test_it_is_one_question_however_many_there_are(django_assert_num_queries):
    make_problems(3)
    with django_assert_num_queries(1):
        worst()
