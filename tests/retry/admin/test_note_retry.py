"""The page of one retry of one voice note: what it shows, whom it stops, and what its POST does."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from retry.models import RetryAttempt, RetryKind
from tests.factories import make_user
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    TRANSCRIPTION,
    make_attempt,
    make_confirmed,
    make_failed,
    make_moving,
    make_ready,
)
from voicepipeline import roles
from voicepipeline.models import AIService, AIServiceHealth, ContentReading, StageRun

pytestmark = pytest.mark.django_db

FULL = RetryKind.FULL


def address(note, kind=STATEMENTS):
    return reverse("admin:retry_note", args=[note.artifact_id, kind])


def page_of(note):
    return reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])


def words_of(response):
    page = response.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split())


def form_of(client, note, kind=STATEMENTS):
    """The form as the page gives it, with nothing filled in."""
    form = client.get(address(note, kind)).context["form"]
    return {field.html_name: field.value() for field in form if field.is_hidden or field.name == "reason"}


def press(client, note, kind=STATEMENTS, **typed):
    return client.post(address(note, kind), {**form_of(client, note, kind), **typed})


def attempts(note):
    return list(note.retries.order_by("number").values_list("kind", "reason", "agreed_to"))


# --- What it shows ----------------------------------------------------------------------------------------------------
def test_cost_and_time_say_of_which_days_they_are_averages(client, operator):
    words = words_of(client.get(address(make_ready(), NAMES)))
    assert "Cost and time: as in the last 7 days." in words


def test_what_is_not_known_is_of_no_days(client, operator):
    words = words_of(client.get(address(make_failed(STATEMENTS), STATEMENTS)))
    assert ("Takes Unknown" in words, "in the last 7 days" in words) == (True, False)


def test_it_shows_what_will_happen_and_how_much_of_it(client, operator):
    words = words_of(client.get(address(make_ready(), NAMES)))
    assert "The transcript and the statements stay." in words
    assert "Deleted: 1 matched name, 1 suggested entry ." in words
    assert "Stages 2 AI calls" in words


def test_looking_at_it_changes_nothing(client, operator):
    note = make_failed()
    client.get(address(note))
    assert not note.retries.exists()
    assert not StageRun.objects.filter(status="queued").exists()


def test_it_says_that_it_waits_while_the_ai_service_is_paused(client, operator):
    note = make_failed()
    broken = {"state": "open", "reason": "provider_no_credit", "trouble_since": timezone.now()}
    AIServiceHealth.objects.create(service=AIService.CHAT, **broken)
    assert "It will wait on hold, because the provider credit is used up," in words_of(client.get(address(note)))


def test_it_names_the_confirmed_entries_and_what_becomes_of_them(client, operator):
    note = make_ready()
    make_confirmed(note, by=operator, title="Sharp in training")
    words = words_of(client.get(address(note, ENTRIES)))
    assert "Sharp in training" in words
    assert "Those that people confirmed, and those that were applied, stay as they are" in words
    assert "I agree that this concerns 1 confirmed entry." in words


def test_reading_what_entries_say_is_recorded_and_only_for_those_who_may(client):
    note = make_ready()
    make_confirmed(note, title="Sharp in training")
    reader, blind = make_user(roles.OPERATOR), make_user(roles.OPERATOR, reads_content=False)
    pages = {}
    for user in (reader, blind):
        client.force_login(user)
        pages[user] = words_of(client.get(address(note, ENTRIES)))
    assert ["Sharp in training" in pages[user] for user in (reader, blind)] == [True, False]
    assert [reading.user for reading in ContentReading.objects.all()] == [reader]


def test_what_is_not_possible_says_why_and_leads_to_what_is(client, operator):
    note = make_failed(STATEMENTS)
    response = client.get(address(note, NAMES))
    assert "It failed at Statements, which comes before Matching names." in words_of(response)
    assert f'href="{address(note, STATEMENTS)}"' in response.content.decode()
    assert '<form method="post" class="vp-form"' not in response.content.decode()


def test_two_entries_cost_as_many_questions_as_twenty(client, administrator, django_assert_num_queries):
    for number in (2, 20):
        note = make_ready()
        for _ in range(number):
            make_confirmed(note, by=administrator)
        client.get(address(note, FULL))
        # Signing in 4, the note, its facts 7, what would be deleted 6, rates, the reading 2, entries and who decided 2,
        # what stands still, the notice.
        with django_assert_num_queries(25):
            client.get(address(note, FULL))


# --- Who may ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "kind"), [(roles.VIEWER, STATEMENTS), (roles.VIEWER, FULL), (roles.OPERATOR, FULL), (None, STATEMENTS)]
)
def test_who_has_not_the_right_is_stopped_whatever_they_send(client, role, kind):
    note = make_failed()
    client.force_login(make_user(role))
    sent = {"reason": "Forged.", "idempotency_key": "forged", "expected_generation": 1, "agreed_to": 0}
    assert client.get(address(note, kind)).status_code == 403
    assert client.post(address(note, kind), sent).status_code == 403
    assert not note.retries.exists()


@pytest.mark.parametrize("kind", ["everything", "failed_stage", "Transcription"])
def test_there_is_no_page_for_an_unknown_kind(client, administrator, kind):
    assert client.get(address(make_failed(), kind)).status_code == 404


# --- What its POST does -----------------------------------------------------------------------------------------------
def test_pressing_it_begins_the_retry_and_leads_back_to_the_note(client, operator):
    note = make_failed()
    response = press(client, note, reason="The prompt is mended.")
    assert response.url == page_of(note)
    assert [str(message) for message in get_messages(response.wsgi_request)] == ["Retry requested (attempt 1)."]
    assert attempts(note) == [(STATEMENTS, "The prompt is mended.", 0)]


@pytest.mark.django_db(transaction=True)
def test_the_retry_is_no_part_of_another_transaction(client):
    """An operation of the engine refuses to be; only without the transaction around a test can that be seen."""
    note = make_failed()
    client.force_login(make_user(roles.OPERATOR))
    assert press(client, note).url == page_of(note)
    assert note.retries.count() == 1


def test_the_same_form_sent_twice_is_one_retry(client, operator):
    note = make_failed()
    form = form_of(client, note)
    first, second = (client.post(address(note), form) for _ in range(2))
    assert (first.url, second.url) == (page_of(note), page_of(note))
    assert "Already requested by Aoife Kelly" in str(list(get_messages(second.wsgi_request))[-1])
    assert note.retries.count() == 1


def test_starting_over_needs_a_reason(client, administrator):
    note = make_ready()
    response = press(client, note, FULL, reason=" ")
    assert "Say it here: without that it is not begun. Say why: starting over deletes what was" in words_of(response)
    assert not note.retries.exists()
    assert press(client, note, FULL, reason="The club's roster was wrong.").url == page_of(note)


def test_after_three_retries_with_the_same_problem_it_asks_what_has_changed(client, operator):
    note = make_failed()
    for _ in range(3):
        make_attempt(note, outcome="failed", problem=note.fingerprint)
    asked = "The last 3 retries ended with the same problem. Say what has changed since."
    assert asked in words_of(client.get(address(note)))
    assert client.get(address(note)).context["form"]["reason"].label == "What has changed?"
    assert f"Say it here: without that it is not begun. {asked}" in words_of(press(client, note))
    assert press(client, note, reason="The credit is paid.").url == page_of(note)


def test_confirmed_entries_need_a_consent_of_their_own_and_what_was_typed_stays(client, administrator):
    note = make_ready()
    make_confirmed(note, by=administrator)
    response = press(client, note, FULL, reason="The wrong recording.")
    assert "Tick this if that is meant; otherwise go back." in words_of(response)
    assert "The wrong recording.</textarea>" in response.content.decode()
    assert press(client, note, FULL, reason="The wrong recording.", agreed="on").url == page_of(note)
    assert attempts(note) == [(FULL, "The wrong recording.", 1)]


def test_an_entry_that_was_confirmed_meanwhile_has_to_be_agreed_to(client, administrator):
    note = make_ready()
    make_confirmed(note, by=administrator)
    form = form_of(client, note, FULL)
    make_confirmed(note, by=administrator)
    response = client.post(address(note, FULL), {**form, "reason": "Wrong.", "agreed": "on"})
    assert "I agree that 2 confirmed entries go, too." in words_of(response)
    assert response.context["form"]["agreed_to"].value() == "2"
    assert not note.retries.exists()


def test_an_entry_that_was_confirmed_in_place_of_another_has_to_be_agreed_to(client, administrator):
    note = make_ready()
    shown = make_confirmed(note, by=administrator)
    form = form_of(client, note, FULL)
    shown.delete()
    make_confirmed(note, by=administrator)
    response = client.post(address(note, FULL), {**form, "reason": "Wrong.", "agreed": "on"})
    assert "Tick this if that is meant; otherwise go back." in words_of(response)
    assert not note.retries.exists()


def test_a_note_that_was_started_over_meanwhile_has_to_be_looked_at_again(client, operator):
    note = make_failed()
    form = form_of(client, note)
    note.generation = 2
    note.save()
    response = client.post(address(note), {**form, "reason": "Typed before."})
    assert "It has been started over since you looked at it. Look at it again first." in words_of(response)
    assert "Typed before.</textarea>" in response.content.decode()
    assert response.context["form"]["expected_generation"].value() == 2


def test_what_became_impossible_meanwhile_is_said_with_what_is_possible(client, operator):
    note = make_failed(NAMES)
    form = form_of(client, note, NAMES)
    make_attempt(note, make_user(roles.OPERATOR, first_name="Ana", last_name="Silva"))
    moving = make_moving(NAMES, "queued")
    response = client.post(address(moving, NAMES), form)
    assert "It waits for a worker for Matching names, and goes on by itself." in words_of(response)
    assert not moving.retries.exists()


@pytest.mark.parametrize(
    "broken",
    [
        {"idempotency_key": ""},
        {"idempotency_key": "k" * 65},
        {"idempotency_key": "bulk/5f1f2a3c-0000-4000-8000-000000000000/1"},
        {"expected_generation": "first"},
        {"agreed_to": ""},
    ],
)
def test_a_form_that_was_meddled_with_does_nothing_and_keeps_what_was_typed(client, operator, broken):
    note = make_failed()
    response = press(client, note, reason="Typed.", **broken)
    assert "Something was missing of this page, so nothing was done." in words_of(response)
    assert "Typed.</textarea>" in response.content.decode()
    assert not note.retries.exists()


def test_a_reason_that_is_too_long_is_told_and_kept(client, operator):
    note = make_failed()
    response = press(client, note, reason="x" * 501)
    assert "at most 500 characters" in words_of(response)
    assert "x" * 501 in response.content.decode()


def test_a_hostile_reason_is_text(client, operator):
    note = make_failed(TRANSCRIPTION)
    press(client, note, TRANSCRIPTION, reason="<script>alert(1)</script>")
    assert RetryAttempt.objects.get().reason == "<script>alert(1)</script>"
    assert "<script>alert" not in client.get(page_of(note)).content.decode()
