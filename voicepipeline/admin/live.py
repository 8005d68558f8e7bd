"""Parts of pages that ask for themselves again every few seconds while they can be seen."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

NO_CONTENT = 204
SEEN_HEADER = "X-Seen"


def digest_of(*parts: object) -> str:
    """The same for the same content; what the browser shows, it sends back, to be told only of changes."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def is_seen(request: HttpRequest, digest: str) -> bool:
    return request.headers.get(SEEN_HEADER) == digest


def live_part(request: HttpRequest, template: str, context: dict[str, Any], *, url: str) -> str:
    """This template's content, wrapped so that it refreshes itself from the URL."""
    body = render_to_string(template, context, request)
    wrapped = {"body": body, "digest": digest_of(body), "live_url": url}
    return render_to_string("voicepipeline/live.html", wrapped, request)


def live_answer(request: HttpRequest, template: str, context: dict[str, Any], *, url: str) -> HttpResponse:
    """The part anew, or 204 when it is what the browser shows: htmx would swap in the empty body of a 304."""
    body = render_to_string(template, context, request)
    digest = digest_of(body)
    if is_seen(request, digest):
        return HttpResponse(status=NO_CONTENT)
    wrapped = {"body": body, "digest": digest, "live_url": url}
    return HttpResponse(render_to_string("voicepipeline/live.html", wrapped, request))
