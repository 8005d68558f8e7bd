"""How the engine changes things: one transaction, the artifact locked first, the database's clock."""

import contextlib
import functools
import logging
import uuid
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import DateTimeField, Func
from psycopg import errors

from voicepipeline.models import Artifact

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

MAX_COLLISIONS = 5
COLLISIONS = (errors.DeadlockDetected, errors.SerializationFailure)

_last_step: ContextVar[Callable[[Any], None] | None] = ContextVar("last_step", default=None)


def engine_transaction(operation: Callable[P, R]) -> Callable[P, R]:
    """Run as one transaction of its own, from the start again when the database ended it for a collision."""

    @functools.wraps(operation)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for collisions in range(1, MAX_COLLISIONS + 1):
            try:
                with transaction.atomic(durable=True):
                    result = operation(*args, **kwargs)
                    last_step = _last_step.get()
                    if last_step is not None:
                        last_step(result)
                    return result
            except OperationalError as error:
                if not isinstance(error.__cause__, COLLISIONS) or collisions == MAX_COLLISIONS:
                    raise
                logger.warning("transaction repeated after a collision", extra={"operation": operation.__name__})
        raise AssertionError("unreachable")

    return wrapper


@contextlib.contextmanager
def ending_with(step: Callable[[Any], None]) -> Iterator[None]:
    """The engine transaction in here is committed with this step or not at all; it comes last, and gets the result."""
    token = _last_step.set(step)
    try:
        yield
    finally:
        _last_step.reset(token)


def lock_artifact(artifact_pk: int) -> Artifact:
    """The artifact, read under the lock that orders everything about it."""
    artifact: Artifact = Artifact.objects.select_for_update(no_key=True, of=("self",)).get(pk=artifact_pk)
    return artifact


def lock_note(artifact_id: uuid.UUID) -> Artifact | None:
    """The same by the id that people use, with its recording; None when there is none."""
    notes = Artifact.objects.select_for_update(no_key=True, of=("self",)).select_related("voice_note")
    note: Artifact | None = notes.filter(artifact_id=artifact_id).first()
    return note


class ClockTimestamp(Func):
    """The database's clock beside a row that is read anyway."""

    function = "clock_timestamp"
    template = "%(function)s()"
    output_field = DateTimeField()


def check_keys_now() -> None:
    """Have the database look at what it would look at when the transaction commits, while it can be caught."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def database_now() -> datetime:
    """The moment that decides leases; ask after the lock is held, or it may be long past."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row: tuple[datetime] = cursor.fetchone()
        return row[0]
