"""A system check: whoever guesses the token reads how the platform fares."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage

SHORTEST_TOKEN = 24


def check_token(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """A token that is too short to be safe, or that no header can carry."""
    token: str = settings.METRICS_TOKEN
    if not token:
        return []
    told = []
    if len(token) < SHORTEST_TOKEN:
        told.append(f"METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters.")
    if not token.isascii() or not token.isprintable() or " " in token:
        told.append("METRICS_TOKEN has characters that no Authorization header can carry.")
    hint = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
    return [checks.Warning(text, hint=hint, id="metrics.W001") for text in told]
