"""What a child process does that kills itself at a point of the engine. None of this runs in the test's own process.

The child is a process of its own, forked from a fresh one with Django set up; it works on the test's database, and
only in it the functions below are wrapped so that `kill -9` comes at exactly the moment that a name says.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any, NoReturn

from django.conf import settings
from django.db import OperationalError, connection

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.prepared"])
SECONDS_TO_DIE = 30


@dataclass(frozen=True)
class Surroundings:
    """What the child must know of the test's settings."""

    database: str
    engine: dict[str, float]
    stage_code: dict[str, str]

    @classmethod
    def here(cls) -> "Surroundings":
        return cls(connection.settings_dict["NAME"], settings.ENGINE, settings.STAGE_CODE)

    def enter(self) -> None:
        connection.settings_dict["NAME"] = self.database
        settings.ENGINE = self.engine
        settings.STAGE_CODE = self.stage_code


def crash(moment: Callable[[], None], act: Callable[..., Any], *arguments: object) -> None:
    """Let a child do this and die at that moment; returns when it has died of its own kill."""
    child = FORKS.Process(target=_child, args=(Surroundings.here(), moment, act, arguments))
    child.start()
    child.join(SECONDS_TO_DIE)
    try:
        assert child.exitcode == -signal.SIGKILL, f"it did not come to that point: exit code {child.exitcode}"
    finally:
        if child.exitcode is None:
            child.kill()
            child.join()


def act_in_child(moment: Callable[[], None], act: Callable[..., Any], *arguments: object) -> None:
    """Let a child do this to its end, whatever the moment brings."""
    child = FORKS.Process(target=_child, args=(Surroundings.here(), moment, act, arguments))
    child.start()
    child.join(SECONDS_TO_DIE)
    assert child.exitcode in (0, 1), f"it did not end by itself: {child.exitcode}"


def _child(
    surroundings: Surroundings, moment: Callable[[], None], act: Callable[..., Any], arguments: tuple[object, ...]
) -> None:
    surroundings.enter()
    moment()
    act(*arguments)


def die(*args: object, **kwargs: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


# --- Moments: called in the child, they set the trap -----------------------------------------------------------


@dataclass(frozen=True)
class BeforeCommit:
    """At the nth COMMIT of the child's main thread, with everything written and nothing kept."""

    number: int = 1

    def __call__(self) -> None:
        commits = iter(range(1, 1000))
        commit = connection.commit
        connection.commit = lambda: die() if next(commits) == self.number else commit()


@dataclass(frozen=True)
class AfterCommit:
    """Right after the nth COMMIT, before anything that waits for it, such as ringing."""

    number: int = 1

    def __call__(self) -> None:
        commits = iter(range(1, 1000))
        commit = connection.commit

        def commit_and_die() -> None:
            commit()
            if next(commits) == self.number:
                die()

        connection.commit = commit_and_die


@dataclass(frozen=True)
class AnswerLost:
    """The nth COMMIT is made, and the connection breaks before its answer arrives."""

    number: int = 1

    def __call__(self) -> None:
        commits = iter(range(1, 1000))
        commit = connection.commit

        def commit_unheard() -> None:
            commit()
            if next(commits) == self.number:
                connection.connection.close()
                raise OperationalError("the connection is lost")

        connection.commit = commit_unheard


@dataclass(frozen=True)
class Before:
    """When this function, given as module:name, is called."""

    path: str

    def __call__(self) -> None:
        module, name = _found(self.path)
        setattr(module, name, die)


@dataclass(frozen=True)
class After:
    """When this function has returned."""

    path: str

    def __call__(self) -> None:
        module, name = _found(self.path)
        function = getattr(module, name)

        @wraps(function)
        def call_and_die(*args: object, **kwargs: object) -> None:
            function(*args, **kwargs)
            die()

        setattr(module, name, call_and_die)


@dataclass(frozen=True)
class ByItself:
    """The note's script says `die`."""

    def __call__(self) -> None:
        pass


def _found(path: str) -> tuple[Any, str]:
    module, _, name = path.partition(":")
    return import_module(module), name


# --- What the child does ---------------------------------------------------------------------------------------


def watch_until_killed() -> None:
    from voicepipeline.engine.watchdog import Watchdog

    watchdog = Watchdog()
    while True:
        watchdog.round()
