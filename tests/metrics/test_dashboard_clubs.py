"""The table of clubs on the page Metrics, and the numbers as CSV."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from metrics.dashboard.clubs import COLUMNS, FIRST_SHOWN
from metrics.models import END_TO_END
from metrics.windows import RANGES
from tests.factories import make_club, make_event, make_note, make_user
from tests.metrics.factories import hour, make_snapshot
from voicepipeline import roles
from voicepipeline.models import EventType, Organization

pytestmark = pytest.mark.django_db
PAGE, CLUBS, EXPORT = (reverse(f"admin:metrics_dashboard{rest}") for rest in ("", "_clubs", "_export"))
MOST_QUERIES = 16  # with a comparison; a role's permissions and what surrounds each page are among them


@pytest.fixture
def viewer(client):
    client.force_login(make_user(roles.VIEWER))
    return client


def names(page):
    return [each.name for each in page.context["clubs"]["rows"]]


def table(viewer, key, **given):
    response = viewer.get(EXPORT, {"chart": key, **given})
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def make_clubs(figures):
    """Each with an hour of its own, and the platform with all of them and one note more."""
    start = hour(timezone.now(), back=1)
    clubs = {name: make_club(name=name) for name in figures}
    for name, fields in figures.items():
        make_snapshot("hour", start, clubs[name], **fields)
    received = sum(fields.get("artifacts_received", 0) for fields in figures.values()) + 1
    make_snapshot("hour", start, artifacts_received=received, ai_cost="0.5")
    return clubs


@pytest.fixture
def three(viewer):
    return make_clubs(
        {
            "Ballymun": {"artifacts_received": 5, "artifacts_completed": 4, "artifacts_failed": 1, "ai_cost": "0.1"},
            "Cuala": {"artifacts_received": 9, "artifacts_completed": 9, "ai_cost": "0.3"},
            "Ardclough": {"artifacts_received": 0},
        }
    )


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        pytest.param("", ["Cuala", "Ballymun", "Ardclough"], id="as-it-comes"),
        pytest.param("received", ["Ardclough", "Ballymun", "Cuala"], id="received"),
        pytest.param("name", ["Ardclough", "Ballymun", "Cuala"], id="name"),
        pytest.param("-name", ["Cuala", "Ballymun", "Ardclough"], id="name-backwards"),
        pytest.param("-failure_rate", ["Ballymun", "Cuala", "Ardclough"], id="unknown-last"),
        pytest.param("failure_rate", ["Cuala", "Ballymun", "Ardclough"], id="unknown-last-both-ways"),
        pytest.param("-cost", ["Cuala", "Ballymun", "Ardclough"], id="cost"),
    ],
)
def test_clubs_stand_in_the_order_that_the_address_asks_for(viewer, three, sort, expected):
    page = viewer.get(CLUBS, {"sort": sort})
    assert names(page) == expected
    assert page.context["clubs"]["without"].name == "No club"


def test_what_belongs_to_no_club_is_the_platforms_rest(viewer, three):
    shown = viewer.get(CLUBS).context["clubs"]
    assert shown["without"].cells[0].words == "1"
    assert shown["together"][0].words == "15"


@pytest.mark.parametrize("key", ["name", *COLUMNS])
def test_every_column_can_be_sorted_by_both_ways(viewer, three, key):
    first = _heading(viewer.get(CLUBS, {"sort": "cost" if key != "cost" else "name"}), key)
    assert first.order == ""
    once = viewer.get(f"{CLUBS}{first.url}")
    twice = viewer.get(f"{CLUBS}{_heading(once, key).url}")
    orders = _heading(once, key).order, _heading(twice, key).order
    assert orders == (("ascending", "descending") if key == "name" else ("descending", "ascending"))


def _heading(page, key):
    return page.context["clubs"]["headings"][["name", *COLUMNS].index(key)]


def test_a_clubs_name_leads_to_its_notes_of_this_time(viewer, three):
    (row,) = [each for each in viewer.get(CLUBS).context["clubs"]["rows"] if each.name == "Cuala"]
    query = parse_qs(urlsplit(row.link.url).query)
    assert query["club"] == [str(three["Cuala"].pk)]
    assert viewer.get(row.link.url).status_code == 200


def test_a_clubs_figures_lead_to_their_rows_and_nothing_leads_nowhere(viewer, three):
    note, at = make_note(organization=three["Ballymun"]), hour(timezone.now(), back=1)
    make_event(note, event_type=EventType.ARTIFACT_FAILED, timestamp=at)
    rows = {each.name: each for each in viewer.get(CLUBS).context["clubs"]["rows"]}
    links = dict(zip(COLUMNS, [cell.link for cell in rows["Ballymun"].cells], strict=True))
    assert {key for key, link in links.items() if link} == {
        "received", "ready", "failed", "failure_rate", "cost", "cost_per_note"
    }  # fmt: skip
    assert viewer.get(links["failed"].url).context["cl"].result_count == 1
    assert not any(cell.link for cell in rows["Ardclough"].cells)


def test_the_first_clubs_are_shown_and_all_on_request(viewer):
    make_clubs({f"Club {number:03}": {"artifacts_received": number} for number in range(FIRST_SHOWN + 3)})
    page = viewer.get(CLUBS)
    assert len(names(page)) == FIRST_SHOWN
    assert "Show all 53" in page.content.decode()
    assert len(names(viewer.get(f"{CLUBS}{page.context['clubs']['all_url']}"))) == FIRST_SHOWN + 3


@pytest.mark.parametrize("page", [PAGE, CLUBS], ids=["page", "clubs"])
def test_a_page_makes_as_many_queries_for_many_clubs_as_for_one(viewer, django_assert_max_num_queries, page):
    make_snapshot("hour", hour(timezone.now()), artifacts_received=1)
    few = {key: queries_of(viewer, page, key, django_assert_max_num_queries) for key in RANGES}
    Organization.objects.bulk_create(Organization(name=f"Club {number}", slug=f"c-{number}") for number in range(60))
    assert few == {key: queries_of(viewer, page, key, django_assert_max_num_queries) for key in RANGES}


def queries_of(viewer, page, key, at_most):
    with at_most(MOST_QUERIES) as found:
        viewer.get(page, {"range": key, "compare": "1"})
    return len(found)


def test_the_page_leaves_the_table_of_clubs_to_an_address_of_its_own(viewer, three):
    page = viewer.get(PAGE, {"range": "6h", "sort": "cost"})
    assert "Cuala" not in re.search(r'<section id="clubs".*?</section>', page.content.decode(), re.DOTALL).group()
    assert names(viewer.get(page.context["clubs_url"])) == ["Ardclough", "Ballymun", "Cuala"]


def test_the_table_of_clubs_of_one_club_is_the_page_itself(viewer, three):
    response = viewer.get(CLUBS, {"range": "6h", "club": three["Cuala"].pk})
    assert response.url == f"{PAGE}?range=6h&club={three['Cuala'].pk}"


def test_csv_has_every_club_with_numbers_to_reckon_with(viewer, three):
    header, *rows = table(viewer, "clubs")
    assert header[:5] == ["Club", "Received", "Ready", "Failed", "Failure rate (%)"]
    assert [row[:5] for row in rows] == [
        ["Cuala", "9", "9", "0", "0.0"],
        ["Ballymun", "5", "4", "1", "20.0"],
        ["Ardclough", "0", "0", "0", ""],
        ["No club", "1", "0", "0", ""],
        ["All together", "15", "0", "0", ""],
    ]


def test_a_spreadsheet_executes_no_clubs_name(viewer):
    make_clubs({'=HYPERLINK("http://example.com")': {"artifacts_received": 3}})
    assert table(viewer, "clubs")[1][0] == """'=HYPERLINK("http://example.com")"""


