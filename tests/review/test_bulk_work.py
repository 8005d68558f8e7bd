"""Work on many notes in the background: each once, whatever becomes of workers, doorbells and single notes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.engine.helpers import doorbells
from tests.faults.crashing import AfterCommit, BeforeCommit, crash
from tests.review.bulk_working import FULL_SPEED, LEFT, NOTE_BY_NOTE, begun, counts, go_on_in_a_child, seen_to
from tests.threads import at_once, raised
from voicepipeline.engine import stopping
from voicepipeline.engine.watchdog import Watchdog
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import BulkWork
from voicepipeline.operations import bulk_work
from voicepipeline.operations.bulk_work import MOST_REMARKS, NOT_FOUND, OTHER, UNEXPECTED, ring_quiet_work
from voicepipeline.tasks import work_in_bulk
from voicepipeline.tracebacks import JobFailed

pytestmark = pytest.mark.django_db

ENTRY_POINT = "voicepipeline.tasks.work_in_bulk"


@pytest.fixture(autouse=True)
def _full_speed(settings):
    settings.ENGINE = FULL_SPEED


@pytest.fixture
def stopping_cluster():
    stopping.note_cluster_stops()
    yield
    stopping.note_cluster_stops(False)


def bells():
    return [arguments for name, arguments in doorbells() if name == ENTRY_POINT]


def set_moved(work, **ago):
    BulkWork.objects.filter(pk=work.pk).update(moved_at=timezone.now() - timedelta(**ago))


def test_every_note_is_seen_to_once_and_counted():
    work = begun(4, n1=LEFT, n2=LEFT)
    work_in_bulk(work.pk)
    assert seen_to(work) == [1, 1, 1, 1]
    assert counts(work) == (4, 2, 2, 0)
    assert work.remarks == {LEFT: 2}
    assert work.finished_at is not None


def test_work_with_no_note_is_finished_at_once():
    work = begun(0)
    work_in_bulk(work.pk)
    assert counts(work) == (0, 0, 0, 0)
    assert work.finished_at is not None


def test_finished_work_stays_finished():
    work = begun(2)
    work_in_bulk(work.pk)
    work.refresh_from_db()
    finished = work.finished_at
    work_in_bulk(work.pk)
    assert seen_to(work) == [1, 1]
    work.refresh_from_db()
    assert work.finished_at == finished


def test_work_that_is_not_there_is_no_error():
    work_in_bulk(0)


def test_a_worker_is_rung_for_once_the_request_is_committed(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        work = begun(1)
        assert bells() == []
    assert bells() == [(work.pk,)]


def test_a_job_ends_when_its_time_is_up_and_the_next_begins_where_it_ended(settings):
    settings.ENGINE = NOTE_BY_NOTE
    work = begun(3)
    for job in range(1, 4):
        work_in_bulk(work.pk)
        assert seen_to(work) == [1] * job + [0] * (3 - job)
        assert bells() == [(work.pk,)] * job
        assert work.finished_at is None
    work_in_bulk(work.pk)
    assert counts(work) == (3, 3, 0, 0)
    assert work.finished_at is not None


def test_a_note_that_breaks_is_counted_and_told_and_left_as_it_was_and_the_rest_is_done(caplog):
    work = begun(3, n1="breaks")
    work_in_bulk(work.pk)
    assert seen_to(work) == [1, 0, 1]
    assert counts(work) == (3, 2, 0, 1)
    assert work.remarks == {UNEXPECTED: 1}
    assert work.finished_at is not None
    assert "bulk work on a note failed" in caplog.text


def test_a_lost_database_is_no_verdict_on_a_note():
    work = begun(3, n1="loses the database")
    with pytest.raises(JobFailed):
        work_in_bulk(work.pk)
    assert counts(work) == (1, 1, 0, 0)
    BulkWork.objects.filter(pk=work.pk).update(selection={"notes": work.selection["notes"]})
    work_in_bulk(work.pk)
    assert seen_to(work) == [1, 1, 1]
    assert counts(work) == (3, 3, 0, 0)


def test_work_whose_notes_cannot_be_looked_up_ends_and_says_so():
    work = begun(2)
    BulkWork.objects.filter(pk=work.pk).update(selection={"unheard_of": 1})
    work_in_bulk(work.pk)
    assert counts(work) == (0, 0, 0, 1)
    assert work.remarks == {NOT_FOUND: 1}
    assert work.finished_at is not None


def test_work_of_a_kind_that_this_code_does_not_know_waits_for_code_that_does():
    work = begun(1)
    BulkWork.objects.filter(pk=work.pk).update(kind="of_the_future")
    work_in_bulk(work.pk)
    work.refresh_from_db()
    assert work.finished_at is None


def test_a_way_that_is_no_transaction_of_its_own_is_a_fault_of_our_code():
    work = begun(1)
    bulk_work.register("by_halves", lambda *_: work.selection["notes"], lambda *_: bulk_work.Handled(1, 0, {}))
    BulkWork.objects.filter(pk=work.pk).update(kind="by_halves")
    with pytest.raises(TypeError, match="no engine transaction"):
        bulk_work.go_on(work.pk)


def test_remarks_without_end_are_kept_in_bounds():
    work = begun(MOST_REMARKS + 5, **{f"n{place}": f"Remark {place}" for place in range(MOST_REMARKS + 5)})
    work_in_bulk(work.pk)
    work.refresh_from_db()
    assert len(work.remarks) == MOST_REMARKS + 1
    assert work.remarks[OTHER] == 5


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_rejecting_many_needs_a_reason(reason):
    with pytest.raises(InvalidTransition, match="Say why"):
        bulk_work.start_bulk_work(
            BulkWork.Kind.REJECT_ENTRIES, by=begun(0).requested_by, reason=reason, selection={}, expected=1
        )
    assert not BulkWork.objects.filter(kind="reject_entries").exists()


def test_a_stopping_worker_begins_no_further_note_and_the_watchdog_rings_at_once(stopping_cluster):
    work = begun(2)
    work_in_bulk(work.pk)
    assert seen_to(work) == [0, 0]
    assert bells() == []
    assert ring_quiet_work() == 1
    assert bells() == [(work.pk,)]


def test_the_watchdog_rings_for_what_has_not_moved_and_for_nothing_else():
    quiet, moving, finished = begun(1), begun(1), begun(1)
    work_in_bulk(finished.pk)
    for work in (quiet, finished):
        set_moved(work, seconds=61)
    set_moved(moving, seconds=50)
    assert ring_quiet_work() == 1
    assert bells() == [(quiet.pk,)]
    assert ring_quiet_work() == 0


def test_looking_for_quiet_work_is_among_what_the_watchdog_does():
    set_moved(begun(1), seconds=61)
    assert "bulk actions" in Watchdog().round().ticks
    assert len(bells()) == 1


@pytest.mark.django_db(transaction=True)
def test_two_watchdogs_ring_once():
    set_moved(begun(1), seconds=61)
    assert not raised(at_once(*[ring_quiet_work] * 2))
    assert len(bells()) == 1 + 1  # the first was rung when it was asked for


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_see_to_each_note_once_and_count_it_once():
    work = begun(12, n3="breaks", n5=LEFT)
    assert not raised(at_once(*[lambda: bulk_work.go_on(work.pk)] * 3))
    assert seen_to(work) == [1, 1, 1, 0, *[1] * 8]
    assert counts(work) == (12, 10, 1, 1)
    assert work.finished_at is not None


@pytest.mark.trial
@pytest.mark.django_db(transaction=True)
def test_workers_at_once_see_to_each_note_once_a_hundred_rounds_long():
    for _ in range(100):
        work = begun(6, n1="breaks", n4=LEFT)
        assert not raised(at_once(*[lambda pk=work.pk: bulk_work.go_on(pk)] * 3))
        assert seen_to(work) == [1, 0, 1, 1, 1, 1]
        assert counts(work) == (6, 4, 1, 1)


@pytest.mark.trial
@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("commit", range(1, 6))
@pytest.mark.parametrize("moment", [BeforeCommit, AfterCommit])
def test_a_worker_killed_between_two_notes_has_lost_nothing_and_doubled_nothing(moment, commit):
    work = begun(4, n2="breaks")
    crash(moment(commit), go_on_in_a_child, work.pk)
    killed_before_the_end = commit < 5 or moment is BeforeCommit
    set_moved(work, seconds=61)
    assert ring_quiet_work() == int(killed_before_the_end)
    work_in_bulk(work.pk)
    assert seen_to(work) == [1, 1, 0, 1]
    assert counts(work) == (4, 3, 0, 1)
    assert work.finished_at is not None
