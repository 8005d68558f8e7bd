"""What the metrics keep, as an administrator looks at it under Engineering, in a real browser."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from metrics.limits import HOUR
from metrics.models import JobRun, RefusedEvent
from metrics.schedules import CLEAN_EVENTS, HOURLY, REFRESH
from tests.factories import make_club, make_event, make_note
from tests.metrics.factories import make_period, make_snapshot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LONG_NAME = "Cumann Lúthchleas Gael Naomh Mearnóg agus Caisleán Uí Chonchobhair Thiar"


@pytest.fixture
def busy():
    """Some hours of two clubs, a gap, a job that failed, and what came too late."""
    club = make_club(name=LONG_NAME)
    stages = {
        "transcription": {"attempts": 980, "failed": 12, "durations": [7_000] * 900 + [64_000] * 50},
        "claims_extraction": {"attempts": 951, "failed": 3, "durations": [11_000] * 940},
        "end_to_end": {"durations": [21_000] * 850 + [93_000] * 60},
    }
    figures = {
        "artifacts_received": 1_204,
        "artifacts_completed": 910,
        "artifacts_failed": 15,
        "claims": 3_011,
        "notes_with_claim_count": 940,
        "entities": 2_200,
        "entities_auto_resolved": 1_890,
        "drafts": 2_741,
        "ai_cost": Decimal("8.4127"),
        "ai_calls": 1_931,
    }
    snapshot = make_snapshot(
        "hour",
        NOON,
        stages=stages,
        sources={"whatsapp_audio": {"artifacts_received": 1_000, "artifacts_completed": 800, "artifacts_failed": 9}},
        prompts={"claims-2026-11": {"completed": 940, "claims": 3_011, "notes_with_claim_count": 940}},
        **figures,
    )
    for back in range(1, 6):
        make_snapshot("hour", NOON - back * HOUR, has_gaps=back == 3, artifacts_received=100 * back)
        make_snapshot("hour", NOON - back * HOUR, club, artifacts_received=back)
    make_period("hour", NOON - 7 * HOUR, gaps=[club.pk], events=12_345)
    make_period("hour", NOON - 8 * HOUR, events=9_876, sealed_at=timezone.now())
    make_period("day", NOON.replace(hour=0), hours=13)
    RefusedEvent.objects.create(period_start=NOON - 8 * HOUR, event_type="transcription_completed")
    now = timezone.now()
    what = "2026-11-20 05:00 lacks the events of 1 club: they cannot be read."
    for name, minutes, fields in (
        (REFRESH, 1, {"succeeded": True, "periods": 1, "rows": 502}),
        (HOURLY, 40, {"succeeded": False, "error": what, "periods": 3, "rows": 1_503}),
        (CLEAN_EVENTS, 25, {"succeeded": True, "rows": 130_412}),
    ):
        began = now - timedelta(minutes=minutes)
        JobRun.objects.create(name=name, started_at=began, finished_at=began + timedelta(seconds=4), **fields)
    for organization in (club, None):
        make_event(make_note(organization=organization))
    return snapshot


@pytest.mark.trial
def test_what_the_metrics_keep_is_readable_everywhere(page, busy, administrator, check_page, sign_in, look):
    sign_in(administrator)
    page.goto(reverse("admin:metrics_metricssnapshot_changelist"))
    expect(page.get_by_role("link", name="20 Nov 2026, 12:00")).to_be_visible()
    check_page()
    page.get_by_role("link", name="20 Nov 2026, 12:00").click()
    expect(page.get_by_role("heading", name="By stage")).to_be_visible()
    check_page()
    page.goto(reverse("admin:metrics_period_changelist"))
    expect(page.get_by_text(LONG_NAME)).to_be_visible()
    check_page()
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_text("Transcription done")).to_be_visible()
    check_page()
    page.goto(reverse("admin:metrics_counter_changelist"))
    expect(page.get_by_role("cell", name="Voice notes received")).to_be_visible()
    check_page()


def test_an_administrator_starts_a_job_and_sees_how_the_last_ones_went(
    page, busy, administrator, check_page, sign_in, look
):
    sign_in(administrator)
    page.goto(reverse("admin:metrics_jobrun_changelist"))
    check_page()
    page.locator(f"button[value='{HOURLY}']").click()
    expect(page.get_by_text(f"{HOURLY} starts as soon as a worker is free.")).to_be_visible()
    expect(page.get_by_text("lacks the events of 1 club")).to_be_visible()


def test_a_figures_rows_are_listed_with_what_they_were_narrowed_by(
    page, live_server, administrator, check_page, sign_in, look
):
    make_note(received_at=NOON)
    sign_in(administrator)
    span = "received_in=2026-11-20T12%3A00%3A00~2026-11-20T13%3A00%3A00"
    page.goto(f"{reverse('admin:voicepipeline_artifact_changelist')}?{span}")
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_role("link", name="20 Nov 2026, 12:00 to 20 Nov 2026, 13:00 (UTC)")).to_be_visible()
    check_page()
