"""The page of problems: what it shows, where its figures lead, and what can be done there."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from retry import groups
from tests.factories import make_club, make_coach, make_user
from tests.retry.factories import NAMES, make_closed, make_failed
from tests.retry.problems import ended_at, fail, fail_again, group_of, make_notes_of, make_problems
from voicepipeline import roles
from voicepipeline.models import Artifact

pytestmark = pytest.mark.django_db
LIST = reverse("admin:retry_failuregroup_changelist")


def page_of(note, page="change", **blanks):
    return reverse(f"admin:retry_failuregroup_{page}", args=[note.fingerprint, *blanks.values()])


def rows_behind(client, url):
    return client.get(url).context["cl"].queryset


# --- The list ---------------------------------------------------------------------------------------------------------
def test_an_empty_list_says_when_something_will_be_there(client, viewer):
    assert "Nothing has failed yet." in client.get(LIST).content.decode()


def test_the_list_tells_each_problem_in_words(client, viewer):
    note = fail(message="Recording 12 is <b>bad</b>.")
    page = client.get(LIST).content.decode()
    assert "Declined by the AI model" in page
    assert "Recording 12 is &lt;b&gt;bad&lt;/b&gt;." in page
    assert str(note.artifact_id)[:8] in page


def test_what_came_back_is_marked(client, operator):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=operator, note="New key.")
    fail_again(note)
    assert 'vp-label-failed">Came back' in client.get(LIST, {"tab": "came-back"}).content.decode()


@pytest.mark.parametrize("asked", ["tab=nonsense", "page=0", "page=-1", "page=9999999999999999999999", "stage=x"])
def test_nonsense_in_the_address_is_left_out(client, viewer, asked):
    fail()
    assert "Declined by the AI model" in client.get(f"{LIST}?{asked}").content.decode()


@pytest.mark.parametrize("code", ["nothing-like-it", "\x00", "%", "'"])
def test_a_search_that_finds_nothing_says_so(client, viewer, code):
    fail()
    answer = client.get(LIST, {"code": code})
    assert answer.status_code == 200
    assert ("No problem fits these filters." in answer.content.decode()) == (code != "\x00")


def test_the_list_is_refreshed_only_when_something_changed(client, viewer):
    fail()
    url = reverse("admin:retry_failuregroup_live")
    digest = client.get(url).content.decode().partition('"X-Seen": "')[2][:16]
    assert client.get(url, headers={"X-Seen": digest}).status_code == 204
    fail()
    assert client.get(url, headers={"X-Seen": digest}).status_code == 200


def queries_of(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("page", ["changelist", pytest.param("live", marks=pytest.mark.trial)])
def test_the_list_asks_as_often_for_many_as_for_few(client, viewer, page):
    make_problems(3, with_input=False)
    url = reverse(f"admin:retry_failuregroup_{page}")
    few = queries_of(client, url)
    make_problems(12, with_input=False)
    assert queries_of(client, url) == few <= MOST_QUERIES


# The problems take 3, one of them 6; the rest is who it is, what they may do, and what stands on every page.
MOST_QUERIES = 12


# --- Figures and where they lead --------------------------------------------------------------------------------------
def test_the_notes_that_are_counted_are_those_behind_the_link(client, viewer):
    notes = [fail() for _ in range(3)]
    fail(NAMES), make_closed()
    row = client.get(LIST).context  # the page itself opens
    assert row is not None
    page = client.get(page_of(notes[0])).content.decode()
    url = f"{reverse('admin:voicepipeline_artifact_changelist')}?problem={notes[0].fingerprint}"
    assert f'id="figure-notes" href="{url}">3</a>' in page
    assert set(rows_behind(client, url)) == set(notes)


def test_the_failures_of_a_day_are_the_tries_behind_the_link(client, viewer):
    notes = [fail() for _ in range(3)]
    ended_at(notes[0], timezone.now() - timedelta(days=2))
    fail(NAMES)
    page = client.get(page_of(notes[0])).content.decode()
    url, _, figure = page.partition('id="figure-today" href="')[2].partition('">')
    assert figure.startswith("2</a>")
    tries = rows_behind(client, url.replace("&amp;", "&"))
    assert {run.artifact for run in tries} == set(notes[1:])


def test_each_club_and_coach_leads_to_their_notes(client, viewer):
    coach = make_coach()
    mine = fail(organization=coach.organization, sender=coach)
    fail(), fail(organization=coach.organization, sender=coach, stage=NAMES)
    page = client.get(page_of(mine)).content.decode()
    for name, pk in (("club", coach.organization_id), ("coach", coach.pk)):
        query = f"?problem={mine.fingerprint}&amp;{name}={pk}"
        assert query in page
        url = reverse("admin:voicepipeline_artifact_changelist") + query.replace("&amp;", "&")
        assert list(rows_behind(client, url)) == [mine]


def test_notes_of_no_known_club_or_coach_have_their_links_too(client, viewer):
    note = fail()
    (unknown,) = make_notes_of(group_of(note), 1, organization=None)
    url = f"{reverse('admin:voicepipeline_artifact_changelist')}?problem={note.fingerprint}"
    assert list(rows_behind(client, f"{url}&club=none")) == [unknown]
    assert set(rows_behind(client, f"{url}&coach=none")) == {unknown, note}


def test_the_filters_name_what_they_narrow_to_and_nonsense_is_nothing(client, viewer):
    coach, note = make_coach(), fail()
    url = reverse("admin:voicepipeline_artifact_changelist")
    page = client.get(url, {"problem": note.fingerprint, "coach": coach.pk}).content.decode()
    assert "Statements: Declined by the AI model" in page
    assert "Niamh Byrne" in page
    assert note in rows_behind(client, f"{url}?problem=nonsense&coach=nobody")


# --- One problem ------------------------------------------------------------------------------------------------------
def test_a_problem_says_what_it_means_and_what_helps(client, viewer):
    note = fail()
    page = client.get(page_of(note)).content.decode()
    assert "The AI model declined to work on these notes." in page
    assert "the model may decide otherwise" in page
    assert note.error_message in page


def test_a_code_that_nobody_has_described_is_told_by_its_name(client, viewer):
    note = fail(code="cats_on_keyboard")
    assert "Cats on keyboard" in client.get(page_of(note)).content.decode()


def test_a_problem_that_nobody_knows_is_not_found(client, operator):
    for page, blanks in (("change", {}), ("change_live", {}), ("export", {})):
        url = reverse(f"admin:retry_failuregroup_{page}", args=["nonsense", *blanks])
        assert client.get(url).status_code == 404
    for page, blanks in (("mark", ["fixed"]), ("retry", [])):
        url = reverse(f"admin:retry_failuregroup_{page}", args=["nonsense", *blanks])
        assert client.post(url).status_code == 404


def test_what_was_decided_is_told_with_who_and_why(client, operator):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=operator, note="<i>New key</i>.")
    fail_again(note)
    page = client.get(page_of(note)).content.decode()
    assert "Aoife Kelly" in page
    assert "&lt;i&gt;New key&lt;/i&gt;." in page
    assert "It came back on" in page


def test_what_people_wrote_is_hidden_from_those_who_may_not_read(client, viewer):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=make_user(roles.OPERATOR), note="Called Caoimhe's mother.")
    page = client.get(page_of(note)).content.decode()
    assert "Caoimhe" not in page
    assert "Hidden" in page


def test_the_page_of_a_problem_is_refreshed_only_when_something_changed(client, viewer):
    note = fail()
    url = page_of(note, "change_live")
    digest = client.get(url).content.decode().partition('"X-Seen": "')[2][:16]
    assert client.get(url, headers={"X-Seen": digest}).status_code == 204


@pytest.mark.parametrize("page", ["change", pytest.param("change_live", marks=pytest.mark.trial)])
def test_the_page_of_a_problem_asks_as_often_for_many_notes(client, viewer, page):
    note = fail()
    few = queries_of(client, page_of(note, page))
    for _ in range(6):
        make_notes_of(group_of(note), 2, organization=make_club(), sender=make_coach())
    assert queries_of(client, page_of(note, page)) == few <= MOST_QUERIES


# --- CSV --------------------------------------------------------------------------------------------------------------
def lines_of(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_those_affected_come_as_a_spreadsheet(client, viewer):
    coach = make_coach(first_name="=Niamh")
    notes = [fail(organization=coach.organization, sender=coach) for _ in range(2)]
    make_failed(NAMES)
    answer = client.get(page_of(notes[0], "export"))
    header, line = lines_of(answer)
    assert header == ["Club", "Coach", "Voice notes", "First failed (UTC)", "Last failed (UTC)"]
    assert line[:3] == [coach.organization.name, "'=Niamh Byrne", "2"]
    assert answer["Content-Disposition"].endswith('.csv"')


def test_a_spreadsheet_of_nobody_has_its_header(client, viewer):
    note = fail()
    Artifact.objects.filter(pk=note.pk).update(
        status="processing", failed_stage="", error_code="", error_message="", fingerprint=""
    )
    assert len(lines_of(client.get(page_of(note, "export")))) == 1