def test_csv_of_a_chart_has_its_periods_and_an_empty_cell_for_what_is_not_known(viewer):
    start = hour(timezone.now(), back=2)
    make_snapshot(
        "hour", start, stages={END_TO_END: {"durations": [2_000]}}, artifacts_received=4, ai_cost=Decimal("0.25")
    )
    header, *rows = table(viewer, "end-to-end", range="6h")
    assert header == ["From (UTC)", "Until (UTC)", "", "Typical (seconds)", "Slowest 1 in 20 (seconds)"]
    (told,) = [row for row in rows if row[3]]
    assert told[0] == f"{start:%Y-%m-%d %H:%M}"
    assert float(told[3]) == pytest.approx(2, rel=0.01)
    assert (len(rows), rows[-1][2]) == (6, "so far")


@pytest.mark.parametrize("key", ["throughput", "stage-times", "failure-rates", "cost", "stages", "sources", "prompts"])
def test_everything_on_the_page_can_be_had_as_csv(viewer, three, key):
    header, *rows = table(viewer, key)
    assert all(len(row) == len(header) for row in rows)


def test_there_is_no_csv_of_anything_else(viewer):
    assert viewer.get(EXPORT, {"chart": "people"}).status_code == 404


def test_the_last_hour_is_told_by_the_minute_and_the_rest_since_whole_hours(viewer):
    now = datetime.now(UTC)
    make_snapshot("hour", hour(now), entities=4, entities_auto_resolved=3)
    for minutes in (5, 20, 50, 80):
        make_event(event_type=EventType.ARTIFACT_RECEIVED, timestamp=now - timedelta(minutes=minutes))
    page = viewer.get(PAGE, {"range": "1h", "compare": "1"})
    tiles = {each.title: each for each in page.context["tiles"]}
    assert (tiles["Received"].main.words, tiles["Received"].window) == ("3", "last 60 minutes")
    assert tiles["Received"].change == ("From 1 to 3: \N{MULTIPLICATION SIGN}3.0, more",)
    assert tiles["Names"].window.startswith("since ")
    assert [chart["key"] for chart in page.context["charts"]] == ["throughput", "cost"]
    events = viewer.get(tiles["Received"].main.link.url)
    assert events.context["cl"].result_count == 3
