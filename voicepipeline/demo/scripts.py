"""What the coaches of the demo say: sentences about players of theirs, whose names are said as people say them.

Only whoever is really named stands in a sentence, so that everything found in a note can be held against its words.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from voicepipeline.demo.rosters import HEARD_AS, STRANGERS

Name = tuple[str, str]

OPENINGS = (
    "Good session with the {team} tonight.",
    "The {team} were flat this evening, I have to say.",
    "Quick one after training.",
    "I am just home from the match with the {team}.",
    "Okay, a few words before I forget them.",
    "Great energy from everyone tonight.",
    "Numbers were good, {count} at training this evening.",
    "A short note from the pitch.",
)
ABOUT_PLAYERS = (
    # injury
    "{player} picked up a knock on the left ankle and had to come off.",
    "{player} felt a strain in the hamstring and should rest until Thursday.",
    "{player} went down holding a wrist, a bit sore but nothing is broken.",
    "{player} was dizzy after a collision and we took no chances with it.",
    "{player} is limping since Tuesday and needs to see the doctor.",
    # recovery
    "{player} is back running after the ankle trouble and felt no pain.",
    "The physio says {player} can do light training this week.",
    # wellbeing
    "{player} seemed very down in herself today and I am a bit worried.",
    "{player} is anxious about the exams and sleeping badly, I am told.",
    # attendance
    "{player} was absent again, that is three sessions in a row.",
    "{player} came late and {other} did not turn up at all.",
    "I had no show from {player} last night and no message either.",
    # behavior
    "{player} was messing during the warm-up and had to sit out.",
    "{player} argued with the referee and should know better.",
    # parents
    "I spoke to the father of {player} after training and he is happy enough.",
    "The mother of {player} rang about lifts for next Saturday.",
    # milestones and bodies
    "{player} got a first goal for the club and it was well taken.",
    "{player} stepped up as captain and kept the group together.",
    "{player} has grown a lot and is much stronger in the tackle.",
    "{player} is getting faster over the first ten metres, the fitness work shows.",
    # skills
    "{player} was {rating} out of five on the {skill} drill.",
    "The {skill} of {player} has really improved since last month.",
    "{player} is coming on well, {skill} most of all.",
    "I would give {player} {rating} out of five for {skill} tonight.",
    # performance and tactics
    "{player} was excellent all evening.",
    "{player} and {other} played really well together in the middle.",
    "{player} missed two tackles early on but never stopped working.",
    "{player} struggled with the pace of it and looked tired.",
    "{player} was outstanding, the best on the pitch by a distance.",
    "{player} is standing too deep and should push up with the others.",
    "We tried {player} on the wing and the positioning was good.",
)
ABOUT_EVERYBODY = (
    "The backs were far too deep all evening.",
    "The attitude in the whole squad was brilliant.",
    "The midfield pressed well in the second half.",
    "For the next session I want small-sided games and more shooting.",
    "The next session should be all about the kick-out.",
    "We need to work on the shape of the forwards next Tuesday.",
    "I must book the pitch before the weekend.",
    "I need to order the new bibs and a second set of cones.",
    "The spirit in the group is great at the moment.",
    "I had a word with Coach {coach} about the formation.",
    "The {team} need a goalkeeper drill next week.",
)
CLOSINGS = ("That is all for today.", "That is it until next week.", "I will send more after the weekend.", "")
SKILLS = ("first touch", "passing", "tackling", "shooting", "kicking", "catching", "dribbling", "soloing")
RATINGS = ("two", "three", "three", "four", "four", "five")
SPOKEN_NUMBERS = {"12": "twelves", "13": "thirteens", "14": "fourteens", "15": "fifteens", "16": "sixteens"}

SILENCE = ""
# In somebody's pocket, in the wind, or a thumb on the button.
ACCIDENTS = (SILENCE, SILENCE, "Hello?", "Testing, testing.", "[wind noise] [inaudible] [inaudible]", "Thank you.")

# How a name is said: how often in a hundred.
MANNERS = {"whole": 52, "first": 26, "misheard": 9, "misheard first": 4, "last": 3, "elsewhere": 3, "stranger": 3}


@dataclass(frozen=True)
class Speaker:
    """Whom a coach has in mind: the own players, those of the club's other teams, the other coaches."""

    players: Sequence[Name]
    elsewhere: Sequence[Name]
    teams: Sequence[str]
    coaches: Sequence[str]


def write_note(choose: Random, speaker: Speaker, *, longest: int = 4) -> str:
    """A note of a few sentences, about a few players."""
    about = choose.sample(speaker.players, k=min(8, len(speaker.players)))
    templates = choose.sample(ABOUT_PLAYERS, k=choose.choice(range(1, longest)))
    templates += choose.sample(ABOUT_EVERYBODY, k=choose.choice((0, 0, 0, 1, 1, 2)))
    choose.shuffle(templates)
    said = []
    for template in (choose.choice(OPENINGS), *templates, choose.choice(CLOSINGS)):
        said.append(template.format_map(_words(choose, speaker, (about.pop(), about.pop()) if len(about) > 1 else ())))
    return " ".join(filter(None, said))


def mumbled(choose: Random, text: str) -> str:
    """The same with every few words lost in the wind."""
    words = text.split()
    for at in range(choose.randint(1, 3), len(words), 3):
        words[at] = "[inaudible]"
    return " ".join(words)


def spoken_team(name: str) -> str:
    kind, _, number = name.rpartition(" ")
    return f"{kind.casefold()} {SPOKEN_NUMBERS[number]}" if number in SPOKEN_NUMBERS else name.casefold()


def spoken_seconds(text: str) -> float:
    """How long it takes to say this, at the pace of somebody with cold hands."""
    return max(2.0, round(len(text.split()) / 2.4, 1))


def _words(choose: Random, speaker: Speaker, about: Sequence[Name]) -> Mapping[str, str]:
    first, second = about or choose.sample(speaker.players, k=2)
    return {
        "player": say_name(choose, speaker, first),
        "other": say_name(choose, speaker, second),
        "team": spoken_team(choose.choice(speaker.teams)),
        "coach": choose.choice(speaker.coaches),
        "skill": choose.choice(SKILLS),
        "rating": choose.choice(RATINGS),
        "count": choose.choice(("twelve", "fourteen", "sixteen", "eighteen", "nineteen")),
    }


def say_name(choose: Random, speaker: Speaker, name: Name) -> str:
    """This player as the transcript will have it, or now and then somebody else."""
    first, last = name
    manner = choose.choices(list(MANNERS), list(MANNERS.values()))[0]
    heard = choose.choice(HEARD_AS.get(first, (first,)))
    match manner:
        case "first":
            return _perhaps_plain(choose, first)
        case "misheard":
            return f"{heard} {_perhaps_plain(choose, last)}"
        case "misheard first":
            return heard
        case "last":
            return _perhaps_plain(choose, last)
        case "elsewhere":
            return _perhaps_plain(choose, " ".join(choose.choice(speaker.elsewhere or (name,))))
        case "stranger":
            return choose.choice(STRANGERS)
    return _perhaps_plain(choose, f"{first} {last}")


def _perhaps_plain(choose: Random, text: str) -> str:
    """Half of what speech models write has lost its accents."""
    if choose.random() < 0.5:
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in apart if not unicodedata.combining(sign))
