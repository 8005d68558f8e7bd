"""Making text from outside fit for a column: bounded, and free of what PostgreSQL refuses."""


def safe_text(text: str, limit: int) -> str:
    """This text without NUL and lone surrogates, cut to this many characters with an ellipsis."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
