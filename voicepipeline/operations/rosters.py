"""Unlearning what players, teams and coaches are called: one name, or all that was taught in a span of time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.models import PlayerAlias, RosterChange, User
from voicepipeline.operations.outcome import Outcome
from voicepipeline.text import safe_text

PERMISSION = "voicepipeline.delete_playeralias"
MAX_REASON = 500
NO_REASON = "Say why: the reason is kept with the roster's history."
GONE = "This name has been removed already, or was taken back with the answer that taught it."


@dataclass(frozen=True)
class Taught:
    """Learned names by when, of which club and by whom they were taught; none after the newest that was shown."""

    since: datetime
    until: datetime
    organization_id: int | None = None
    taught_by_id: int | None = None
    newest: int | None = None

    def names(self) -> QuerySet[PlayerAlias]:
        bounds = {
            "organization_id": self.organization_id,
            "created_by_id": self.taught_by_id,
            "pk__lte": self.newest,
        }
        given = {name: value for name, value in bounds.items() if value is not None}
        return PlayerAlias.objects.filter(created_at__gte=self.since, created_at__lt=self.until, **given)


@engine_transaction
def remove_learned_name(alias_pk: int, *, by: User, reason: str = "") -> Outcome:
    """Forget one learned name; what it has matched so far stays matched."""
    _verify(by)
    removed = _remove(PlayerAlias.objects.filter(pk=alias_pk), by, safe_text(reason.strip(), MAX_REASON), {})
    return (
        Outcome(True, "Removed. Names in later voice notes are matched without it.")
        if removed
        else Outcome(False, GONE)
    )


@engine_transaction
def remove_learned_names(taught: Taught, *, by: User, reason: str) -> Outcome:
    """Forget every name that was taught in this span, in one transaction."""
    _verify(by)
    reason = safe_text(reason.strip(), MAX_REASON)
    if not reason:
        return Outcome(False, NO_REASON)
    span = {"since": taught.since.isoformat(), "until": taught.until.isoformat(), "taught_by": taught.taught_by_id}
    removed = _remove(taught.names(), by, reason, span, organization_id=taught.organization_id)
    if not removed:
        return Outcome(False, "Nothing was taught in this time that is still there.")
    names = "1 learned name" if removed == 1 else f"{removed:,} learned names"
    return Outcome(
        True, f"{names} removed. Names in later voice notes are matched without {'it' if removed == 1 else 'them'}."
    )


def _verify(by: User) -> None:
    verify_platform_staff(by, PERMISSION)
    verify_reader(by)


def _remove(
    names: QuerySet[PlayerAlias], by: User, reason: str, told: dict[str, Any], *, organization_id: int | None = None
) -> int:
    """Answers that rest on a name stay answers: they only rest on no learned name any more."""
    rows = list(names.order_by("pk").select_for_update().values_list("pk", "organization_id", "use_count"))
    if not rows:
        return 0
    ids = [pk for pk, _, _ in rows]
    clubs = {club for _, club, _ in rows}
    PlayerAlias.objects.filter(pk__in=ids).delete()
    RosterChange.objects.create(
        organization_id=clubs.pop() if len(clubs) == 1 else organization_id,
        kind=RosterChange.Kind.NAMES_REMOVED,
        by=by,
        reason=reason,
        details={"removed": len(ids), "uses": sum(uses for _, _, uses in rows), "names": ids, **told},
        changed_at=database_now(),
    )
    return len(ids)
