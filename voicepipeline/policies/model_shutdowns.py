"""Warning of a model that will soon not be there, before notes are put on hold for it."""

from datetime import date, timedelta

WARN_BEFORE = timedelta(days=90)


def shutdown_caution(model: str, setting: str, *, shutdown_on: date | None, offered: bool = True, today: date) -> str:
    """What to tell people about this model, and what to do; empty while there is nothing to do."""
    advice = f"Name another in {setting}."
    if shutdown_on is not None and shutdown_on <= today:
        return f"The AI provider shut the model {model} down on {_day(shutdown_on)}. {advice}"
    if not offered:
        return f"The AI provider no longer offers the model {model}. {advice}"
    if shutdown_on is None or shutdown_on - today > WARN_BEFORE:
        return ""
    days = (shutdown_on - today).days
    when = "tomorrow" if days == 1 else f"in {days} days"
    return f"The AI provider shuts the model {model} down on {_day(shutdown_on)}, {when}. {advice}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
