"""Values that people type, turned into settings or into a sentence that says what is wrong with them."""

import contextlib
import ipaddress
from collections.abc import Collection
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

POSTGRESQL_SCHEMES = ("postgresql", "postgres", "pgsql", "psql")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("json", "text")
OPENAI = "https://api.openai.com/v1"
SIMULATOR = "http://127.0.0.1:8741/v1"
Limits = TypeVar("Limits", bound="DataclassInstance")


def whole_number(name: str, value: object, lowest: int, highest: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = None
    if number is None or not lowest <= number <= highest:
        raise ImproperlyConfigured(f"{name} must be a whole number from {lowest} to {highest}, not {value}.")
    return number


def changed_limits(name: str, kind: type[Limits], given: Any) -> Limits:
    """The defaults of this dataclass, changed where this setting says so by their names, durations in seconds."""
    if not isinstance(given, dict):
        raise TypeError(f"{name} must be a dict of limits by their names.")
    kinds = {field.name: field.type for field in fields(kind)}
    unknown = given.keys() - kinds.keys()
    if unknown:
        raise ValueError(f"{name} has no limit called {', '.join(sorted(unknown))}.")
    return kind(
        **{each: timedelta(seconds=value) if kinds[each] is timedelta else int(value) for each, value in given.items()}
    )


def one_of(name: str, value: str, choices: Collection[str]) -> str:
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value}.")
    return value


def yes_or_no(name: str, value: str) -> bool:
    """Unlike django-environ, which takes a misspelt word for no."""
    word = value.strip().lower()
    if word not in ("", "true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"):
        raise ImproperlyConfigured(f"{name} must be yes or no, not {value}.")
    return word in environ.Env.BOOLEAN_TRUE_STRINGS


def site_address(value: str) -> SplitResult:
    try:
        address = urlsplit(value)
        usable = address.scheme in ("http", "https") and address.hostname and (address.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise ImproperlyConfigured("SITE_URL must be a full address such as https://backoffice.example.com.")
    return address


def provider_key(value: str) -> str:
    """A key that fits into a header. Itself it is in no message."""
    key = value.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ImproperlyConfigured("OPENAI_API_KEY must be one word of plain letters, digits and signs.")
    return key


def provider_address(value: str, *, simulated: bool) -> str:
    """Where the AI provider answers. Without a key that is this machine: no recording leaves it by mistake."""
    given = value.strip().rstrip("/") or (SIMULATOR if simulated else OPENAI)
    try:
        address = urlsplit(given)
        usable = address.scheme in ("http", "https") and address.hostname and (address.port or True)
    except ValueError:
        usable = False
    if not usable or address.username or address.password or address.query:
        raise ImproperlyConfigured("OPENAI_BASE_URL must be an address such as https://api.openai.com/v1.")
    if simulated and not is_loopback(address.hostname or ""):
        raise ImproperlyConfigured(
            "OPENAI_BASE_URL is set and OPENAI_API_KEY is not. Set both, or neither for the simulated provider."
        )
    return given


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def postgresql_database(url: str) -> dict[str, Any]:
    """Django's settings for this address. The address itself, which holds a password, is in no message."""
    database: dict[str, Any] = {}
    if url.partition("://")[0] in POSTGRESQL_SCHEMES:
        with contextlib.suppress(ImproperlyConfigured, TypeError, ValueError):
            database = environ.Env.db_url_config(url)
            int(database["PORT"] or 0)
    if not database.get("NAME"):
        raise ImproperlyConfigured(
            "DATABASE_URL must name a PostgreSQL database: postgresql://user:password@host/name."
        )
    return database
