"""The page Pipeline: the flow, what is at the chosen stage, and every note that is on its way."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_club, make_coach, make_user
from tests.overview.links import links_of
from tests.overview.situations import make_workers, without_club
from tests.retry.factories import ENTRIES, STATEMENTS, TRANSCRIPTION, make_moving, make_run
from voicepipeline import roles

pytestmark = pytest.mark.django_db
PAGE, LIVE = reverse("admin:pipeline"), reverse("admin:pipeline_live")


@pytest.fixture(autouse=True)
def _viewer(client):
    client.force_login(make_user(roles.VIEWER))
    make_workers()


def text(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def part_of(html, title):
    """The section with this title's id."""
    (found,) = re.findall(rf'<section[^>]*aria-labelledby="{title}".*?</section>', html, re.DOTALL)
    return found


def at_stage(client, stage):
    return part_of(client.get(PAGE, {"stage": stage}).content.decode(), "at-stage-title")


def on_their_way(client):
    return part_of(client.get(PAGE).content.decode(), "on-their-way-title")


def ago(**span):
    return timezone.now() - timedelta(**span)


def test_notes_at_the_chosen_stage_are_told_with_what_becomes_of_them(client):
    niamh = make_coach(organization=make_club(name="St Brigid's"))
    note = make_moving(STATEMENTS, "running", organization=niamh.organization, sender=niamh, received_at=ago(minutes=7))
    note.runs.filter(status="running").update(started_at=ago(minutes=2), attempt=2)
    make_moving(TRANSCRIPTION)
    (row,) = re.findall("<tr>.*?</tr>", at_stage(client, STATEMENTS).partition("<tbody>")[2], re.DOTALL)
    assert text(row) == "Niamh Byrne St Brigid&#x27;s Running 2 min 7 min 2 test:1:1"


def test_those_being_worked_on_come_first_then_those_that_have_waited_longest(client):
    for run, minutes in (("queued", 1), ("on hold", 9), ("queued", 5), ("running", 2)):
        club = make_club(name=f"{run} {minutes}")
        make_moving(TRANSCRIPTION, run, organization=club, since=ago(minutes=minutes))
    clubs = re.findall(r'data-label="Club">(.*?)<', at_stage(client, TRANSCRIPTION))
    assert clubs == ["running 2", "on hold 9", "queued 5", "queued 1"]


def test_notes_of_nobody_known_are_told_all_the_same(client):
    without_club(make_moving(ENTRIES))
    assert "Unknown sender No club" in text(at_stage(client, ENTRIES))
    assert "Unknown sender No club" in text(on_their_way(client))


def test_of_very_many_the_first_are_shown_with_the_way_to_all(client):
    for minutes in range(21):
        note = make_moving(TRANSCRIPTION, None, received_at=ago(minutes=minutes))
        make_run(note, TRANSCRIPTION, queued_at=ago(minutes=minutes))
    shown = at_stage(client, TRANSCRIPTION)
    assert shown.count("<tr>") == 21  # with its head
    assert text(shown).endswith("then those that have waited longest: 20 of 21 .")
    assert text(on_their_way(client)).endswith("The 20 that have waited longest of 21.")
    way = next(link for link in links_of(shown) if link.words == "21")
    assert client.get(way.url).context["cl"].result_count == 21


def test_each_note_on_its_way_shows_how_many_stages_it_has_behind_it(client):
    make_moving(TRANSCRIPTION, received_at=ago(minutes=3))
    make_moving(ENTRIES, "on hold")
    first, second = re.findall(r"<progress[^>]*>", on_their_way(client))
    assert 'value="0" aria-label="0 of 4 stages done, at Transcription"' in first
    assert 'value="3" aria-label="3 of 4 stages done, at Suggested entries"' in second


def test_a_note_that_is_on_hold_is_told_so(client):
    make_moving(STATEMENTS, "on hold")
    assert "On hold: the provider credit is used up" in text(on_their_way(client))


@pytest.mark.parametrize("stage", ["", "nonsense", "review", "\x00", "transcription' OR 1=1"])
def test_without_a_stage_it_asks_for_one(client, stage):
    make_moving(TRANSCRIPTION)
    assert text(at_stage(client, stage)).startswith("Choose a stage Transcription Statements")


def test_every_way_to_a_stage_keeps_the_range(client):
    page = client.get(PAGE, {"stage": STATEMENTS, "range": "7d"}).content.decode()
    (tab,) = re.findall(r'<a id="stage-transcription"[^>]*>', page)
    boxes = re.findall(r'<a id="flow-\w+-transcription" href="([^"]+)"', page)
    assert 'href="/admin/pipeline/?stage=transcription&amp;range=7d#at-stage"' in tab
    assert boxes == ["/admin/pipeline/?stage=transcription&amp;range=7d#at-stage"] * 2


def test_the_chosen_stage_is_marked_wherever_it_can_be_chosen(client):
    page = client.get(PAGE, {"stage": STATEMENTS}).content.decode()
    chosen = re.findall(r'<a id="((?:stage|flow)-[\w-]+)"[^>]*aria-current="true"', page)
    assert chosen == [f"flow-wide-{STATEMENTS}", f"flow-narrow-{STATEMENTS}", f"stage-{STATEMENTS}"]


def test_with_nothing_there_it_says_what_comes(client):
    assert "The next one appears here as soon as a coach has sent it." in text(on_their_way(client))
    assert "Those that have failed at it are under Problems ." in text(at_stage(client, STATEMENTS))


def test_it_asks_a_fixed_number_of_questions(client):
    for number in (1, 9):
        for _ in range(number):
            make_moving(TRANSCRIPTION, "running")
            make_moving(STATEMENTS, "on hold")
        client.get(PAGE)
        with CaptureQueriesContext(connection) as poll:
            client.get(LIVE, {"stage": STATEMENTS})
        with CaptureQueriesContext(connection) as page:
            client.get(PAGE, {"stage": STATEMENTS})
        assert (len(poll), len(page)) == (11, 16)
