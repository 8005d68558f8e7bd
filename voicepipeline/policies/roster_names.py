"""Names as lists of players have them: tidied, taken apart, and made comparable."""

import re
import unicodedata

from voicepipeline.matching.normalise import fold, words
from voicepipeline.matching.teams import team_key

# What is before a last name and belongs to it, without accents.
PARTICLE = re.compile(
    "o|ni|nic|mac|mc|ui|de|da|di|du|del|della|des|la|le|van|von|der|den|ten|ter|dos|das|do|st|san|al|el|bin|ben"
)
BESIDE_PARTICLES = ".'\u2019"
# Marks that are not seen: byte-order marks, soft hyphens, marks of direction. Joiners are part of some scripts.
UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def tidy(text: str) -> str:
    """Composed letters, one space between words, and nothing that cannot be seen."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join(CONTROL.sub(" ", UNSEEN.sub("", unicodedata.normalize("NFC", text))).split())


def taken_apart(name: str) -> tuple[str, str]:
    """First and last name of a whole name: by its comma, or before the last word and the particles in front of it."""
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma:
        return (first, last) if first else (last, "")
    parts = name.split()
    at = max(len(parts) - 1, 1)
    while at > 1 and PARTICLE.fullmatch(fold(parts[at - 1]).strip(BESIDE_PARTICLES)):
        at -= 1
    return " ".join(parts[:at]), " ".join(parts[at:])


def name_parts(first: str, last: str) -> tuple[str, str]:
    """Each name as names are compared; of one without letters, its folded text."""
    return "".join(words(first)) or _folded(first), "".join(words(last)) or _folded(last)


def _folded(text: str) -> str:
    return "".join(fold(text).split())


def team_key_of(name: str) -> str:
    """The same for all ways to write a team's name."""
    return team_key(name) or name.casefold()
