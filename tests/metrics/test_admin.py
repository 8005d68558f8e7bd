"""The pages under Engineering: live figures, history, job runs, counted periods."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from metrics.dashboard.words import UNKNOWN
from metrics.limits import HOUR, MINUTE
from metrics.models import Counter, CounterType, JobRun, MetricsSnapshot, Period, RefusedEvent
from metrics.schedules import DAILY, HOURLY, SCHEDULES
from tests.factories import make_club, make_user
from tests.metrics.factories import hour, make_period, make_snapshot
from voicepipeline import roles
from voicepipeline.models import ScheduledJob, User

pytestmark = pytest.mark.django_db
LIVE = reverse("admin:metrics_counter_changelist")
HISTORY = reverse("admin:metrics_metricssnapshot_changelist")
JOBS = reverse("admin:metrics_jobrun_changelist")
RUN = reverse("admin:metrics_jobrun_run")
PERIODS = reverse("admin:metrics_period_changelist")
LATE = reverse("admin:metrics_refusedevent_changelist")
LISTS = {"live": LIVE, "history": HISTORY, "jobs": JOBS, "periods": PERIODS, "late": LATE}
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


@pytest.fixture
def administrator(client):
    user = make_user(roles.ADMINISTRATOR, first_name="Ana", last_name="Nowak")
    client.force_login(user)
    return user


def text(client, url, **query):
    response = client.get(url, query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def cells(client, url, **query):
    """What each row of the list says, without its markup."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text(client, url, **query).partition('id="result_list"')[2])
    found = [re.findall(r"<t[dh][^>]*class=\"[^\"]*field-[^>]*>(.*?)</t[dh]>", row) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in found if row]


@pytest.fixture
def bump():
    """A part of a live figure that no event stands behind; gone before they are compared."""

    def bump(what=CounterType.ARTIFACTS_RECEIVED, club=None, value=1, slot=1, back=1):
        start = timezone.now().replace(second=0, microsecond=0) - back * MINUTE
        given = {"window_start": start, "window_end": start + MINUTE, "slot": slot, "value": Decimal(value)}
        return Counter.objects.create(counter_type=what, organization=club, **given)

    yield bump
    Counter.objects.all().delete()


def ran(name=HOURLY, *, back=HOUR, succeeded=True, took=timedelta(seconds=3), **fields):
    began = timezone.now() - back
    ended = None if took is None else began + took
    succeeded = None if took is None else succeeded
    return JobRun.objects.create(name=name, started_at=began, finished_at=ended, succeeded=succeeded, **fields)


# --- All of them -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("which", LISTS)
def test_an_empty_list_says_what_to_expect(client, viewer, which):
    page = text(client, LISTS[which])
    assert re.search(r"<h2[^>]*>No [a-z ]+ yet</h2> <p>[A-Z][^<]+\.</p>", page)


@pytest.mark.parametrize("which", LISTS)
def test_nonsense_in_an_address_breaks_nothing(client, viewer, which):
    make_snapshot("hour", hour(NOON))
    nonsense = ("9" * 40, "\x00", "~", "<script>", "each'")
    for value in nonsense:
        query = dict.fromkeys(("in", "club", "length", "state", "job"), value)
        assert client.get(LISTS[which], query, follow=True).status_code == 200, value


@pytest.mark.parametrize("who", ["viewer", "administrator", "superuser"])
def test_nobody_changes_what_was_counted(client, bump, who):
    makers = {"viewer": lambda: make_user(roles.VIEWER), "administrator": lambda: make_user(roles.ADMINISTRATOR)}
    client.force_login(makers.get(who, lambda: User.objects.create_superuser("root"))())
    rows = {
        "counter": bump(),
        "metricssnapshot": make_snapshot("hour", hour(NOON)),
        "jobrun": ran(),
        "period": Period.objects.first() or make_period("day", NOON.replace(hour=0)),
        "refusedevent": RefusedEvent.objects.create(period_start=NOON, event_type="artifact_received"),
    }
    for model, row in rows.items():
        for page in ("change", "delete", "add"):
            arguments = [] if page == "add" else [row.pk]
            url = reverse(f"admin:metrics_{model}_{page}", args=arguments)
            assert client.post(url, {"post": "yes", "_save": "Save"}).status_code == 403, url
        client.post(
            reverse(f"admin:metrics_{model}_changelist"), {"action": "delete_selected", "_selected_action": row.pk}
        )
        assert type(row).objects.filter(pk=row.pk).exists()


