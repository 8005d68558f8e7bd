"""The first screen: what each of its sections shows, drawn whole at first and then as far as it has changed."""

from collections.abc import Hashable, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language

from voicepipeline.access import may_read_content
from voicepipeline.admin import shell
from voicepipeline.admin.live import Section, answer_with_changes
from voicepipeline.admin.note_filters import list_of_home, notes_of_home
from voicepipeline.admin.placing import DEEDS
from voicepipeline.admin.sharing import NotFoundNow, Shared
from voicepipeline.engine.limits import limits
from voicepipeline.models import Artifact, User
from voicepipeline.overview.activity import recent_activity
from voicepipeline.overview.cards import own_cards
from voicepipeline.overview.concerns import LOOK, Home, in_order, own_concerns
from voicepipeline.overview.deeds import own_deeds
from voicepipeline.overview.flow import flow_of
from voicepipeline.overview.health import Health, Piece, Rows, Sentence, health_of
from voicepipeline.overview.parts import Card, CardKey, Concern, Contribution, Deed, FlowTimes
from voicepipeline.overview.pulse import Pulse, load_pulse
from voicepipeline.overview.states import State, states_of
from voicepipeline.registry import registry

MAY_SEE = "voicepipeline.view_artifact"
MAY_UPLOAD = "voicepipeline.add_artifact"
MAY_SETTLE = "voicepipeline.settle_name"
NOTES, RUNS = "admin:voicepipeline_artifact_changelist", "admin:voicepipeline_stagerun_changelist"
DEEDS_SHOWN = 8
CONCERNS_SHOWN = 8

HOMES_TOLD = {
    "club": ("voice note without a club", "voice notes without a club", "Assign a club"),
    "coach": ("voice note of an unknown sender", "voice notes of unknown senders", "Attach a coach"),
    "review": ("voice note to listen to", "voice notes to listen to", "Listen"),
}
ROWS = {
    Rows.ACTIVE: (NOTES, "?status=active"),
    Rows.WAITING: (RUNS, "?waits=now"),
    Rows.ON_HOLD: (RUNS, "?hold=any"),
    Rows.STALLED: (NOTES, "?status=stalled"),
    Rows.FAILED: (NOTES, "?failed=1h"),
    Rows.NEWEST: (NOTES, ""),
    Rows.QUEUE: ("admin:voicepipeline_clusterbeat_changelist", ""),
    Rows.AI_SERVICE: ("admin:voicepipeline_aiservicehealth_changelist", ""),
    Rows.SOURCES: ("admin:pipeline", ""),
    Rows.UPLOAD: ("admin:voicepipeline_voicenote_add", ""),
}


class Overview:
    """What one person sees of it at one moment; each thing is asked for once, whoever shows it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def sections(self) -> list[Section]:
        return [self._drawn(key, context) for key, context in self._contexts()]

    def _drawn(self, key: str, context: dict[str, Any]) -> Section:
        html = render_to_string(f"voicepipeline/overview/{key}.html", context, self.request)
        return Section(key, html, f"overview-{key}", f"ov-section ov-{key}")

    def _contexts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "health", _health_context(self.health, states_of(self.pulse, lost_after=limits().cluster_lost_after))
        yield "flow", {"flow": flow_of(self.pulse, self.flow_times)}
        yield "cards", {"cards": self.cards}
        yield "concerns", {"concerns": self.concerns[:CONCERNS_SHOWN], "more": self.concerns[CONCERNS_SHOWN:]}
        yield "activity", {"activity": recent_activity()}
        yield "deeds", {"deeds": self.deeds[:DEEDS_SHOWN]}

    @cached_property
    def pulse(self) -> Pulse:
        return load_pulse({key: notes_of_home(key, Artifact.objects.all()) for key in HOMES_TOLD})

    @cached_property
    def health(self) -> Health:
        may_upload = self.request.user.has_perm(MAY_UPLOAD)
        return health_of(self.pulse, lost_after=limits().cluster_lost_after, may_upload=may_upload)

    @property
    def now(self) -> datetime:
        return self.pulse.now

    @cached_property
    def others(self) -> list[Contribution]:
        """What the other apps have to say."""
        return [part.load(self.request, self.now) for part in registry.overview_parts.values()]

    @property
    def flow_times(self) -> FlowTimes | None:
        return next((each.flow_times for each in self.others if each.flow_times), None)

    @property
    def cards(self) -> list[Card]:
        places = list(CardKey)
        cards = [*own_cards(self.pulse), *(card for each in self.others for card in each.cards)]
        return sorted(cards, key=lambda card: places.index(CardKey(card.key)))

    @cached_property
    def concerns(self) -> list[Concern]:
        user = self.request.user
        own = own_concerns(self.pulse, _homes(user), may_settle=user.has_perm(MAY_SETTLE) and may_read_content(user))
        return in_order([*own, *(concern for each in self.others for concern in each.concerns)])

    @cached_property
    def deeds(self) -> list[Deed]:
        deeds = [*own_deeds(), *(deed for each in self.others for deed in each.deeds)]
        return sorted(deeds, key=lambda deed: deed.at, reverse=True)


def _homes(user: User | AnonymousUser) -> dict[str, Home]:
    """With what this person may do about each."""
    return {
        key: Home(one, many, list_of_home(key), deed if DEEDS[key].may(user) else LOOK)
        for key, (one, many, deed) in HOMES_TOLD.items()
    }


def _health_context(health: Health, states: Iterable[State]) -> dict[str, Any]:
    return {
        "sentences": list(map(_with_addresses, health.shown)),
        "more": list(map(_with_addresses, health.more)),
        "states": [(state, _address(state.rows)) for state in states],
    }


def _with_addresses(sentence: Sentence) -> dict[str, Any]:
    pieces = [(piece, _address(piece.rows) + _narrowed(piece) if piece.rows else "") for piece in sentence.pieces]
    return {"level": sentence.level, "pieces": pieces}


def _address(rows: Rows) -> str:
    name, query = ROWS[rows]
    return reverse(name) + query


def _narrowed(piece: Piece) -> str:
    return f"&stage__in={','.join(piece.stages)}" if piece.stages else ""


shared_sections: Shared[list[Section]] = Shared()


def may_see(request: HttpRequest) -> bool:
    return request.user.has_perm(MAY_SEE)


def page_context(request: HttpRequest) -> dict[str, Any]:
    """All sections, and no banner: what stands still is said in them. Nothing for those who may see no voice notes."""
    if not may_see(request):
        return {}
    return {"sections": Overview(request).sections(), "places": shell.cards(request), "ai_notice": None}


def live_view(request: HttpRequest) -> HttpResponse:
    """The sections that are no longer as the browser has them."""
    if not may_see(request):
        raise PermissionDenied
    seconds = settings.OVERVIEW_SHARED_SECONDS
    try:
        sections = shared_sections.get(what_decides(request), lambda: Overview(request).sections(), seconds=seconds)
    except NotFoundNow:
        # The browser says so, and asks less often.
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
    return answer_with_changes(request, sections)


def what_decides(request: HttpRequest) -> Hashable:
    """Of two people with the same of this, both see the same."""
    user = request.user
    return frozenset(user.get_all_permissions()), user.is_superuser, get_language()


shell.add_pages(shell.Page("live/", live_view, "overview_live"))
