"""One voice note in words: where it is, why, what happens next, and the one safe thing to do.

Plain values in, words out; `voicepipeline.situations` gathers the values.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from voicepipeline.durations import in_words

# Workers report in every few seconds: silence for longer than this means that nobody works.
CLUSTER_SILENT_AFTER = timedelta(seconds=30)
# A reclaim is this much overdue before we say that the watchdog is missing.
WATCHDOG_PATIENCE = timedelta(seconds=30)

HOLD_REASONS = {
    "paused_by_staff": "people have paused this work",
    "provider_busy": "the AI service takes no more requests just now",
    "provider_error": "the AI service is down",
    "provider_timeout": "the AI service does not answer in time",
    "provider_unreachable": "the AI service cannot be reached",
    "provider_wrong_answer": "something else answers in the AI service's place",
    "provider_no_credit": "the provider credit is used up",
    "provider_key_refused": "the AI service refuses our key",
    "provider_access_refused": "the AI service refuses our account what was asked",
    "provider_model_gone": "the AI service no longer has the configured model",
    "provider_settings_wrong": "the AI service does not understand what this version asks",
}


@dataclass(frozen=True)
class Run:
    """The try that waits or runs now."""

    stage: str
    running: bool
    attempt: int
    queued_at: datetime
    not_before: datetime
    started_at: datetime | None = None
    lease_until: datetime | None = None
    parked_reason: str = ""
    parked_since: datetime | None = None


@dataclass(frozen=True)
class Hold:
    """What has to happen before a note that is on hold goes on."""

    paused: bool = False  # a person's pause applies to it
    needs_person: bool = False
    testing: bool = False
    next_test_at: datetime | None = None


@dataclass(frozen=True)
class Fault:
    """How a try ended that did not succeed."""

    code: str
    message: str
    stage: str
    at: datetime
    transient_no: int = 0
    crash_no: int = 0


@dataclass(frozen=True)
class Closing:
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Made:
    """What came of a note that is ready, as far as somebody has to look at it."""

    nothing_said: bool = False
    doubtful: bool = False  # the quality of its transcript is to be reviewed
    listened: bool = False  # somebody has listened to what the machine doubted
    open_names: int = 0
    open_entries: int = 0


@dataclass(frozen=True)
class Rules:
    """The engine's limits that decide what happens next."""

    transient_budget: int
    crash_budget: int
    lease: timedelta
    heartbeat: timedelta
    forgotten_after: timedelta


@dataclass(frozen=True)
class Situation:
    """All that is known of one voice note at one moment."""

    now: datetime
    status: str
    stage: str
    since: datetime
    rules: Rules
    run: Run | None = None
    hold: Hold | None = None
    fault: Fault | None = None
    closing: Closing | None = None
    made: Made = Made()
    ahead: str = "none"
    cluster_seen_at: datetime | None = None
    stalled_for: timedelta | None = None
    input_missing: str = ""
    has_club: bool = True
    has_coach: bool = True
    to_review: bool = False  # somebody should listen, whatever has become of the note

    @property
    def nobody_works(self) -> bool:
        return self.cluster_seen_at is None or self.now - self.cluster_seen_at > CLUSTER_SILENT_AFTER


@dataclass(frozen=True)
class Explanation:
    where: str
    why: str
    next: str
    advice: str

    @property
    def paragraph(self) -> str:
        return " ".join(sentence for sentence in (self.where, self.why, self.next, self.advice) if sentence)


def explain(situation: Situation) -> Explanation:
    """Say where this note is, since when, why, what happens next, and what can safely be done."""
    if situation.closing:
        return _closed(situation, situation.closing)
    if situation.status == "completed":
        return _ready(situation, situation.made)
    if situation.status == "failed":
        return _failed(situation)
    if situation.run is None:
        return _nothing_scheduled(situation)
    if situation.run.running:
        return _running(situation, situation.run)
    if situation.run.parked_since:
        return _on_hold(situation, situation.run, situation.run.parked_since)
    return _waiting(situation, situation.run)


