from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_q.models import Task

from tests.factories import make_club, make_user
from tests.voicepipeline.test_pipeline_commands import make_beat
from voicepipeline.models import ClusterBeat, DroppedEvent, RosterImport
from voicepipeline.operations.tidying import Tidied, tidy_up

pytestmark = pytest.mark.django_db


def make_task(name, days):
    stopped = timezone.now() - timedelta(days=days)
    return Task.objects.create(id=name, name=name, func="x", started=stopped, stopped=stopped, success=False)


def test_what_is_old_goes_and_what_is_not_stays():
    now = timezone.now()
    for key, days in (("over", -1), ("valid", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(days=days))
    for days in (6, 8):
        make_beat(days * 24 * 3600)
    for days in (29, 31):
        make_task(f"task{days}", days)
        DroppedEvent.objects.create(event_type="x", reason="y", dropped_at=now - timedelta(days=days))
    given = {"organization": make_club(), "uploaded_by": make_user()}
    applied = {"applied_at": now, "applied_by": given["uploaded_by"]}
    for hours, fields in ((23, {}), (25, {}), (25, applied)):
        RosterImport.objects.create(**given, **fields, uploaded_at=now - timedelta(hours=hours))
    told = tidy_up(now=now)
    assert told == Tidied(sessions=1, clusters=1, queue_failures=1, dropped_events=1, roster_imports=1, api_requests=0)
    assert [row.applied_at is not None for row in RosterImport.objects.order_by("uploaded_at")] == [True, False]
    assert Session.objects.get().session_key == "valid"
    assert Task.objects.get().name == "task29"
    assert ClusterBeat.objects.count() == DroppedEvent.objects.count() == 1


def test_tidying_a_tidy_house_does_nothing():
    assert tidy_up(now=timezone.now()) == Tidied(0, 0, 0, 0, 0, 0)
