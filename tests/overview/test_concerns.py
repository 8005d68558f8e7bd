"""What needs somebody: each with its one action, the heaviest first."""

import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_claim, make_club, make_note, make_resolution, make_user
from voicepipeline import roles
from voicepipeline.models import EntityResolution
from voicepipeline.overview.concerns import LONGEST_NAME, NAMES, Home, in_order, own_concerns
from voicepipeline.overview.parts import Concern, Level
from voicepipeline.overview.pulse import MOST_COUNTED, Pulse

pytestmark = pytest.mark.django_db

HOMES = {"club": Home("voice note without a club", "voice notes without a club", "/homes/", "Assign a club")}


def concerns(*, may_settle=True, **values):
    return list(own_concerns(Pulse(now=timezone.now(), **values), HOMES, may_settle=may_settle))


def unclear(club, number, *, settled=0, **fields):
    note = make_note(organization=club)
    for place in range(number + settled):
        status = "needs_disambiguation" if place < number else "unresolved"
        row = make_resolution(make_claim(note), name_key=f"name {place}", organization=club)
        EntityResolution.objects.filter(pk=row.pk).update(status=status, **fields)


def test_nothing_needs_anybody():
    assert concerns() == []


def test_notes_that_stand_still_are_trouble():
    (found,) = concerns(stalled=3)
    assert (found.level, found.sentence, found.deed) == (Level.TROUBLE, "3 voice notes without progress", "See why")
    assert found.url.endswith("?status=stalled")


def test_notes_that_stand_still_are_told_as_far_as_they_were_counted():
    (found,) = concerns(stalled=MOST_COUNTED + 1)
    assert found.sentence == "1,000+ voice notes without progress"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1 voice note without a club"),
        (12, "12 voice notes without a club"),
        (1_001, "1,000+ voice notes without a club"),
    ],
)
def test_notes_without_a_home_are_counted(number, words):
    (found,) = concerns(more={"club": number})
    assert (found.sentence, found.url, found.deed) == (words, "/homes/", "Assign a club")


def test_clubs_with_unclear_names_are_told_with_the_age_of_the_oldest():
    club, oldest = make_club(name="St Brigid's"), timezone.now() - timedelta(hours=3)
    unclear(club, 2, created_at=oldest)
    (found,) = concerns()
    assert (found.sentence, found.since) == ("St Brigid's: 2 names are unclear", oldest)
    assert found.url.endswith(f"?club={club.pk}")


def test_the_same_name_of_a_note_is_one_question_however_often_it_was_said():
    claim = make_claim(make_note(organization=make_club(name="St Brigid's")))
    for _ in range(3):
        make_resolution(claim, name_key="niamh")
    assert [found.sentence for found in concerns()] == ["St Brigid's: 1 name is unclear"]


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


def test_who_may_not_settle_names_is_asked_to_look():
    unclear(make_club(), 2)
    assert [found.deed for found in concerns(may_settle=False)] == ["Look"]


def test_names_of_other_clubs_are_led_to():
    unclear(make_club(), 2)
    assert len(concerns(names_open=2)) == 1
    assert [found.url for found in concerns(names_open=3)][1:] == [reverse(NAMES)]


def test_names_beyond_those_that_were_counted_are_led_to():
    row = make_resolution(make_claim(make_note(organization=make_club())), name_key="name", organization=make_club())
    values = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname != "id"
    }
    EntityResolution.objects.bulk_create(
        EntityResolution(**{**values, "name_key": f"name {number}", "mention_number": number + 2})
        for number in range(MOST_COUNTED)
    )
    assert [found.url for found in concerns(names_open=MOST_COUNTED + 1)][1:] == [reverse(NAMES)]


def test_a_club_is_called_by_a_name_of_one_line():
    unclear(make_club(name="\u202eSt  Brigid's " + "g" * 100), 1)
    (found,) = concerns()
    assert found.sentence == f"St Brigid's {'g' * (LONGEST_NAME - 13)}…: 1 name is unclear"


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


# --- As it is drawn ---------------------------------------------------------------------------------------------------
def test_each_row_has_its_one_action_and_what_weighs_less_is_linked_below():
    rows = [Concern(key, "icon", Level.NOTICE, f"<b>{key}</b>", url=f"/{key}/", deed="Look") for key in "abc"]
    drawn = render_to_string("voicepipeline/overview/concerns.html", {"concerns": rows[:1], "more": rows[1:]})
    assert re.findall(r'href="([^"]+)"', drawn) == ["/a/", "/b/", "/c/"]
    assert "<b>" not in drawn


@pytest.mark.parametrize(
    ("role", "deeds"), [(roles.VIEWER, {"Look"}), (roles.OPERATOR, {"Assign a club", "Attach a coach"})]
)
def test_what_the_page_offers_is_what_this_person_may_do(client, role, deeds):
    make_note(organization=None, sender=None)
    client.force_login(make_user(role))
    page = client.get(reverse("admin:index")).content.decode()
    assert set(re.findall(r'id="concern-home-\w+"[^>]*>([^<]+)<', page)) == deeds
