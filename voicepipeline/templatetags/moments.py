"""Moments as `<time>` elements: words for everybody, which the script tells again in the reader's own zone."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voicepipeline.durations import in_words

register = template.Library()


@register.filter
def ago(when: datetime) -> SafeString:
    """For how long since: "12 s"; exactly when is told on hover."""
    return _time(when, "data-ago", in_words(timezone.now() - when))


@register.filter
def clock(when: datetime) -> SafeString:
    """The time of day, with the date when it is another day."""
    told = when.astimezone(UTC)
    today = told.date() == timezone.now().astimezone(UTC).date()
    return _time(when, "data-clock", f"{told:%H:%M}" if today else f"{told.day} {told:%b}, {told:%H:%M}")


def _time(when: datetime, kind: str, words: str) -> SafeString:
    told = when.astimezone(UTC)
    exact = f"{told.day} {told:%b} {told.year}, {told:%H:%M:%S} UTC"
    return format_html('<time datetime="{}" {} title="{}">{}</time>', told.isoformat(), kind, exact, words)
