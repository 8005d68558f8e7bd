"""Whether it works, in plain words: the rules behind the sentences at the top of the overview.

Plain values in, words out; what a part of a sentence leads to is named, and the page knows its address.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from voicepipeline.ai_notices import Standstill
from voicepipeline.explanations import HOLD_REASONS
from voicepipeline.models import AIService, Pause, StageName
from voicepipeline.overview.cards import bounded
from voicepipeline.overview.parts import Level
from voicepipeline.overview.pulse import HOUR, Pulse
from voicepipeline.stages import stages_of
from voicepipeline.text import one_line

# Workers that are all busy for so long with what is due have more before them than they can do.
BACKLOG_AFTER = timedelta(minutes=2)
# Of workers that have more than enough to do some are always between two notes: with fewer at work there is another
# reason why notes wait.
BUSY_FROM = 0.5
QUIET_AFTER = HOUR
# Trouble is always shown; with it, so many are shown in all.
SHOWN = 3
LONGEST_NAME = 60  # of a club
AI_SERVICE_DOWN = "the AI service is down"
# What somebody has to do before an AI service can be resumed.
REMEDIES = {
    "provider_no_credit": "add credit with the AI provider",
    "provider_key_refused": "enter a key that the AI provider accepts",
    "provider_access_refused": "have it allowed for our account",
    "provider_model_gone": "choose another model",
}


class Rows(StrEnum):
    """What a part of the sentence leads to."""

    ACTIVE = "active"
    WAITING = "waiting"
    ON_HOLD = "on_hold"
    STALLED = "stalled"
    FAILED = "failed"
    NEWEST = "newest"
    QUEUE = "queue"
    AI_SERVICE = "ai_service"
    SOURCES = "sources"
    UPLOAD = "upload"


@dataclass(frozen=True)
class Piece:
    """Words, or a moment: as the time of day, or as how long ago it was."""

    words: str = ""
    rows: Rows | None = None
    stages: tuple[str, ...] = ()  # of which alone the rows are; of all when there are none
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

    @property
    def shown(self) -> tuple[Sentence, ...]:
        troubles = sum(sentence.level == Level.TROUBLE for sentence in self.sentences)
        return self.sentences[: max(SHOWN, troubles)]

    @property
    def more(self) -> tuple[Sentence, ...]:
        """What is told only to those who ask."""
        return self.sentences[len(self.shown) :]


def health_of(pulse: Pulse, *, lost_after: timedelta, may_upload: bool) -> Health:
    """`lost_after`: workers and watchdogs that have been silent for longer are gone."""
    troubles = [
        *_nobody_works(pulse),
        *_no_watchdog(pulse, lost_after),
        *_services(pulse),
        *_stalled(pulse),
        *_pauses(pulse),
        *_missing(pulse),
        *_backlog(pulse),
        *(_say(Level.NOTICE, Piece(each.caution, Rows.AI_SERVICE)) for each in pulse.standstills if each.caution),
    ]
    return Health(tuple(troubles) or (_nothing_wrong(pulse, may_upload=may_upload),))


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def notes(number: int) -> str:
    return counted(number, "voice note", "voice notes")


def stalled_notes(pulse: Pulse) -> str:
    return bounded_notes(pulse.stalled)


def bounded_notes(number: int) -> str:
    """Of notes that are not counted to their end."""
    return f"{bounded(number)} voice {'note' if number == 1 else 'notes'}"


def _say(level: Level, *pieces: Piece | str) -> Sentence:
    return Sentence(level, tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces))


def _waits(number: int) -> str:
    return "waits" if number == 1 else "wait"


# --- What stops everything ------------------------------------------------------------------------------------------
def _nobody_works(pulse: Pulse) -> Iterator[Sentence]:
    if pulse.clusters_working:
        return
    seen = pulse.cluster_seen_at
    silent: tuple[Piece | str, ...] = (": no workers are running; ",)
    if seen is not None:
        silent = (": no workers have reported in for ", Piece(since=seen), "; ")
    waiting: tuple[Piece | str, ...] = ("voice notes are accepted and wait",)
    if pulse.active:
        waiting = (Piece(notes(pulse.active), Rows.ACTIVE), f" {_waits(pulse.active)}")
    stopped = Piece("Processing has stopped", Rows.QUEUE)
    yield _say(Level.TROUBLE, stopped, *silent, *waiting, ", nothing is lost. Ask an engineer to start the workers.")


def _missing(pulse: Pulse) -> Iterator[Sentence]:
    """Some of the clusters, while others work."""
    gone, since = pulse.clusters_silent, pulse.silent_since
    if not (gone and pulse.clusters_working and since):
        return
    clusters = f"{'One' if gone == 1 else bounded(gone)} of {bounded(gone + pulse.clusters_working)} groups of workers"
    yield _say(
        Level.NOTICE,
        Piece(clusters, Rows.QUEUE),
        " has not reported in for " if gone == 1 else " have not reported in, the first of them for ",
        Piece(since=since),
        ": the others go on, and nothing is lost. Ask an engineer to look at it.",
    )


def _no_watchdog(pulse: Pulse, lost_after: timedelta) -> Iterator[Sentence]:
    if watches(pulse, lost_after):
        return
    seen = pulse.watchdog_seen_at
    how: tuple[Piece | str, ...] = (" is not running",)
    if seen is not None:
        how = (" has not reported in for ", Piece(since=seen))
    ending = ": voice notes that are on hold or were interrupted do not go on. Ask an engineer to start it."
    yield _say(Level.TROUBLE, Piece("The watchdog", Rows.QUEUE), *how, ending)


def watches(pulse: Pulse, lost_after: timedelta) -> bool:
    """Whether a watchdog goes its rounds."""
    return pulse.watchdog_seen_at is not None and pulse.now - pulse.watchdog_seen_at <= lost_after


# --- What is on hold ------------------------------------------------------------------------------------------------
def _services(pulse: Pulse) -> Iterator[Sentence]:
    """One sentence for each reason, with all the services that it stops; first what does not pass by itself."""
    stopped = [each for each in pulse.standstills if each.service]
    stopped.sort(key=lambda each: (each.needs_person, each.service), reverse=True)
    for reason in dict.fromkeys(each.reason for each in stopped):
        yield _say(Level.TROUBLE, *_service(pulse, reason, [each for each in stopped if each.reason == reason]))


def _service(pulse: Pulse, reason: str, alike: Sequence[Standstill]) -> Iterator[Piece | str]:
    names = [str(AIService(each.service).label) for each in alike]
    since = min((each.since for each in alike if each.since), default=None)
    yield Piece(" and ".join([names[0], *(name.lower() for name in names[1:])]), Rows.AI_SERVICE)
    yield f" {'is' if len(names) == 1 else 'are'} on hold for all clubs"
    if since is not None:
        yield " since "
        yield Piece(at=since)
    yield f": {HOLD_REASONS.get(reason, AI_SERVICE_DOWN)}; "
    stages = tuple(stage.name.value for each in alike for stage in stages_of(AIService(each.service)))
    held = sum(load.on_hold for load in pulse.loads if load.stage in stages)
    if held:
        yield Piece(notes(held), Rows.ON_HOLD, stages)
        yield f" {_waits(held)}, nothing is lost. "
    else:
        yield "nothing waits yet, nothing is lost. "
    if any(each.needs_person for each in alike):
        yield f"Somebody has to {REMEDIES.get(reason, 'mend that')} and "
        yield Piece("press Resume", Rows.AI_SERVICE)
        yield "."
    else:
        yield "It is tried again by itself." if len(names) == 1 else "They are tried again by themselves."


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
    yield " Somebody has to "
    yield Piece("switch it on" if subject == Pause.Subject.AUTOMATIC_CONFIRMATION else "press Resume", Rows.AI_SERVICE)
    yield " when the reason is gone."


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
    return ": voice notes are accepted and wait, nothing is lost."


def _for_whom(alike: Iterable[Standstill]) -> str:
    clubs = [each.club for each in alike if each.club is not None]
    if any(each.club is None for each in alike):
        return "for all clubs"
    return f"for {one_line(clubs[0], LONGEST_NAME)}" if len(clubs) == 1 else f"for {len(clubs)} clubs"


# --- What is slow ---------------------------------------------------------------------------------------------------
def _stalled(pulse: Pulse) -> Iterator[Sentence]:
    if pulse.stalled and pulse.clusters_working:
        made = "has" if pulse.stalled == 1 else "have"
        yield _say(
            Level.TROUBLE,
            Piece(stalled_notes(pulse), Rows.STALLED),
            f" {made} made no progress for too long: open {'it' if pulse.stalled == 1 else 'one'} to see why.",
        )


def _backlog(pulse: Pulse) -> Iterator[Sentence]:
    oldest = pulse.oldest_due
    if oldest is None or not pulse.clusters_working or pulse.now - oldest < BACKLOG_AFTER:
        return
    due = pulse.total("due")
    waiting = Piece(notes(due), Rows.WAITING), f" {_waits(due)} for a worker, {'' if due == 1 else 'the oldest '}for "
    yield _say(Level.NOTICE, *waiting, Piece(since=oldest), *_why_they_wait(pulse))


def _why_they_wait(pulse: Pulse) -> Iterator[Piece | str]:
    if pulse.total("running") < pulse.workers * BUSY_FROM:
        yield " although workers are free. Nothing is lost; ask an engineer to look at "
        yield Piece("the queue", Rows.QUEUE)
        yield "."
        return
    workers = counted(pulse.workers, "worker", "workers")
    yield f": more came in than {workers} can do. Nothing is lost; if this lasts, ask an engineer for more workers."


# --- Nothing wrong --------------------------------------------------------------------------------------------------
def _nothing_wrong(pulse: Pulse, *, may_upload: bool) -> Sentence:
    received = pulse.last_received_at
    if received is None:
        return _nothing_yet(may_upload)
    failed = tuple(_failed_lately(pulse))
    if pulse.active:
        return _say(Level.GOOD, *_moving(pulse), *failed)
    last: tuple[Piece | str, ...] = (
        Piece("the last voice note", Rows.NEWEST),
        " was received ",
        Piece(since=received),
        " ago.",
        *failed,
    )
    if pulse.now - received <= QUIET_AFTER:
        return _say(Level.GOOD, "Everything is flowing and nothing waits; ", *last)
    sources = Piece("where they come from", Rows.SOURCES)
    return _say(Level.QUIET, "Nothing is wrong and nothing waits; ", *last, " If that is unusual, see ", sources, ".")


def _moving(pulse: Pulse) -> Iterator[Piece | str]:
    many, since = pulse.active > 1, pulse.oldest_active_at
    if since is None:  # just received, or between two stages
        yield "Everything is flowing; "
        yield Piece(notes(pulse.active), Rows.ACTIVE)
        yield f" {'are on their' if many else 'is on its'} way."
        return
    yield f"Everything is flowing; the {'oldest of' if many else 'only'} "
    yield Piece(f"{notes(pulse.active)} on their way" if many else "voice note on its way", Rows.ACTIVE)
    yield " has waited "
    yield Piece(since=since)
    yield "."


def _failed_lately(pulse: Pulse) -> Iterator[Piece | str]:
    """It flows all the same: what is wrong with single notes stands among what needs attention."""
    failed = pulse.notes_failed
    if failed:
        yield " "
        yield Piece(bounded_notes(failed), Rows.FAILED)
        yield f" failed in the last 60 minutes and still {'needs' if failed == 1 else 'need'} somebody."


def _nothing_yet(may_upload: bool) -> Sentence:
    ready = "Everything is ready, and no voice note has been received yet. "
    if may_upload:
        return _say(Level.QUIET, ready, Piece("Upload the first one", Rows.UPLOAD), ".")
    return _say(Level.QUIET, ready, "The first one is shown here as soon as it comes.")
