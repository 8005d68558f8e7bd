"""What is decided about a problem on its page: by whom, with which words, and by nobody who only looks."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from retry import groups
from retry.models import BulkRetry, FailureGroup, FailureMark
from tests.retry.problems import fail, group_of, in_an_hour

pytestmark = pytest.mark.django_db
LIST = reverse("admin:retry_failuregroup_changelist")


def page_of(note, page="change", **blanks):
    return reverse(f"admin:retry_failuregroup_{page}", args=[note.fingerprint, *blanks.values()])


def decide(client, artifact, decision, **given):
    return client.post(page_of(artifact, "mark", decision=decision), given, follow=True)


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
    assert "It is marked as fixed already, by Aoife Kelly." in page


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
