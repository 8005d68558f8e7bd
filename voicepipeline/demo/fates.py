"""How the notes of the history fared: so many of each kind, in no order."""

from collections.abc import Mapping
from enum import Enum, auto
from random import Random

from voicepipeline.models import StageName


class Fate(Enum):
    READY = auto()  # nothing went wrong, though names may be unclear
    NOTHING_SAID = auto()
    MUMBLED = auto()  # to be reviewed, and processed on
    CRASHED = auto()  # a worker died in the middle; another one finished it
    HICCUP = auto()  # the AI service failed this note once
    UNREADABLE = auto()
    TIMED_OUT = auto()  # the AI service did not answer for this note, six times
    FILTERED = auto()
    DECLINED = auto()
    UNUSABLE = auto()  # the model's answer, twice


# In a thousand; the rest is ready.
SHARES = {
    Fate.NOTHING_SAID: 40,
    Fate.MUMBLED: 20,
    Fate.CRASHED: 10,
    Fate.HICCUP: 25,
    Fate.UNREADABLE: 20,
    Fate.TIMED_OUT: 8,
    Fate.FILTERED: 12,
    Fate.DECLINED: 8,
    Fate.UNUSABLE: 8,
}
# Where and with which fault of the AI provider a note failed for good.
ENDINGS: Mapping[Fate, tuple[StageName, str]] = {
    Fate.UNREADABLE: (StageName.TRANSCRIPTION, "audio_unsupported"),
    Fate.TIMED_OUT: (StageName.TRANSCRIPTION, "provider_timeout"),
    Fate.FILTERED: (StageName.CLAIMS_EXTRACTION, "content_filtered"),
    Fate.DECLINED: (StageName.CLAIMS_EXTRACTION, "model_refused"),
    Fate.UNUSABLE: (StageName.CLAIMS_EXTRACTION, "invalid_model_output"),
}
NEEDS_A_RECORDING = frozenset({Fate.NOTHING_SAID, Fate.MUMBLED, Fate.UNREADABLE, Fate.TIMED_OUT})
# What staff wrote when they gave such a note up.
CLOSED_BECAUSE = {
    Fate.UNREADABLE: "The coach sent it again as an MP3.",
    Fate.TIMED_OUT: "Half an hour of changing-room noise. The coach will send a shorter one.",
    Fate.FILTERED: "Song lyrics from the bus, nothing about training.",
    Fate.DECLINED: "Asked the coach to type it instead.",
    Fate.UNUSABLE: "Entered by hand.",
}


def draw(choose: Random, count: int) -> list[Fate]:
    """A fate for each of so many notes, every kind among them when there are enough."""
    fates = [fate for fate, share in SHARES.items() for _ in range(max(1, round(share * count / 1000)))][:count]
    fates += [Fate.READY] * (count - len(fates))
    choose.shuffle(fates)
    return fates
