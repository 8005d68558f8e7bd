"""What the overview is made of, as plain values: whichever app knows it makes it, and one page draws it all.

Moments stay moments until the page is drawn: words such as "3 s ago" would make every answer a new one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from voicepipeline.models import StageName


class Level(StrEnum):
    """How much something matters; said by a symbol and a word as well as by a colour."""

    GOOD = "good"
    QUIET = "quiet"  # nothing to be told of it: nothing runs, nothing is known
    NOTICE = "notice"
    TROUBLE = "trouble"


@dataclass(frozen=True)
class Figure:
    """A number in words and where exactly its rows are listed; without a link there is no list of them."""

    words: str
    url: str = ""
    says: str = ""  # what stands there, for a title and for screen readers


@dataclass(frozen=True)
class Card:
    """One of the six figures at the top; `window` is the time that it is of, and never left out."""

    key: str
    title: str
    main: Figure
    window: str
    icon: str
    more: tuple[Figure, ...] = ()
    change: str = ""
    level: Level = Level.QUIET


class CardKey(StrEnum):
    """The cards from left to right."""

    ACTIVE = "active"
    READY = "ready"
    FAILED = "failed"
    TIME = "time"
    AI_SERVICE = "ai_service"
    COST = "cost"


@dataclass(frozen=True)
class Concern:
    """Something that needs somebody, and the one thing to do about it."""

    key: str  # stays the same while it lasts
    icon: str
    level: Level
    sentence: str
    detail: str = ""
    since: datetime | None = None
    url: str = ""
    deed: str = "Look"  # what the link says
    clubs: int = 0  # touched by it: those of most come first
    notes: int = 0


@dataclass(frozen=True)
class Deed:
    """What a colleague did; the same deed many times in a row is one line."""

    who: str
    sentence: str  # what follows the name: "confirmed 12 suggested entries"
    at: datetime
    icon: str
    url: str = ""


@dataclass(frozen=True)
class StageTimes:
    """What one stage has done in the last 60 minutes, and how long it took in the hours that `FlowTimes` says."""

    done: Figure
    typical_ms: float | None = None
    slowest_ms: float | None = None
    done_count: int = 0


@dataclass(frozen=True)
class FlowTimes:
    received: Figure
    received_count: int
    ready: Figure
    ready_count: int
    stages: Mapping[StageName, StageTimes] = field(default_factory=dict)
    times_since: datetime | None = None  # the beginning of the hours that typical and slowest are of


@dataclass(frozen=True)
class Contribution:
    """What one app has to say on the overview."""

    cards: Sequence[Card] = ()
    concerns: Sequence[Concern] = ()
    deeds: Sequence[Deed] = ()
    flow_times: FlowTimes | None = None
