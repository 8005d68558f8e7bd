"""A bulk retry that has been started: how far it is, what came of its voice notes, and what can be done about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from retry.admin.bulk_items import HELD, WORKED_ON, settled_last, under_way
from retry.admin.bulk_words import (
    NOTES,
    capital,
    deed_url,
    may_act_on,
    notes_page_of,
    paid,
    starter_of,
    state_of,
)
from retry.bulk.progress import Progress, progress_of
from retry.bulk.rights import why_its_starter_may_not
from retry.kinds import FAILED_STAGE, RETRY_ARTIFACT, label_of
from retry.limits import limits
from retry.models import BulkRetry, BulkRetryItem
from retry.words import amount, cost_in_words, time_in_words
from voicepipeline.admin.words import State, length, moment
from voicepipeline.masking import eyes_of
from voicepipeline.models import StageName

# Not worth a place when there are none.
SELDOM = ("On hold", "Replaced by a newer try")
PASSING = (*SELDOM, "Under way", "Not begun")
States, Items = BulkRetry.State, BulkRetryItem.State


@dataclass(frozen=True)
class Button:
    """One thing that somebody may do to it: a form that is sent, or a page that asks first."""

    key: str
    words: str
    icon: str
    url: str
    is_first: bool = False
    asks_first: bool = False


def body_of(request: HttpRequest, bulk: BulkRetry) -> dict[str, Any]:
    """What the part that refreshes itself shows."""
    found = progress_of(bulk)
    ended = found.succeeded + found.failed + found.superseded
    most = max(ended + found.requested + found.waiting, 1)
    return {
        "bulk": bulk,
        "state": _state(bulk, found),
        "lead": _lead(bulk, found),
        "state_reason": bulk.state_reason,
        "ended": ended,
        "most": most,
        "progress": f"{ended:,} of {amount(most, NOTES)}",
        "figures": list(_figures(bulk, found)),
        "on_hold": [(why, amount(number, NOTES)) for why, number in found.on_hold],
        "waits_for": found.waits_for,
        "problems": _problems(bulk, found),
        "under_way": under_way(bulk) if found.requested else [],
        "settled": settled_last(bulk) if ended else [],
        "all_url": notes_page_of(bulk),
        "facts": list(_facts(bulk, found)),
        "reason": eyes_of(request.user).text(bulk.reason),
        "buttons": list(_buttons(request.user, bulk, found)),
        "many_kinds": bulk.kind == FAILED_STAGE,
    }


def _state(bulk: BulkRetry, found: Progress) -> State:
    """One that moves but whose notes all wait for the AI service is told as what it is."""
    if found.waits_for or (bulk.state in BulkRetry.MOVING and 0 < found.requested == _held(found)):
        return State("on_hold", "On hold")
    if bulk.state == States.FINISHED and found.failed:
        return State("completed", f"Finished, {found.failed:,} failed again")
    return state_of(bulk, timezone.now())


def _lead(bulk: BulkRetry, found: Progress) -> str:
    first = limits().tried_first
    match bulk.state:
        case States.TRYING:
            return (
                f"The first {first} are tried. The others follow by themselves once these have ended, "
                "unless the same problem comes back."
            )
        case States.RUNNING:
            return "It goes on by itself, a few at a time: fresh voice notes keep their place. You can leave this page."
        case States.PAUSED:
            return "Nothing new is begun until somebody resumes it. What is under way goes on to its end."
        case States.HALTED:
            return "Nothing new is begun. Mend what is wrong first, then resume it with a few, or stop it for good."
        case States.STOPPED:
            return f"It was stopped for good; {_left(found.waiting)} as before."
    return "Every voice note has its end."


def _left(number: int) -> str:
    return f"{amount(number, NOTES)} {'stays' if number == 1 else 'stay'}"


def _figures(bulk: BulkRetry, found: Progress) -> Iterator[tuple[str, str, str, str]]:
    """Each count with its page of voice notes and the key of its colour."""
    held = _held(found)
    rows = [
        ("Succeeded", found.succeeded, Items.SUCCEEDED, "good"),
        ("Failed again", found.failed, Items.FAILED, "bad"),
        ("Under way", found.requested - held, WORKED_ON, ""),
        ("On hold", held, HELD, "held"),
        ("Not begun", found.waiting, Items.WAITING, ""),
        ("Refused", found.refused, Items.REFUSED, ""),
        ("Replaced by a newer try", found.superseded, Items.SUPERSEDED, ""),
    ]
    for title, number, state, colour in rows:
        if number or title not in (PASSING if bulk.finished_at else SELDOM):
            yield title, f"{number:,}", notes_page_of(bulk, state=state) if number else "", colour if number else ""


def _problems(bulk: BulkRetry, found: Progress) -> list[dict[str, Any]]:
    stages = dict(StageName.choices)
    return [
        {
            "stage": stages.get(stage, stage),
            "message": message or code,
            "count": amount(number, NOTES),
            "url": reverse("admin:retry_failuregroup_change", args=[fingerprint]) if fingerprint else "",
            "notes_url": notes_page_of(bulk, state=Items.FAILED, problem=fingerprint),
        }
        for fingerprint, stage, code, message, number in found.problems
    ]


def _facts(bulk: BulkRetry, found: Progress) -> Iterator[tuple[str, str]]:
    yield "What", label_of(bulk.kind)
    yield "Who", starter_of(bulk)
    yield "Started (UTC)", moment(bulk.started_at)
    if bulk.finished_at:
        yield "Ended (UTC)", f"{moment(bulk.finished_at)}, took {length(bulk.started_at, bulk.finished_at)}"
    elif found.takes is not None:
        yield "Left at present speed", capital(time_in_words(found.takes))
    yield "Cost" if bulk.finished_at else "Cost so far", paid(found.cost_usd, found.without_cost)
    yield "Expected cost", capital(cost_in_words(bulk.expected_cost_usd, bulk.without_expected_cost))


def _buttons(user: Any, bulk: BulkRetry, found: Progress) -> Iterator[Button]:
    """What makes sense now and this person may; a pause is for everybody who retries, as it harms nothing."""
    if bulk.state in BulkRetry.MOVING and user.has_perm(RETRY_ARTIFACT):
        yield Button("pause", "Pause", "pause", deed_url(bulk, "pause"))
    if not may_act_on(bulk, user):
        return
    stands = bulk.state in (States.PAUSED, States.HALTED)
    lost = stands and bool(why_its_starter_may_not(bulk))
    if stands and found.waiting and not lost:
        first = limits().tried_first
        yield Button("resume", f"Resume, try {first} first", "play_arrow", deed_url(bulk, "resume"), is_first=True)
        yield Button("resume_all", "Resume with all", "fast_forward", deed_url(bulk, "resume_all"))
    if found.waiting and (lost or bulk.state == States.STOPPED):
        yield Button("again", f"Retry the {found.waiting:,} not begun…", "replay", deed_url(bulk, "again"))
    if bulk.state in BulkRetry.UNFINISHED:
        url = reverse("admin:retry_bulkretry_stop", args=[bulk.bulk_id])
        yield Button("stop", "Stop for good…", "stop", url, asks_first=True)
    elif found.failed:
        words = f"Retry the {found.failed:,} that failed again…"
        yield Button("failed", words, "replay", deed_url(bulk, "failed"))


def _held(found: Progress) -> int:
    return sum(number for _, number in found.on_hold)
