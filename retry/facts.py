"""Gathers what `retry.policies` decides on: for one voice note or for thousands in the same number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db.models import Count, Max, Q

from retry.limits import HOUR
from retry.models import RetryAttempt, RetryKind
from retry.policies import ActiveRun, Facts, UnderWay
from voicepipeline.engine.health import current_health
from voicepipeline.engine.scheduling import input_missing
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIServiceHealth, Artifact, InsightDraft, Pause, StageRun, User
from voicepipeline.situations import stalled_for
from voicepipeline.stages import IN_ORDER

RECORDING_GONE = "The recording is no longer where recordings are kept, so there is nothing to transcribe."
UNKNOWN_TROUBLE = "the AI service is in trouble"
TELLING = (RetryAttempt.Outcome.SUCCEEDED, RetryAttempt.Outcome.FAILED)
CONFIRMED = (InsightDraft.Status.CONFIRMED, InsightDraft.Status.APPLIED)


def load_facts(artifact_pks: Sequence[int], *, by: User | None, now: datetime) -> dict[int, Facts]:
    """The facts of each of these notes that exists, as whoever asks would meet them."""
    return facts_of(Artifact.objects.filter(pk__in=artifact_pks).select_related("voice_note"), by=by, now=now)


def facts_of(notes: Iterable[Artifact], *, by: User | None, now: datetime) -> dict[int, Facts]:
    """The same for notes that have been read with their recordings."""
    notes = list(notes)
    artifact_pks = [note.pk for note in notes]
    results, active = _runs(artifact_pks)
    attempts = _attempts(artifact_pks)
    confirmed = confirmed_entries(artifact_pks)
    holds = _Holds()
    destructive = destructive_of(by, now)
    facts: dict[int, Facts] = {}
    for note in notes:
        run, mine = active.get(note.pk), attempts.get(note.pk, [])
        entries = confirmed.get(note.pk, NONE_CONFIRMED)
        facts[note.pk] = Facts(
            status=note.status,
            failed_stage=note.failed_stage,
            error_code=note.error_code,
            problem=note.fingerprint,
            generation=note.generation,
            with_result=frozenset(results.get(note.pk, ())),
            run=_active(run),
            stalled=stalled_for(note, run, now) is not None,
            why_no_input=partial(missing_input, note),
            confirmed=entries.number,
            confirmed_at=entries.last_at,
            closed_at=note.closed_at,
            under_way=_under_way(mine),
            retries=mine[-1].number if mine else 0,
            retried_at=_retried_at(mine),
            last_hour=tuple(each.requested_at for each in mine if each.requested_at > now - HOUR),
            same_problem=_same_problem(mine, note.fingerprint),
            holds=holds.of_club(note.organization_id),
            destructive=destructive,
        )
    return facts


def missing_input(note: Artifact) -> str:
    """Why there is nothing to transcribe, in words: looked for in the storage too, for deleting comes next."""
    missing = input_missing(note)
    if missing or note.voice_note is None:
        return missing
    audio = note.voice_note.audio
    if audio.name and not audio.storage.exists(audio.name):
        return RECORDING_GONE
    return ""


class ConfirmedEntries(NamedTuple):
    """How many entries of a note were confirmed or applied, by whomever, and when the last of them was."""

    number: int
    last_at: datetime | None


NONE_CONFIRMED = ConfirmedEntries(0, None)


def confirmed_entries(artifact_pks: Sequence[int]) -> dict[int, ConfirmedEntries]:
    entries = InsightDraft.objects.filter(artifact__in=artifact_pks, status__in=CONFIRMED).order_by()
    counted = entries.values_list("artifact").annotate(Count("pk"), Max("decided_at"))
    return {artifact: ConfirmedEntries(number, last_at) for artifact, number, last_at in counted}


def destructive_of(by: User | None, now: datetime) -> tuple[datetime, ...]:
    """When this person asked, within the last hour, for what deletes more than the machine makes again by itself."""
    if by is None:
        return ()
    taken = Q(kind=RetryKind.FULL) | Q(agreed_to__gt=0)
    mine = RetryAttempt.objects.filter(taken, requested_by=by, requested_at__gt=now - HOUR)
    return tuple(mine.order_by("requested_at").values_list("requested_at", flat=True))


def _runs(artifact_pks: Sequence[int]) -> tuple[Mapping[int, set[str]], dict[int, StageRun]]:
    """The stages with a result in use, and the run that waits or runs, by note."""
    results: defaultdict[int, set[str]] = defaultdict(set)
    # Thousands of these: whole rows would take most of a preview's time.
    of_notes = StageRun.objects.filter(artifact__in=artifact_pks).order_by()
    for artifact, stage in of_notes.filter(effective=True).values_list("artifact", "stage"):
        results[artifact].add(stage)
    active = {run.artifact_id: run for run in of_notes.active()}
    return results, active


def _active(run: StageRun | None) -> ActiveRun | None:
    if run is None:
        return None
    return ActiveRun(
        stage=run.stage,
        running=run.status == StageRun.Status.RUNNING,
        on_hold=run.parked_since is not None,
        not_before=run.not_before,
        started_at=run.started_at,
    )


def _attempts(artifact_pks: Sequence[int]) -> Mapping[int, list[RetryAttempt]]:
    """The retries of each note, in order."""
    attempts: defaultdict[int, list[RetryAttempt]] = defaultdict(list)
    known = RetryAttempt.objects.filter(artifact__in=artifact_pks).select_related("requested_by")
    for attempt in known.order_by("artifact", "number"):
        attempts[attempt.artifact_id].append(attempt)
    return attempts


def _under_way(attempts: Sequence[RetryAttempt]) -> UnderWay | None:
    for attempt in reversed(attempts):
        if attempt.outcome == RetryAttempt.Outcome.UNDER_WAY:
            return UnderWay(name_of(attempt.requested_by), attempt.requested_at, attempt.number)
    return None


def _retried_at(attempts: Sequence[RetryAttempt]) -> datetime | None:
    begun = (each.requested_at for each in reversed(attempts) if each.outcome != RetryAttempt.Outcome.NOT_STARTED)
    return next(begun, None)


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _same_problem(attempts: Iterable[RetryAttempt], problem: str) -> int:
    """How many of the last retries in a row ended with the problem that the note has now.

    One that was not started, or that another replaced, says nothing of it.
    """
    number = 0
    for attempt in attempts:
        if attempt.outcome in TELLING:
            number = number + 1 if problem and attempt.problem == problem else 0
    return number


class _Holds:
    """Why a note of a club would wait before a stage: people's pauses, and AI services that are paused."""

    def __init__(self) -> None:
        self.pauses = list(Pause.objects.filter(resumed_at=None).values_list("subject", "organization_id"))
        troubled = [row for row in current_health().values() if row.state != AIServiceHealth.State.CLOSED]
        self.services = {row.service: HOLD_REASONS.get(row.reason, UNKNOWN_TROUBLE) for row in troubled}
        self.of: dict[int | None, dict[str, str]] = {}

    def of_club(self, club: int | None) -> Mapping[str, str]:
        if club not in self.of:
            why = {stage.name: self._why(stage.name, stage.service, club) for stage in IN_ORDER}
            self.of[club] = {stage: words for stage, words in why.items() if words}
        return self.of[club]

    def _why(self, stage: str, service: str | None, club: int | None) -> str:
        everything = Pause.Subject.EVERYTHING
        if any(subject in (everything, stage) and of in (None, club) for subject, of in self.pauses):
            return HOLD_REASONS["paused_by_staff"]
        return self.services.get(service, "") if service else ""
