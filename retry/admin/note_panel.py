"""The part of a voice note's page about retries: what is possible now, and the whole story of those before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from retry.admin.words import DOES, ICONS, outcome_of, reserved_for, trouble_of
from retry.facts import facts_of, name_of
from retry.kinds import IN_ORDER, Kind
from retry.limits import limits
from retry.models import RetryAttempt
from retry.policies import Facts, decide
from retry.queries import get_retry_history
from retry.words import deleted_in_words
from voicepipeline.admin.words import State, length, moment
from voicepipeline.explanations import Situation
from voicepipeline.masking import Eyes, eyes_of
from voicepipeline.models import Artifact
from voicepipeline.registry import NotePanel, registry

# More are folded up; older ones than those stand in the list of retries.
UNFOLDED = 3
MOST_SHOWN = 30


@dataclass(frozen=True)
class KindRow:
    """One kind of retry: where it is begun, or why not."""

    key: str
    label: str
    icon: str
    does: str
    url: str  # empty when it cannot be begun
    why_not: str
    is_advised: bool = False


@dataclass(frozen=True)
class AttemptRow:
    """Pages take its reason from here alone."""

    attempt: RetryAttempt
    outcome: State
    who: str
    when: str
    took: str
    deleted: str
    reason: str
    trouble: str
    bulk_url: str


def register() -> None:
    registry.add_note_panel(NotePanel("retries", "retry/note_panel.html", panel))


def panel(request: HttpRequest, artifact: Artifact, situation: Situation) -> dict[str, Any]:
    """Everybody who may open the page sees all of it; links are for those who may begin a retry."""
    rows = kind_rows(request, artifact, situation.now)
    history = get_retry_history(artifact)
    eyes = eyes_of(request.user)
    attempts = [attempt_row(each, eyes, situation.now) for each in history[:MOST_SHOWN]]
    reasons = {row.why_not for row in rows}
    return {
        "kinds": rows,
        # Said once when it stands against every kind alike.
        "why_none": reasons.pop() if len(reasons) == 1 else "",
        "attempts": attempts[:UNFOLDED],
        "older": attempts[UNFOLDED:],
        "number": len(history),
        "is_cut": len(history) > MOST_SHOWN,
        "all_url": f"{reverse('admin:retry_retryattempt_changelist')}?q={artifact.artifact_id}",
    }


def kind_rows(request: HttpRequest, artifact: Artifact, now: datetime) -> list[KindRow]:
    """Every kind, as this note and this person stand to it now."""
    user: Any = request.user
    facts = facts_of([artifact], by=user, now=now)[artifact.pk]
    return [_row(user, artifact, kind, facts, now) for kind in IN_ORDER]


def _row(user: Any, artifact: Artifact, kind: Kind, facts: Facts, now: datetime) -> KindRow:
    refusal = decide(kind.key, facts, limits(), now=now).refusal
    why_not = refusal.message if refusal else "" if user.has_perm(kind.permission) else reserved_for(kind)
    return KindRow(
        key=kind.key,
        label=kind.label,
        icon=ICONS[kind.key],
        does=DOES[kind.key],
        url="" if why_not else reverse("admin:retry_note", args=[artifact.artifact_id, kind.key]),
        why_not=why_not,
        is_advised=kind.stage.name == facts.failed_stage and not kind.starts_over,
    )


def attempt_row(attempt: RetryAttempt, eyes: Eyes, now: datetime) -> AttemptRow:
    item = getattr(attempt, "bulk_item", None)
    return AttemptRow(
        attempt=attempt,
        outcome=outcome_of(attempt),
        who=name_of(attempt.requested_by),
        when=moment(attempt.requested_at),
        took=length(attempt.requested_at, attempt.finished_at or now),
        deleted=deleted_in_words(attempt.deleted),
        reason=eyes.text(attempt.reason),
        trouble=trouble_of(attempt),
        bulk_url=reverse("admin:retry_bulkretry_change", args=[item.bulk.bulk_id]) if item else "",
    )
