"""The voice notes of a bulk retry as its pages list them: few beside the figures, all of them in pages of their own."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page
from django.db.models import BooleanField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest
from django.urls import reverse

from retry.admin.bulk_words import NOTES, notes_page_of, page_of, state_of_item
from retry.kinds import FAILED_STAGE
from retry.models import BulkRetry, BulkRetryItem
from retry.words import amount
from voicepipeline.admin.lists import BoundedPaginator
from voicepipeline.admin.words import State, moment
from voicepipeline.models import StageRun
from voicepipeline.text import row_number, safe_text

SHOWN, A_PAGE = 10, 50
LONGEST_FINGERPRINT = 64
CONFIRMED, HELD, WORKED_ON = "confirmed", "on_hold", "worked_on"
ON_HOLD = State("on_hold", "On hold")
TITLES = {
    "": "All",
    BulkRetryItem.State.WAITING: "Not begun",
    WORKED_ON: "Under way",
    HELD: "On hold",
    BulkRetryItem.State.SUCCEEDED: "Succeeded",
    BulkRetryItem.State.FAILED: "Failed again",
    BulkRetryItem.State.SUPERSEDED: "Replaced by a newer try",
    BulkRetryItem.State.REFUSED: "Refused",
    CONFIRMED: "With confirmed entries",
}

# Whether it is on hold is asked of those that are under way alone: others may be so for another reason.
PARKED = StageRun.objects.parked().filter(artifact=OuterRef("artifact"))
IS_HELD = Case(
    When(state=BulkRetryItem.State.REQUESTED, then=Exists(PARKED)),
    default=Value(False),
    output_field=BooleanField(),
)


@dataclass(frozen=True)
class Row:
    """One voice note of a bulk retry, in words."""

    pk: int
    note: str
    url: str
    club: str
    kind: str
    state: State
    words: str
    when: str
    agreed_to: int


@dataclass(frozen=True)
class Confirmed:
    """How many of the notes to be retried have entries that people confirmed, and how many entries."""

    notes: int
    entries: int


def row_of(item: Any) -> Row:
    note, is_held = item.artifact, item.held
    return Row(
        pk=item.pk,
        note=str(note.artifact_id)[:8],
        url=reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id]),
        club=str(note.organization or ""),
        kind=item.get_kind_display(),
        state=ON_HOLD if is_held else state_of_item(item),
        words=_what_came_of(item),
        when=moment(item.settled_at or (item.attempt.requested_at if item.attempt else None)),
        agreed_to=item.agreed_to,
    )


def confirmed_in(bulk: BulkRetry) -> Confirmed:
    waiting = bulk.items.filter(state=BulkRetryItem.State.WAITING, agreed_to__gt=0)
    found = waiting.aggregate(notes=Count("pk"), entries=Sum("agreed_to"))
    return Confirmed(found["notes"], found["entries"] or 0)


def first_with_confirmed(bulk: BulkRetry) -> list[Row]:
    items = _rows_of(bulk).filter(state=BulkRetryItem.State.WAITING, agreed_to__gt=0)
    return [row_of(item) for item in items.order_by("position")[:SHOWN]]


def first_refused(bulk: BulkRetry) -> dict[str, list[Row]]:
    """The first few notes of each reason for which some were refused."""
    place = Window(RowNumber(), partition_by=F("refusal_group"), order_by=F("position").asc())
    refused = _rows_of(bulk).filter(state=BulkRetryItem.State.REFUSED).annotate(place=place)
    few: dict[str, list[Row]] = {}
    for item in refused.filter(place__lte=SHOWN).order_by("position"):
        few.setdefault(item.refusal_group, []).append(row_of(item))
    return few


def under_way(bulk: BulkRetry) -> list[Row]:
    """Those that began first."""
    items = _rows_of(bulk).filter(state=BulkRetryItem.State.REQUESTED)
    return [row_of(item) for item in items.order_by("position")[:SHOWN]]


def settled_last(bulk: BulkRetry) -> list[Row]:
    """Those that ended last, but for those that never began."""
    ended = _rows_of(bulk).filter(settled_at__isnull=False, attempt__isnull=False)
    return [row_of(item) for item in ended.order_by("-settled_at")[:SHOWN]]


def listed(request: HttpRequest, bulk: BulkRetry) -> dict[str, Any]:
    """One page of its voice notes, of those that the address asks for, and how many there are of each."""
    state = request.GET.get("state", "")
    state = state if state in TITLES else ""
    problem = safe_text(request.GET.get("problem", ""), LONGEST_FINGERPRINT)
    refusals = bulk.details.get("refusals", [])
    why = row_number(request.GET.get("why", ""))
    why = why if why is not None and why < len(refusals) else None
    page = BoundedPaginator(_chosen(bulk, state, problem, refusals[why][0] if why is not None else ""), A_PAGE)
    shown = page.get_page(request.GET.get("page"))
    return {
        "rows": [row_of(item) for item in shown],
        "choices": _choices(bulk, state),
        "narrowed": _narrowed(problem, refusals[why][0] if why is not None else ""),
        "found": amount(page.count, NOTES),
        "turning": _turning(shown, notes_page_of(bulk, state=state, problem=problem, why=why)),
        "back_url": page_of(bulk),
        "many_kinds": bulk.kind == FAILED_STAGE,
    }


def _chosen(bulk: BulkRetry, state: str, problem: str, why: str) -> QuerySet[Any]:
    items = _rows_of(bulk).order_by("position")
    if state:
        items = items.filter(_meant_by(state))
    if problem:
        items = items.filter(problem=problem)
    return items.filter(refusal_group=why) if why else items


def _choices(bulk: BulkRetry, chosen: str) -> list[dict[str, Any]]:
    """Each state in which some are, with how many."""
    counts = {key or "all": Count("pk", filter=_meant_by(key)) for key in TITLES}
    found: dict[str, int] = bulk.items.annotate(held=IS_HELD).aggregate(**counts)
    return [
        {
            "title": title,
            "count": f"{found[key or 'all']:,}",
            "url": notes_page_of(bulk, state=key),
            "is_chosen": key == chosen,
        }
        for key, title in TITLES.items()
        if found[key or "all"] or key == chosen
    ]


def _narrowed(problem: str, why: str) -> str:
    """What beside the state the list is narrowed down to, in words."""
    return why or ("Failed again with one problem" if problem else "")


def _turning(page: Page[Any], address: str) -> dict[str, str]:
    joint = "&" if "?" in address else "?"
    return {
        "place": f"Page {page.number:,} of {page.paginator.num_pages:,}" if page.has_other_pages() else "",
        "before": f"{address}{joint}page={page.previous_page_number()}" if page.has_previous() else "",
        "after": f"{address}{joint}page={page.next_page_number()}" if page.has_next() else "",
    }


def _meant_by(key: str) -> Q:
    """The rows that an address means: a state, or one of the names that only these pages have."""
    begun = Q(state=BulkRetryItem.State.REQUESTED)
    own = {"": Q(), CONFIRMED: Q(agreed_to__gt=0), HELD: begun & Q(held=True), WORKED_ON: begun & Q(held=False)}
    return own.get(key, Q(state=key))


def _rows_of(bulk: BulkRetry) -> QuerySet[Any]:
    return bulk.items.select_related("artifact__organization", "attempt").annotate(held=IS_HELD)


def _what_came_of(item: BulkRetryItem) -> str:
    """Why it was refused, or what went wrong again."""
    if item.message:
        return item.message
    return item.attempt.error_message if item.attempt else ""
