"""A page on which nothing happens: that time passes is no news, so that browsers may rest."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.template.loader import render_to_string

from voicepipeline.admin.live import Section
from voicepipeline.models import StageName
from voicepipeline.overview.flow import flow_of
from voicepipeline.overview.pulse import Pulse
from voicepipeline.pipeline_status import StageLoad
from voicepipeline.spans import span_text


def at(minute):
    return datetime(2026, 3, 18, 9, minute, 12, tzinfo=UTC)


def digest(html):
    return Section("flow", html, "overview-flow", "").digest


def flow(minute, **failed):
    loads = tuple(StageLoad(stage=stage.value, label=stage.label, now=at(minute)) for stage in StageName)
    pulse = Pulse(now=at(minute), loads=loads, failed=failed, clusters_working=1)
    return render_to_string("voicepipeline/overview/flow.html", {"flow": flow_of(pulse, None)})


@pytest.mark.parametrize("written", [str, quote])
def test_the_span_of_an_address_is_news_every_tenth_minute_only(written):
    def link(minute):
        span = span_text(at(minute) - timedelta(hours=1), at(minute))
        return f'<a href="/runs/?ended_in={written(span)}">3</a>'

    assert len({digest(link(minute)) for minute in range(40, 50)}) == 1
    assert digest(link(49)) != digest(link(50))


def test_the_flow_is_the_same_a_minute_later():
    assert flow(40) != flow(41)
    assert digest(flow(40)) == digest(flow(41))


def test_what_goes_out_of_the_last_hour_is_news():
    assert digest(flow(40, transcription=1)) != digest(flow(41, transcription=0))
