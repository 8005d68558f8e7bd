"""The problems of a time on the page Pipeline, and the way to retry what failed at the chosen stage."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, Min
from django.http import HttpRequest
from django.urls import reverse

from retry.kinds import FAILED_STAGE, RETRY_ARTIFACT
from retry.problem_words import words_of
from retry.worst_problems import whose, worst_problems
from voicepipeline.admin.lists import MOST_COUNTED
from voicepipeline.models import Artifact, StageName
from voicepipeline.queries import failed_since

RANGES = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
}
USUAL_RANGE = "24h"
NOTES, PROBLEM = "admin:voicepipeline_artifact_changelist", "admin:retry_failuregroup_change"
MOST_SHOWN = 20


def problems(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Of the chosen stage, or of all of them."""
    stage, chosen = _chosen(request)
    words, span = RANGES[chosen]
    found = worst_problems(MOST_SHOWN + 1, now=now, stage=stage, seen_since=now - span)
    user: Any = request.user
    return {
        "ranges": [
            {"key": key, "words": words, "url": _address(stage, key), "is_chosen": key == chosen}
            for key, (words, _) in RANGES.items()
        ],
        "range_words": f"the {words.lower()}",
        "stage": StageName(stage).label if stage else "",
        "failed": _failed(stage, chosen, now - span) if stage else None,
        "may_retry": user.has_perm(RETRY_ARTIFACT),
        "rows": [_row(group) for group in found[:MOST_SHOWN]],
        "are_more": len(found) > MOST_SHOWN,
        "all_url": f"{reverse('admin:retry_failuregroup_changelist')}?{urlencode({'stage': stage})}",
    }


def _chosen(request: HttpRequest) -> tuple[str, str]:
    """The stage and the time that the address names; nonsense is no stage, and the usual time."""
    stage, chosen = request.GET.get("stage", ""), request.GET.get("range", "")
    return stage if stage in StageName.values else "", chosen if chosen in RANGES else USUAL_RANGE


def _row(group: Any) -> dict[str, Any]:
    return {
        "title": words_of(group.error_code).title,
        "stage": group.get_stage_display(),
        "whose": whose(group),
        "last_seen_at": group.last_seen_at,
        "url": reverse(PROBLEM, args=[group.fingerprint]),
    }


def _failed(stage: str, chosen: str, since: datetime) -> dict[str, Any]:
    """The voice notes that failed at this stage and still do: how many, where they are listed, what is sent to retry.

    Their list makes the preview, of all that it shows.
    """
    notes = failed_since(Artifact.objects.filter(current_stage=stage), since)
    counted = notes.order_by()[: MOST_COUNTED + 1].aggregate(number=Count("pk"), first=Min("pk"))
    query = {"status": "failed", "stage": stage, "failed": chosen}
    fields = {"action": FAILED_STAGE, "index": 0, "select_across": 1, ACTION_CHECKBOX_NAME: counted["first"]}
    return {
        "number": counted["number"],
        "words": f"{MOST_COUNTED:,}+" if counted["number"] > MOST_COUNTED else f"{counted['number']:,}",
        "url": f"{reverse(NOTES)}?{urlencode(query)}",
        "fields": fields.items(),
    }


def _address(stage: str, chosen: str) -> str:
    query = {"range": chosen, **({"stage": stage} if stage else {})}
    return f"{reverse('admin:pipeline')}?{urlencode(query)}#panel-problems"
