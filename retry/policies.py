"""Whether a voice note can be retried now, and if not, what to do instead. Plain values in, words out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from retry.kinds import FAILED_STAGE, KINDS, Kind, kind_of_stage
from retry.limits import HOUR, Limits
from voicepipeline.durations import in_words
from voicepipeline.explanations import at
from voicepipeline.models import Artifact
from voicepipeline.stages import IN_ORDER, LAST, STAGES, Stage

WORKER_DIED = "worker_died"
CLOSED = "Somebody has closed it since the preview, so it was left as it is."
CHANGED = "It is no longer as it was in the preview: since then it was retried, or has failed in another way."


@dataclass(frozen=True)
class ActiveRun:
    """The try that waits or runs now."""

    stage: str
    running: bool
    on_hold: bool
    not_before: datetime
    started_at: datetime | None = None


@dataclass(frozen=True)
class UnderWay:
    """A retry that somebody has asked for and that has not ended."""

    by: str
    requested_at: datetime
    number: int


@dataclass(frozen=True)
class Facts:
    """What is known of one voice note when somebody asks for a retry."""

    status: str
    failed_stage: str = ""
    error_code: str = ""
    problem: str = ""
    generation: int = 1
    with_result: frozenset[str] = frozenset()  # the stages whose result is in use
    run: ActiveRun | None = None
    stalled: bool = False
    # Why there is nothing to transcribe, in words; asked only when it decides, for it may be a look into the storage.
    why_no_input: Callable[[], str] = str
    confirmed: int = 0  # entries confirmed or applied, by whomever
    confirmed_at: datetime | None = None  # when the last of these was confirmed
    closed_at: datetime | None = None  # when somebody said that it will not be fixed
    under_way: UnderWay | None = None
    retries: int = 0  # the number of its last retry
    retried_at: datetime | None = None  # when the last one was requested that was begun
    last_hour: tuple[datetime, ...] = ()  # when its retries of the last hour were requested, oldest first
    same_problem: int = 0  # how many of its last retries ended with the problem that it has now, in a row
    holds: Mapping[str, str] = field(default_factory=dict)  # by stage, why it would wait before it
    # Of whoever asks: when the destructive retries of the last hour were requested, oldest first.
    destructive: tuple[datetime, ...] = ()

    @cached_property
    def input_missing(self) -> str:
        return self.why_no_input()


@dataclass(frozen=True)
class Refusal:
    """Why not: for many at once without anything of one note, and for this one."""

    group: str
    message: str


@dataclass(frozen=True)
class Verdict:
    """What becomes of a request: which kind of retry it is, and what stands against it or has to be known first."""

    kind: str  # empty when there is none
    refusal: Refusal | None = None
    confirmed: int = 0  # entries confirmed or applied that it concerns: somebody has to agree
    confirmed_at: datetime | None = None  # when the last of these was confirmed
    needs_reason: str = ""  # why a reason has to be given
    same_problem: bool = False  # retries changed nothing: the reason should say what has changed
    on_hold: str = ""  # why it will wait


def decide(
    asked_for: str, facts: Facts, how: Limits, *, now: datetime, bulk: bool = False, as_of: datetime | None = None
) -> Verdict:
    """Look at everything that may stand against this retry, in the order in which people should hear of it.

    In bulk nobody looks at the note once more: `as_of` is the moment of its preview, when that is over.
    """
    if asked_for == FAILED_STAGE and facts.status != Artifact.Status.FAILED:
        return Verdict("", _on_its_way(facts, now) or _not_failed())
    kind = kind_of_stage(facts.failed_stage) if asked_for == FAILED_STAGE else KINDS[asked_for]
    refusal = (
        _wrong_state(kind, facts, now)
        or _still_active(facts, now)
        or _nothing_to_go_on_from(kind, facts)
        or (_dangerous_in_bulk(facts) or _not_as_previewed(facts, as_of) if bulk else None)
        or _too_often(facts, how, now)
        or _too_destructive(kind, facts, how, now)
    )
    return Verdict(
        kind.key,
        refusal,
        confirmed=facts.confirmed,
        confirmed_at=facts.confirmed_at,
        needs_reason=_why_a_reason(kind, facts, how),
        same_problem=_changes_nothing(facts, how),
        on_hold=_on_hold(kind, facts),
    )


def is_destructive(kind: Kind, confirmed: int) -> bool:
    """Whether it takes away more than what the machine makes again by itself."""
    return kind.starts_over or confirmed > 0


def _not_failed() -> Refusal:
    group = "It has not failed: choose from which stage it should be run again."
    return Refusal(group, group)


def _wrong_state(kind: Kind, facts: Facts, now: datetime) -> Refusal | None:
    if facts.status == Artifact.Status.FAILED:
        return _failed_before(kind, facts)
    if facts.status == Artifact.Status.COMPLETED:
        return _ready_already(kind, facts)
    if kind.starts_over:
        return None
    return _on_its_way(facts, now)


def _failed_before(kind: Kind, facts: Facts) -> Refusal | None:
    failed = kind_of_stage(facts.failed_stage)
    if kind.starts_over or failed.stage.position >= kind.stage.position:
        return None
    return Refusal(
        "It failed at an earlier stage: retry that one.",
        f"It failed at {failed.stage.name.label}, which comes before {kind.stage.name.label}. "
        f"{_instead(failed, facts)}",
    )


def _ready_already(kind: Kind, facts: Facts) -> Refusal | None:
    if kind.starts_over or kind.stage.previous is not None or facts.input_missing:
        return None
    group = "It is ready and has its transcript. To have it transcribed anew, start over."
    return Refusal(group, group)


def _nothing_to_go_on_from(kind: Kind, facts: Facts) -> Refusal | None:
    before = kind.stage.previous
    if before is None:
        if not facts.input_missing:
            return None
        return Refusal(facts.input_missing, f"{facts.input_missing}{_from_what_there_is(facts)}")
    if before.name in facts.with_result:
        return None
    return Refusal(
        "The result that it would go on from is not there.",
        f"There is no result of {before.name.label} to go on from. {_instead(kind, facts)}",
    )


def _instead(kind: Kind, facts: Facts) -> str:
    """What to choose: the latest stage up to this one that has what it needs; when none has, why not."""
    stage: Stage | None = kind.stage
    while stage is not None and not _has_what_it_needs(stage, facts):
        stage = stage.previous
    if stage is None:
        return facts.input_missing
    if stage.previous is None and facts.status == Artifact.Status.COMPLETED:
        return "Start over instead."
    return f"Choose “{kind_of_stage(stage.name).label}” instead."


def _from_what_there_is(facts: Facts) -> str:
    """What can be made again without anything to transcribe: as much as the results in use allow."""
    if facts.status not in Artifact.ENDS:
        return ""
    last = kind_of_stage(facts.failed_stage).stage if facts.failed_stage else LAST
    possible = (stage for stage in IN_ORDER[1 : last.position + 1] if _has_what_it_needs(stage, facts))
    return next((f" Choose “{kind_of_stage(stage.name).label}” instead." for stage in possible), "")


def _has_what_it_needs(stage: Stage, facts: Facts) -> bool:
    return not facts.input_missing if stage.previous is None else stage.previous.name in facts.with_result


def _still_active(facts: Facts, now: datetime) -> Refusal | None:
    """For what may be begun from any state that has ended: only what stands still may be superseded."""
    return None if facts.run is None or facts.stalled else _on_its_way(facts, now)


def _on_its_way(facts: Facts, now: datetime) -> Refusal | None:
    """What a note is doing that needs no retry."""
    if facts.status in Artifact.ENDS:
        return None
    if facts.stalled:
        words = "It stands still. Release it." if facts.input_missing else "It stands still. Release it, or start over."
        return Refusal(words, words)
    if facts.under_way is not None:
        ago = in_words(now - facts.under_way.requested_at)
        return Refusal(
            "It is being retried already.",
            f"Already requested by {facts.under_way.by} {ago} ago (attempt {facts.under_way.number}).",
        )
    if facts.run is None:
        words = "It goes on by itself within a minute."
        return Refusal(words, words)
    return _what_it_does(facts.run, now)


def _what_it_does(run: ActiveRun, now: datetime) -> Refusal:
    stage = STAGES[run.stage].name.label
    if run.on_hold:
        return Refusal(
            "It is on hold and goes on by itself.",
            f"It is on hold before {stage}, and goes on by itself once what holds it is over.",
        )
    if run.running:
        since = f" since {run.started_at:%H:%M}" if run.started_at else ""
        return Refusal("It is being worked on.", f"{stage} is running{since}. Wait until it has ended.")
    if run.not_before > now:
        when = at(run.not_before, now)
        return Refusal("It will be tried again by itself.", f"{stage} will be tried again by itself {when}.")
    return Refusal("It waits for a worker.", f"It waits for a worker for {stage}, and goes on by itself.")


def _dangerous_in_bulk(facts: Facts) -> Refusal | None:
    if facts.error_code != WORKER_DIED:
        return None
    group = "The worker died on it each time: retry such voice notes one by one, and watch."
    return Refusal(group, group)


def _not_as_previewed(facts: Facts, as_of: datetime | None) -> Refusal | None:
    """A retry would open again what somebody has closed since, or do again what somebody has done."""
    if as_of is None:
        return None
    if facts.closed_at is not None and facts.closed_at > as_of:
        return Refusal(CLOSED, CLOSED)
    if facts.retried_at is not None and facts.retried_at > as_of:
        return Refusal(CHANGED, CHANGED)
    return None


def _too_often(facts: Facts, how: Limits, now: datetime) -> Refusal | None:
    most = how.retries_an_hour
    if len(facts.last_hour) < most:
        return None
    again = at(facts.last_hour[-most] + HOUR, now)
    group = f"It has been retried {most} times within an hour, which is the most."
    return Refusal(group, f"{group} The next retry is possible {again} (UTC).")


def _too_destructive(kind: Kind, facts: Facts, how: Limits, now: datetime) -> Refusal | None:
    most = how.destructive_an_hour
    if not is_destructive(kind, facts.confirmed) or len(facts.destructive) < most:
        return None
    again = at(facts.destructive[-most] + HOUR, now)
    words = (
        f"You may start over, or retry what concerns confirmed entries of, {most} voice notes within an hour. "
        f"The next is possible {again} (UTC)."
    )
    return Refusal(words, words)


def _why_a_reason(kind: Kind, facts: Facts, how: Limits) -> str:
    if _changes_nothing(facts, how):
        return f"The last {facts.same_problem} retries ended with the same problem. Say what has changed since."
    if kind.starts_over:
        return "Say why: starting over deletes what was made of it."
    if facts.confirmed:
        return "Say why: entries that were confirmed depend on it."
    return ""


def _changes_nothing(facts: Facts, how: Limits) -> bool:
    """Whether its last retries have all ended with the problem that it has now."""
    return bool(facts.problem) and facts.same_problem >= how.same_problem_asked_after


def _on_hold(kind: Kind, facts: Facts) -> str:
    return next((facts.holds[stage.name] for stage in kind.stage.from_here if stage.name in facts.holds), "")
