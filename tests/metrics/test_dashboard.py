"""The page Metrics: what its numbers say, and where they lead."""

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse

from metrics.models import END_TO_END, Period
from tests.factories import make_club, make_user
from tests.metrics.factories import make_snapshot
from voicepipeline import roles

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:metrics_dashboard")
NOW = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)
HOUR = NOW.replace(minute=0)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def viewer(client):
    client.force_login(make_user(roles.VIEWER))
    return client


def shown(response):
    """The page's text without its tags, a space in place of each."""
    main = re.search(r"<main.*</main>", response.content.decode(), re.DOTALL).group()
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def tile(response, title):
    (found,) = [each for each in response.context["tiles"] if each.title == title]
    return found


def row(response, key, label):
    (table,) = [each for each in response.context["tables"] if each["key"] == key]
    (found,) = [each for each in table["rows"] if each.label == label]
    return dict(zip(table["columns"], [cell.words for cell in found.cells], strict=True))


@pytest.fixture
def day(viewer):
    """Two hours at one club, and what belongs to none."""
    club = make_club(name="Na Fianna")
    figures = {
        "artifacts_received": 10,
        "artifacts_completed": 6,
        "artifacts_failed": 2,
        "artifacts_no_speech": 1,
        "entities": 8,
        "entities_auto_resolved": 6,
        "disambiguations": 1,
        "drafts_confirmed": 5,
        "drafts_rejected": 3,
        "drafts_undone": 1,
        "retries": 4,
        "retries_succeeded": 3,
        "retries_failed": 1,
        "ai_cost": Decimal("0.6"),
        "ai_calls": 9,
        "ai_calls_unpriced": 3,
    }
    durations = {END_TO_END: {"durations": [20_000] * 19 + [90_000]}}
    make_snapshot("hour", HOUR - timedelta(hours=1), club, **figures, stages=durations)
    for back in (1, 3):
        make_snapshot(
            "hour",
            HOUR - timedelta(hours=back),
            **figures,
            stages={**durations, "transcription": {"attempts": 9, "completed": 6, "failed": 2}},
            sources={"whatsapp_audio": {"artifacts_received": 10, "artifacts_completed": 6, "artifacts_failed": 2}},
            prompts={"v7": {"completed": 6, "claims": 15, "notes_with_claim_count": 6, "ai_cost": "0.3"}},
        )
    return club


@pytest.mark.parametrize(
    ("title", "main", "more"),
    [
        pytest.param("Received", "20", [], id="received"),
        pytest.param("Ready", "12", ["2"], id="ready"),
        pytest.param("Failed", "4", ["25 %"], id="failed"),
        pytest.param("From receipt to ready", "20 s", ["20 s"], id="times"),
        pytest.param("AI cost", "$1.20", ["$0.1000"], id="cost"),
        pytest.param("Names", "75 %", ["12.5 %"], id="names"),
        pytest.param("Suggested entries", "10", ["6", "2"], id="entries"),
        pytest.param("Retries", "8", ["75 %"], id="retries"),
    ],
)
def test_tiles_tell_the_platforms_history_without_adding_clubs_to_it(viewer, day, title, main, more):
    found = tile(viewer.get(PAGE), title)
    assert (found.main.words, [each.words for each in found.more]) == (main, more)


def test_every_tile_says_its_window(viewer, day):
    assert {each.window for each in viewer.get(PAGE).context["tiles"]} == {"24 hours, so far"}


def test_calls_that_told_no_cost_are_said_to_be_left_out(viewer, day):
    said = "6 calls told no cost and are not in the sum; failed ones may be among them"
    assert tile(viewer.get(PAGE), "AI cost").caution == said


def test_nothing_known_is_a_dash(viewer):
    make_snapshot("hour", HOUR, artifacts_received=1)
    page = viewer.get(PAGE)
    words = {name: tile(page, name) for name in ("Failed", "From receipt to ready", "Names", "AI cost", "Retries")}
    dash = "\N{EN DASH}"
    assert words["Failed"].more[0].words == words["Names"].main.words == words["Retries"].more[0].words == dash
    assert words["From receipt to ready"].main.words == words["AI cost"].more[0].words == dash


def test_a_club_has_figures_of_its_own_and_a_way_back(viewer, day):
    page = viewer.get(PAGE, {"club": day.pk})
    assert tile(page, "Received").main.words == "10"
    assert 'id="clubs"' not in page.content.decode()
    assert "Na Fianna, since" in shown(page)


def test_the_change_is_told_from_whole_hours_to_whole_hours(viewer, day):
    make_snapshot("hour", HOUR - timedelta(hours=30), artifacts_received=40, artifacts_completed=10)
    page = viewer.get(PAGE, {"compare": "1"})
    assert tile(page, "Received").change == ("From 40 to 20: \N{MINUS SIGN}50 %, fewer",)
    assert tile(page, "Failed").change[1] == "Share: from 0 % to 25 %: +25.0 points, higher"
    assert "Changes: 23 whole hours against the 23 before." in shown(page)


