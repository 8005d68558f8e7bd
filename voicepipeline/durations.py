"""Lengths of time in words, as people say them."""

from datetime import timedelta

MINUTE, HOUR, DAY = 60, 3600, 86_400


def in_words(length: timedelta) -> str:
    """Whole units that have passed: 40 ms, 4 s, 12 min, 3 h 5 min, 2 days."""
    seconds = max(0.0, length.total_seconds())
    if seconds < 1:
        return f"{int(seconds * 1000)} ms"
    if seconds < MINUTE:
        return f"{int(seconds)} s"
    if seconds < HOUR:
        return f"{int(seconds // MINUTE)} min"
    if seconds < DAY:
        hours, rest = divmod(int(seconds), HOUR)
        minutes = rest // MINUTE
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = int(seconds // DAY)
    return f"{days} day{'' if days == 1 else 's'}"


def to_two_digits(milliseconds: float) -> str:
    """As close as anybody compares them: 450 ms, 4.2 s, 1 min 20 s, 12 min, 3 h 5 min."""
    seconds = milliseconds / 1000
    if round(milliseconds) < 1000:
        return f"{milliseconds:.0f} ms"
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    if round(seconds) < MINUTE:
        return f"{seconds:.0f} s"
    if round(seconds) < 10 * MINUTE:
        minutes, rest = divmod(round(seconds), MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return in_words(timedelta(minutes=round(seconds / MINUTE)))
