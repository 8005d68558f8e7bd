"""Parts of pages that ask for themselves again every few seconds while they can be seen."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

NO_CONTENT = 204
SEEN_HEADER = "X-Seen"
SECTIONS = "voicepipeline/overview/sections.html"
# How long ago something was is told anew with every answer, and is no news.
TOLD_MOMENT = re.compile(r"(<time [^>]*data-ago[^>]*>)[^<]*")
# The span of time in an address moves with every minute. What comes into it or leaves it changes a number, and so the
# section; while none does, a span that is a few minutes old has the same rows. Every tenth minute is told anew.
TO_TEN_MINUTES = r"(\d{4}-\d\d-\d\dT\d\d(?::|%3A)\d)\d(?::|%3A)\d\d"
SPAN = re.compile(f"{TO_TEN_MINUTES}~{TO_TEN_MINUTES}")


def digest_of(*parts: object) -> str:
    """The same for the same content; what the browser shows, it sends back, to be told only of changes."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def is_seen(request: HttpRequest, digest: str) -> bool:
    return request.headers.get(SEEN_HEADER) == digest


class Parts(NamedTuple):
    live: str
    beside: str
    digest: str


def live_parts(request: HttpRequest, template: str, context: dict[str, Any], *, url: str, beside: str = "") -> Parts:
    """This template's content, wrapped so that it refreshes itself from the URL, and that of the one beside it.

    What the page has between the two is left alone by every refresh, so that what plays there goes on playing.
    """
    body = render_to_string(template, context, request)
    other = render_to_string(beside, context, request) if beside else ""
    digest = digest_of(body, other)
    live = render_to_string("voicepipeline/live.html", {"body": body, "digest": digest, "live_url": url}, request)
    wrapped = render_to_string("voicepipeline/live_beside.html", {"body": other}, request) if beside else ""
    return Parts(live, wrapped, digest)


def live_part(request: HttpRequest, template: str, context: dict[str, Any], *, url: str) -> str:
    """One part that refreshes itself."""
    return live_parts(request, template, context, url=url).live


def live_answer(
    request: HttpRequest, template: str, context: dict[str, Any], *, url: str, beside: str = ""
) -> HttpResponse:
    """The parts anew, or 204 when they are what the browser shows: htmx would swap in the empty body of a 304."""
    parts = live_parts(request, template, context, url=url, beside=beside)
    if is_seen(request, parts.digest):
        return HttpResponse(status=NO_CONTENT)
    return HttpResponse(parts.live + parts.beside)


# --- Pages of sections: one question for all of them ----------------------------------------------------------------
@dataclass(frozen=True)
class Section:
    """One part of a page that is sent anew when it has changed."""

    key: str
    html: str
    element_id: str
    looks: str  # its classes

    @cached_property
    def digest(self) -> str:
        return digest_of(SPAN.sub(r"\1~\2", TOLD_MOMENT.sub(r"\1", self.html)))


def answer_with_changes(request: HttpRequest, sections: Iterable[Section]) -> HttpResponse:
    """Those that are no longer as the browser has them; 204 when all are."""
    seen = _seen_sections(request)
    changed = [section for section in sections if seen.get(section.key) != section.digest]
    if not changed:
        return HttpResponse(status=NO_CONTENT)
    return HttpResponse(render_to_string(SECTIONS, {"sections": changed, "again": True}))


def _seen_sections(request: HttpRequest) -> dict[str, str]:
    """What the browser shows, as `health=1f…,cards=2a…`."""
    parts = (part.partition("=") for part in request.headers.get(SEEN_HEADER, "").split(","))
    return {key: digest for key, _, digest in parts}
