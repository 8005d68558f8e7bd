"""What a process that writes events does: transactions of several flushes, parts of which it takes back."""

import os
import signal
from datetime import timedelta
from random import Random

from django.db import connection, transaction
from django.utils import timezone

from voicepipeline.events import NewEvent, log_events

TYPES = ("artifact_received", "artifact_completed", "artifact_failed", "claims_extracted", "transcription_started")


def write_once(random, club_ids):
    """One transaction with several flushes in any order; some savepoints and some of the whole are rolled back."""
    with transaction.atomic():
        for _ in range(random.randrange(1, 5)):
            with transaction.atomic():
                log_events(_event(random, club_ids) for _ in range(random.randrange(1, 6)))
                transaction.set_rollback(random.random() < 0.2)
        transaction.set_rollback(random.random() < 0.2)


def _event(random, club_ids):
    return NewEvent(
        event_type=random.choice(TYPES),
        organization_id=random.choice(club_ids),
        timestamp=timezone.now() - timedelta(minutes=random.randrange(20)),
    )


def write_until_killed(surroundings, seed, club_ids, die_after):
    """In a process of its own: after so many transactions it kills itself in the middle of one."""
    surroundings.enter()
    random = Random(seed)
    for _ in range(die_after):
        write_once(random, club_ids)
    with transaction.atomic():
        log_events(_event(random, club_ids) for _ in range(3))
        with connection.cursor() as cursor:
            cursor.execute("SAVEPOINT never_released")
        log_events([_event(random, club_ids)])
        os.kill(os.getpid(), signal.SIGKILL)
