import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from metrics.models import END_TO_END, Counter
from tests.factories import make_club
from tests.metrics.factories import make_period, make_snapshot
from tests.metrics.test_queries import NOW, TODAY, YESTERDAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_this_time():
    with time_machine.travel(NOW, tick=False):
        yield


def report(*arguments):
    out = StringIO()
    call_command("metrics_report", *arguments, stdout=out)
    return out.getvalue()


def as_json(*arguments):
    return json.loads(report("--json", *arguments))


def line(text, beginning):
    """The words of the first line that begins so, without the spaces between them."""
    found = next(each for each in text.splitlines() if each.strip().startswith(beginning))
    return " ".join(found.split())


def make_history(club=None):
    make_snapshot(
        "hour",
        YESTERDAY,
        club,
        artifacts_received=1200,
        artifacts_completed=9,
        artifacts_failed=1,
        ai_cost=Decimal("4.5"),
        ai_calls=20,
        ai_calls_unpriced=2,
        stages={
            "transcription": {"durations": [2_000] * 19 + [60_000], "failed": 5},
            END_TO_END: {"durations": [12_000]},
        },
        sources={"voicemail": {"artifacts_received": 7}},
        prompts={"claims-v3": {"completed": 4, "claims": 10, "notes_with_claim_count": 4}},
    )


def test_the_report_says_its_window_and_whose_it_is():
    assert report().splitlines()[0] == "Metrics of all clubs, since 4 Mar 00:00 UTC (7 days), so far"
    club = make_club(name="Na Fianna", slug="na-fianna")
    first = report("--organization", club.slug, "--range", "30d").splitlines()[0]
    assert first == "Metrics of Na Fianna, since 9 Feb 00:00 UTC (30 days), so far"


def test_the_report_has_every_section():
    titles = [each for each in report().splitlines() if each and not each.startswith((" ", "Metrics"))]
    assert titles == [
        "Volume",
        "From receipt to ready",
        "Stages",
        "Quality",
        "AI cost",
        "Where notes come from",
        "Quality by prompt version",
        "Clubs",
    ]


def test_the_report_tells_figures_as_people_say_them():
    make_history()
    text = report()
    assert line(text, "Received") == "Received 1,200"
    assert line(text, "Failure rate") == "Failure rate 10 %"
    assert line(text, "Typical") == "Typical 12 s"
    assert line(text, "In all") == "In all $4.50"
    assert line(text, "Calls that told no cost") == "Calls that told no cost 2"
    assert line(text, "Transcription") == "Transcription 0 20 5 20 % 4.9 s 2.0 s 2.0 s"
    assert line(text, "Voicemail").startswith("Voicemail 7 0 0")
    assert line(text, "claims-v3").startswith("claims-v3 4 2.5")


def test_the_report_writes_a_dash_for_what_is_not_known():
    text = report()
    assert line(text, "Failure rate") == "Failure rate \N{EN DASH}"
    assert line(text, "Slowest 1 in 20") == "Slowest 1 in 20 \N{EN DASH}"
    assert line(text, "Per ready note") == "Per ready note \N{EN DASH}"


def test_the_report_lists_clubs_by_volume_and_no_club_last():
    make_snapshot("hour", YESTERDAY, artifacts_received=10)
    for name, received in (("Cuala", 2), ("Na Fianna", 5)):
        make_snapshot("hour", YESTERDAY, make_club(name=name), artifacts_received=received)
    names = [each.split("  ")[1] for each in report().splitlines()[-3:]]
    assert names == ["Na Fianna", "Cuala", "No club"]


def test_the_report_of_a_club_has_its_figures_and_no_other_clubs():
    club = make_club(name="Cuala", slug="cuala")
    make_history()
    make_snapshot("hour", YESTERDAY, club, artifacts_received=3)
    text = report("--organization", "cuala")
    assert line(text, "Received") == "Received 3"
    assert "Clubs" not in text


def test_the_report_cuts_a_long_list_of_clubs_and_says_so():
    make_snapshot("hour", YESTERDAY)
    for _ in range(52):
        make_club()
    assert report().splitlines()[-1] == "  and 2 clubs with less volume: --json has them all"
    assert len(as_json()["clubs"]) == 53


def test_the_report_says_what_has_not_been_counted():
    for back in (4, 2):
        make_snapshot("hour", TODAY - timedelta(hours=back))
    text = report("--range", "24h")
    assert "Nothing is known from before 20:00 UTC yesterday." in text
    assert "Not counted in full: 5 of 24 hours." in text


def test_the_report_says_that_clubs_are_missing():
    club = make_club()
    make_period("hour", YESTERDAY, gaps=[club.pk])
    make_snapshot("hour", YESTERDAY, has_gaps=True)
    assert "The events of some clubs could not be counted and are missing." in report()


def test_the_report_of_an_hour_begins_with_what_was_counted_by_the_minute():
    minute = NOW.replace(second=0) - timedelta(minutes=5)
    values = {"window_start": minute, "window_end": minute + timedelta(minutes=1), "slot": 0}
    Counter.objects.create(counter_type="artifacts_received_1h", value=7, **values)
    text = report("--range", "1h")
    assert "last 60 minutes" in text
    assert line(text, "Received") == "Received 7"
    assert "All that follows is since 02:00 UTC today." in text
    assert as_json("--range", "1h")["last_60_minutes"]["artifacts_received"] == 7


def test_names_cannot_command_the_terminal():
    make_snapshot("hour", YESTERDAY)
    make_club(name="\x1b[2JClub\r\n" + "x" * 90)
    text = report()
    assert "\x1b" not in text
    assert "\r" not in text
    assert "�[2JClub��xxx" in text
    assert "x" * 40 not in text


def test_json_has_the_window_and_sums_and_rates_by_the_names_of_the_code():
    make_history()
    told = as_json("--range", "24h")
    assert (told["range"], told["organization"], told["period_type"]) == ("24h", None, "hour")
    assert (told["start"], told["end"]) == ("2026-03-09T04:00:00+00:00", "2026-03-10T04:00:00+00:00")
    assert told["is_running"]
    week = as_json()
    assert week["figures"]["artifacts_received"] == 1200
    assert week["figures"]["ai_cost"] == 4.5
    assert week["figures"]["failure_rate"] == 0.1
    assert week["stages"][0]["stage"] == "transcription"
    assert week["stages"][0]["p50_ms"] == pytest.approx(2_000, rel=0.01)
    assert week["sources"][0]["source_channel"] == "voicemail"
    assert week["prompts"][0]["claims_per_note"] == 2.5
    assert week["clubs"][-1]["organization_id"] is None


def test_json_tells_what_is_not_known_as_null():
    told = as_json()
    assert told["figures"]["failure_rate"] is told["stages"][-1]["p95_ms"] is told["known_from"] is None
    assert told["last_60_minutes"] is None


def test_an_unknown_club_is_refused():
    with pytest.raises(CommandError, match="There is no club with the slug 'nobody�'"):
        report("--organization", "nobody\x1b")


def test_an_unknown_range_is_refused_and_those_there_are_are_told():
    with pytest.raises(CommandError, match=r"argument --range: invalid choice: '2w' .*'90d'"):
        report("--range", "2w")
