import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from typing import Any, TextIO

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.urls import reverse
from django.utils import timezone

from retry.bulk.previews import make_preview, start_bulk
from retry.bulk.rights import permission_of
from retry.kinds import FAILED_STAGE, KINDS
from retry.management.driving import Driver, what_became
from retry.models import BulkRetry, BulkRetryItem
from retry.operations import MAX_REASON, retry
from retry.queries import Preview, PreviewedNote, preview_retry
from retry.reports import (
    REFUSED,
    REQUESTED,
    WAITING,
    Told,
    counts,
    foretold,
    preview_as_dict,
    preview_lines,
    result_lines,
)
from retry.selection import STATUSES, Selection, Unusable, choose, find_club, read_id, read_since
from retry.words import MOST_SAID, amount, printable
from voicepipeline.access import verify_platform_staff
from voicepipeline.errors import InvalidTransition
from voicepipeline.models import StageName, User
from voicepipeline.text import safe_text

ALL_REQUESTED, SOME_REQUESTED, NONE_REQUESTED = 0, 3, 4
KIND_NAMES = (FAILED_STAGE, *KINDS)
TIMEOUT_SECONDS = 300
MOST_SECONDS = 86_400
MOST_CODE = 60
NOTHING_FITS = "No voice note fits this choice, so there is nothing to do."


