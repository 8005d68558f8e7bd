import json
import os
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseFailure

from voicepipeline.intake.receiving import Received, Result, receive_voice_note
from voicepipeline.models import Coach, Organization, SourceChannel
from voicepipeline.phones import normalised
from voicepipeline.text import safe_text

ALL_TAKEN, SOME_REFUSED, NONE_TAKEN = 0, 1, 2
MOST_FILES = 10_000
MOST_FOLDERS_DEEP = 20
MOST_SHOWN = 200
MOST_LISTED = 10
BAR = 24
# After this nothing more is tried: it would fare no better.
DATABASE_FAILED = Received(
    Result.REFUSED,
    None,
    "not_stored",
    "The database failed, so it is not certain that this file is in. Once the database works, take everything in "
    "again: what is in already is not taken twice.",
)


class Command(BaseCommand):
    help = (
        "Takes recordings in as voice notes of one coach. Of a folder, every file is tried. "
        "Exit code 0: all are in, 1: some were refused, 2: nothing could be taken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a recording, or a folder of recordings")
        parser.add_argument("--organization", required=True, metavar="SLUG", help="the coach's club")
        parser.add_argument("--coach", required=True, metavar="PHONE", help="who speaks, by phone, such as +353…")
        parser.add_argument(
            "--channel",
            choices=SourceChannel.values,
            default=SourceChannel.ADMIN_UPLOAD,
            help="how they came (default: admin_upload)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object a line")

    def handle(self, *args: Any, paths: list[str], **options: Any) -> None:
        club = _club(options["organization"])
        coach = _coach(options["coach"], club)
        files = _files(paths)
        if not files:
            raise CommandError("There is no file in what you named.", returncode=NONE_TAKEN)
        told: Counter[str] = Counter()
        for number, path in enumerate(files):
            self._show_progress(number, len(files))
            received = _receive(path, coach=coach, club=club, channel=options["channel"])
            self._show_progress(None, len(files))
            told[received.result] += 1
            shown = _as_dict(path, received) if options["json"] else _line(path, received)
            self.stdout.write(shown)
            if received is DATABASE_FAILED:
                told["not tried"] = len(files) - number - 1
                break
        if not options["json"]:
            self.stdout.write(_summary(told))
        if code := _exit_code(told):
            sys.exit(code)

    def _show_progress(self, number: int | None, of: int) -> None:
        """A bar on a terminal, taken away before a line is printed."""
        if not self.stderr.isatty():
            return
        bar = "" if number is None else f"[{'#' * (BAR * number // of):<{BAR}}] {number} of {of}"
        self.stderr.write(f"\r\x1b[K{bar}", style_func=str, ending="")
        self.stderr.flush()


def _club(slug: str) -> Organization:
    club = Organization.objects.filter(slug=slug).first()
    if club is None:
        known = Organization.objects.filter(is_active=True).values_list("slug", flat=True)
        raise CommandError(
            f"There is no club with the slug {_shown(slug)!r}. {_listed('The clubs are', known)} "
            "Clubs are added in the back office under Clubs.",
            returncode=NONE_TAKEN,
        )
    if not club.is_active:
        raise CommandError(f"The club {club} is switched off. Switch it on under Clubs first.", returncode=NONE_TAKEN)
    return club


def _coach(phone: str, club: Organization) -> Coach:
    wanted = normalised(phone)
    coaches = list(Coach.objects.filter(organization=club).exclude(phone=""))
    found = [coach for coach in coaches if wanted and normalised(coach.phone) == wanted]
    if len(found) == 1 and found[0].is_active:
        return found[0]
    if found:
        why = "is switched off" if len(found) == 1 else "belongs to several coaches"
        raise CommandError(f"The phone {_shown(phone)} {why}. Put it right under Coaches.", returncode=NONE_TAKEN)
    known = [f"{coach} {coach.phone}" for coach in coaches if coach.is_active]
    raise CommandError(
        f"{club} has no coach with the phone {_shown(phone)}. {_listed('Its coaches are', known)} "
        "Coaches are added in the back office under Coaches.",
        returncode=NONE_TAKEN,
    )


def _listed(beginning: str, names: Any) -> str:
    shown = [_shown(str(name)) for name in names[: MOST_LISTED + 1]]
    if not shown:
        return "There is none yet."
    more = " and more" if len(shown) > MOST_LISTED else ""
    return f"{beginning} {', '.join(shown[:MOST_LISTED])}{more}."


def _files(paths: list[str]) -> list[Path]:
    """Every file that is named, and those in every folder, each once, in a stable order."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        for file in _files_in(path) if path.is_dir() else [path]:
            found[file] = None
            if len(found) > MOST_FILES:
                raise CommandError(
                    f"These are more than {MOST_FILES:,} files. Take them in folder by folder.", returncode=NONE_TAKEN
                )
    return list(found)


def _files_in(folder: Path, depth: int = 0) -> Iterator[Path]:
    """By their names, sorted; links are not followed, for they may lead anywhere."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise CommandError(
            f"The folder {_shown(str(folder))} cannot be read: {error.strerror}.", returncode=NONE_TAKEN
        ) from error
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and depth < MOST_FOLDERS_DEEP:
            yield from _files_in(Path(entry.path), depth + 1)
        elif entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
            yield Path(entry.path)


def _receive(path: Path, *, coach: Coach, club: Organization, channel: str) -> Received:
    try:
        if not path.is_file():
            return _refused("no_file", "There is no such file. Check its name.")
        with path.open("rb") as audio:
            return receive_voice_note(
                source_channel=channel, audio=audio, filename=path.name, sender=coach, organization=club
            )
    except DatabaseFailure:
        return DATABASE_FAILED
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "that is no file name"
        return _refused("unreadable", f"The file cannot be read: {why}.")


def _refused(code: str, message: str) -> Received:
    return Received(Result.REFUSED, None, code, message)


def _line(path: Path, received: Received) -> str:
    what = {
        Result.ACCEPTED: f"accepted as {received.artifact_id}",
        Result.DUPLICATE: f"received before, as {received.artifact_id}",
        Result.REFUSED: f"refused: {received.message}",
    }
    return f"{_shown(str(path))}: {what[received.result]}"


def _as_dict(path: Path, received: Received) -> str:
    return json.dumps(
        {
            "path": safe_text(str(path), 4 * MOST_SHOWN),
            "result": received.result,
            "artifact_id": str(received.artifact_id) if received.artifact_id else None,
            "code": received.code,
            "message": received.message,
        }
    )


def _summary(told: Counter[str]) -> str:
    words: dict[str, str] = {
        Result.ACCEPTED: "accepted",
        Result.DUPLICATE: "received before",
        Result.REFUSED: "refused",
        "not tried": "not tried",
    }
    return ", ".join(f"{told[result]} {words[result]}" for result in words if told[result])


def _exit_code(told: Counter[str]) -> int:
    if not told[Result.REFUSED]:
        return ALL_TAKEN
    return SOME_REFUSED if told[Result.ACCEPTED] or told[Result.DUPLICATE] else NONE_TAKEN


def _shown(text: str) -> str:
    """Text from outside, bounded and without what a terminal would act on."""
    return safe_text("".join(letter if letter.isprintable() else "�" for letter in text[: 2 * MOST_SHOWN]), MOST_SHOWN)
