"""The problems of a time on the page Pipeline, each with the way to retry its notes."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from retry.group_queries import worst_problems
from retry.problem_words import whose, words_of
from voicepipeline.models import StageName

RANGES = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
USUAL_RANGE = "24h"
PROBLEM = "admin:retry_failuregroup_change"
MOST_SHOWN = 20


def problems(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Of the chosen stage, or of all of them."""
    stage = request.GET.get("stage", "")
    stage = stage if stage in StageName.values else ""
    chosen = request.GET.get("range", "")
    chosen = chosen if chosen in RANGES else USUAL_RANGE
    seen_since = now - RANGES[chosen][1]
    return {
        "ranges": [
            {"words": words, "url": _address(stage, key), "is_chosen": key == chosen}
            for key, (words, _) in RANGES.items()
        ],
        "stage": StageName(stage).label if stage else "",
        "rows": [
            {
                "title": words_of(group.error_code).title,
                "stage": group.get_stage_display(),
                "whose": whose(group),
                "last_seen_at": group.last_seen_at,
                "url": reverse(PROBLEM, args=[group.fingerprint]),
            }
            for group in worst_problems(MOST_SHOWN, now=now, stage=stage, seen_since=seen_since)
        ],
    }


def _address(stage: str, chosen: str) -> str:
    query = {"range": chosen, **({"stage": stage} if stage else {})}
    return f"{reverse('admin:pipeline')}?{urlencode(query)}#panel-problems"
