"""An event of an hour that is final is refused and counted; all others come in as ever."""

import threading
from datetime import timedelta

import pytest
from django.db import NotSupportedError, connection, transaction
from django.utils import timezone

from metrics.models import Period, RefusedEvent
from metrics.periods import hold_period
from tests.factories import make_club
from tests.metrics.factories import hour, make_period
from voicepipeline.events import NewEvent, log_event, log_events
from voicepipeline.models import EventType, PipelineEvent
from voicepipeline.signals import events_logged

pytestmark = pytest.mark.django_db
DEADLINE = 20
# The same all through, whatever hour begins meanwhile.
BEGAN = timezone.now()


def old_hour(hours=50):
    return hour(BEGAN, back=hours)


def seal(start):
    make_period("hour", start, sealed_at=timezone.now())
    return start


def event_at(moment, **fields):
    return NewEvent(event_type=EventType.ARTIFACT_RECEIVED, timestamp=moment, **fields)


@pytest.mark.parametrize("into", [timedelta(), timedelta(minutes=59, seconds=59, microseconds=999_999)], ids=str)
def test_an_event_of_a_sealed_hour_is_refused_and_counted(into):
    start = seal(old_hour())
    assert log_events([event_at(start + into)]) == 0
    assert not PipelineEvent.objects.exists()
    refused = RefusedEvent.objects.get()
    assert (refused.period_start, refused.event_type) == (start, "artifact_received")
    assert abs(timezone.now() - refused.refused_at) < timedelta(minutes=1)


@pytest.mark.parametrize("away", [timedelta(microseconds=-1), timedelta(hours=1)], ids=["just before", "just after"])
def test_its_neighbours_are_open(away):
    assert log_events([event_at(seal(old_hour()) + away)]) == 1
    assert not RefusedEvent.objects.exists()


def test_an_old_hour_that_was_counted_but_not_for_good_is_open():
    make_period("hour", old_hour())
    assert log_events([event_at(old_hour())]) == 1


def test_the_rest_of_the_flush_goes_on():
    club, sealed = make_club(), seal(old_hour())
    announced = []

    def listen(events, **kwargs):
        announced.extend(events)

    events_logged.connect(listen)
    try:
        moments = [timezone.now(), sealed, old_hour(51), sealed + timedelta(minutes=5)]
        assert log_events([event_at(moment, organization_id=club.pk) for moment in moments]) == 2
    finally:
        events_logged.disconnect(listen)
    assert sorted(event.timestamp for event in announced) == sorted([moments[0], moments[2]])
    assert RefusedEvent.objects.count() == 2


def test_an_event_told_again_after_its_hour_was_sealed_is_a_repeat():
    event = event_at(old_hour())
    log_events([event])
    seal(old_hour())
    assert log_events([event]) == 0
    assert PipelineEvent.objects.count() == 1
    assert not RefusedEvent.objects.exists()


def test_what_is_rolled_back_was_not_refused():
    start = seal(old_hour())
    with transaction.atomic():
        log_events([event_at(start)])
        transaction.set_rollback(True)
    assert not RefusedEvent.objects.exists()


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Pacific/Apia"])
def test_hours_are_those_of_utc_whatever_the_connection_says(zone):
    start = seal(old_hour())
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
    moments = [start - timedelta(minutes=1), start, start + timedelta(minutes=59), start + timedelta(hours=1)]
    assert [log_events([event_at(moment)]) for moment in moments] == [1, 0, 0, 1]


def test_a_week_of_history_goes_in_where_nothing_is_sealed():
    moments = [old_hour(back) for back in range(8 * 24)]
    assert log_events([event_at(moment) for moment in moments]) == len(moments)


def test_a_row_beside_the_log_is_refused_as_well():
    start = seal(old_hour())
    columns = [field.column for field in PipelineEvent._meta.local_fields if field.name not in ("id", "event_id")]
    log_events([event_at(old_hour(51))])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO voicepipeline_pipelineevent (event_id, {', '.join(columns)}) SELECT gen_random_uuid(),"
            f" {', '.join('%s' if name == 'timestamp' else name for name in columns)} FROM voicepipeline_pipelineevent",
            [start],
        )
        assert cursor.rowcount == 0
    assert RefusedEvent.objects.get().event_type == "artifact_received"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_who_would_not_see_that_an_hour_was_sealed_may_not_write_into_old_hours(isolation):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        assert log_event("artifact_received") == 1
        with pytest.raises(NotSupportedError):
            log_events([event_at(old_hour())])
    assert PipelineEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("age", "locks"), [(timedelta(hours=2, minutes=59), 0), (timedelta(hours=3, minutes=1), 1)], ids=str
)
def test_only_who_writes_into_an_hour_long_over_takes_its_lock(age, locks):
    log_events([event_at(timezone.now() - age)] * 2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (locks,)


def in_thread(act):
    def run():
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def wait_until_somebody_waits_for_a_lock():
    give_up = timezone.now() + timedelta(seconds=DEADLINE)
    while timezone.now() < give_up:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")


@pytest.mark.django_db(transaction=True)
def test_who_comes_while_an_hour_is_being_sealed_waits_and_is_refused():
    start = old_hour()
    with transaction.atomic():
        assert hold_period("hour", start)
        writer = in_thread(lambda: log_events([event_at(start)]))
        wait_until_somebody_waits_for_a_lock()
        Period.objects.create(
            period_type="hour", period_start=start, aggregated_at=timezone.now(), sealed_at=timezone.now(), events=0
        )
    writer.join(DEADLINE)
    assert not PipelineEvent.objects.exists()
    assert RefusedEvent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_hour_that_is_being_written_to_is_busy_until_the_writer_commits():
    start, written, go_on = old_hour(), threading.Event(), threading.Event()

    def write():
        with transaction.atomic():
            log_events([event_at(start)])
            written.set()
            go_on.wait(DEADLINE)

    writer = in_thread(write)
    assert written.wait(DEADLINE)
    with transaction.atomic():
        held = hold_period("hour", start)
    go_on.set()
    writer.join(DEADLINE)
    assert not held
    with transaction.atomic():
        assert hold_period("hour", start)


@pytest.mark.django_db(transaction=True)
def test_writers_of_the_same_old_hours_do_not_wait_for_each_other():
    moments = [old_hour(), old_hour(51), old_hour(52)]
    with transaction.atomic():
        log_events([event_at(moment) for moment in moments])
        writer = in_thread(lambda: log_events([event_at(moment) for moment in reversed(moments)]))
        writer.join(DEADLINE)
        assert not writer.is_alive()
    assert PipelineEvent.objects.count() == 6