# --- Live figures ----------------------------------------------------------------------------------------------------
def test_a_minutes_parts_are_one_line_for_each_figure(client, viewer, bump):
    club = make_club(name="Na Fianna")
    for slot, value in ((1, 2), (2, 3), (9, 4)):
        bump(value=value, slot=slot)
        bump(club=club, value=value + 10, slot=slot)
    bump(CounterType.AI_COST, value="0.0123")
    bump(back=2)
    assert [row[1:] for row in cells(client, LIVE)] == [
        ["AI cost in US dollars", "All clubs", "$0.0123"],
        ["Voice notes received", "All clubs", "9"],
        ["Voice notes received", "All clubs", "1"],
    ]
    assert [row[1:] for row in cells(client, LIVE, club=club.pk)] == [["Voice notes received", "Na Fianna", "39"]]


def test_live_figures_can_be_narrowed_to_one(client, viewer, bump):
    bump()
    bump(CounterType.RETRIES)
    assert [row[1] for row in cells(client, LIVE, counter_type__exact="retries_1h")] == ["Retries"]


@pytest.mark.parametrize("slots", [1, 20])
def test_live_figures_ask_as_many_questions_for_many_parts_as_for_one(
    client, viewer, bump, django_assert_num_queries, slots
):
    for slot in range(slots):
        for back in (1, 2, 3):
            bump(slot=slot, back=back)
    # Session, viewer, their permissions (own and by role), clubs for the filter, bounded count, rows, standstills.
    with django_assert_num_queries(8):
        client.get(LIVE)


# --- History ---------------------------------------------------------------------------------------------------------
BUSY = {
    "artifacts_received": 1200,
    "artifacts_completed": 900,
    "artifacts_failed": 100,
    "claims": 3000,
    "notes_with_claim_count": 1000,
    "ai_cost": Decimal("9.5"),
}
WAY = {"end_to_end": {"durations": [4_000] * 90 + [60_000] * 10}}


def test_the_history_shows_all_clubs_together_and_never_adds_a_clubs_row_to_them(client, viewer):
    club = make_club(name="Na Fianna")
    make_snapshot("hour", NOON, stages=WAY, **BUSY)
    make_snapshot("hour", NOON, club, artifacts_received=7)
    all_clubs = ["20 Nov 2026, 12:00", "Hour", "All clubs", "1,200", "900", "100", "10 %", "4.0 s", "1 min", "$9.50"]
    mine = ["20 Nov 2026, 12:00", "Hour", "Na Fianna", "7", "0", "0", UNKNOWN, UNKNOWN, UNKNOWN, "$0.00"]
    assert cells(client, HISTORY) == [all_clubs]
    assert cells(client, HISTORY, club=club.pk) == [mine]
    assert cells(client, HISTORY, club="each") == [mine]


def test_the_history_can_be_narrowed_to_days_and_to_a_time(client, viewer):
    midnight = NOON.replace(hour=0)
    make_snapshot("day", midnight)
    for back in range(3):
        make_snapshot("hour", NOON - back * HOUR)
    assert [row[0] for row in cells(client, HISTORY, length="day")] == ["20 Nov 2026"]
    span = "2026-11-20T11:00:00~2026-11-20T12:00:00"
    assert [row[0] for row in cells(client, HISTORY, **{"in": span})] == ["20 Nov 2026, 11:00"]


def test_what_is_incomplete_says_so(client, viewer):
    snapshot = make_snapshot("hour", NOON, has_gaps=True, **BUSY)
    assert "Incomplete" in cells(client, HISTORY)[0]
    assert "Something is missing here." in text(client, page_of(snapshot))


def page_of(snapshot):
    return reverse("admin:metrics_metricssnapshot_change", args=[snapshot.pk])


def test_a_snapshots_page_shows_what_follows_from_its_sums(client, viewer):
    stage = {"attempts": 130, "failed": 25, "durations": [2_000] * 100}
    snapshot = make_snapshot(
        "hour",
        NOON,
        stages={"transcription": stage, **WAY},
        sources={"voicemail": {"artifacts_received": 40, "artifacts_completed": 30, "artifacts_failed": 10}},
        prompts={"<b>claims-3</b>": {"completed": 10, "claims": 25, "notes_with_claim_count": 10}},
        **BUSY,
    )
    page = text(client, page_of(snapshot))
    assert '<p class="vp-lead">All clubs, 20 Nov 2026, 12:00 (UTC)</p>' in page
    assert "<dt>Failure rate</dt><dd>10 %</dd>" in page
    assert "<dt>A voice note</dt><dd>3.0</dd>" in page
    assert f"<dt>Matched automatically</dt><dd>{UNKNOWN}</dd>" in page
    assert '<th scope="row">Transcription</th><td data-label="Tries begun">130</td>' in page
    assert '<td data-label="Failure rate">20 %</td>' in page
    assert f'<th scope="row">From receipt to ready</th><td data-label="Tries begun">{UNKNOWN}</td>' in page
    assert '<th scope="row">Voicemail</th>' in page
    assert "&lt;b&gt;claims-3&lt;/b&gt;" in page
    assert "<b>claims-3</b>" not in page


