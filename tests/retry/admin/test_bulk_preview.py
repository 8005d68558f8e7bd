"""The preview of a bulk retry: what it would do as it was counted, and the one press that starts it."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from retry.models import BulkRetry, RetryKind
from tests.factories import make_user
from tests.retry.admin.rows import make_bulk
from voicepipeline import roles

pytestmark = pytest.mark.django_db

READY, MOVING = "It has not failed: choose from which stage it should be run again.", "It is on its way already."
GIVEN = {"reason": "The prompt is mended.", "tries_first": "on"}


def url_of(bulk, page="change", *more):
    return reverse(f"admin:retry_bulkretry_{page}", args=[bulk.bulk_id, *more])


def text_of(client, bulk):
    return " ".join(client.get(url_of(bulk)).content.decode().split())


def start(client, bulk, **given):
    return client.post(url_of(bulk), {**GIVEN, **given})


def told(client):
    """What the next page says that came of it."""
    return [str(message) for message in client.get(reverse("admin:index")).context["messages"]]


# --- What it tells ---------------------------------------------------------------------------------------------------
def test_it_tells_what_it_would_do_as_it_was_counted(client, operator):
    money = {"expected_cost_usd": Decimal("0.8423"), "without_expected_cost": 3}
    page = text_of(client, make_bulk(by=operator, counts={"waiting": 12}, **money))
    for words in (">12<", "<dd>36</dd>", "<dd>24</dd>", "About $0.84, unknown for 3", "About 4 min"):
        assert words in page
    for words in ("Deleted: 48 statements.", "Failed voice notes", "Aoife Kelly", "Retry 12 voice notes</button>"):
        assert words in page


def test_cost_and_time_say_of_which_days_they_are_averages(client, operator, settings):
    settings.WORKERS = 8
    page = text_of(client, make_bulk(by=operator, expected_cost_usd=Decimal("0.84")))
    assert '<dd>About $0.84</dd><dd class="vp-quiet">as in the last 7 days</dd>' in page
    assert '<dd>About 4 min</dd><dd class="vp-quiet">on 4 workers, as in the last 7 days</dd>' in page


def test_what_is_not_known_is_told_as_unknown(client, operator):
    details = {"refusals": [], "takes_s": None}
    page = text_of(client, make_bulk(by=operator, without_expected_cost=3, details=details))
    assert page.count("<dd>Unknown</dd></div>") == 2


def test_refused_notes_are_told_by_reason_with_the_first_of_each(client, operator):
    bulk = make_bulk(by=operator, refusals={READY: 14, MOVING: 2})
    page = text_of(client, bulk)
    assert f"<strong>14 voice notes</strong> {READY}" in page
    assert page.count('class="vp-id"') == 10 + 2
    assert page.count(f'href="{url_of(bulk, "notes")}?state=refused&amp;why=0"') == 1


def test_the_list_behind_a_reason_has_just_those_refused_for_it(client, operator):
    bulk = make_bulk(by=operator, counts={}, refusals={READY: 3, MOVING: 12})
    (first_url,) = [url for url in urls_in(text_of(client, bulk)) if "why=" in url]
    page = client.get(first_url).content.decode()
    assert page.count('class="vp-id"') == 12
    assert (">12 voice notes" in page, READY in page) == (True, False)


def urls_in(page):
    return [html.unescape(found) for found in re.findall('href="([^"]+)"', page)]


def test_its_counts_of_notes_lead_to_just_these(client, operator):
    bulk = make_bulk(by=operator, counts={"waiting": 4}, refusals={READY: 2})
    page = text_of(client, bulk)
    for state, number in (("waiting", 4), ("refused", 2)):
        url = f"{url_of(bulk, 'notes')}?state={state}"
        assert f'<a href="{url}">{number}' in page
        assert client.get(url).content.decode().count('class="vp-id"') == number


def test_each_refused_note_is_linked_with_its_own_reason(client, operator):
    bulk = make_bulk(by=operator, refusals={"It is too early.": 1})
    bulk.items.filter(state="refused").update(message="It can be retried again at 12:40.")
    note = bulk.items.get(state="refused").artifact
    page = text_of(client, bulk)
    assert reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id]) in page
    assert "<span>It can be retried again at 12:40.</span>" in page


def test_how_many_of_which_kind_is_told_where_they_differ(client, operator):
    kinds = {RetryKind.DRAFT_GENERATION: 1, RetryKind.TRANSCRIPTION: 2}
    bulk = make_bulk(by=operator, kind="failed_stage", details={"kinds": kinds})
    page = text_of(client, bulk)
    first, second = "<dt>Transcribe again</dt><dd>2</dd>", "<dt>Make the suggested entries again</dt><dd>1</dd>"
    assert page.index(first) < page.index(second)


def test_what_will_wait_is_told_with_its_reason(client, operator):
    bulk = make_bulk(by=operator, details={"on_hold": [["the provider credit is used up", 2]]})
    assert "<strong>2 voice notes will wait: the provider credit is used up.</strong>" in text_of(client, bulk)


def test_starting_over_is_called_so_on_the_button(client):
    administrator = make_user(roles.ADMINISTRATOR)
    client.force_login(administrator)
    bulk = make_bulk(by=administrator, kind=RetryKind.FULL)
    assert "Start 3 voice notes over</button>" in text_of(client, bulk)


def test_how_they_were_chosen_and_why_they_were_refused_are_no_markup(client, operator):
    hostile = "<script>alert(1)</script>"
    bulk = make_bulk(by=operator, chosen_by=hostile, refusals={hostile: 1}, details={"refusals": [[hostile, 1]]})
    page = text_of(client, bulk)
    assert hostile not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


@pytest.mark.parametrize("number", [3, 300])
def test_it_costs_the_same_with_few_notes_and_with_many(client, operator, django_assert_num_queries, number):
    bulk = make_bulk(by=operator, counts={"waiting": number}, refusals={READY: number, MOVING: 3}, confirmed=3)
    text_of(client, bulk)
    # Session, viewer, their permissions (own and by role), the preview, refused, confirmed twice, banner, notice.
    with django_assert_num_queries(10):
        text_of(client, bulk)


# --- Starting it -----------------------------------------------------------------------------------------------------
def test_its_post_starts_it_and_leads_to_its_page(client, operator):
    bulk = make_bulk(by=operator, counts={"waiting": 12})
    assert start(client, bulk)["Location"] == url_of(bulk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.reason, bulk.tries_first) == ("trying", "The prompt is mended.", True)
    assert "Trying the first 3" in text_of(client, bulk)


def test_looking_starts_nothing(client, operator):
    bulk = make_bulk(by=operator)
    client.get(url_of(bulk), GIVEN)
    client.head(url_of(bulk))
    assert BulkRetry.objects.get().state == "preview"


def test_without_trying_a_few_first_all_begin(client, operator):
    bulk = make_bulk(by=operator, counts={"waiting": 12})
    client.post(url_of(bulk), {"reason": "The prompt is mended."})
    assert BulkRetry.objects.get().state == "running"


def test_whether_to_try_a_few_first_is_not_asked_of_a_few(client, operator):
    assert 'name="tries_first"' not in text_of(client, make_bulk(by=operator, counts={"waiting": 3}))
    page = text_of(client, make_bulk(by=operator, counts={"waiting": 4}))
    assert 'name="tries_first"' in page
    assert "The others follow by themselves once these have ended." in page


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501, "null \x00 byte"])
def test_it_needs_a_reason_that_can_be_kept(client, operator, reason):
    bulk = make_bulk(by=operator)
    assert start(client, bulk, reason=reason).status_code == 200
    assert BulkRetry.objects.get().state == "preview"


def test_confirmed_entries_are_told_and_need_consent(client, operator):
    bulk = make_bulk(by=operator, counts={"waiting": 14}, confirmed=12)
    page = text_of(client, bulk)
    assert "<strong>24 confirmed entries</strong> of 12 voice notes are concerned." in page
    assert "Those that people confirmed, and those that were applied, stay as they are" in page
    assert f'href="{url_of(bulk, "notes")}?state=confirmed"' in page
    assert "Without this they cannot be retried" in start(client, bulk).content.decode()
    assert BulkRetry.objects.get().state == "preview"
    start(client, bulk, agreed="on")
    assert BulkRetry.objects.get().state == "trying"


def test_of_starting_over_it_is_said_that_confirmed_entries_go(client):
    administrator = make_user(roles.ADMINISTRATOR)
    client.force_login(administrator)
    page = text_of(client, make_bulk(by=administrator, kind=RetryKind.FULL, confirmed=1))
    assert "of 1 voice note go, too. They are deleted with everything else." in page
    assert "I agree that this deletes 2 confirmed entries" in page
    assert "stay as they are, even where" not in page


def test_no_consent_is_asked_where_nothing_is_confirmed(client, operator):
    assert 'name="agreed"' not in text_of(client, make_bulk(by=operator))


def test_posted_twice_it_starts_once(client, operator):
    bulk = make_bulk(by=operator)
    start(client, bulk)
    started_at = BulkRetry.objects.get().started_at
    assert start(client, bulk, reason="Again.")["Location"] == url_of(bulk)
    bulk.refresh_from_db()
    assert (bulk.started_at, bulk.reason) == (started_at, "The prompt is mended.")
    assert "It was already started; its page says how far it is." in told(client)


@pytest.mark.django_db(transaction=True)
def test_posted_by_many_at_once_it_starts_once(operator):
    bulk = make_bulk(by=operator, counts={"waiting": 12})

    def post(_):
        client = Client()
        client.force_login(operator)
        try:
            start(client, bulk)
            return client.get(reverse("admin:index")).content.decode()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as people:
        answers = list(people.map(post, range(4)))
    assert sum("Started: 12 voice notes" in answer for answer in answers) == 1
    assert sum("It was already started; its page says" in answer for answer in answers) == 3


def test_a_preview_of_nothing_has_no_button(client, operator):
    bulk = make_bulk(by=operator, counts={}, refusals={READY: 2})
    page = text_of(client, bulk)
    assert "There is nothing to retry" in page
    assert 'name="reason"' not in page


# --- Who may, and when -----------------------------------------------------------------------------------------------
def test_a_viewer_sees_it_all_and_starts_nothing(client):
    bulk = make_bulk(refusals={READY: 2})
    client.force_login(make_user(roles.VIEWER))
    page = text_of(client, bulk)
    assert READY in page
    assert "Your role does not include starting it." in page
    assert "Preview these voice notes again" not in page
    assert 'name="reason"' not in page
    assert start(client, bulk).status_code == 403
    assert client.post(url_of(bulk, "deed", "again")).status_code == 403


def test_only_who_made_it_can_start_it(client, operator):
    bulk = make_bulk(by=make_user(roles.OPERATOR, first_name="Ana", last_name="Nowak"))
    page = text_of(client, bulk)
    assert "Only Ana Nowak, who made this preview, can start it." in page
    assert 'name="reason"' not in page
    assert start(client, bulk).status_code == 403


def test_starting_many_over_is_for_administrators(client, operator):
    bulk = make_bulk(by=operator, kind=RetryKind.FULL)
    assert 'name="reason"' not in text_of(client, bulk)
    assert start(client, bulk).status_code == 403


def test_an_expired_one_says_so_and_starts_nothing(client, operator):
    bulk = make_bulk(by=operator, created_at=timezone.now() - timedelta(hours=1))
    page = text_of(client, bulk)
    assert "This preview is too old to be started" in page
    assert "Preview these voice notes again" in page
    assert 'name="reason"' not in page
    start(client, bulk)
    assert BulkRetry.objects.get().state == "preview"
    assert any("has expired" in message for message in told(client))


def test_the_same_notes_are_previewed_anew_by_a_press(client, operator):
    old = make_bulk(by=operator, created_at=timezone.now() - timedelta(hours=1))
    assert client.get(url_of(old, "deed", "again")).status_code == 405
    answer = client.post(url_of(old, "deed", "again"))
    new = BulkRetry.objects.latest("id")
    assert answer["Location"] == url_of(new)
    assert {item.artifact_id for item in new.items.all()} == {item.artifact_id for item in old.items.all()}
    assert (new.kind, new.chosen_by, new.requested_by) == (old.kind, old.chosen_by, operator)


def test_reasons_are_posted_with_a_token(operator):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    bulk = make_bulk(by=operator)
    assert strict.post(url_of(bulk), GIVEN).status_code == 403
    assert BulkRetry.objects.get().state == "preview"
