import os
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.utils import timezone

from tests.browser.chromium import ARGUMENTS, CHROMIUM, SIZES
from tests.factories import make_club, make_coach, make_user
from tests.overview.situations import make_workers
from voicepipeline import roles

NO_CHROMIUM = "NO CHROMIUM on this machine: the browser tests did not run (apt-get install chromium)."
PASSWORD = "correct horse battery"


def pytest_terminal_summary(terminalreporter):
    if CHROMIUM is None and any(
        NO_CHROMIUM in str(report.longrepr) for report in terminalreporter.getreports("skipped")
    ):
        terminalreporter.write_line(NO_CHROMIUM, red=True, bold=True)


@pytest.fixture(scope="session")
def _connections_end_with_their_request():
    """A browser keeps its connections, and so the server its threads: these must not keep the test database open."""
    database = connections.settings["default"]
    lasting, database["CONN_MAX_AGE"] = database["CONN_MAX_AGE"], 0
    yield
    database["CONN_MAX_AGE"] = lasting


@pytest.fixture(scope="session")
def playwright(playwright):
    """While Playwright's event loop runs, Django sees this thread as another context, with a connection of its own."""
    yield playwright
    connections.close_all()


@pytest.fixture(scope="session")
def base_url(_connections_end_with_their_request, live_server):
    """Pages are opened by their path alone."""
    return live_server.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_CHROMIUM, pytrace=False)
        pytest.skip(NO_CHROMIUM)
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


# A desk in light is looked at in every run, the other three by `make trials`.
LOOKS = [
    pytest.param(("desk", "light"), id="desk-light"),
    pytest.param(("phone", "dark"), id="phone-dark", marks=pytest.mark.trial),
    pytest.param(("desk", "dark"), id="desk-dark", marks=pytest.mark.trial),
    pytest.param(("phone", "light"), id="phone-light", marks=pytest.mark.trial),
]


@pytest.fixture(params=LOOKS)
def look(request):
    """Every size and colour scheme that our pages promise to work in."""
    return request.param


@pytest.fixture
def browser_context_args(browser_context_args, request):
    if "look" not in request.fixturenames:
        return browser_context_args
    size, scheme = request.getfixturevalue("look")
    return {**browser_context_args, "viewport": SIZES[size], "color_scheme": scheme, "reduced_motion": "reduce"}


class Watch:
    """What went wrong in the browser behind the page's back."""

    def __init__(self, page, origin):
        self.problems = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", lambda request: self._request(request.url, origin))

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, url, origin):
        if not url.startswith((f"{origin}/", "data:", "blob:")):
            self.problems.append(f"request to another host: {url}")


@pytest.fixture
def watch(page, live_server):
    return Watch(page, live_server.url)


@pytest.fixture
def check_page(page, watch):
    """Assert of the page as it stands: it fits its window, it is quiet, and it serves everybody."""

    def check(allowed=()):
        # The layout is hidden until its script has run.
        page.wait_for_function("document.readyState == 'complete' && !document.documentElement.hasAttribute('x-cloak')")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{page.url} scrolls sideways by {overflow} px"
        assert [problem for problem in watch.problems if not any(words in problem for words in allowed)] == []
        violations = Axe().run(page).response["violations"]
        serious = {
            violation["id"]: [node["html"] for node in violation["nodes"]]
            for violation in violations
            if violation["impact"] in ("serious", "critical")
        }
        assert serious == {}, page.url
        assert page.locator("main").count() == 1

    return check


@pytest.fixture
def administrator(live_server):
    return make_user(
        roles.ADMINISTRATOR,
        username="niamh",
        password=PASSWORD,
        first_name="Niamh",
        last_name="Byrne",
        email="niamh@example.com",
    )


@pytest.fixture
def sign_in(page, live_server, client):
    """Be this person on whatever page is opened next, without the sign-in page."""

    def sign_in(user):
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])

    return sign_in


@pytest.fixture
def working(live_server):
    """Workers and their watchdog report in for as long as the test lasts, however slow the machine is."""
    make_workers(last_seen_at=timezone.now() + timedelta(hours=1))


@pytest.fixture
def niamh(working):
    """A coach of a club, whose notes somebody works on."""
    return make_coach(organization=make_club(name="St Brigid's"), first_name="Niamh", last_name="Byrne")
