"""What needs somebody: each with its one action, the heaviest first."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import make_claim, make_club, make_note, make_resolution
from voicepipeline.models import EntityResolution
from voicepipeline.overview.concerns import Home, in_order, own_concerns
from voicepipeline.overview.parts import Concern, Level
from voicepipeline.overview.pulse import Pulse

pytestmark = pytest.mark.django_db

HOMES = {"club": Home("voice note without a club", "voice notes without a club", "/homes/")}


def concerns(**values):
    return list(own_concerns(Pulse(now=timezone.now(), **values), HOMES))


def unclear(club, number, *, settled=0, **fields):
    note = make_note(organization=club)
    for place in range(number + settled):
        status = "needs_disambiguation" if place < number else "unresolved"
        row = make_resolution(make_claim(note), raw_text=f"Name {place}", organization=club)
        EntityResolution.objects.filter(pk=row.pk).update(status=status, **fields)


def test_nothing_needs_anybody():
    assert concerns() == []


def test_notes_that_stand_still_are_trouble():
    (found,) = concerns(stalled=3)
    assert (found.level, found.sentence, found.deed) == (Level.TROUBLE, "3 voice notes without progress", "See why")
    assert found.url.endswith("?status=stalled")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1 voice note without a club"),
        (12, "12 voice notes without a club"),
        (10_001, "10,000+ voice notes without a club"),
    ],
)
def test_notes_without_a_home_are_counted(number, words):
    (found,) = concerns(more={"club": number})
    assert (found.sentence, found.url) == (words, "/homes/")


def test_clubs_with_unclear_names_are_told_with_the_age_of_the_oldest():
    club, oldest = make_club(name="St Brigid's"), timezone.now() - timedelta(hours=3)
    unclear(club, 2, created_at=oldest)
    (found,) = concerns()
    assert (found.sentence, found.since) == ("St Brigid's: 2 names are unclear", oldest)
    assert found.url.endswith(f"?club={club.pk}")


def test_a_club_most_of_whose_names_are_unclear_is_told_by_their_share():
    unclear(make_club(name="St Brigid's"), 9, settled=1)
    (found,) = concerns()
    assert found.sentence == "St Brigid's: 90 % of its names unclear since yesterday"
    assert found.detail == "9 names are unclear. Its roster may be missing players."


def test_clubs_with_most_come_first_and_three_are_told():
    for number in (1, 3, 2, 4):
        unclear(make_club(name=f"Club {number}"), number)
    assert [found.notes for found in concerns()] == [4, 3, 2]


def test_answered_names_need_nobody():
    unclear(make_club(), 0, settled=2)
    assert concerns() == []


def test_trouble_comes_first_then_what_touches_most_clubs_then_most_notes():
    def one(key, level, clubs=0, notes=0):
        return Concern(key, "icon", level, key, clubs=clubs, notes=notes)

    given = [
        one("few", Level.NOTICE, 1, 5),
        one("many", Level.NOTICE, 1, 9),
        one("clubs", Level.NOTICE, 2),
        one("trouble", Level.TROUBLE),
    ]
    assert [concern.key for concern in in_order(given)] == ["trouble", "clubs", "many", "few"]
