"""What people are told when they settle a name, or when somebody else was first."""

from datetime import datetime

from voicepipeline.engine.rebuilding import Rebuilt
from voicepipeline.models import Coach, NameChoice, Player, Team, User
from voicepipeline.operations.ai_service import clock, name_of

NOBODY = "nobody on the roster"


def whom(choice: NameChoice) -> str:
    """Whom an answer says is meant."""
    return str(choice.player or choice.team or choice.coach_meant or NOBODY)


def settled(
    raw_text: str,
    meant: Player | Team | Coach | None,
    choice: NameChoice,
    rebuilt: Rebuilt,
    *,
    for_others: int,
    sender: Coach | None,
) -> str:
    where = "in this one statement" if choice.claim_key else "in this voice note"
    said = [f"“{raw_text}” means {meant or NOBODY} {where}."]
    if choice.alias_id is not None:
        whose = f"other voice notes of {sender}" if sender else "the club's other voice notes"
        said.append(f"It is remembered for {whose}.")
    elif meant is not None and not choice.claim_key:
        said.append("It is not remembered for other voice notes: there it may well mean somebody else.")
    return " ".join([*said, *_led_to(rebuilt, for_others)])


def undone(choice: NameChoice, rebuilt: Rebuilt, *, forgotten: bool, uses: int, for_others: int) -> str:
    said = [f"Taken back: that “{choice.raw_text}” means {whom(choice)}."]
    if forgotten:
        said.append("It is no longer remembered for other voice notes.")
    if forgotten and uses:
        times = "once" if uses == 1 else f"{uses} times"
        said.append(f"What was matched by it already ({times}) stays as it is.")
    return " ".join([*said, *_led_to(rebuilt, for_others)])


def _led_to(rebuilt: Rebuilt, for_others: int) -> list[str]:
    said = []
    if rebuilt.entries:
        said.append("Its open entries have been made again.")
    elif rebuilt.names:
        said.append("Its names have been matched again; its entries follow.")
    if for_others:
        one = "1 entry that was confirmed before is for somebody else, and stays as it is until you change it."
        many = f"{for_others} entries that were confirmed before are for somebody else, and stay until you change them."
        said.append(one if for_others == 1 else many)
    return said


def said_already(choice: NameChoice, *, now: datetime) -> str:
    return f"{_by_and_when(choice.chosen_by, choice.chosen_at, now)} has said so already. Nothing was changed."


def undone_already(choice: NameChoice, *, now: datetime) -> str:
    return f"{_by_and_when(choice.undone_by, choice.undone_at, now)} has taken this answer back already."


def somebody_was_first(newest: NameChoice | None, seen: NameChoice | None, *, now: datetime) -> str:
    """Who has answered since the person looked, what and when; or who has taken back the answer that they saw."""
    if newest is not None:
        who = _by_and_when(newest.chosen_by, newest.chosen_at, now)
        where = " in one statement" if newest.claim_key else ""
        said = f"{who} has answered meanwhile: “{newest.raw_text}” means {whom(newest)}{where}."
    elif seen is not None and seen.undone_by is not None:
        said = f"{_by_and_when(seen.undone_by, seen.undone_at, now)} has taken the answer back meanwhile."
    else:
        said = "The answer that you saw does not count any more."
    return f"{said} Your answer was not kept: look again, and change it if you know better."


def _by_and_when(who: User | None, at: datetime | None, now: datetime) -> str:
    name = name_of(who) if who else "Somebody"
    return f"{name} ({clock(at, now=now)})" if at else name
