"""Every page of the admin as somebody gets it: whole, in parts, as data."""

import re

from django.urls import reverse

from tests.voicepipeline.test_role_matrix import BLANKS, FIXED, TARGETS, pages

AS_PAGE: dict[str, str] = {}
# As a page's own script asks for a part of it, or a program for data.
AS_PART = {"HX-Request": "true", "X-Seen": "nothing", "Accept": "application/json"}


def addresses(planted):
    """Each page of the table of roles, about a planted row where it is about one."""
    for name, route in pages():
        if name in FIXED:
            yield name, reverse("admin:index") + FIXED[name]
            continue
        make = next((make for start, make in TARGETS.items() if "<" in route and route.startswith(start)), None)
        row = planted.row_like(make()) if make else None
        filled = re.sub(r"<([^>]+)>", lambda blank, row=row: str(BLANKS.get(blank[1], key)(row)), route)
        yield name, reverse("admin:index") + filled


def key(row):
    return row.pk


def look(client, url, method="get", **headers):
    """All that comes back, headers and cookies, too."""
    response = getattr(client, method)(url, headers=headers)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    sent = "\n".join(f"{name}: {value}" for name, value in response.items())
    cookies = response.cookies.output()
    return "\n".join((sent, cookies, body.decode(errors="replace")))


def found(text, wanted):
    lowered = text.lower()
    return [each for each in wanted if each.lower() in lowered]