@pytest.mark.parametrize("key", ["0", "9" * 30, "abc", "\u0661"])
def test_a_snapshot_that_is_not_there_is_not_found(client, viewer, key):
    assert client.get(reverse("admin:metrics_metricssnapshot_change", args=[key])).status_code == 404


@pytest.mark.parametrize("count", [1, 60])
def test_the_history_asks_as_many_questions_for_many_rows_as_for_one(client, viewer, django_assert_num_queries, count):
    for back in range(count):
        make_snapshot("hour", NOON - back * HOUR, make_club(), stages=WAY)
    # Session, viewer, their permissions (own and by role), clubs for the filter, bounded count, rows, standstills.
    with django_assert_num_queries(8):
        client.get(HISTORY, {"club": "each"})


def test_a_snapshots_page_asks_few_questions(client, viewer, django_assert_num_queries):
    stages = {name: {"completed": 1} for name in ("transcription", "claims_extraction", "end_to_end")}
    snapshot = make_snapshot("hour", NOON, make_club(), stages=stages, prompts={f"claims-{n}": {} for n in range(9)})
    # Session, viewer, their permissions (own and by role), the row, its stages, sources, prompts, what stands still.
    with django_assert_num_queries(9):
        client.get(page_of(snapshot))


@pytest.mark.trial
@pytest.mark.parametrize(
    "query", [{}, {"club": "each"}, {"club": "each", "length": "hour"}, {"club": "some", "length": "hour"}], ids=str
)
def test_the_history_is_quick_at_130_000_rows(client, viewer, query):
    clubs = [make_club() for _ in range(500)]
    fill_history(clubs)
    if query.get("club") == "some":
        query = {**query, "club": clubs[250].pk}
    client.get(HISTORY, query)
    began = timezone.now()
    assert client.get(HISTORY, query).status_code == 200
    assert timezone.now() - began < timedelta(seconds=1)


def fill_history(clubs):
    """A week of hours and 90 days, of all clubs and of each."""
    MetricsSnapshot.objects.all().delete()
    starts = [("hour", NOON - n * HOUR) for n in range(170)]
    starts += [("day", NOON.replace(hour=0) - n * timedelta(days=1)) for n in range(90)]
    MetricsSnapshot.objects.bulk_create(
        (
            MetricsSnapshot(period_type=kind, period_start=start, organization=club, artifacts_received=n)
            for kind, start in starts
            for n, club in enumerate((None, *clubs))
        ),
        batch_size=5_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE metrics_metricssnapshot")


# --- Job runs --------------------------------------------------------------------------------------------------------
def test_job_runs_show_how_each_went(client, viewer):
    ran(periods=3, rows=1503)
    ran(DAILY, succeeded=False, error="<b>out of luck</b>")
    ran(took=None, back=timedelta(seconds=5))
    ran(took=None, back=2 * HOUR)
    rows = [row[1:2] + row[3:] for row in cells(client, JOBS)]
    assert rows == [
        ["Never ended", "-", "0", "0", "-"],
        ["Running", "-", "0", "0", "-"],
        ["Failed", "3 s", "0", "0", "&lt;b&gt;out of luck&lt;/b&gt;"],
        ["Succeeded", "3 s", "3", "1,503", "-"],
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "failed"}, ["failed"]),
        ({"state": "open"}, ["open"]),
        ({"job": DAILY}, ["failed"]),
        ({"job": HOURLY, "state": "succeeded"}, ["done"]),
    ],
    ids=str,
)
def test_job_runs_can_be_narrowed(client, viewer, query, found):
    runs = {"done": ran(), "failed": ran(DAILY, succeeded=False), "open": ran(took=None)}
    rows = client.get(JOBS, query).context["cl"].result_list
    assert [row.pk for row in rows] == [runs[name].pk for name in found]


def test_every_job_stands_there_with_its_last_run(client, viewer):
    ran(succeeded=False, back=3 * HOUR)
    ran(back=2 * HOUR)
    ran(DAILY, succeeded=False)
    jobs = {job["schedule"].name: job["state"].words for job in client.get(JOBS).context["jobs"]}
    assert jobs == {schedule.name: "Not run yet" for schedule in SCHEDULES} | {HOURLY: "Succeeded", DAILY: "Failed"}