class Command(BaseCommand):
    help = (
        "Retries voice notes: first says what that would delete, cost and take, as the page of a preview does, then "
        "asks. Several are retried in the background, and this waits until each was requested or refused. "
        "Exit code 0: all were requested (or --dry-run), 3: some, 4: none, 1: it could not be done."
    )
    stealth_options = ("stdin",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", type=_kind, metavar="KIND", help=f"what to do: {', '.join(KIND_NAMES)}")
        parser.add_argument("ids", nargs="*", metavar="ID", help="voice notes, by the ids that their pages show")
        parser.add_argument(
            "--status",
            choices=STATUSES,
            help="those that are in this state; without ids, failed_stage means failed ones by itself, and closed ones "
            "are left out unless they are asked for",
        )
        parser.add_argument("--stage", type=_stage, metavar="STAGE", help=f"at this stage: {', '.join(StageName)}")
        parser.add_argument("--organization", metavar="CLUB", help="of this club, by its id or exact name")
        parser.add_argument("--error-code", default="", metavar="CODE", help="that failed with exactly this code")
        parser.add_argument("--since", metavar="T", help="received since, in UTC: 2026-03-31T14:00, 30m, 2h or 3d")
        parser.add_argument("--limit", type=int, metavar="N", help="no more than so many, the oldest first")
        parser.add_argument("--as", dest="username", required=True, metavar="USER", help="platform staff who asks")
        parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept with each retry")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen; writes nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--agree", action="store_true", help="agree about confirmed entries")
        parser.add_argument("--all-at-once", action="store_true", help="do not try the first few before the rest")
        parser.add_argument(
            "--timeout",
            type=float,
            default=TIMEOUT_SECONDS,
            metavar="S",
            help=f"seconds to wait at most ({TIMEOUT_SECONDS}); then it goes on in the background",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object at the end")

    def handle(self, *args: Any, kind: str, **options: Any) -> None:
        try:
            by = _person(options["username"], kind)
            _check(options)
            code = self._retry(kind, by, options)
        except (PermissionDenied, InvalidTransition, Unusable) as refused:
            raise CommandError(printable(str(refused), MOST_SAID)) from None
        if code:
            sys.exit(code)

    def _retry(self, kind: str, by: User, options: dict[str, Any]) -> int:
        selection = _selection(options)
        pks = choose(selection, kind)
        preview = preview_retry(pks, kind, by=by, bulk=len(pks) > 1)
        self._show(preview, options)
        if options["dry_run"] or not preview.possible:
            told = [foretold(note) for note in preview.notes]
            self._tell(kind, preview, told, options, None)
            return ALL_REQUESTED if options["dry_run"] else NONE_REQUESTED
        self._settle(preview, options)
        bulk, told = self._begin(kind, preview, by, options, chosen_by=selection.words)
        self._tell(kind, preview, told, options, bulk)
        return _exit_code(told)

    def _show(self, preview: Preview, options: dict[str, Any]) -> None:
        """A script reads the standard output; whoever is asked has to see what they are asked about."""
        if options["json"] and (options["yes"] or options["dry_run"]):
            return
        output = self.stderr if options["json"] else self.stdout
        for line in preview_lines(preview) if preview.notes else [NOTHING_FITS]:
            output.write(line, style_func=str)

    def _settle(self, preview: Preview, options: dict[str, Any]) -> None:
        """Raise unless everything is said that has to be, and whoever can be asked wants it."""
        if preview.confirmed and not options["agree"]:
            one = preview.confirmed == 1
            raise CommandError(
                f"{amount(preview.confirmed, 'entries')} that {'was' if one else 'were'} confirmed or applied "
                f"{'depends' if one else 'depend'} on these voice notes. Nothing was done: give --agree if you "
                "agree to that, or choose others."
            )
        if options["yes"]:
            return
        source: TextIO = options.get("stdin") or sys.stdin
        if not source.isatty():
            raise CommandError("Nothing was done, for nobody can be asked here. Look with --dry-run, then give --yes.")
        self.stderr.write(f"Retry {amount(preview.possible, 'voice notes')} now? [y/N] ", style_func=str, ending="")
        self.stderr.flush()
        try:
            answer = source.readline().strip().lower()
        except KeyboardInterrupt:
            answer = ""
        if answer not in ("y", "yes"):
            raise CommandError("Nothing was done.")

    def _begin(
        self, kind: str, preview: Preview, by: User, options: dict[str, Any], *, chosen_by: str
    ) -> tuple[BulkRetry | None, list[Told]]:
        if len(preview.notes) == 1:
            return None, [_retry_one(kind, preview.notes[0], by, options)]
        pks = [note.artifact_pk for note in preview.notes]
        bulk = make_preview(pks, kind, by=by, chosen_by=f"From the command line. {chosen_by}")
        if bulk.details["confirmed"] > preview.confirmed:
            raise CommandError("Nothing was done: more entries were confirmed since you looked. Look again first.")
        started = start_bulk(
            bulk.bulk_id,
            by=by,
            reason=options["reason"],
            tries_first=not options["all_at_once"],
            agreed=options["agree"],
        )
        if not started.done:
            raise CommandError(printable(started.message, MOST_SAID))
        bulk.refresh_from_db()
        self._drive(bulk, options)
        return bulk, list(what_became(bulk))

    def _drive(self, bulk: BulkRetry, options: dict[str, Any]) -> None:
        """Whatever ends the waiting, the watchdog goes on with it; where to see that is said."""
        waited = f"{options['timeout']:g} s were not enough for all."
        try:
            Driver(bulk, self.stderr).drive(seconds=options["timeout"])
        except KeyboardInterrupt:
            waited = "You need not wait for it."
        except (OperationalError, InterfaceError):
            raise CommandError(
                f"The database failed. What was begun is kept; look at the rest once it is back: {_address(bulk)}"
            ) from None
        bulk.refresh_from_db(fields=["state", "state_reason"])
        if not bulk.items.filter(state=BulkRetryItem.State.WAITING).exists():
            return
        if bulk.state in BulkRetry.MOVING:
            words = f"{waited} It goes on in the background: {_address(bulk)}"
        else:
            words = f"{bulk.get_state_display()}. {printable(bulk.state_reason, MOST_SAID)} {_address(bulk)}"
        self.stderr.write(words, style_func=str)

    def _tell(
        self, kind: str, preview: Preview, told: list[Told], options: dict[str, Any], bulk: BulkRetry | None
    ) -> None:
        if options["json"]:
            shown = {
                "kind": kind,
                "dry_run": options["dry_run"],
                "preview": preview_as_dict(preview),
                "result": counts(told),
                "notes": [each.as_dict() for each in told],
                "bulk": str(bulk.bulk_id) if bulk else None,
                "state": bulk.state if bulk else None,
                "state_reason": bulk.state_reason if bulk else "",
            }
            self.stdout.write(json.dumps(shown))
        elif options["dry_run"]:
            self.stdout.write("Nothing was done: this was a dry run.")
        elif preview.possible:
            for line in result_lines(told, foretold_refusals=preview.refused):
                self.stdout.write(line)
            if bulk and not counts(told)[WAITING]:
                self.stdout.write(f"How they fare: {_address(bulk)}")


def _kind(text: str) -> str:
    return _one_of(text, KIND_NAMES)


def _stage(text: str) -> str:
    return _one_of(text, StageName.values)


def _one_of(text: str, names: Sequence[str]) -> str:
    """As the code has it, though it may be written with dashes."""
    name = text.strip().lower().replace("-", "_")
    if name not in names:
        raise ArgumentTypeError(f"{printable(text)!r} is none of {', '.join(names)}")
    return name


def _person(username: str, kind: str) -> User:
    """Who asks: platform staff with the right to this kind."""
    user = User.objects.filter(username=safe_text(username, 150)).first()
    if user is None:
        raise CommandError(f"Nobody is called {printable(username)!r}. Give the username of somebody under Users.")
    verify_platform_staff(user, permission_of(kind))
    return user


def _check(options: dict[str, Any]) -> None:
    """Values that would only be found wanting after people were asked."""
    reason = options["reason"] = options["reason"].strip()
    if not reason and not options["dry_run"]:
        raise CommandError("Say why with --reason: it is kept with each retry.")
    if len(reason) > MAX_REASON:
        raise CommandError(f"The reason is longer than {MAX_REASON} characters. Say it shorter.")
    if options["limit"] is not None and options["limit"] < 1:
        raise CommandError("--limit is a number of voice notes: 1 or more.")
    if not 0 < options["timeout"] <= MOST_SECONDS:
        raise CommandError(f"--timeout is a number of seconds above 0, at most {MOST_SECONDS:,}.")


def _selection(options: dict[str, Any]) -> Selection:
    since, club = options["since"], options["organization"]
    return Selection(
        ids=tuple(read_id(text) for text in options["ids"]),
        status=options["status"] or "",
        stage=options["stage"] or "",
        organization=None if club is None else find_club(club),
        error_code=safe_text(options["error_code"].strip(), MOST_CODE),
        since=None if since is None else read_since(since, timezone.now()),
        limit=options["limit"],
    )


def _retry_one(kind: str, note: PreviewedNote, by: User, options: dict[str, Any]) -> Told:
    """One alone needs no bulk retry, and may be retried where many at once may not."""
    result = retry(
        kind,
        note.artifact_id,
        by=by,
        reason=options["reason"],
        expected_generation=note.generation,
        agreed_to=note.verdict.confirmed,
        as_of=note.verdict.confirmed_at,
    )
    number = result.retry_attempt.number if result.success and result.retry_attempt else None
    outcome = REQUESTED if result.success else REFUSED
    return Told(str(note.artifact_id), note.kind, outcome, result.message, number)


def _exit_code(told: Sequence[Told]) -> int:
    requested = counts(told)[REQUESTED]
    if requested == len(told):
        return ALL_REQUESTED
    return SOME_REQUESTED if requested else NONE_REQUESTED


def _address(bulk: BulkRetry) -> str:
    return f"{settings.SITE_URL}{reverse('admin:retry_bulkretry_change', args=[bulk.bulk_id])}"
