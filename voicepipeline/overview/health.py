"""Whether it works, in plain words: the rules behind the one sentence at the top of the overview.

Plain values in, words out; what a part of the sentence leads to is named, and the page knows its address.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from voicepipeline.ai_notices import Standstill, trouble_words
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIService, Pause, StageName
from voicepipeline.overview.parts import Level
from voicepipeline.overview.pulse import HOUR, MOST_COUNTED, Pulse
from voicepipeline.stages import stages_of

# Workers that are all busy for so long with what is due have more before them than they can do.
BACKLOG_AFTER = timedelta(minutes=2)
QUIET_AFTER = HOUR


class Rows(StrEnum):
    """What a part of the sentence leads to."""

    ACTIVE = "active"
    WAITING = "waiting"
    ON_HOLD = "on_hold"
    STALLED = "stalled"
    NEWEST = "newest"
    QUEUE = "queue"
    AI_SERVICE = "ai_service"
    UPLOAD = "upload"


@dataclass(frozen=True)
class Piece:
    """Words, perhaps with a moment behind them: as the time of day, or as how long ago it was."""

    words: str = ""
    rows: Rows | None = None
    at: datetime | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Sentence:
    level: Level
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Health:
    """What is said, the worst first; never nothing."""

    sentences: tuple[Sentence, ...]

    @property
    def level(self) -> Level:
        return self.sentences[0].level


def health_of(pulse: Pulse, *, lost_after: timedelta) -> Health:
    """`lost_after`: workers and watchdogs that have been silent for longer are gone."""
    troubles = [
        *_nobody_works(pulse),
        *_no_watchdog(pulse, lost_after),
        *_services(pulse),
        *_pauses(pulse),
        *_stalled(pulse),
        *_backlog(pulse),
        *(_say(Level.NOTICE, Piece(each.caution, Rows.AI_SERVICE)) for each in pulse.standstills if each.caution),
    ]
    troubles.sort(key=lambda sentence: sentence.level != Level.TROUBLE)
    return Health(tuple(troubles) or (_nothing_wrong(pulse),))


def counted(number: int, one: str, many: str) -> str:
    """So many of them, as far as they were counted."""
    if number > MOST_COUNTED:
        return f"more than {MOST_COUNTED:,} {many}"
    return f"{number:,} {one if number == 1 else many}"


def notes(number: int) -> str:
    return counted(number, "voice note", "voice notes")


def _say(level: Level, *pieces: Piece | str) -> Sentence:
    return Sentence(level, tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces))


def _waits(number: int) -> str:
    return "waits" if number == 1 else "wait"


# --- What stops everything ------------------------------------------------------------------------------------------
def _nobody_works(pulse: Pulse) -> Iterator[Sentence]:
    if pulse.clusters_working:
        return
    seen = pulse.cluster_seen_at
    lost: tuple[Piece | str, ...] = (
        (Piece("Processing has stopped", Rows.QUEUE), ": no workers are running.")
        if seen is None
        else (
            Piece("Processing has stopped", Rows.QUEUE),
            ": no workers have reported in for ",
            Piece(since=seen),
            ".",
        )
    )
    ending: tuple[Piece | str, ...] = (" Voice notes are accepted and wait; nothing is lost.",)
    if pulse.active:
        ending = (" ", Piece(notes(pulse.active), Rows.ACTIVE), f" {_waits(pulse.active)}; nothing is lost.")
    yield _say(Level.TROUBLE, *lost, *ending, " An engineer starts them with manage.py up.")


def _no_watchdog(pulse: Pulse, lost_after: timedelta) -> Iterator[Sentence]:
    seen = pulse.watchdog_seen_at
    if seen is not None and pulse.now - seen <= lost_after:
        return
    how: tuple[Piece | str, ...] = (
        (" is not running",) if seen is None else (" has not reported in for ", Piece(since=seen))
    )
    yield _say(
        Level.TROUBLE,
        Piece("The watchdog", Rows.QUEUE),
        *how,
        ": what is on hold or broke off is not picked up again. An engineer starts it with manage.py up.",
    )


# --- What is on hold ------------------------------------------------------------------------------------------------
def _services(pulse: Pulse) -> Iterator[Sentence]:
    """One sentence for each reason, with all the services that it stops."""
    stopped = [each for each in pulse.standstills if each.service]
    for reason in dict.fromkeys(each.reason for each in stopped):
        alike = sorted((each for each in stopped if each.reason == reason), key=lambda each: each.service, reverse=True)
        yield _say(Level.TROUBLE, *_service(pulse, reason, alike))


def _service(pulse: Pulse, reason: str, alike: Sequence[Standstill]) -> Iterator[Piece | str]:
    names = [str(AIService(each.service).label) for each in alike]
    since = min((each.since for each in alike if each.since), default=None)
    yield Piece(" and ".join([names[0], *(name.lower() for name in names[1:])]), Rows.AI_SERVICE)
    yield f" {'is' if len(names) == 1 else 'are'} on hold for all clubs"
    if since is not None:
        yield " since "
        yield Piece(at=since)
    yield f": {HOLD_REASONS.get(reason) or trouble_words(reason)}; "
    stages = {stage.name for each in alike for stage in stages_of(AIService(each.service))}
    held = sum(load.on_hold for load in pulse.loads if load.stage in stages)
    if held:
        yield Piece(notes(held), Rows.ON_HOLD)
        yield f" {_waits(held)}, nothing is lost."
    else:
        yield "nothing waits for it yet."
    if any(each.needs_person for each in alike):
        yield " Somebody has to mend that and press Resume."
    else:
        yield " It is tried again by itself."


def _pauses(pulse: Pulse) -> Iterator[Sentence]:
    """What people have paused is meant to be so, and easily forgotten."""
    stopped = [each for each in pulse.standstills if each.subject]
    for subject in dict.fromkeys(each.subject for each in stopped):
        alike = [each for each in stopped if each.subject == subject]
        yield _say(Level.NOTICE, *_pause(subject, alike))


def _pause(subject: str, alike: Sequence[Standstill]) -> Iterator[Piece | str]:
    yield Piece(_paused_what(subject), Rows.AI_SERVICE)
    yield f" is paused by people {_for_whom(alike)} since "
    yield Piece(at=min(each.since for each in alike if each.since))
    yield _what_waits(subject)


def _paused_what(subject: str) -> str:
    match subject:
        case Pause.Subject.EVERYTHING:
            return "All work on voice notes"
        case Pause.Subject.AUTOMATIC_CONFIRMATION:
            return "Automatic confirmation"
    return f"The stage {StageName(subject).label}"


def _what_waits(subject: str) -> str:
    if subject == Pause.Subject.AUTOMATIC_CONFIRMATION:
        return ": every suggested entry waits for a person."
    return ": voice notes are accepted and wait; nothing is lost."


def _for_whom(alike: Iterable[Standstill]) -> str:
    clubs = [each.club for each in alike]
    if None in clubs:
        return "for all clubs"
    return f"for {clubs[0]}" if len(clubs) == 1 else f"for {len(clubs)} clubs"


# --- What is slow ---------------------------------------------------------------------------------------------------
def _stalled(pulse: Pulse) -> Iterator[Sentence]:
    if pulse.stalled and pulse.clusters_working:
        made = "has" if pulse.stalled == 1 else "have"
        yield _say(
            Level.TROUBLE,
            Piece(notes(pulse.stalled), Rows.STALLED),
            f" {made} made no progress for too long: open {'it' if pulse.stalled == 1 else 'one'} to see why.",
        )


def _backlog(pulse: Pulse) -> Iterator[Sentence]:
    oldest = pulse.oldest_due
    if oldest is None or not pulse.clusters_working or pulse.now - oldest < BACKLOG_AFTER:
        return
    due = pulse.total("due")
    yield _say(
        Level.NOTICE,
        Piece(notes(due), Rows.WAITING),
        f" {_waits(due)} for a worker, the oldest for ",
        Piece(since=oldest),
        ": more comes in than the workers can do. It is worked off in order.",
    )


# --- Nothing wrong --------------------------------------------------------------------------------------------------
def _nothing_wrong(pulse: Pulse) -> Sentence:
    received = pulse.last_received_at
    if received is None:
        return _say(
            Level.QUIET,
            "Everything is ready, and no voice note has been received yet. ",
            Piece("Send the first one", Rows.UPLOAD),
            ".",
        )
    if pulse.oldest_active_at is not None:
        return _say(
            Level.GOOD,
            "Everything is flowing; the oldest of ",
            Piece(f"{notes(pulse.active)} on {'its' if pulse.active == 1 else 'their'} way", Rows.ACTIVE),
            " has waited ",
            Piece(since=pulse.oldest_active_at),
            ".",
        )
    if pulse.now - received > QUIET_AFTER:
        return _say(
            Level.QUIET,
            "Nothing is wrong, and nothing waits; ",
            Piece("the last voice note", Rows.NEWEST),
            " was received ",
            Piece(since=received),
            " ago.",
        )
    return _say(
        Level.GOOD,
        "Everything is flowing; nothing waits. ",
        Piece("The last voice note", Rows.NEWEST),
        " was received ",
        Piece(since=received),
        " ago.",
    )
