"""How many doorbells may wait."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from tests.engine.helpers import make_artifact, scheduled
from voicepipeline.engine import doorbell
from voicepipeline.models import StageRun

pytestmark = pytest.mark.django_db


def test_doorbells_that_died_with_their_cluster_take_no_room(settings):
    """They stay in the table, locked, until django-q hands them out again after minutes."""
    settings.WORKERS = 2
    taken = timezone.now() + timedelta(seconds=settings.Q_CLUSTER["retry"])
    OrmQ.objects.bulk_create(OrmQ(key="voicepipeline", payload="-", lock=taken) for _ in range(50))
    run = scheduled(make_artifact())
    StageRun.objects.filter(pk=run.pk).update(rung_at=None, ring_count=0)
    assert doorbell.may_ring_directly()
    assert doorbell.ring_due(timezone.now()) == 1
