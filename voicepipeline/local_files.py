"""Secrets that an installation generates for itself and keeps in its `var` folder."""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def read_or_create_secret(path: Path) -> str:
    """The secret in this file; made at random, readable by its owner alone, when there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create_once(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path.parent} is not writable for this user ({error.strerror}). "
            "Give this user the folder, or name another one in VAR_DIR."
        ) from error


def _create_once(path: Path) -> None:
    """Write under a private name, then link: another process sees the whole secret or no file at all."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
