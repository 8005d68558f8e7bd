"""One JSON line per log entry, with the request's id, and with secrets and phone numbers taken out."""

import logging
import logging.config
import re
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from django.http import HttpRequest
from structlog.typing import EventDict, WrappedLogger

from voicepipeline.tracebacks import traceback_of, what, without_words_of

HIDDEN = "•••"
SECRET_KEYS = re.compile(r"passw|secret|token(?!s)|api_?key|authorization|cookie|session", re.IGNORECASE)
SECRET_TEXTS = (
    (re.compile(r"(\w+://[^\s:/@]*):\S+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(sk-|vp_[0-9a-f]{8}_|(?:Bearer|Basic)\s+)[\w.\-+/=]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    # name=value, name: value and "name": "value", as in addresses, connection strings and dumped dictionaries.
    (
        re.compile(
            r"""(\w{0,40}(?:passw|secret|token(?!s)|api_?key)\w*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"'&,;)}]+)""", re.I
        ),
        rf"\1{HIDDEN}",
    ),
    # A phone number: a plus sign or a leading zero, then eight digits or more, with the usual separators;
    # or eleven to fifteen digits in a row, as messengers write it.
    (re.compile(r"(?<![\w-])(\+|0)\d[\d ()./-]{6,}\d(?![\w-])"), HIDDEN),
    (re.compile(r"(?<![\w.-])\d{11,15}(?![\w-]|\.\d)"), HIDDEN),
)
MAX_TEXT = 4_000


def clean(text: str) -> str:
    """This text without passwords in addresses, keys and phone numbers, and not longer than a line should be."""
    for pattern, replacement in SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    if len(text) <= MAX_TEXT:
        return text
    # A traceback says where at its beginning and what at its end.
    return f"{text[: MAX_TEXT // 2]} … {text[-MAX_TEXT // 2 :]}"


def _clean_value(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if SECRET_KEYS.search(key):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(name): _clean_value(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean_value(key, inner) for inner in value]
    if isinstance(value, BaseException):
        return what(value)
    if isinstance(value, HttpRequest):
        # Its address without the query: people search by names and phone numbers.
        return clean(f"{value.method} {value.path}")
    # Whatever else it is, the renderer would write its text.
    return clean(value if isinstance(value, str) else str(value))


def _redact(logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
    return {key: _clean_value(key, value) for key, value in entry.items()}


def _add_request_id(logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
    """Django writes 4xx answers to the log after the middleware has unbound the id; the request itself has it."""
    request = entry.get("request")
    if "request_id" not in entry and isinstance(request, HttpRequest):
        entry["request_id"] = request.META.get("REQUEST_ID")
    return entry


def _tell_exception(logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
    """Type, place and cause of an error; its own words stay out, also where the message repeats them."""
    given = entry.pop("exc_info", None)
    given = sys.exc_info() if given is True else given
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        entry["exception"] = traceback_of(error)
        for name in {"event", "message"} & entry.keys():
            entry[name] = without_words_of(error, str(entry[name]))
    return entry


def formatter(style: str) -> logging.Formatter:
    """One line an entry, whoever wrote it; what is secret goes last, once exceptions have become text."""
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if style == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_chain(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _add_request_id, _redact, renderer],
    )


def _chain() -> list[Any]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tell_exception,
    ]


def configure(*, level: str, style: str) -> None:
    """Send everything, Django's and the libraries' entries too, through one chain to standard error."""
    chain = _chain()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": formatter, "style": style}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            # django-q logs two lines a task; the event log tells the same better.
            "loggers": {
                "django-q": {"level": "WARNING"},
                "django.utils.autoreload": {"level": "WARNING"},
                "axes": {"level": "WARNING"},
                # Statements with all they hold, whenever somebody has set DEBUG.
                "django.db.backends": {"level": "INFO"},
                # A page of traceback for every variable that a template may do without.
                "django.template": {"level": "INFO"},
                # A line a call, and at DEBUG the headers of every answer.
                "openai": {"level": "WARNING"},
                "httpx2": {"level": "WARNING"},
                "httpcore2": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            *chain[:1],
            structlog.stdlib.filter_by_level,
            *chain[1:],
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def log_uncaught() -> None:
    """What nothing has caught goes through the log as well, unless a person is watching; for whole processes."""

    def tell(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is None or not issubclass(kind, Exception) or sys.stderr.isatty():
            sys.__excepthook__(kind, error or kind(), traceback)
        else:
            logging.getLogger(__name__).critical("nothing caught an error", exc_info=(kind, error, traceback))

    sys.excepthook = tell
    threading.excepthook = lambda thread: tell(thread.exc_type, thread.exc_value, thread.exc_traceback)
