"""One JSON line per log entry, with the request's id, and with secrets and phone numbers taken out."""

import logging.config
import re
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

SECRET_KEYS = re.compile(r"passw|secret|token|api_?key|authorization|cookie|session", re.IGNORECASE)
SECRET_TEXTS = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@]+@"), r"\1:•••@"),
    (re.compile(r"\b(sk-|Bearer\s+)[\w.\-]{8,}"), r"\1•••"),
    # A phone number: a plus sign or a leading zero, then eight digits or more, with the usual separators.
    (re.compile(r"(?<![\w-])(\+|0)\d[\d ()./]{6,}\d(?![\w-])"), "•••"),
)
MAX_TEXT = 4_000


def clean(text: str) -> str:
    """This text without passwords in addresses, keys and phone numbers, and not longer than a line should be."""
    for pattern, replacement in SECRET_TEXTS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _redact(logger: WrappedLogger, method: str, entry: EventDict) -> EventDict:
    for key, value in entry.items():
        if SECRET_KEYS.search(key):
            entry[key] = "•••"
        elif isinstance(value, str):
            entry[key] = clean(value)
    return entry


def configure(*, level: str, style: str) -> None:
    """Send everything, Django's and the libraries' entries too, through one chain to standard error."""
    chain: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer = structlog.dev.ConsoleRenderer(colors=False) if style == "text" else structlog.processors.JSONRenderer()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": chain,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        _redact,
                        renderer,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            # django-q logs two lines a task; the event log tells the same better.
            "loggers": {"django-q": {"level": "WARNING"}, "django.utils.autoreload": {"level": "WARNING"}},
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
