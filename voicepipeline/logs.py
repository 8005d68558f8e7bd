"""One JSON line per log entry, with the request's id, and with secrets and phone numbers taken out."""

import logging
import logging.config
import re
from collections.abc import Mapping
from typing import Any

import structlog
from django.http import HttpRequest
from structlog.typing import EventDict, WrappedLogger

HIDDEN = "•••"
SECRET_KEYS = re.compile(r"passw|secret|token(?!s)|api_?key|authorization|cookie|session", re.IGNORECASE)
SECRET_TEXTS = (
    (re.compile(r"(\w+://[^\s:/@]*):\S+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(sk-|(?:Bearer|Basic)\s+)[\w.\-+/=]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    # name=value, name: value and "name": "value", as in addresses, connection strings and dumped dictionaries.
    (
        re.compile(
            r"""(\w*(?:passw|secret|token(?!s)|api_?key)\w*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"'&,;)}]+)""", re.I
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
        structlog.processors.format_exc_info,
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
                # A line a call, and at DEBUG the headers of every answer.
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
