"""Merging two players: choose the other, see what each has and what moves, then one press."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.admin.words import NOTHING
from voicepipeline.matching.normalise import words
from voicepipeline.matching.ranking import Candidate, Ranking
from voicepipeline.matching.roster import Roster
from voicepipeline.models import EntityResolution, InsightDraft, Player, PlayerAlias
from voicepipeline.operations.aliases import players_of
from voicepipeline.operations.merging import MAX_REASON, PERMISSION, merge_players, refusal_to_merge
from voicepipeline.text import row_number

ALIKE_FROM = 70.0
MOST_ALIKE = 8
MOST_FOUND = 25
MOST_WORDS = 4
Status = InsightDraft.Status


class SearchForm(forms.Form):
    q = forms.CharField(
        label="Search this club's players",
        required=False,
        max_length=80,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search", "autocomplete": "off"}),
        help_text="Beginning of the first or last name, or the club's own number.",
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why (optional)",
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the roster's history.",
    )


@dataclass(frozen=True)
class Has:
    """What hangs on one player."""

    player: Player
    learned: int
    matched: int
    pending: int
    decided: int
    notes: int


def answer(model_admin: Any, request: HttpRequest, player_pk: int) -> HttpResponse:
    """The choice, the preview of two, or the deed."""
    verify_platform_staff(request.user, PERMISSION)
    verify_reader(request.user)
    player = _player(player_pk)
    if player is None:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    other = _player(row_number(given.get("with", "")))
    if request.method == "POST" and other is not None:
        return _merge(request, player, other)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": player,
        "title": "Merge two players",
        "player": player,
        "merge_url": _url(player),
        "back_url": reverse("admin:voicepipeline_player_change", args=[player.pk]),
    }
    if other is None:
        return TemplateResponse(request, "voicepipeline/merge_choose.html", {**context, **_choice(request, player)})
    return TemplateResponse(request, "voicepipeline/merge_preview.html", {**context, **_preview(player, other)})


def _player(pk: int | None) -> Player | None:
    return Player.objects.select_related("organization", "team", "merged_into").filter(pk=pk or 0).first()


def _url(player: Player, other: Player | None = None) -> str:
    url = reverse("admin:voicepipeline_player_merge", args=[player.pk])
    return url if other is None else f"{url}?with={other.pk}"


def _merge(request: HttpRequest, stays: Player, goes: Player) -> HttpResponse:
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    user: Any = request.user
    outcome = merge_players(stays.pk, goes.pk, by=user, reason=reason)
    messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
    if not outcome.done:
        return redirect(_url(stays, goes))
    return redirect(reverse("admin:voicepipeline_player_change", args=[stays.pk]))


# --- Choosing -------------------------------------------------------------------------------------------------------
def _choice(request: HttpRequest, player: Player) -> dict[str, Any]:
    form = SearchForm(request.GET)
    term = form.cleaned_data["q"].strip() if form.is_valid() else ""
    found = list(_search(player, term)[: MOST_FOUND + 1]) if term else []
    return {
        "form": form,
        "term": term,
        "found": [_row(player, each, "") for each in found[:MOST_FOUND]],
        "more": len(found) > MOST_FOUND,
        "alike": [] if term else _alike(player),
        "refusal": f"{player} has been merged into {player.merged_into} already." if player.merged_into else "",
    }


def _others(player: Player) -> QuerySet[Player]:
    rows = Player.objects.filter(organization=player.organization_id, merged_into__isnull=True).exclude(pk=player.pk)
    return rows.select_related("team").order_by("last_name", "first_name", "pk")


def _search(player: Player, term: str) -> QuerySet[Player]:
    rows = _others(player)
    for word in term.split()[:MOST_WORDS]:
        rows = rows.filter(
            Q(first_name__istartswith=word) | Q(last_name__istartswith=word) | Q(external_id__istartswith=word)
        )
    return rows


def _alike(player: Player) -> list[dict[str, Any]]:
    """Who may be the same person, by the scores that names in notes are matched by; the most alike first."""
    said = words(str(player))
    if not said:
        return []
    roster = Roster(person for person in players_of(player.organization_id) if person.id != player.pk)
    best: list[Candidate] = Ranking(said, at_least=ALIKE_FROM).of(roster)[:MOST_ALIKE]
    rows = {row.pk: row for row in _others(player).filter(pk__in=[one.person.id for one in best])}
    return [_row(player, rows[int(one.person.id)], one.reason) for one in best if one.person.id in rows]


def _row(player: Player, other: Player, why: str) -> dict[str, Any]:
    return {"player": other, "why": f"{why[:1].upper()}{why[1:]}", "url": _url(player, other)}


# --- The preview ----------------------------------------------------------------------------------------------------
def _preview(stays: Player, goes: Player) -> dict[str, Any]:
    refusal = refusal_to_merge(stays, goes)
    if refusal and (stays.pk == goes.pk or stays.organization_id != goes.organization_id):
        return {"refusal": refusal}
    first, second = _has(stays), _has(goes)
    return {
        "refusal": refusal,
        "stays": stays,
        "goes": goes,
        "swap_url": _url(goes, stays),
        "facts": _facts(first, second),
        "consequences": _consequences(first, second),
        "reason": ReasonForm(),
    }


def _has(player: Player) -> Has:
    entries = dict(InsightDraft.objects.filter(player=player).order_by().values_list("status").annotate(Count("pk")))
    pending = entries.pop(Status.PENDING, 0)
    matched = EntityResolution.objects.filter(player=player).order_by()
    notes = matched.values_list("artifact_id").union(
        InsightDraft.objects.filter(player=player).values_list("artifact_id")
    )
    return Has(
        player,
        learned=PlayerAlias.objects.filter(player=player).count(),
        matched=matched.count(),
        pending=pending,
        decided=sum(entries.values()),
        notes=notes.count(),
    )


def _facts(stays: Has, goes: Has) -> list[tuple[str, Any, Any]]:
    pair = (stays, goes)
    told: list[tuple[str, list[Any]]] = [
        ("Team", [each.player.team or NOTHING for each in pair]),
        ("Club's own number", [each.player.external_id or NOTHING for each in pair]),
        ("Standing", ["On the roster" if each.player.is_active else "No longer active" for each in pair]),
        ("Learned names", [f"{each.learned:,}" for each in pair]),
        ("Matched names", [f"{each.matched:,}" for each in pair]),
        ("Entries to be confirmed", [f"{each.pending:,}" for each in pair]),
        ("Entries decided", [f"{each.decided:,}" for each in pair]),
        ("Voice notes", [f"{each.notes:,}" for each in pair]),
    ]
    return [(label, values[0], values[1]) for label, values in told]


def _consequences(stays: Has, goes: Has) -> list[str]:
    one, other = stays.player, goes.player
    said = [
        f"{one} stays on the roster as they are. {other} leaves it and cannot be made active again.",
        f"What {other} is called in voice notes, and {other}'s own name, mean {one} from now on.",
        f"The matched names and entries of {other} become {one}'s, in the background, voice note by voice note. "
        "Bulk actions tells how far it is.",
        "Where both have the same entry in one voice note, the one that waits makes way. What was decided stays.",
        "A question that only asked which of the two is meant has its answer.",
    ]
    if other.external_id and not one.external_id:
        said.append(f"{one} takes over the club's own number {other.external_id}.")
    elif other.external_id and other.external_id != one.external_id:
        said.append(f"{one} keeps the club's own number {one.external_id}; {other.external_id} stays with the old row.")
    if other.team and not one.team:
        said.append(f"{one} takes over the team {other.team}.")
    elif other.team and other.team != one.team:
        said.append(f"{one} stays in the team {one.team}.")
    return said
