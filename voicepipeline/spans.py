"""Spans of time as addresses have them: in UTC, from one moment until just before another."""

from datetime import UTC, datetime


def span_text(start: datetime, end: datetime) -> str:
    """This span of time as addresses have it, in UTC."""
    return "~".join(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") for moment in (start, end))


def span_in(text: str) -> tuple[datetime, datetime] | None:
    """The span that an address names, or None for anything else."""
    try:
        start, end = (datetime.fromisoformat(part) for part in text.split("~"))
    except ValueError:
        return None
    if start.tzinfo or end.tzinfo or not start < end:
        return None
    return start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)
