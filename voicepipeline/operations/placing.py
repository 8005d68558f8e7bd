"""Homes for voice notes that have none: a club, a coach, and somebody who has listened."""

import uuid

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.engine.changes import Change, move_artifact
from voicepipeline.engine.rebuilding import Rebuilt, rebuild
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import (
    Artifact,
    Coach,
    EntityResolution,
    EventType,
    InsightDraft,
    NameChoice,
    NoteDecision,
    Organization,
    StageName,
    Transcript,
    User,
)
from voicepipeline.operations.aliases import forget
from voicepipeline.operations.outcome import Outcome
from voicepipeline.text import safe_text

PERMISSION = "voicepipeline.place_artifact"
UNKNOWN = "There is no voice note with this id."
CERTAIN = 1.0
MAX_REASON = 500
Kind = NoteDecision.Kind
# Somebody's roster or profile has what these say.
KEPT = (InsightDraft.Status.CONFIRMED, InsightDraft.Status.APPLIED)
TO_REVIEW = (Transcript.Verdict.FLAGGED, Transcript.Verdict.NO_SPEECH)


@engine_transaction
def assign_club(artifact_id: uuid.UUID, *, club: Organization, by: User, seen: int | None) -> Outcome:
    """Say whose note it is; its names are matched with this club's roster from now on.

    `seen` is the club that it had when the person looked: whoever comes second is told, and changes nothing.
    """
    verify_platform_staff(by, PERMISSION)
    change = _open(artifact_id)
    if change is None:
        return Outcome(False, UNKNOWN)
    artifact = change.artifact
    try:
        _verify_seen(artifact, "organization", seen, club.pk)
        answers = _give_club(change, club, by)
    except InvalidTransition as refusal:
        return Outcome(False, str(refusal))
    rebuilt = rebuild(change, of=_fact(change, Kind.CLUB_ASSIGNED))
    change.flush()
    parts = [f"It is a voice note of {club} now.", _names_matched(rebuilt), _answers_ended(answers)]
    sender = artifact.sender
    if sender is not None and sender.organization_id != club.pk:
        parts.append(f"Its coach, {sender}, is of {sender.organization}: attach the right one.")
    return Outcome(True, " ".join(filter(None, parts)))


@engine_transaction
def attach_coach(artifact_id: uuid.UUID, *, coach: Coach, by: User, seen: int | None) -> Outcome:
    """Say who speaks; a note without a club becomes one of the coach's. `seen` is the coach it had, as for clubs."""
    verify_platform_staff(by, PERMISSION)
    change = _open(artifact_id)
    if change is None:
        return Outcome(False, UNKNOWN)
    artifact = change.artifact
    answers = 0
    try:
        _verify_seen(artifact, "sender", seen, coach.pk)
        found = Coach.objects.select_related("organization").filter(pk=coach.pk, is_active=True).first()
        if found is None:
            raise InvalidTransition(f"{coach} is no longer active. Choose another coach.")
        if artifact.organization_id is None:
            answers = _give_club(change, found.organization, by)
        elif artifact.organization_id != found.organization_id:
            raise InvalidTransition(
                f"{found} is a coach of {found.organization}, and this is a voice note of {artifact.organization}. "
                "Choose one of its coaches, or change the club first."
            )
    except InvalidTransition as refusal:
        return Outcome(False, str(refusal))
    move_artifact(change, of=_fact(change, Kind.SENDER_ATTACHED), sender=found)
    for model in (EntityResolution, InsightDraft):
        model._default_manager.filter(artifact=artifact).update(sender=found)
    _remember(change, Kind.SENDER_ATTACHED, by, str(found))
    rebuilt = rebuild(change, of=_fact(change, Kind.SENDER_ATTACHED))
    change.flush()
    parts = [f"{found} of {found.organization} sent it.", _names_matched(rebuilt), _answers_ended(answers)]
    return Outcome(True, " ".join(filter(None, parts)))


