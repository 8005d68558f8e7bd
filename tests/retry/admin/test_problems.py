"""The page of problems: what it shows, where its figures lead, and what can be done there."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from retry import groups
from retry.models import BulkRetry, FailureGroup, FailureMark
from tests.factories import make_coach, make_user
from tests.retry.factories import NAMES, make_closed, make_failed
from tests.retry.problems import ended_at, fail, fail_again, group_of, in_an_hour, make_notes_of, make_problems
from voicepipeline import roles
from voicepipeline.models import Artifact

pytestmark = pytest.mark.django_db
LIST = reverse("admin:retry_failuregroup_changelist")


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR, first_name="Ana", last_name="Silva")
    client.force_login(user)
    return user


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


def page_of(note, page="change", **blanks):
    return reverse(f"admin:retry_failuregroup_{page}", args=[note.fingerprint, *blanks.values()])


def decide(client, artifact, decision, **given):
    return client.post(page_of(artifact, "mark", decision=decision), given, follow=True)


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


@pytest.mark.parametrize("number", [3, 45])
def test_the_list_asks_as_often_for_many_as_for_few(client, viewer, django_assert_num_queries, number):
    make_problems(number, with_input=False)
    client.get(LIST)
    with django_assert_num_queries(LIST_QUERIES):
        client.get(LIST)


LIST_QUERIES = 9


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
    assert "Ana Silva" in page
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


@pytest.mark.parametrize("number", [1, 40])
def test_the_page_of_a_problem_asks_as_often_for_many_notes(client, viewer, django_assert_num_queries, number):
    note = fail()
    make_notes_of(group_of(note), number)
    client.get(page_of(note))
    with django_assert_num_queries(PAGE_QUERIES):
        client.get(page_of(note))


PAGE_QUERIES = 11


# --- Decided ----------------------------------------------------------------------------------------------------------
def test_somebody_marks_it_as_fixed(client, operator):
    note = fail()
    answer = decide(client, note, "fixed", note="New key.")
    assert "Marked as fixed." in answer.content.decode()
    assert (group_of(note).status, FailureMark.objects.get().by) == ("fixed", operator)


@pytest.mark.parametrize("given", [{}, {"note": "   "}])
def test_fixed_without_a_word_is_asked_for_one(client, operator, given):
    note = fail()
    answer = decide(client, note, "fixed", **given)
    assert "Say what was done about it" in answer.content.decode()
    assert group_of(note).status == "open"


def test_a_note_that_is_too_long_is_told_and_kept_in_the_form(client, operator):
    note = fail()
    page = decide(client, note, "fixed", note="x" * 501).content.decode()
    assert "500 letters are the most" in page
    assert "x" * 501 in page


@pytest.mark.parametrize(("span", "hours"), [("hour", 1), ("day", 24), ("week", 168)])
def test_somebody_puts_it_aside_for_a_while(client, operator, span, hours):
    note, before = fail(), timezone.now()
    decide(client, note, "aside", span=span, until="", note="")
    group = group_of(note)
    assert group.status == "snoozed"
    assert abs(group.snoozed_until - before - timedelta(hours=hours)) < timedelta(minutes=5)


def test_somebody_puts_it_aside_until_a_moment(client, operator):
    note, until = fail(), (timezone.now() + timedelta(days=3)).replace(second=0, microsecond=0)
    decide(client, note, "aside", span="chosen", until=f"{until:%Y-%m-%dT%H:%M}", note="They know.")
    assert group_of(note).snoozed_until == until
    assert FailureMark.objects.get().note == "They know."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Choose for how long."),
        ({"span": "nonsense"}, "Choose one of these lengths, or a moment."),
        ({"span": "chosen"}, "Say until when, or choose one of the lengths."),
        ({"span": "chosen", "until": "soon"}, "Give the moment as a day and a time"),
        ({"span": "chosen", "until": "2020-01-01T00:00"}, "That moment is over"),
        ({"span": "chosen", "until": "0001-01-01T00:00+23:00"}, "That moment is over"),
        ({"span": "chosen", "until": "9999-12-31T23:59"}, "longer than a year"),
        ({"span": "chosen", "until": "9999-12-31T23:59-23:00"}, "longer than a year"),
        ({"span": "hour", "note": "x" * 501}, "500 letters are the most"),
    ],
)
def test_what_cannot_be_put_aside_is_told_in_a_sentence(client, operator, given, words):
    note = fail()
    answer = decide(client, note, "aside", **given)
    assert words in answer.content.decode()
    assert group_of(note).status == "open"


def test_somebody_opens_it_again(client, operator):
    note = fail()
    groups.snooze(note.fingerprint, by=operator, until=in_an_hour())
    assert "It is open again." in decide(client, note, "open").content.decode()
    assert group_of(note).status == "open"


def test_who_comes_second_is_told_on_the_page(client, operator):
    note = fail()
    groups.mark_fixed(note.fingerprint, by=operator, note="New key.")
    page = decide(client, note, "fixed", note="Mine.").content.decode()
    assert "It is marked as fixed already, by Ana Silva." in page


def test_there_are_no_other_decisions(client, operator):
    note = fail()
    assert client.post(page_of(note, "mark", decision="nonsense")).status_code == 404


def test_who_only_looks_sees_it_and_starts_nothing(client, viewer):
    note = fail()
    page = client.get(page_of(note)).content.decode()
    assert "<form" not in page.partition("<main")[2]
    for url in (page_of(note, "retry"), *(page_of(note, "mark", decision=each) for each in ("fixed", "aside", "open"))):
        assert client.post(url, {"note": "x", "span": "hour"}).status_code == 403
    assert not FailureMark.objects.exists()
    assert not BulkRetry.objects.exists()


def test_nothing_is_done_without_the_token_of_the_form(operator):
    from django.test import Client

    note, strict = fail(), Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(page_of(note, "mark", decision="fixed"), {"note": "x"}).status_code == 403
    assert strict.post(page_of(note, "retry")).status_code == 403


def test_looking_writes_nothing(client, operator):
    note = fail()
    before = FailureGroup.objects.values().get()
    for url in (LIST, page_of(note), page_of(note, "change_live"), page_of(note, "export")):
        client.get(url)
    assert FailureGroup.objects.values().get() == before
    assert client.get(page_of(note, "retry")).status_code == 405
    assert client.get(page_of(note, "mark", decision="fixed")).status_code == 405


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
