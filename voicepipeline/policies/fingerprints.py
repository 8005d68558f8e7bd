"""When two failures are the same problem."""

import hashlib
import re

VARYING = (
    re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
    re.compile(r"\b(?=[a-z]*\d)[0-9a-z]{16,}\b"),
    re.compile(r"\d+([.,]\d+)*"),
)


def fingerprint(stage: str, code: str, message: str) -> str:
    """The same for failures that differ only in ids and numbers."""
    text = message.casefold()
    for pattern in VARYING:
        text = pattern.sub("#", text)
    return hashlib.sha256("\n".join((stage, code, " ".join(text.split()))).encode()).hexdigest()[:16]
