"""The page of a bulk retry that has been started, and the pages of its voice notes."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from retry.models import BulkRetry, FailureGroup
from tests.factories import make_user
from tests.retry.admin.rows import CODE, MESSAGE, PROBLEM, STATEMENTS, make_bulk
from tests.retry.factories import make_run
from voicepipeline import roles
from voicepipeline.models import AIServiceHealth

pytestmark = pytest.mark.django_db

UNDER_WAY = {"succeeded": 4, "failed": 2, "requested": 3, "waiting": 5, "refused": 1, "superseded": 1}


def url_of(bulk, page="change", *more):
    return reverse(f"admin:retry_bulkretry_{page}", args=[bulk.bulk_id, *more])


def text_of(client, url):
    return " ".join(client.get(url).content.decode().split())


def page_of(client, bulk):
    return text_of(client, url_of(bulk))


def figures_of(page):
    """The counts by their names, and where each leads."""
    page = page.split("vp-retry-figures")[1].split("</dl>")[0]
    shown = re.findall(r"<dt>([^<]*)</dt><dd[^>]*>(?:<a id=\"figure-\d+\" href=\"([^\"]*)\">)?([\d,]+)", page)
    return {title: (number, url) for title, url, number in shown}


def put_on_hold(bulk, number, reason="provider_no_credit"):
    for item in bulk.items.filter(state="requested")[:number]:
        make_run(item.artifact, STATEMENTS, parked_reason=reason, parked_since=timezone.now())


# --- The page of one -------------------------------------------------------------------------------------------------
def test_it_tells_how_far_it_is_in_numbers_that_lead_to_their_notes(client, operator):
    bulk = make_bulk(state="running", by=operator, counts=UNDER_WAY)
    page = page_of(client, bulk)
    assert "7 of 15 voice notes so far" in page
    assert 'max="15" value="7"' in page
    numbers = {title: number for title, (number, _) in figures_of(page).items()}
    assert numbers == {
        "Succeeded": "4",
        "Failed again": "2",
        "Under way": "3",
        "Not begun": "5",
        "Refused": "1",
        "Replaced by a newer try": "1",
    }
    assert figures_of(page)["Failed again"][1] == f"{url_of(bulk, 'notes')}?state=failed"


def test_what_is_on_hold_is_told_with_its_reason_and_is_not_counted_as_under_way(client, operator):
    bulk = make_bulk(state="running", by=operator, counts=UNDER_WAY)
    put_on_hold(bulk, 2)
    page = page_of(client, bulk)
    assert "<strong>2 voice notes on hold: the provider credit is used up.</strong>" in page
    assert (figures_of(page)["On hold"][0], figures_of(page)["Under way"][0]) == ("2", "1")
    assert page.count('<span class="vp-label vp-label-on_hold">On hold</span>') == 2
    for title, number in (("On hold", 2), ("Under way", 1)):
        assert text_of(client, figures_of(page)[title][1]).count('class="vp-id"') == number


def test_one_whose_notes_are_all_on_hold_says_that_it_waits(client, operator):
    bulk = make_bulk(state="running", by=operator, counts={"requested": 2, "succeeded": 1})
    put_on_hold(bulk, 2)
    assert (
        '<h2 id="progress-title" class="vp-panel-title">How far it is</h2> <span class="vp-label vp-label-on_hold">'
        in (page_of(client, bulk))
    )


def test_one_that_waits_for_a_service_says_so(client, operator):
    AIServiceHealth.objects.update_or_create(
        service="chat",
        defaults={
            "state": "open",
            "reason": "provider_no_credit",
            "needs_person": True,
            "trouble_since": timezone.now(),
        },
    )
    bulk = make_bulk(state="running", by=operator, counts={"waiting": 5, "succeeded": 1})
    assert "<strong>Nothing more is begun just now: the provider credit is used up.</strong>" in page_of(client, bulk)


def test_a_problem_that_came_back_leads_to_its_page_and_to_its_notes(client, operator):
    now = timezone.now()
    bulk = make_bulk(state="halted", by=operator, counts={"failed": 3, "waiting": 9}, state_reason="It came back.")
    told = {"stage": STATEMENTS, "error_code": CODE, "error_message": MESSAGE}
    times = {"first_seen_at": now, "last_seen_at": now}
    FailureGroup.objects.create(fingerprint=PROBLEM, example=bulk.items.first().artifact, **told, **times)
    page = page_of(client, bulk)
    problem = reverse("admin:retry_failuregroup_change", args=[PROBLEM])
    assert f'href="{problem}">{MESSAGE}</a>' in page
    assert client.get(problem).status_code == 200
    assert text_of(client, f"{url_of(bulk, 'notes')}?state=failed&problem={PROBLEM}").count('class="vp-id"') == 3


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("trying", "Trying the first 3"),
        ("running", "Under way"),
        ("paused", "Paused"),
        ("halted", "Stopped by itself"),
        ("stopped", "Stopped"),
        ("finished", "Finished, 1 failed again"),
    ],
)
def test_its_state_is_told_in_words_with_its_reason(client, operator, state, words):
    bulk = make_bulk(state=state, by=operator, counts={"failed": 1, "waiting": 1}, state_reason="Because of <this>.")
    page = page_of(client, bulk)
    assert f">{words}</span>" in page
    assert "Because of &lt;this&gt;." in page


def test_cost_is_told_with_what_is_unknown_of_it(client, operator):
    bulk = make_bulk(state="running", by=operator, counts={"succeeded": 3})
    for number, item in enumerate(bulk.items.select_related("attempt", "artifact")):
        cost = {"cost_usd": "0.0101"} if number else {}
        made = {"ai_model": "gpt-test", "input_tokens": 10, "origin": item.attempt.origin}
        make_run(item.artifact, STATEMENTS, "succeeded", **made, **cost)
    assert "<dd>$0.0202, unknown for 1</dd>" in page_of(client, bulk)


def test_the_reason_is_for_those_who_may_read(client, operator):
    bulk = make_bulk(state="running", by=operator, reason="Niamh's note was cut.")
    assert "Niamh&#x27;s note was cut." in page_of(client, bulk)
    client.force_login(make_user(roles.VIEWER))
    assert "Niamh" not in page_of(client, bulk)


@pytest.mark.parametrize("number", [3, 120])
def test_it_costs_the_same_with_few_notes_and_with_many(client, operator, django_assert_num_queries, number):
    counts = {"succeeded": 3, "failed": number, "requested": number, "waiting": 3}
    bulk = make_bulk(state="running", by=operator, counts=counts)
    page_of(client, bulk)
    # Session, viewer, permissions (2), the row, how far it is and what it waits for (8), under way, ended last,
    # what stands still, whether one of theirs has ended.
    with django_assert_num_queries(17):
        page_of(client, bulk)
    # Without the last two.
    with django_assert_num_queries(15):
        client.get(url_of(bulk, "live"))


def test_what_is_seen_already_is_not_sent_again(client, operator):
    bulk = make_bulk(state="running", by=operator, counts={"succeeded": 1, "waiting": 2})
    first = client.get(url_of(bulk, "live"))
    digest = first.content.decode().split('"X-Seen": "')[1][:16]
    assert client.get(url_of(bulk, "live"), headers={"X-Seen": digest}).status_code == 204
    BulkRetry.objects.update(state="paused", state_reason="Paused by Ana.")
    assert client.get(url_of(bulk, "live"), headers={"X-Seen": digest}).status_code == 200


@pytest.mark.parametrize("page", ["change", "live", "notes", "stop"])
def test_what_is_not_there_is_not_found(client, operator, page):
    gone = make_bulk(state="running")
    gone.items.all().delete()
    BulkRetry.objects.all().delete()
    assert client.get(url_of(gone, page)).status_code == 404


def test_a_preview_has_nothing_that_refreshes_itself(client, operator):
    assert client.get(url_of(make_bulk(by=operator), "live")).status_code == 404


# --- Its voice notes -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "number"), [("", 17), ("failed", 2), ("refused", 1), ("nonsense", 17), ("waiting", 6)]
)
def test_its_notes_are_listed_by_state_each_with_its_link(client, operator, state, number):
    bulk = make_bulk(state="running", by=operator, counts={**UNDER_WAY, "waiting": 6})
    page = text_of(client, f"{url_of(bulk, 'notes')}?state={state}")
    assert page.count('class="vp-id"') == number
    note = bulk.items.filter(state__in=[state] if number != 17 else ["succeeded"]).first().artifact
    assert reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id]) in page


def test_its_notes_are_paged(client, operator):
    bulk = make_bulk(state="running", by=operator, counts={"waiting": 120})
    second = text_of(client, f"{url_of(bulk, 'notes')}?state=waiting&page=2")
    assert "Page 2 of 3" in second
    assert second.count('class="vp-id"') == 50
    assert f'rel="next" href="{url_of(bulk, "notes")}?state=waiting&amp;page=3"' in second
    assert "Page 3 of 3" in text_of(client, f"{url_of(bulk, 'notes')}?state=waiting&page=99")


@pytest.mark.parametrize("query", ["why=9", "why=x", "why=-1", "problem=%00", "page=x", "state=%00", "why=" + "9" * 30])
def test_an_address_with_nonsense_is_no_error(client, operator, query):
    bulk = make_bulk(state="running", by=operator, refusals={"Too late.": 1})
    assert client.get(f"{url_of(bulk, 'notes')}?{query}").status_code == 200


@pytest.mark.parametrize("number", [3, 120])
def test_the_list_of_notes_costs_the_same_with_few_and_with_many(client, operator, django_assert_num_queries, number):
    bulk = make_bulk(state="running", by=operator, counts={"failed": number, "waiting": 3})
    text_of(client, url_of(bulk, "notes"))
    # Session, viewer, permissions (2), the row, how many, one page of them, how many of each, two banners.
    with django_assert_num_queries(10):
        text_of(client, url_of(bulk, "notes"))