@pytest.mark.parametrize("count", [1, 60])
def test_job_runs_ask_as_many_questions_for_many_as_for_one(client, viewer, django_assert_num_queries, count):
    for _ in range(count):
        ran()
    # Session, viewer, their permissions (own and by role), last runs, bounded count, rows, what stands still.
    with django_assert_num_queries(8):
        client.get(JOBS)


def test_an_administrator_starts_a_job(client, administrator):
    response = client.post(RUN, {"name": HOURLY}, follow=True)
    assert response.redirect_chain == [(JOBS, 302)]
    assert f"{HOURLY} starts as soon as a worker is free." in response.content.decode()
    assert ScheduledJob.objects.get(name=HOURLY).requested_by == administrator


def test_a_job_is_rung_for_once(client, administrator, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        client.post(RUN, {"name": HOURLY})
        client.post(RUN, {"name": HOURLY})
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("name", ["", "no-such-job", "\x00"])
def test_what_is_no_job_is_not_started(client, administrator, name):
    assert "There is no scheduled job with this name." in client.post(RUN, {"name": name}, follow=True).content.decode()


@pytest.mark.parametrize("role", [roles.VIEWER, roles.OPERATOR])
def test_only_administrators_start_jobs(client, role):
    client.force_login(make_user(role))
    assert "Run now" not in text(client, JOBS)
    assert client.post(RUN, {"name": HOURLY}).status_code == 403
    assert not ScheduledJob.objects.filter(requested_at__isnull=False).exists()


# --- Counted periods -------------------------------------------------------------------------------------------------
def test_periods_say_what_is_final_what_is_missing_and_what_came_too_late(client, viewer):
    club = make_club(name="Na Fianna <1>")
    make_period("hour", NOON, events=12_345, sealed_at=timezone.now())
    make_period("hour", NOON - HOUR, gaps=[club.pk, Period.NO_CLUB, 10**12])
    make_period("day", NOON.replace(hour=0), hours=13)
    for _ in range(2):
        RefusedEvent.objects.create(period_start=NOON, event_type="artifact_received")
    rows = cells(client, PERIODS)
    assert [row[0] for row in rows] == ["20 Nov 2026, 12:00", "20 Nov 2026, 11:00", "20 Nov 2026"]
    assert rows[0][2].startswith("Final since")
    assert rows[0][4:] == ["12,345", "-", "-", "2"]
    assert rows[1][2] == "Something is missing"
    assert rows[1][6] == "Na Fianna &lt;1&gt;, What belongs to no club, Club 1000000000000"
    assert rows[2][2] == "Counted again when needed"
    assert rows[2][4:] == ["0", "13 of 24", "-", "-"]


def test_what_came_too_late_for_an_hour_is_one_click_away(client, viewer):
    make_period("hour", NOON, sealed_at=timezone.now())
    mine = RefusedEvent.objects.create(period_start=NOON, event_type="artifact_received")
    RefusedEvent.objects.create(period_start=NOON - HOUR, event_type="artifact_received")
    url = re.search(rf'href="({LATE}\?in=[^"]+)"', text(client, PERIODS)).group(1)
    assert [row.pk for row in client.get(url).context["cl"].result_list] == [mine.pk]
    assert cells(client, url)[0][:2] == ["Voice note received", "20 Nov 2026, 12:00"]


@pytest.mark.parametrize(("state", "found"), [("gaps", 1), ("open", 2), ("final", 3), ("nonsense", 5)])
def test_periods_can_be_narrowed_by_their_state(client, viewer, state, found):
    for back in range(3):
        make_period("hour", NOON - back * HOUR, sealed_at=timezone.now())
    make_period("hour", NOON - 4 * HOUR, gaps=[Period.NO_CLUB])
    make_period("day", NOON.replace(hour=0))
    assert len(cells(client, PERIODS, state=state)) == found


def test_a_periods_page_shows_the_same(client, viewer):
    period = make_period("hour", NOON, gaps=[make_club(name="Na Fianna").pk])
    assert "Na Fianna" in text(client, reverse("admin:metrics_period_change", args=[period.pk]))


@pytest.mark.parametrize("count", [1, 40])
def test_periods_ask_as_many_questions_for_many_as_for_one(client, viewer, django_assert_num_queries, count):
    for back in range(count):
        make_period("hour", NOON - back * HOUR, gaps=[make_club().pk])
    # Session, viewer, their permissions (own and by role), bounded count, rows, clubs of gaps, what came too late,
    # what stands still.
    with django_assert_num_queries(9):
        client.get(PERIODS)
