import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voicepipeline.matching.deciding import Decision, Kind, Mention, decide
from voicepipeline.matching.ranking import Candidate
from voicepipeline.matching.roster import Person, Roster
from voicepipeline.models import Coach, Organization
from voicepipeline.operations.aliases import roster_of, teams_of_coach
from voicepipeline.text import safe_text

MOST_BYTES = 5_000_000
MOST_SHOWN = 60


class Command(BaseCommand):
    help = "Tells for each name who on the roster is meant, how certain that is and why."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="a name as it was said; - reads one a line")
        parser.add_argument("--organization", metavar="SLUG", help="match against this club's players")
        parser.add_argument(
            "--coach", type=int, metavar="ID", help="as this coach: own learned names, other teams asked about"
        )
        parser.add_argument(
            "--roster", metavar="FILE", help="or a JSON list of {id, first_name, last_name, team, active}"
        )
        parser.add_argument("--team", metavar="NAME", help="as a coach of this team of the roster file")
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *args: Any, names: list[str], **options: Any) -> None:
        if "-" in names and len(names) > 1:
            raise CommandError("- reads the names from standard input: give it alone, or names without it.")
        roster, teams = _from_file(options) if options["roster"] is not None else _from_club(options)
        told = False
        for name in _read_names() if names == ["-"] else names:
            decision = decide(Mention(name, teams), roster)
            self.stdout.write(json.dumps(_as_dict(name, decision)) if options["json"] else _line(name, decision))
            told = True
        if not told:
            raise CommandError("There is no name to match. Give one or more, or - to read them from standard input.")


def _from_club(options: dict[str, Any]) -> tuple[Roster, frozenset[str]]:
    if options["organization"] is None:
        raise CommandError("Say whose players are meant: --organization SLUG or --roster FILE.")
    if options["team"] is not None:
        raise CommandError("--team goes with --roster; a club's teams follow from --coach ID.")
    club = Organization.objects.filter(slug=options["organization"]).first()
    if club is None:
        raise CommandError(f"There is no club with the slug {_shown(options['organization'])!r}.")
    coach = _coach_of(options["coach"], club)
    teams = teams_of_coach(coach.pk, club.pk) if coach else ()
    return roster_of(club, coach), frozenset(team.name for team in teams)


def _coach_of(coach_id: int | None, club: Organization) -> Coach | None:
    if coach_id is None:
        return None
    coach = Coach.objects.filter(pk=coach_id, organization=club).first()
    if coach is None:
        raise CommandError(f"The club {club.name} has no coach with the id {coach_id}.")
    return coach


def _from_file(options: dict[str, Any]) -> tuple[Roster, frozenset[str]]:
    if options["organization"] is not None or options["coach"] is not None:
        raise CommandError("--roster goes without --organization and --coach: a roster file is its own club.")
    people = _read_roster(Path(options["roster"]))
    team = options["team"]
    if team is not None and team not in {person.team for person in people}:
        raise CommandError(f"Nobody on the roster is in a team named {_shown(team)!r}.")
    return Roster(people), frozenset({team} if team is not None else ())


def _read_roster(path: Path) -> list[Person]:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is no file name"
        raise CommandError(f"The roster file {_shown(str(path))} cannot be read: {why}.") from error
    if len(raw) > MOST_BYTES:
        raise CommandError(f"The roster file {_shown(str(path))} is larger than {MOST_BYTES:,} bytes.")
    try:
        rows = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"The roster file {_shown(str(path))} is not JSON in UTF-8.") from error
    if not isinstance(rows, list) or not rows:
        raise CommandError(f"The roster file {_shown(str(path))} holds no list of players.")
    return [_person(row, number) for number, row in enumerate(rows, start=1)]


def _person(row: object, number: int) -> Person:
    if not isinstance(row, dict):
        raise CommandError(f"Entry {number} of the roster file is not a player: {{id, first_name, last_name, …}}.")
    key, first, last = row.get("id"), row.get("first_name"), row.get("last_name", "")
    team, active = row.get("team"), row.get("active", True)
    if not isinstance(key, (int, str)) or isinstance(key, bool):
        raise _invalid("id", number)
    if not isinstance(first, str):
        raise _invalid("first_name", number)
    if not isinstance(last, str):
        raise _invalid("last_name", number)
    if not isinstance(team, str | None):
        raise _invalid("team", number)
    if not isinstance(active, bool):
        raise _invalid("active", number)
    return Person(key, first, last, team, active)


def _invalid(field: str, number: int) -> CommandError:
    return CommandError(f"Entry {number} of the roster file has no valid {field}.")


def _read_names() -> Iterator[str]:
    try:
        for line in sys.stdin:
            if line.strip():
                yield line.strip()
    except UnicodeDecodeError as error:
        raise CommandError("The names on standard input are not UTF-8 text.") from error


def _line(name: str, decision: Decision) -> str:
    found = [_told(one) for one in decision.candidates]
    who = f" {found[0]}" if decision.kind is Kind.LINK else ""
    parts = [f"{_shown(name)!r}: {decision.kind}{who}", decision.reason]
    if decision.kind is Kind.LINK and len(found) > 1:
        parts.append(f"next is {found[1]}")
    elif decision.kind is Kind.ASK:
        parts.append(", ".join(found))
    return " · ".join(parts)


def _told(candidate: Candidate) -> str:
    scores = (("first", candidate.given), ("last", candidate.surname))
    apart = "".join(f", {which} name {score:.0f}" for which, score in scores if score is not None)
    return f"{_shown(candidate.person.name)} #{_shown(str(candidate.person.id))} ({candidate.score:.0f}{apart})"


def _as_dict(name: str, decision: Decision) -> dict[str, Any]:
    candidates = [_candidate(one) for one in decision.candidates]
    return {
        "name": name,
        "decision": decision.kind,
        "person": None if decision.person is None else candidates[0],
        "runner_up": candidates[1] if len(candidates) > 1 else None,
        "reason": decision.reason,
        "candidates": candidates,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    person = candidate.person
    return {
        "id": person.id,
        "name": person.name,
        "team": person.team,
        "active": person.active,
        "score": round(candidate.score, 1),
        "first_name_score": None if candidate.given is None else round(candidate.given, 1),
        "last_name_score": None if candidate.surname is None else round(candidate.surname, 1),
        "reason": candidate.reason,
    }


def _shown(text: str) -> str:
    """Text from outside, bounded and without what a terminal would act on."""
    return safe_text("".join(letter if letter.isprintable() else "�" for letter in text[: 2 * MOST_SHOWN]), MOST_SHOWN)
