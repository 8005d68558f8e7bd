"""Parts of pages that ask for themselves again every few seconds while they can be seen."""

import hashlib
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

NO_CONTENT = 204
SEEN_HEADER = "X-Seen"


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