def _ready(situation: Situation, made: Made) -> Explanation:
    since = f"Ready since {clock(situation.since, situation.now)}."
    if made.nothing_said:
        advice = "Somebody has listened to it." if made.listened else "Listen to it if you doubt that."
        return Explanation(since, "Nobody says anything in it, so nothing was made of it.", "", advice)
    open_questions = [
        "Somebody should listen to it: the transcript is doubtful." if made.doubtful else "",
        _counted(made.open_names, "name is unclear", "names are unclear"),
        _counted(made.open_entries, "suggested entry is to be confirmed", "suggested entries are to be confirmed"),
    ]
    advice = " ".join(filter(None, open_questions))
    return Explanation(since, "Every stage has its result.", "", advice or "Nothing to do.")


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}." if number else ""


def clock(moment: datetime, now: datetime) -> str:
    """A moment in UTC, with its day unless that is today."""
    return f"{moment:%H:%M}" if moment.date() == now.date() else f"{moment.day} {moment:%b, %H:%M}"


def at(moment: datetime, now: datetime) -> str:
    return f"at {moment:%H:%M}" if moment.date() == now.date() else f"on {moment.day} {moment:%b at %H:%M}"


def _closed(situation: Situation, closing: Closing) -> Explanation:
    return Explanation(
        f"Closed by {closing.by} {at(closing.at, situation.now)}: it will not be fixed.",
        f"The reason given: {_sentence(closing.reason)}",
        "Nothing happens to it any more, and it no longer counts as a problem.",
        "If that was wrong, reopen it.",
    )


def _failed(situation: Situation) -> Explanation:
    fault, rules = situation.fault, situation.rules
    where = f"Failed {at(situation.since, situation.now)}"
    stays, wanted = "Nothing more happens by itself.", "Retry it if it is wanted after all; otherwise close it."
    if fault is None:
        return Explanation(f"{where}.", "", stays, wanted)
    where = f"{where} in the stage {fault.stage}."
    if fault.code == "cancelled":
        return Explanation(where, "A person cancelled it.", stays, wanted)
    if fault.code == "worker_died":
        return Explanation(
            where,
            f"It gave up after {rules.crash_budget} crashes: the worker died each time in the middle of the work.",
            stays,
            "Tell an engineer, for this recording may be what kills the workers; retry it once that is mended.",
        )
    why = _sentence(fault.message)
    if fault.transient_no + 1 >= rules.transient_budget:
        why = f"It was tried {rules.transient_budget} times; the last time: {why}"
        return Explanation(where, why, stays, "See whether others fail alike, and retry it once the cause is gone.")
    advice = "Once the cause is mended, retry it. If it cannot be, ask the coach to send it again and close this one."
    return Explanation(where, f"{why} Trying again will not help.", stays, advice)


def _nothing_scheduled(situation: Situation) -> Explanation:
    where = f"Received, but not waiting for any worker since {clock(situation.since, situation.now)}."
    if situation.stage:
        where = f"In the stage {situation.stage}, but nothing is scheduled for it since {_since(situation)}."
    if situation.input_missing:
        return Explanation(
            where, situation.input_missing, "It cannot go on as it is.", "Tell an engineer; nothing is lost by waiting."
        )
    due = situation.since + situation.rules.forgotten_after
    if situation.now > due + WATCHDOG_PATIENCE:
        return Explanation(
            where,
            "The watchdog should have put it back by now, so it may not be running.",
            "",
            "Tell an engineer; releasing it puts it back at once." if situation.stalled_for else "Tell an engineer.",
        )
    return Explanation(
        where,
        "Something was interrupted.",
        f"The watchdog puts it back {at(due, situation.now)}.",
        "Nothing to do: wait a minute.",
    )


