"""Making text from outside fit for the database and for a sentence: bounded, and free of what harms either."""

# Marks that turn the direction in which the rest of a line is read.
TURNING = dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


def safe_text(text: str, limit: int) -> str:
    """This text without NUL and lone surrogates, cut to this many characters with an ellipsis."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def one_line(text: str, limit: int) -> str:
    """This text as a part of a sentence: in one line that leaves what stands beside it as it is, and cut to fit."""
    return safe_text(" ".join(text.translate(TURNING).split()), limit)


def row_number(text: str) -> int | None:
    """The number of a row that somebody named; None for what cannot be one, and for more digits than one can have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
