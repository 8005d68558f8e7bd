"""Jobs that run by the clock: owned by the code, started by hand by administrators, each run leaving its mark."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.signing import SignedPackage

from tests.factories import make_user
from voicepipeline import registry as registry_module
from voicepipeline import roles
from voicepipeline.models import ScheduledJob
from voicepipeline.operations.schedules import perform_scheduled_job, run_schedule_now, write_schedules

pytestmark = pytest.mark.django_db
NAME = "Tidy up"


def broken():
    raise ZeroDivisionError


@pytest.fixture
def broken_job():
    registry = registry_module.registry
    registry.add_schedule(registry_module.Schedule("Broken", f"{__name__}.broken", "0 0 * * *", "Breaks."))
    yield "Broken"
    del registry.schedules["Broken"]


def test_migrating_writes_the_schedules():
    row = Schedule.objects.get(name=NAME)
    assert (row.func, row.args) == ("voicepipeline.tasks.run_scheduled_job", "('Tidy up',)")
    assert row.next_run > timezone.now()


def test_writing_again_changes_nothing():
    assert write_schedules() == 0


@pytest.mark.parametrize(
    "edit",
    [
        {"func": "os.system"},
        {"args": "'rm -rf /'"},
        {"kwargs": "nonsense("},
        {"cron": "* * * * *"},
        {"schedule_type": Schedule.ONCE},
        {"repeats": 3},
        {"hook": "os.system"},
        {"next_run": timezone.now() + timedelta(days=900)},
    ],
)
def test_a_schedule_edited_by_hand_is_mended(edit):
    before = Schedule.objects.values().get(name=NAME)
    Schedule.objects.filter(name=NAME).update(**edit)
    assert write_schedules() == 1
    assert Schedule.objects.values().get(name=NAME) == before


def test_a_deleted_schedule_comes_back():
    Schedule.objects.filter(name=NAME).delete()
    assert write_schedules() == 1
    assert Schedule.objects.filter(name=NAME).count() == 1


def test_what_the_code_does_not_know_is_deleted():
    Schedule.objects.create(name="Mine", func="os.system")
    Schedule.objects.create(name=NAME, func="os.system")
    assert write_schedules() == 2
    assert set(Schedule.objects.values_list("name", flat=True)) == set(registry_module.registry.schedules)


@pytest.mark.django_db(transaction=True)
def test_an_administrator_starts_a_job_at_once():
    write_schedules()
    by = make_user(roles.ADMINISTRATOR)
    assert run_schedule_now(NAME, by=by, now=timezone.now()).done
    (task,) = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    assert (task["func"], task["args"]) == ("voicepipeline.tasks.run_scheduled_job", (NAME,))
    assert ScheduledJob.objects.get(name=NAME).requested_by == by


def test_pressing_twice_starts_one_run():
    by, now = make_user(roles.ADMINISTRATOR), timezone.now()
    assert run_schedule_now(NAME, by=by, now=now).done
    assert not run_schedule_now(NAME, by=by, now=now + timedelta(seconds=5)).done
    assert run_schedule_now(NAME, by=by, now=now + timedelta(minutes=2)).done


def test_an_unknown_job_is_refused_in_words():
    outcome = run_schedule_now("os.system", by=make_user(roles.ADMINISTRATOR), now=timezone.now())
    assert (outcome.done, outcome.message) == (False, "There is no scheduled job with this name.")


@pytest.mark.parametrize("role", [None, roles.VIEWER, roles.OPERATOR])
def test_others_start_nothing(role):
    with pytest.raises(PermissionDenied):
        run_schedule_now(NAME, by=make_user(role), now=timezone.now())
    assert not ScheduledJob.objects.exists()


def test_a_run_leaves_when_it_ended_and_how():
    perform_scheduled_job(NAME)
    job = ScheduledJob.objects.get(name=NAME)
    assert job.last_succeeded is True
    assert job.last_started_at <= job.last_finished_at


def test_a_run_that_breaks_is_marked_and_told(broken_job):
    with pytest.raises(ZeroDivisionError):
        perform_scheduled_job(broken_job)
    assert ScheduledJob.objects.get(name=broken_job).last_succeeded is False


def test_a_job_that_this_code_does_not_know_is_left_alone():
    perform_scheduled_job("From a newer release")
    assert not ScheduledJob.objects.exists()


def test_the_watchdog_mends_schedules():
    Schedule.objects.filter(name=NAME).update(func="os.system")
    registry_module.registry.ticks["schedules"].run()
    assert Schedule.objects.get(name=NAME).func == "voicepipeline.tasks.run_scheduled_job"