def _running(situation: Situation, run: Run) -> Explanation:
    started, lease_until = run.started_at or run.queued_at, run.lease_until or run.queued_at
    try_ = f", try {run.attempt}" if run.attempt > 1 else ""
    where = f"A worker has had it in the stage {run.stage} since {clock(started, situation.now)}{try_}."
    if lease_until >= situation.now:
        running_for = in_words(situation.now - started)
        return Explanation(where, f"The work has taken {running_for} so far.", "", _advice(situation))
    last_heard = max(started, lease_until - situation.rules.lease)
    again = lease_until + situation.rules.heartbeat
    why = f"Its worker died or lost the database {at(last_heard, situation.now)}."
    if situation.now > again + WATCHDOG_PATIENCE:
        return Explanation(where, why, "It should have been picked up again by now.", _advice(situation, late=True))
    return Explanation(where, why, f"It will be picked up again {at(again, situation.now)}.", _advice(situation))


def _on_hold(situation: Situation, run: Run, since: datetime) -> Explanation:
    reason = HOLD_REASONS.get(run.parked_reason, "the AI service is in trouble")
    return Explanation(
        f"On hold before the stage {run.stage} since {clock(since, situation.now)}.",
        f"It waits because {reason}; that is not this note's fault and costs it no try.",
        _after_hold(situation, run, situation.hold or Hold()),
        "Nothing to do for this note.",
    )


def _after_hold(situation: Situation, run: Run, hold: Hold) -> str:
    if hold.paused:
        return "It goes on when the pause is ended."
    if hold.needs_person:
        return "It goes on once somebody has put that right and resumed the AI service."
    if hold.testing or (hold.next_test_at and hold.next_test_at <= situation.now):
        return "The AI service is being tested with one note; this one goes on once that works."
    if hold.next_test_at:
        pause = in_words(hold.next_test_at - situation.now)
        test = at(hold.next_test_at, situation.now)
        return f"The AI service is tested again {test}, in {pause}; this note goes on once that works."
    if run.not_before > situation.now:
        return _next_try(situation, run)
    return "It goes on in a moment: what was on hold is let go little by little, the oldest first."


def _waiting(situation: Situation, run: Run) -> Explanation:
    fault = situation.fault
    why = ""
    if fault and fault.code == "worker_died":
        why = f"Its worker died, noticed {at(fault.at, situation.now)}."
    elif fault:
        why = f"Try {run.attempt - 1} failed {at(fault.at, situation.now)}: {_sentence(fault.message)}"
    if run.not_before > situation.now:
        left = situation.rules.transient_budget - (fault.transient_no + 1 if fault else 0)
        tries = f" {left} {'try is' if left == 1 else 'tries are'} left." if fault else ""
        where = f"Waiting to be tried again in the stage {run.stage}."
        return Explanation(where, why, _next_try(situation, run) + tries, "Nothing to do: it tries again by itself.")
    where = f"Waiting for a worker for the stage {run.stage} since {clock(run.queued_at, situation.now)}."
    return Explanation(where, why, _queue(situation), _advice(situation))


def _queue(situation: Situation) -> str:
    if situation.cluster_seen_at is None:
        return f"Ahead of it: {situation.ahead}. No workers have reported in yet."
    seen = in_words(situation.now - situation.cluster_seen_at)
    return f"Ahead of it: {situation.ahead}. The workers were seen {seen} ago."


def _next_try(situation: Situation, run: Run) -> str:
    if run.not_before <= situation.now:
        return "It is tried again as soon as a worker is free."
    pause = in_words(run.not_before - situation.now)
    return f"It will be tried again {at(run.not_before, situation.now)}, in {pause}."


def _advice(situation: Situation, *, late: bool = False) -> str:
    if situation.nobody_works:
        return "Tell an engineer that no workers are running; the note is safe and goes on when they are back."
    if situation.stalled_for:
        stood = in_words(situation.stalled_for)
        return f"No progress for {stood}: release and requeue it, nothing is lost by that."
    if late:
        return "Tell an engineer that the watchdog may not be running; the note is safe."
    return "Nothing to do: it moves on by itself."


def _since(situation: Situation) -> str:
    return clock(situation.since, situation.now)


def _sentence(text: str) -> str:
    """Somebody's words with a full stop, on one line."""
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."
