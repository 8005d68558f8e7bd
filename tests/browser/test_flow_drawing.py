"""The picture of the flow has room for the longest words and numbers that may stand in it, at a desk and on a phone."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from tests.browser.chromium import SIZES
from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.ai_notices import Standstill
from voicepipeline.models import StageName
from voicepipeline.overview.flow import flow_of
from voicepipeline.overview.parts import Figure, FlowTimes, StageTimes
from voicepipeline.overview.pulse import Pulse
from voicepipeline.pipeline_status import StageLoad

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MANY, MORE_THAN_COUNTED = 123_456, 1_001
LONGEST_WAIT, LONGEST_TIME_MS = timedelta(hours=23, minutes=59), 9 * 60_000 + 59_000
# Words that leave their box, touch its border, or touch other words in their line.
COLLISIONS = """(least) => {
  const found = [];
  for (const box of [...document.querySelectorAll(".ov-box")].filter((each) => each.getBoundingClientRect().width)) {
    const border = box.querySelector("rect").getBBox();
    const words = [...box.querySelectorAll("text")].map((text) => ({ said: text.textContent, at: text.getBBox() }));
    for (const { said, at } of words) {
      if (at.x < least || at.x + at.width > border.width - least || at.y + at.height > border.height) {
        found.push(`${said} leaves its box`);
      }
      for (const other of words.filter((each) => each.at.x > at.x && Math.abs(each.at.y - at.y) < 8)) {
        if (at.x + at.width + least > other.at.x) {
          found.push(`${said} | ${other.said}`);
        }
      }
    }
  }
  return found;
}"""


def pulse(**values):
    now = timezone.now()
    load = {"due": MANY, "on_hold": MANY, "running": MANY, "now": now}
    waits, *others = StageName
    loads = [StageLoad(stage=waits.value, label=waits.label, oldest_due=now - LONGEST_WAIT, **load)]
    loads += [StageLoad(stage=stage.value, label=stage.label, **load) for stage in others]
    failed = {stage.value: MORE_THAN_COUNTED for stage in others[:2]}
    open_work = {"entries_open": MORE_THAN_COUNTED, "names_open": MORE_THAN_COUNTED}
    return Pulse(now=now, loads=tuple(loads), failed=failed, **{"clusters_working": 1, **open_work, **values})


def times():
    many = Figure(f"{MANY:,}", "/done/")
    stages = {stage: StageTimes(many, LONGEST_TIME_MS, LONGEST_TIME_MS, MANY) for stage in StageName}
    return FlowTimes(many, MANY, many, MANY, stages, timezone.now())


@pytest.mark.parametrize("size", SIZES)
def test_nothing_in_a_box_meets_its_border_or_other_words(page, sign_in, size):
    page.set_viewport_size(SIZES[size])
    sign_in(make_user(roles.VIEWER))
    page.goto(reverse("admin:index"))
    paused = Standstill(subject="everything")
    down = tuple(
        Standstill(service=service, state="open", reason="provider_error") for service in ("transcription", "chat")
    )
    for given in (pulse(), pulse(clusters_working=0), pulse(standstills=(paused,)), pulse(standstills=down)):
        flow = render_to_string("voicepipeline/overview/flow.html", {"flow": flow_of(given, times())})
        page.locator("#overview-flow").evaluate("(section, html) => (section.innerHTML = html)", flow)
        assert page.evaluate(COLLISIONS, 6) == []