def test_without_comparison_no_change_is_told(viewer, day):
    assert not any(each.change for each in viewer.get(PAGE).context["tiles"])


def test_the_stages_tell_what_failed_for_good(viewer, day):
    found = row(viewer.get(PAGE), "stages", "Transcription")
    assert (found["Tries"], found["Succeeded"], found["Failed for good"], found["Failure rate"]) == (
        "18",
        "12",
        "4",
        "25 %",
    )


def test_every_figure_of_stages_and_prompt_versions_leads_to_its_rows(viewer, day):
    unknown = {"0", "0 %", "$0.00", "\N{EN DASH}"}
    tables = [each for each in viewer.get(PAGE).context["tables"] if each["key"] != "sources"]
    cells = [cell for table in tables for row in table["rows"] for cell in row.cells]
    assert [cell.words for cell in cells if cell.link is None and cell.words not in unknown] == []
    assert {viewer.get(cell.link.url).status_code for cell in cells if cell.link} == {200}


def test_sources_and_prompt_versions_have_their_rows(viewer, day):
    page = viewer.get(PAGE)
    assert row(page, "sources", "WhatsApp, audio")["Received"] == "20"
    assert row(page, "prompts", "v7") == {
        "Notes read": "12",
        "Statements per note": "2.5",
        "Quotes not in the transcript": "0 %",
        "Mean confidence": "\N{EN DASH}",
        "Entries confirmed": "0",
        "Entries rejected": "0",
        "Rejected, share": "\N{EN DASH}",
        "AI cost per note": "$0.0500",
    }


def test_a_hole_is_a_gap_and_not_zero(viewer, day):
    values = viewer.get(PAGE, {"range": "6h"}).context["payload"]["charts"]["throughput"][0]["lines"][0]["values"]
    assert values == [None, None, 10, None, 10, None]


def test_failures_of_few_tries_are_told_by_the_table_and_not_drawn(viewer):
    for back, tries in ((1, 4), (2, 5)):
        stages = {"transcription": {"completed": tries - 1, "failed": 1}}
        make_snapshot("hour", HOUR - timedelta(hours=back), artifacts_received=1, stages=stages)
    page = viewer.get(PAGE, {"range": "6h"})
    values = page.context["payload"]["charts"]["failure-rates"][0]["lines"][0]["values"]
    assert values == [None, None, None, 0.2, None, None]
    (chart,) = [each for each in page.context["charts"] if each["key"] == "failure-rates"]
    assert [cells[0] for _, cells in chart["rows"]][3:5] == ["20 %", "25 %"]


def test_the_running_period_is_marked(viewer, day):
    page = viewer.get(PAGE, {"range": "6h"})
    assert page.context["payload"]["running"] == [False] * 5 + [True]
    assert "20 Nov, 15:00\N{EN DASH}16:00, so far" in shown(page)


def test_today_is_said_to_be_the_utc_day(viewer):
    make_snapshot("day", HOUR.replace(hour=0) - timedelta(days=1), artifacts_received=3)
    make_snapshot("hour", HOUR, artifacts_received=2)
    text = shown(viewer.get(PAGE, {"range": "30d"}))
    assert "Fri 20 Nov, today (UTC), so far" in text
    assert "Nothing is known before 00:00 UTC yesterday." in text


def test_clubs_whose_events_could_not_be_counted_are_told_of(viewer, day):
    Period.objects.filter(period_start=HOUR - timedelta(hours=1)).update(gaps=[day.pk])
    make_snapshot("hour", HOUR, artifacts_received=1, has_gaps=True)
    assert "Something is missing here." in shown(viewer.get(PAGE))


def test_an_empty_page_says_what_to_do(viewer):
    assert "Nothing happened in this time." in shown(viewer.get(PAGE))
    assert "Look at 90 days" in shown(viewer.get(PAGE))
    assert "Figures appear within a minute of the first voice note." in shown(viewer.get(PAGE, {"range": "90d"}))


def test_who_has_no_role_is_refused(client):
    client.force_login(make_user())
    assert client.get(PAGE).status_code == 403
    assert client.get(reverse("admin:metrics_dashboard_clubs")).status_code == 403
    assert client.get(reverse("admin:metrics_dashboard_export"), {"chart": "clubs"}).status_code == 403


def test_it_stands_first_in_its_group_of_the_sidebar(viewer):
    groups = {group["title"]: group["items"] for group in viewer.get(PAGE).context["sidebar_navigation"]}
    assert [(item["title"], item["active"]) for item in groups["Metrics"]] == [("Metrics", True), ("Prices", False)]
    assert not any(item["active"] for item in groups.get("Engineering", []))
