"""Threads that each keep a database connection of their own and begin at the same instant."""

import threading
from collections.abc import Callable, Sequence

from django.db import connections

PATIENCE_SECONDS = 120


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each of them has returned or raised, in their order."""
    barrier = threading.Barrier(len(acts), timeout=PATIENCE_SECONDS)
    outcomes: list[object] = [None] * len(acts)

    def member(number: int, act: Callable[[], object]) -> None:
        try:
            connections["default"].ensure_connection()
            barrier.wait()
            outcomes[number] = act()
        except BaseException as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=member, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return outcomes


def raised(outcomes: Sequence[object]) -> list[object]:
    return [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
