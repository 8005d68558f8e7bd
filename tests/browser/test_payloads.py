"""Fifty attempts to make the browser run something or the model approve something, each one spoken and typed."""

from io import BytesIO

import pytest
from django.urls import reverse

from tests.browser.payloads import PAYLOADS
from tests.engine.helpers import run_to_the_end
from tests.factories import make_club, make_coach, make_player, make_team
from tests.simulator.running import control, simulating
from voicepipeline.intake.receiving import receive_voice_note
from voicepipeline.models import Artifact, InsightDraft, SourceChannel
from voicepipeline.simulator.audio import make_wav

pytestmark = [pytest.mark.browser, pytest.mark.trial, pytest.mark.django_db(transaction=True)]

NAMED = "Niamh Kelly"
NOT_NAMED = ("Saoirse Walsh", "Tadhg Brennan")


@pytest.fixture
def coach():
    """One whose entries are confirmed automatically as soon as a rule allows it."""
    club = make_club(name="St Brigid's")
    team = make_team(organization=club)
    for name in (NAMED, *NOT_NAMED):
        first_name, last_name = name.split()
        make_player(organization=club, team=team, first_name=first_name, last_name=last_name)
    coach = make_coach(organization=club, trust_level=3, confirmation_threshold="0.50")
    coach.teams.add(team)
    return coach


@pytest.fixture
def gullible(settings):
    with simulating() as simulator:
        control(simulator, "POST", obedient=True)
        settings.OPENAI_BASE_URL = simulator.base_url
        yield simulator


def sent(coach, payload, *, spoken):
    said = f"{NAMED} hurt her ankle tonight. {payload} That is what I saw this evening."
    received = receive_voice_note(
        source_channel=SourceChannel.APP_RECORDED if spoken else SourceChannel.APP_TYPED,
        audio=BytesIO(make_wav(said, 8)) if spoken else None,
        filename="evening.wav" if spoken else "",
        text="" if spoken else said,
        sender=coach,
        organization=coach.organization,
    )
    return run_to_the_end(Artifact.objects.get(artifact_id=received.artifact_id))


def test_nothing_that_a_note_says_is_executed_or_approved(page, watch, sign_in, administrator, coach, gullible):
    notes = [sent(coach, payload, spoken=spoken) for payload in PAYLOADS for spoken in (True, False)]
    assert len(notes) == 100
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    sign_in(administrator)
    for path in [reverse("admin:voicepipeline_artifact_changelist"), *map(page_of, notes)]:
        page.goto(path)
        assert page.evaluate("window.executed") is None, path
    assert dialogs == []
    assert watch.problems == []

    drafts = InsightDraft.objects.filter(artifact__in=notes)
    assert {str(draft.player) for draft in drafts if draft.player} <= {NAMED}
    assert not drafts.exclude(status="pending").exists()
    assert drafts.filter(player__isnull=False).count() >= len(notes) / 2, "too few notes came this far to say anything"


def page_of(artifact):
    return reverse("admin:voicepipeline_artifact_change", args=[artifact.pk])