@engine_transaction
def mark_reviewed(artifact_id: uuid.UUID, *, by: User) -> Outcome:
    """Keep that somebody has listened to a note of which its transcript does not tell enough."""
    verify_platform_staff(by, PERMISSION)
    verify_reader(by)
    change = _open(artifact_id)
    if change is None:
        return Outcome(False, UNKNOWN)
    transcript = Transcript.objects.select_related("reviewed_by").filter(artifact=change.artifact).first()
    if transcript is None:
        return Outcome(False, "It has no transcript yet, so there is nothing to review.")
    if transcript.reviewed_by is not None:
        return Outcome(False, f"{_name(transcript.reviewed_by)} has listened to it already.")
    unreviewed = Transcript.objects.filter(pk=transcript.pk, verdict__in=TO_REVIEW, reviewed_at__isnull=True)
    if not unreviewed.update(reviewed_at=change.now, reviewed_by=by):
        return Outcome(False, "Its transcript is good, so nobody has to listen to it.")
    _remember(change, Kind.REVIEWED, by, "")
    move_artifact(change, of=_fact(change, Kind.REVIEWED))
    change.flush()
    return Outcome(True, "Marked as listened to.")


def _open(artifact_id: uuid.UUID) -> Change | None:
    pk = Artifact.objects.filter(artifact_id=artifact_id).values_list("pk", flat=True).first()
    return None if pk is None else Change(lock_artifact(pk), database_now())


def _verify_seen(artifact: Artifact, field: str, seen: int | None, wanted: int) -> None:
    now = getattr(artifact, f"{field}_id")
    what = "club" if field == "organization" else "coach"
    if now == wanted:
        raise InvalidTransition(f"{getattr(artifact, field)} is its {what} already.")
    if now != seen:
        kind = Kind.CLUB_ASSIGNED if field == "organization" else Kind.SENDER_ATTACHED
        last = NoteDecision.objects.select_related("by").filter(artifact=artifact, kind=kind).first()
        who = _name(last.by) if last else "Somebody"
        raise InvalidTransition(
            f"{who} has said since you looked that its {what} is {getattr(artifact, field)}. Nothing was changed."
        )


def _give_club(change: Change, club: Organization, by: User) -> int:
    """Make the note and all its rows the club's; how many answers about names count no more."""
    artifact = change.artifact
    if not Organization.objects.filter(pk=club.pk, is_active=True).exists():
        raise InvalidTransition(f"{club} is no longer active. Choose another club.")
    if artifact.organization_id is not None:
        _verify_nothing_kept(artifact)
    # Before the club changes: what was learned by these answers was learned for the club that it had.
    answers = _end_answers(change, by)
    others = [one for one in artifact.org_context_candidates if one.get("organization_id") != club.pk]
    move_artifact(
        change,
        of=_fact(change, Kind.CLUB_ASSIGNED),
        organization=club,
        org_context_candidates=[{"organization_id": club.pk, "confidence": CERTAIN}, *others],
    )
    # Entries that were decided keep whom they are for, and are found with their note.
    for model in (EntityResolution, InsightDraft):
        model._default_manager.filter(artifact=artifact).update(organization=club)
    _remember(change, Kind.CLUB_ASSIGNED, by, str(club))
    return answers


def _verify_nothing_kept(artifact: Artifact) -> None:
    kept = InsightDraft.objects.filter(artifact=artifact, status__in=KEPT).count()
    if kept:
        entries = "1 entry is" if kept == 1 else f"{kept} entries are"
        raise InvalidTransition(
            f"{entries} confirmed from this voice note, for {artifact.organization}. Take them back first."
        )


def _end_answers(change: Change, by: User) -> int:
    """People answered from another roster, or from none: ask again."""
    live = NameChoice.objects.filter(artifact=change.artifact, undone_at__isnull=True).order_by("pk")
    answers = list(live)
    live.update(undone_at=change.now, undone_by=by)
    for answer in answers:
        if answer.alias_id is not None:
            forget(answer.alias_id)
        change.say(
            EventType.NAME_CHOICE_UNDONE,
            of=f"choice/{answer.pk}/undone",
            stage=StageName.ENTITY_RESOLUTION,
            actor_id=by.pk,
            metadata={"kind": answer.kind},
        )
    return len(answers)


def _names_matched(rebuilt: Rebuilt) -> str:
    return "Its names have been matched again." if rebuilt.names else ""


def _answers_ended(answers: int) -> str:
    if not answers:
        return ""
    said = "1 answer about its names counts" if answers == 1 else f"{answers} answers about its names count"
    return f"{said} no more."


def _fact(change: Change, kind: NoteDecision.Kind) -> str:
    return f"{kind}/{change.artifact.pk}/{change.now.isoformat()}"


def _name(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _remember(change: Change, kind: NoteDecision.Kind, by: User, reason: str) -> None:
    NoteDecision.objects.create(
        artifact=change.artifact, kind=kind, by=by, reason=safe_text(reason, MAX_REASON), decided_at=change.now
    )
