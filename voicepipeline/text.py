"""Making text from outside fit for the database: bounded, and free of what PostgreSQL refuses."""


def safe_text(text: str, limit: int) -> str:
    """This text without NUL and lone surrogates, cut to this many characters with an ellipsis."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def row_number(text: str) -> int | None:
    """The number of a row that somebody named; None for what cannot be one, and for more digits than one can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
