"""What broke and where, without an exception's own words: they hold what it choked on, be it a row or a transcript."""

import functools
import os
import traceback
from collections.abc import Callable, Iterator
from typing import ParamSpec

import psycopg
from django_q.exceptions import TimeoutException

P = ParamSpec("P")

MOST_CAUSES = 10
MOST_WORDS = 300
# Shorter texts are words such as "'id'" that stand anywhere.
SHORTEST_REPEATED = 4


class JobFailed(Exception):
    """A job broke; the text is ours."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """This error, what it was raised from, and so on, as a traceback would show them."""
    following: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if following is None:
            return
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def traceback_of(error: BaseException) -> str:
    """The first cause first, each with its frames, its type and such facts as hold nobody's words."""
    parts = [f"{''.join(traceback.format_tb(each.__traceback__))}{what(each)}" for each in causes(error)]
    return "\nwhich led to:\n".join(reversed(parts))


def what(error: BaseException) -> str:
    """The error's type, and what is known of it that can be told."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    facts = _facts(error)
    return f"{name}: {facts}" if facts else name


def _facts(error: BaseException) -> str:
    if isinstance(error, psycopg.Error):
        return _database_facts(error)
    if isinstance(error, OSError) and isinstance(error.errno, int):
        return os.strerror(error.errno)
    return ""


def _database_facts(error: psycopg.Error) -> str:
    if error.sqlstate:
        diagnosis = error.diag
        named = (diagnosis.table_name, diagnosis.column_name, diagnosis.constraint_name)
        return ", ".join([f"SQLSTATE {error.sqlstate}", *(name for name in named if name)])
    # Of a connection that could not be made or was lost; no statement has part in it.
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return str(error)[:MOST_WORDS] if lost else ""


def without_words_of(error: BaseException, text: str) -> str:
    """This text, in which somebody has repeated what the error says, with its type in that place."""
    for each in causes(error):
        words = str(each)
        if len(words) >= SHORTEST_REPEATED:
            text = text.replace(words, type(each).__qualname__)
    return text


def job(entry: Callable[P, None]) -> Callable[P, None]:
    """For jobs: django-q writes the words of whatever they raise into its table and into the log."""

    @functools.wraps(entry)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            entry(*args, **kwargs)
        except TimeoutException:
            raise TimeoutException("The job took longer than it may.") from None
        except Exception as error:
            raise JobFailed(traceback_of(error)) from None

    return wrapper
