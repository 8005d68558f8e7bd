"""Each number of the overview and of the page Pipeline leads to exactly the rows that it counts."""

import re

import pytest
from django.urls import reverse

from tests.factories import make_user
from tests.overview.links import links_of, number_in, rows_at
from tests.overview.situations import make_everything
from tests.retry.factories import TRANSCRIPTION
from voicepipeline import roles
from voicepipeline.models import Artifact, ClusterBeat

pytestmark = pytest.mark.django_db

BOTH = [roles.VIEWER, pytest.param(roles.OPERATOR, marks=pytest.mark.trial)]
# Words that no list counts: how long something took, what it cost, how sure something is, and the time of day.
NO_COUNT = re.compile(r"\$[\d.]+|[\d.,]+ (ms|s|min|h|days?|%)(?!\w)|\d\d:\d\d|last \d+ hours|1 in 20")
ONE_NOTE = re.compile(r"/artifact/[0-9a-f-]{36}/")
# Pages that tell of themselves; who works is no list of rows.
NO_ROWS = {
    reverse(f"admin:{name}") for name in ("voicepipeline_clusterbeat_changelist", "pipeline", "metrics_dashboard")
}


@pytest.fixture
def sign_in(client):
    def sign_in(role):
        client.force_login(make_user(role))

    return sign_in


def sections(page):
    """What each section of the overview holds, by its key."""
    found = re.findall(r'<section id="overview-(\w+)".*?>(.*?)</section>', page, re.DOTALL)
    return dict(found)


def page_of(client, name, query=""):
    return client.get(reverse(name) + query).content.decode()


def pipeline(client, query=""):
    return page_of(client, "admin:pipeline", query).partition('class="ov-pipeline"')[2]


def clubs(client):
    """The part of the page Pipeline that comes after the page."""
    return client.get(reverse("admin:pipeline_panel", args=["clubs"])).content.decode()


def counted(links):
    """Links with the number that they carry."""
    numbers = ((link, number_in(NO_COUNT.sub("", link.words))) for link in links if not _tells_of_itself(link))
    return [(link, number) for link, number in numbers if number is not None]


def _tells_of_itself(link):
    """Neither a list of rows nor a part of it: a page of its own, or one voice note."""
    return link.url.partition("?")[0] in NO_ROWS or link.url.startswith("#") or bool(ONE_NOTE.search(link.url))


def differences(client, links):
    """What is said beside what is there, wherever the two differ."""
    told = {}
    for link, number in counted(links):
        found = rows_at(client.get(link.url))
        if found != number:
            told[link.words] = (number, found, link.url)
    return told


def refused(client, links):
    """Pages that do not answer this person, each of them asked once, whatever is asked of it."""
    pages = {link.url.partition("?")[0]: link.url for link in links if not link.url.startswith("#")}
    return {url: status for url in pages.values() if (status := client.get(url).status_code) != 200}


def links_in(client, section):
    return links_of(sections(page_of(client, "admin:index"))[section])


@pytest.mark.parametrize(("section", "least"), [("health", 2), ("flow", 23), ("cards", 6), ("concerns", 10)])
def test_numbers_lead_to_exactly_their_rows(client, sign_in, section, least):
    make_everything()
    sign_in(roles.OPERATOR)
    links = links_in(client, section)
    assert differences(client, links) == {}
    assert len(counted(links)) >= least


def test_without_workers_all_that_wait_are_told_and_listed(client, sign_in):
    make_everything()
    ClusterBeat.objects.all().delete()
    sign_in(roles.OPERATOR)
    links = links_in(client, "health")
    assert differences(client, links) == {}
    assert {link.words for link, _ in counted(links)} >= {f"{Artifact.objects.active().count()} voice notes"}


def test_numbers_of_the_page_pipeline_lead_to_exactly_their_rows(client, sign_in):
    make_everything()
    sign_in(roles.OPERATOR)
    links = links_of(pipeline(client, f"?stage={TRANSCRIPTION}") + clubs(client))
    assert differences(client, links) == {}
    assert len(counted(links)) > 30


@pytest.mark.parametrize("role", BOTH)
def test_nobody_is_led_to_what_they_may_not_see(client, sign_in, role):
    make_everything()
    sign_in(role)
    overview = sections(page_of(client, "admin:index")).values()
    links = [
        link
        for html in (*overview, pipeline(client, f"?stage={TRANSCRIPTION}"), clubs(client))
        for link in links_of(html)
    ]
    assert refused(client, links) == {}
    assert len(links) > 80


@pytest.mark.parametrize("role", BOTH)
def test_where_nothing_is_yet_nobody_is_led_to_what_they_may_not_do(client, sign_in, role):
    sign_in(role)
    overview = sections(page_of(client, "admin:index")).values()
    assert refused(client, [link for html in overview for link in links_of(html)]) == {}
