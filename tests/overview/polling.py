"""Pages of sections, asked again as a browser asks them."""

import re

from django.urls import reverse
from django.utils import timezone

from voicepipeline.admin.live import SEEN_HEADER
from voicepipeline.overview.asking import NOW
from voicepipeline.overview.asking import ask as ask_the_database

SECTION = re.compile(r'data-section="([\w-]+)" data-digest="(\w+)"')


def digests(html):
    """What the browser knows each section by that it shows."""
    return dict(SECTION.findall(html))


def told(seen):
    """The header in which it says so."""
    return {SEEN_HEADER: ",".join(f"{key}={digest}" for key, digest in seen.items())}


def opened(client, page, **query):
    """The sections of this page, as it is opened."""
    return digests(client.get(reverse(page), query).content.decode())


def ask(client, live, seen, **query):
    return client.get(reverse(live), query, headers=told(seen))


def within_a_minute(act):
    """What comes of this when no minute begins meanwhile.

    Links name the minutes that their figures count, and a new one can be news. When one began, all of it is done once
    more, which then has a minute before it.
    """
    began = _minutes()
    found = act()
    return found if _minutes() == began else act()


def _minutes():
    """By the clocks of the server and of its database."""
    return [moment.replace(second=0, microsecond=0) for moment in (timezone.now(), ask_the_database(now=NOW)["now"])]
