"""Keeping a lease alive while its worker works."""

import logging
import threading
from types import TracebackType

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import DateTimeField, F
from django.db.models.expressions import Func, Value
from django.db.models.functions import Least

from voicepipeline.engine.claiming import Claim
from voicepipeline.engine.limits import limits
from voicepipeline.models import StageRun

logger = logging.getLogger(__name__)


class ClockTimestamp(Func):
    """PostgreSQL's clock at this statement, not at the start of the transaction."""

    function = "clock_timestamp"
    output_field = DateTimeField()


def extend_lease(claim: Claim) -> bool:
    """Move the lease's end forward, never past the hard deadline; False when the run is no longer this claim's."""
    lease = Value(limits().lease)
    later = Least(ClockTimestamp() + lease, F("hard_deadline"), output_field=DateTimeField())
    return bool(StageRun.objects.mine(claim.run_id, claim.token).update(lease_until=later))


class Heartbeat:
    """Extends a claim's lease from a thread of its own until the block ends.

    The thread opens its connection only when the first beat is due: most runs are over before.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.over = threading.Event()

    def __enter__(self) -> "Heartbeat":
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.over.set()

    def _beat(self) -> None:
        pause = limits().heartbeat.total_seconds()
        try:
            while not self.over.wait(pause):
                try:
                    if not extend_lease(self.claim):
                        return
                except (DatabaseError, InterfaceError) as error:
                    # The next beat tries a fresh connection; the worker goes on with its work.
                    logger.warning("heartbeat missed", extra={"run": self.claim.run_id, "kind": type(error).__name__})
                    connection.close()
        finally:
            connection.close()
