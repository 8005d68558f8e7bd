"""Whatever stands in the address of the page Metrics, something is shown, and said."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metrics.dashboard.asked import SORTS, read_address
from tests.factories import make_club, make_user
from tests.metrics.factories import hour, make_snapshot
from voicepipeline import roles

pytestmark = pytest.mark.django_db
PAGE, EXPORT = reverse("admin:metrics_dashboard"), reverse("admin:metrics_dashboard_export")
NOW = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def viewer(client):
    client.force_login(make_user(roles.VIEWER))
    return client


@pytest.mark.parametrize("key", ["1h", "6h", "24h", "7d", "30d", "90d"])
def test_every_range_is_shown_and_chosen(viewer, key):
    page = viewer.get(PAGE, {"range": key})
    chosen = [each["url"] for each in page.context["ranges"] if each["is_chosen"]]
    assert [parse_qs(urlsplit(url).query)["range"] for url in chosen] == [[key]]


def test_nothing_asked_for_is_24_hours_of_all_clubs(viewer):
    asked = viewer.get(PAGE).context["asked"]
    assert (asked.window.key, asked.club, asked.compares, asked.complaints) == ("24h", None, False, ())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"range": "2y"}, "There is no such range.", id="range"),
        pytest.param({"range": "custom", "since": "yesterday"}, "Give both as dates", id="no-date"),
        pytest.param({"range": "custom", "since": "2026-11-19", "until": "2026-11-18"}, "It ends before", id="order"),
        pytest.param({"range": "custom", "since": "2099-01-01"}, "It begins in the future", id="future"),
        pytest.param({"club": "0"}, "There is no such club.", id="club"),
        pytest.param({"club": "9" * 400}, "There is no such club.", id="long-club"),
        pytest.param({"club": "\x00"}, "There is no such club.", id="null-club"),
    ],
)
def test_what_makes_no_sense_is_said_and_the_default_shown(viewer, given, said):
    with time_machine.travel(NOW):
        page = viewer.get(PAGE, given)
    assert page.context["asked"].window.key == "24h"
    assert page.context["asked"].club is None
    assert any(said in complaint for complaint in page.context["asked"].complaints)
    assert said in page.content.decode()


def test_two_days_are_kept_in_every_address_of_the_page():
    asked = read_address({"range": "custom", "since": "2026-11-17", "until": "2026-11-18", "compare": "1"}, now=NOW)
    again = parse_qs(urlsplit(asked.address(sort="cost")).query)
    kept = {"range": ["custom"], "since": ["2026-11-17"], "until": ["2026-11-18"], "compare": ["1"], "sort": ["cost"]}
    assert again == kept


@pytest.mark.parametrize(
    ("since", "until"),
    [
        pytest.param("2026-11-17", "2026-11-18", id="days"),
        pytest.param("2026-11-19", "2026-11-20", id="until-today"),
        pytest.param("2026-11-19 08:00", "2026-11-19 11:00", id="hours"),
        pytest.param("2026-09-01", "2026-10-30", id="months"),
    ],
)
def test_an_address_asks_for_the_window_that_it_was_made_of(since, until):
    asked = read_address({"range": "custom", "since": since, "until": until}, now=NOW)
    query = parse_qs(urlsplit(asked.address()).query)
    assert read_address({name: values[0] for name, values in query.items()}, now=NOW).window == asked.window


def test_other_days_begin_with_those_that_are_shown():
    asked = read_address({"range": "7d"}, now=NOW)
    assert asked.in_range("custom") == "?range=custom&since=2026-11-14&until=2026-11-20"


def test_a_clubs_name_is_text_wherever_it_stands(viewer):
    club = make_club(name=MARKUP)
    make_snapshot("hour", hour(datetime.now(UTC)), artifacts_received=1)
    make_snapshot("hour", hour(datetime.now(UTC)), club, artifacts_received=1, prompts={MARKUP: {"completed": 1}})
    for asked in ({}, {"club": club.pk}, {"club": club.pk, "range": "1h"}):
        page = viewer.get(PAGE, asked).content.decode()
        assert MARKUP not in page
        assert "&lt;img src=x" in page


WORDS = st.one_of(
    st.sampled_from(
        [
            "1h",
            "24h",
            "90d",
            "custom",
            "1",
            "-1",
            "all",
            "clubs",
            "throughput",
            "2026-11-19",
            "0001-01-01",
            "9999-12-31",
        ]
    ),
    st.sampled_from([f"{sign}{key}" for key in SORTS for sign in ("", "-", "--")]),
    st.text(max_size=20),
)
NAMES = st.sampled_from(["range", "since", "until", "club", "compare", "sort", "clubs", "chart"])


@given(st.dictionaries(NAMES, WORDS, max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_address_breaks_the_page_or_its_csv(viewer, given):
    assert viewer.get(PAGE, given).status_code == 200
    assert viewer.get(EXPORT, given).status_code in (200, 404)
