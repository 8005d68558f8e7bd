"""Which voice notes somebody means: by their ids, by what they are like, or by both."""

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import QuerySet

from retry.kinds import FAILED_STAGE
from retry.limits import limits
from retry.words import printable
from voicepipeline.models import Artifact, Organization, StageName
from voicepipeline.queries import stalled_notes
from voicepipeline.text import row_number, safe_text

CLOSED, STALLED = "closed", "stalled"
STATUSES: dict[str, str] = {
    **{status.value: str(status.label) for status in Artifact.Status},
    CLOSED: "Closed, won't fix",
    STALLED: "No progress",
}
AGO = re.compile(r"(\d{1,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MOST_NAMED = 5
MOST_NAME = 200


class Unusable(Exception):
    """A choice that cannot be followed; the message says what to do instead."""


@dataclass(frozen=True)
class Selection:
    """What somebody named; everything that is given narrows it."""

    ids: tuple[uuid.UUID, ...] = ()
    status: str = ""
    stage: str = ""
    organization: Organization | None = None
    error_code: str = ""
    since: datetime | None = None
    limit: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.ids or self._filters)

    @property
    def _filters(self) -> bool:
        return bool(self.status or self.stage or self.organization or self.error_code or self.since)

    @property
    def words(self) -> str:
        """How they were chosen, for people."""
        return "; ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        if self.ids:
            yield "Named by id" if len(self.ids) == 1 else f"{len(self.ids):,} named by id"
        if self.status:
            yield f"Status: {STATUSES[self.status]}"
        if self.stage:
            yield f"Stage: {StageName(self.stage).label}"
        if self.organization:
            yield f"Club: {self.organization}"
        if self.error_code:
            yield f"Code: {self.error_code}"
        if self.since:
            yield f"Received since {self.since:%Y-%m-%d %H:%M} UTC"
        if self.limit:
            yield f"The {'oldest' if not self.ids else 'first'} {self.limit:,}"


def choose(selection: Selection, asked_for: str) -> list[int]:
    """The notes that are meant, by primary key: in the order in which they were named, else the oldest first."""
    if selection.is_empty:
        raise Unusable(
            "Say which voice notes: name their ids, or choose them by --status, --stage, --organization, "
            "--error-code or --since."
        )
    most = limits().most_in_bulk
    notes = _matching(selection, asked_for)
    if selection.ids:
        found = _in_order(selection.ids, notes)[: selection.limit]
    else:
        # One more than the most is enough to know, and a database takes no number of any length.
        enough = min(selection.limit or most + 1, most + 1)
        found = list(notes.order_by("received_at", "pk").values_list("pk", flat=True)[:enough])
    if len(found) > most:
        raise Unusable(f"More than {most:,} voice notes are the most at once. Narrow the choice, or give --limit.")
    return found


def _matching(selection: Selection, asked_for: str) -> QuerySet[Artifact]:
    notes: QuerySet[Artifact] = Artifact.objects.order_by()
    status = selection.status
    if not status and not selection.ids and asked_for == FAILED_STAGE:
        status = Artifact.Status.FAILED
    notes = _of_status(notes, status, named=bool(selection.ids))
    if selection.stage:
        notes = notes.filter(current_stage=selection.stage)
    if selection.organization:
        notes = notes.filter(organization=selection.organization)
    if selection.error_code:
        notes = notes.filter(error_code=selection.error_code)
    if selection.since:
        notes = notes.filter(received_at__gte=selection.since)
    return notes


def _of_status(notes: QuerySet[Artifact], status: str, *, named: bool) -> QuerySet[Artifact]:
    """What somebody has closed is meant only when it is named."""
    if status == CLOSED:
        return notes.filter(closed_at__isnull=False)
    if not named:
        notes = notes.filter(closed_at__isnull=True)
    if status == STALLED:
        return stalled_notes(notes)
    return notes.filter(status=status) if status else notes


def _in_order(ids: Sequence[uuid.UUID], notes: QuerySet[Artifact]) -> list[int]:
    wanted = list(dict.fromkeys(ids))
    known = set(Artifact.objects.filter(artifact_id__in=wanted).values_list("artifact_id", flat=True))
    unknown = [str(each) for each in wanted if each not in known]
    if unknown:
        shown = ", ".join(unknown[:MOST_NAMED]) + (" and more" if len(unknown) > MOST_NAMED else "")
        raise Unusable(f"There is no voice note with the id {shown}. Copy ids from the notes' pages.")
    matching = dict(notes.filter(artifact_id__in=wanted).values_list("artifact_id", "pk"))
    return [matching[each] for each in wanted if each in matching]


def read_id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text.strip())
    except ValueError:
        raise Unusable(f"{printable(text)!r} is no id of a voice note. Copy ids from the notes' pages.") from None


def find_club(text: str) -> Organization:
    """The club with this id, or with exactly this name."""
    name = safe_text(text.strip(), MOST_NAME)
    club = (
        Organization.objects.filter(pk=row_number(name) or 0).first() or Organization.objects.filter(name=name).first()
    )
    if club is None:
        raise Unusable(f"There is no club with the id or the exact name {printable(text)!r}. Look it up under Clubs.")
    return club


def read_since(text: str, now: datetime) -> datetime:
    """A moment in UTC: as it is written, or so long ago."""
    since = _moment(text.strip(), now)
    if since is None:
        raise Unusable(
            f"--since {printable(text)!r} is no time. Write it as 2026-03-31T14:00 (UTC), or as 30m, 2h, 3d."
        )
    if since > now:
        raise Unusable("--since lies in the future. Choose a time before now; times are UTC.")
    return since


def _moment(text: str, now: datetime) -> datetime | None:
    ago = AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
