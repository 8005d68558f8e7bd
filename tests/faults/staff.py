"""A person who retries whatever comes along, as fast as a person can, whatever else is going on."""

import random
import threading
from collections import Counter

from django.db import InterfaceError, OperationalError, connection

from retry.kinds import FAILED_STAGE
from retry.models import RetryAttempt, RetryKind
from retry.operations import RetryResult, retry
from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, User

PAUSE_SECONDS = 0.3
# What failed, if anything has, and the stages of whatever note it is, sometimes all of it.
WEIGHTS = {FAILED_STAGE: 3, RetryKind.FULL: 2, **{kind: 1 for kind in RetryKind if kind != RetryKind.FULL}}
# Of what a note holds they agree to lose everything.
ALL = 1_000


class Staff:
    """Runs in a thread of its own until it is told to stop; what no person should ever meet is kept in `trouble`."""

    def __init__(self, seed: int, user: User) -> None:
        self.chance = random.Random(seed)
        self.user = user
        self.said: Counter[str] = Counter()
        self.trouble: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="staff", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                result = self._retry()
            except (OperationalError, InterfaceError):
                self.said["the database is away"] += 1
                connection.close()
            except Exception as error:
                self.trouble.append(f"a retry broke: {error!r}")
            else:
                self.said[self._in_words(result)] += 1
        connection.close()

    def _retry(self) -> RetryResult | None:
        notes = list(Artifact.objects.order_by("pk").values_list("artifact_id", "status"))
        failed = [note for note, status in notes if status == Artifact.Status.FAILED]
        kind = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        found = failed if kind == FAILED_STAGE else [note for note, _ in notes]
        if not found:
            return None
        return retry(kind, self.chance.choice(found), by=self.user, reason="To see what happens.", agreed_to=ALL)

    def _in_words(self, result: RetryResult | None) -> str:
        if result is None:
            return "nothing to retry"
        if result.success:
            return "requested"
        ended = result.retry_attempt and result.retry_attempt.outcome
        return "not started" if ended == RetryAttempt.Outcome.NOT_STARTED else "refused"


def hire() -> User:
    return make_user(roles.ADMINISTRATOR, username="chaos")
