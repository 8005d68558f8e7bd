"""`make screenshots`: starts the demo, waits until voice notes have gone all the way, and takes our pictures of it."""

import argparse
import json
import os
import re
import signal
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from tests.browser.chromium import ARGUMENTS, CHROMIUM, SIZES
from tests.environment import CHECKOUT
from tests.postgres import connect
from tests.supervisor.upping import READY as STARTED
from tests.supervisor.upping import Up, home, until, up
from voicepipeline.supervisor.children import SIMULATOR_OFFSET
from voicepipeline.supervisor.embedded import EmbeddedPostgres

PICTURES = CHECKOUT / "docs" / "pictures"
NO_CHROMIUM = (
    "There is no Chromium on this machine, and pictures are taken with it. On Debian: apt-get install chromium"
)
START_SECONDS = 300
FLOW_SECONDS = 300
PAGE_SECONDS = 60
HISTORY = "Made the demo's clubs"
ENOUGH = 15
# So long the AI service takes for an answer while pictures are taken: some voice notes are then seen on their way.
LATENCY_SECONDS = 5
ACCOUNT = re.compile(r"Sign in as (administrator) +with the password (\S+)")
# There is most to see when notes have come and gone, the figures of today know them, and retries have their ends.
READY = """
    SELECT count(*) FROM voicepipeline_artifact WHERE status = 'completed' AND received_at > %s
"""
COUNTED = """
    SELECT sum(artifacts_completed) FROM metrics_metricssnapshot
    WHERE period_type = 'hour' AND organization_id IS NULL AND period_start > now() - interval '2 hours'
"""
RETRIED = "SELECT count(*) FROM retry_bulkretry WHERE state = 'finished'"
SETTLED = """
    document.readyState == 'complete' && document.fonts.status == 'loaded'
    && !document.documentElement.hasAttribute('x-cloak') && !document.querySelector('.htmx-request, .ov-skeleton')
"""


def overview(page: Page) -> None:
    page.goto("/admin/")
    expect(page.locator("[data-live]")).to_have_attribute("data-state", "live")
    expect(page.locator("[data-section=cards] li").first).not_to_contain_text(re.compile(r"\b0 being"))


def pipeline(page: Page) -> None:
    page.goto("/admin/pipeline/?stage=transcription")
    expect(page.locator("#at-stage tbody tr").first).to_be_visible()


def problem(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("link", name="Look and retry").first.click()
    expect(page.get_by_role("heading", name="Clubs touched now")).to_be_visible()


def failed_note(page: Page) -> None:
    page.goto("/admin/voicepipeline/artifact/?status=failed")
    page.locator("#result_list tbody tr a").first.click()
    expect(page.get_by_role("heading", name="Retry", exact=True)).to_be_visible()


def name_to_check(page: Page) -> None:
    page.goto("/admin/voicepipeline/entityresolution/")
    page.locator("main tbody tr a").first.click()
    expect(page.get_by_role("heading", name="Who is meant", exact=True)).to_be_visible()


def figures(page: Page) -> None:
    page.goto("/admin/metrics/figures/?range=7d")
    chart = page.locator("canvas[data-chart]").first
    expect(chart).to_be_visible()
    chart.scroll_into_view_if_needed()


@dataclass(frozen=True)
class Picture:
    name: str
    open: Callable[[Page], None]
    scheme: str = "light"
    width: int = SIZES["desk"]["width"]
    height: int = SIZES["desk"]["height"]
    scale: int = 1


# The first thing that is seen of all this, down to what needs attention.
TALL = 1240
PHONE = {**SIZES["phone"], "scale": 2}


WANTED = (
    Picture("overview", overview, height=TALL),
    Picture("overview-dark", overview, height=TALL, scheme="dark"),
    Picture("overview-phone", overview, **PHONE),
    Picture("pipeline", pipeline),
    Picture("problem", problem),
    Picture("failed-note", failed_note),
    Picture("name-to-check", name_to_check),
    Picture("metrics", figures),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--into", type=Path, default=PICTURES, help="the folder they are written to")
    folder = parser.parse_args().into
    if CHROMIUM is None:
        return _say(NO_CHROMIUM, 1)
    # So that whatever stops this ends the demo too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        taken = _of_a_demo()
    except (AssertionError, BrowserError, OSError) as reason:
        return _say(f"No pictures were taken: {reason}", 1)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in taken.items():
        (folder / f"{name}.png").write_bytes(content)
    size = sum(map(len, taken.values())) // 1000
    return _say(f"{len(taken)} pictures in {folder}, {size:,} kB.", 0)


def _of_a_demo() -> dict[str, bytes]:
    """A demo that is started for it and ended in any case; none of them is kept unless all were taken."""
    with home(CHECKOUT / "var" / f"screenshots-{os.getpid()}") as var_dir, up(var_dir, "--demo", WORKERS="8") as demo:
        _say("Starting the demo.")
        until(lambda: HISTORY in demo.output or demo.process.poll() is not None, "the demo has begun", START_SECONDS)
        assert STARTED in demo.output, demo.output
        _say("Waiting until its voice notes have gone all the way.")
        began = datetime.now(UTC)
        until(lambda: _has_flowed(demo, began), "enough voice notes are ready", FLOW_SECONDS)
        _slow_down(demo)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            return {picture.name: _take(browser, demo, picture) for picture in WANTED}


def _has_flowed(demo: Up, began: datetime) -> bool:
    assert demo.process.poll() is None, demo.output
    with connect(EmbeddedPostgres.for_var_dir(demo.var_dir)) as connection:
        ready, counted, retried = (
            connection.execute(question, values).fetchone()[0] or 0
            for question, values in ((READY, (began,)), (COUNTED, ()), (RETRIED, ()))
        )
    return min(ready, counted) >= ENOUGH and retried > 0


def _slow_down(demo: Up) -> None:
    address = f"http://127.0.0.1:{demo.port + SIMULATOR_OFFSET}/_control"
    wishes = json.dumps({"latency": LATENCY_SECONDS}).encode()
    request = urllib.request.Request(address, wishes, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=PAGE_SECONDS).close()


def _take(browser: Browser, demo: Up, picture: Picture) -> bytes:
    _say(f"Taking {picture.name}.")
    # The same on every machine, whatever its language and zone.
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{demo.port}",
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=picture.scale,
        color_scheme=picture.scheme,
        reduced_motion="reduce",
        locale="en-IE",
        timezone_id="UTC",
    )
    context.set_default_timeout(PAGE_SECONDS * 1000)
    page = context.new_page()
    _sign_in(page, *ACCOUNT.search(demo.output).groups())
    picture.open(page)
    page.wait_for_function(SETTLED)
    content = page.screenshot(animations="disabled")
    context.close()
    return content


def _sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/admin/")


def _say(words: str, code: int = 0) -> int:
    sys.stderr.write(f"{words}\n")
    return code


if __name__ == "__main__":
    expect.set_options(timeout=PAGE_SECONDS * 1000)
    sys.exit(main())
