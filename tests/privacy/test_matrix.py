"""What notes say, and whom they name, reaches nobody who may not read it: every page, whole, in parts and as data."""

import logging

import pytest
from django.contrib import admin
from django.db import transaction
from django.urls import reverse

from retry.kinds import KINDS
from tests.factories import make_user
from tests.privacy.looking import AS_PAGE, AS_PART, addresses, found, look
from tests.privacy.planting import (
    COACH_NAMED,
    EVERYTHING,
    NAMES,
    OF_NOTES,
    PHONE,
    PHONES,
    SAID,
    WORDS,
    Planted,
    word,
    words,
)
from voicepipeline import roles
from voicepipeline.admin.entry_filters import TABS
from voicepipeline.models import Artifact, BulkWork, ContentReading, StageName
from voicepipeline.registry import registry

pytestmark = pytest.mark.django_db

PRIVATE = (*SAID, *NAMES, *PHONES)
ACTION = "voicepipeline_artifact_action"
# What everybody sees alike: how things stand, and what people did.
FIRST_SCREEN = ("index", "overview_live", "pipeline", "pipeline_live", "pipeline_panel")
ASKED_IN_PARTS = ("_live", "_changelist", "_voicenote_add", "_artifact_change", "_note", "_question")
NOTE_PAGES = ("voicepipeline_artifact_change", "voicepipeline_artifact_live")
BULK_KINDS = [kind for kind in BulkWork.Kind.values if kind.endswith("_entries")]


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def planted(media):
    return Planted()


@pytest.fixture
def logged(caplog):
    """Everything that is logged, down to the last detail."""
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


def every_page(planted):
    """Those of the table of roles, those of other notes, what can be done to one of nobody's, and some queries."""
    yield from addresses(planted)
    for page in NOTE_PAGES:
        for note in (planted.typed, planted.closed):
            yield page, reverse(f"admin:{page}", args=[note.artifact_id])
    for action in admin.site.get_model_admin(Artifact).page_actions():
        yield ACTION, reverse(f"admin:{ACTION}", args=[planted.orphan.artifact_id, action.key])
    for kind in KINDS:
        yield "retry_note", reverse("admin:retry_note", args=[planted.note.artifact_id, kind])
    for panel in registry.pipeline_panels:
        yield "pipeline_panel", reverse("admin:pipeline_panel", args=[panel])
    for name, query in QUERIES:
        arguments = [planted.player.pk] if name == "voicepipeline_player_merge" else []
        query = query.format(club=planted.club.pk, other=planted.entry_for.pk, done=planted.choice.pk)
        yield name, f"{reverse(f'admin:{name}', args=arguments)}?{query}"


QUERIES = (
    ("voicepipeline_player_changelist", "club={club}&o=1&all="),
    ("voicepipeline_player_merge", "with={other}"),
    ("voicepipeline_entityresolution_changelist", "tab=answered&done={done}"),
    *(("voicepipeline_insightdraft_changelist", f"tab={tab.key}&club={{club}}") for tab in TABS),
    *(("voicepipeline_insightdraft_bulk", f"kind={kind}&club={{club}}") for kind in BULK_KINDS),
    ("voicepipeline_playeralias_remove_many", "club={club}&since=2020-01-01T00:00&until=2099-01-01T00:00"),
    *((page, f"stage={StageName.ENTITY_RESOLUTION}&range=7d") for page in ("pipeline", "pipeline_live")),
    ("metrics_dashboard", "club={club}&range=7d"),
    ("metrics_dashboard_clubs", "range=7d&clubs=all"),
    ("metrics_dashboard_export", "chart=clubs"),
    ("metrics_counter_changelist", "club={club}"),
    ("metrics_metricssnapshot_changelist", "club=each"),
)


def players():
    return reverse("admin:voicepipeline_player_changelist")


def told(client, pages, manner=AS_PAGE, method="get"):
    """By page, the words of all that was planted which it tells."""
    telling = {}
    for name, url in pages:
        wanted = EVERYTHING if name in NOTE_PAGES else PRIVATE
        if heard := found(look(client, url, method, **manner), wanted):
            telling.setdefault(name, set()).update(heard)
    return telling


# --- Without the right -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "role",
    [pytest.param(role, marks=[pytest.mark.trial] if role == roles.OPERATOR else []) for role in roles.ROLES],
)
def test_who_may_not_read_is_told_nothing_anywhere(client, planted, logged, role):
    client.force_login(make_user(role, reads_content=False))
    assert told(client, every_page(planted)) == {}
    assert found(logged(), EVERYTHING) == []


def test_what_they_ask_for_in_parts_or_send_empty_tells_them_nothing_either(client, planted, logged):
    client.force_login(make_user(roles.ADMINISTRATOR, reads_content=False))
    in_parts = [(name, url) for name, url in every_page(planted) if name.endswith(ASKED_IN_PARTS)]
    assert told(client, in_parts, AS_PART) == {}
    assert told(client, every_page(planted), method="post") == {}
    assert found(logged(), EVERYTHING) == []


def test_who_may_not_read_sees_initials_and_why(client, planted):
    client.force_login(make_user(roles.OPERATOR, reads_content=False))
    note = client.get(reverse("admin:voicepipeline_artifact_change", args=[planted.note.artifact_id])).content.decode()
    assert note.count("What it says is hidden: your account may not read content.") == 1
    assert note.count("Q. Q.") == 5  # whom two names mean, whom the AI had meant, whom two entries are for
    assert "<audio" not in note
    assert "Names are shown as initials" in client.get(players()).content.decode()


def test_a_right_that_is_taken_away_hides_what_an_open_page_shows_at_its_next_refresh(client, planted):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    live = reverse("admin:voicepipeline_artifact_live", args=[planted.note.artifact_id])
    assert found(look(client, live), EVERYTHING)
    roles.let_read_content(user, False)
    assert found(look(client, live), EVERYTHING) == []


@pytest.mark.parametrize("page", ["change", "history", "add"])
@pytest.mark.parametrize("role", [roles.OPERATOR, roles.ADMINISTRATOR])
def test_who_may_not_read_opens_no_players_form_and_is_told_why(client, planted, role, page):
    client.force_login(make_user(role, reads_content=False))
    arguments = [] if page == "add" else [planted.player.pk]
    response = client.get(reverse(f"admin:voicepipeline_player_{page}", args=arguments))
    assert response.status_code == 403
    assert "Ask an administrator for the right to read it." in response.content.decode()


def test_a_coachs_number_stays_as_it_is_when_who_may_not_read_it_saves_the_form(client, planted):
    client.force_login(make_user(roles.OPERATOR, reads_content=False))
    url = reverse("admin:voicepipeline_coach_change", args=[planted.coach.pk])
    data = {"organization": planted.club.pk, "first_name": "Nuala", "phone": "+353851112223", "is_active": "on"}
    assert client.post(url, data).status_code == 302
    planted.coach.refresh_from_db()
    assert (planted.coach.first_name, planted.coach.phone) == ("Nuala", PHONE)


# --- With it ---------------------------------------------------------------------------------------------------------
# Where each word belongs, so that the tests above are known to look for words that are there.
BELONGS = {
    "voicepipeline_artifact_change": {
        *words("claim").values(),
        *(word(f"{owner}_{field}") for owner in ("entry", "confirmed", "held") for field in WORDS if field != "quote"),
        *map(word, ("why_done", "why_closed", "why_decided")),
        *map(word, ("transcript", "segment", "typed", "mention", "unmatched", "group", "reason", "choice")),
        *map(word, ("candidate", "candidate_reason", "player_first", "ai_last", "for_first")),
        *COACH_NAMED,
    },
    "voicepipeline_artifact_audio": {word("audio")},
    "voicepipeline_player_changelist": {word("player_first"), word("player_last")},
    "voicepipeline_player_change": {word("player_first"), word("player_last")},
    "voicepipeline_player_history": {word("player_first"), word("player_last")},
    "voicepipeline_player_merge": {word("player_first"), word("for_last")},
    "voicepipeline_entityresolution_changelist": {*map(word, ("mention", "candidate", "choice", "player_last"))},
    "voicepipeline_entityresolution_question": {*map(word, ("claim_title", "claim_quote", "mention", "player_first"))},
    "voicepipeline_insightdraft_changelist": {*map(word, ("entry_title", "confirmed_quote", "for_first", "why_held"))},
    "voicepipeline_insightdraft_bulk": {*map(word, ("entry_title", "entry_quote", "entry_skill_name", "for_first"))},
    "voicepipeline_insightdraft_note": {
        *map(word, ("entry_quote", "confirmed_title", "for_first", "why_decided", "why_then", "why_held"))
    },
    "voicepipeline_insightdraft_deed": {word("entry_quote"), word("for_first")},
    "voicepipeline_playeralias_changelist": {word("learned"), word("player_first")},
    "voicepipeline_playeralias_remove_many": {word("learned"), word("player_first")},
    "voicepipeline_bulkwork_change": {word("why_bulk")},
    "voicepipeline_bulkwork_live": {word("why_bulk")},
    "voicepipeline_rosterchange_changelist": {word("player_first"), word("left_first"), word("why_roster")},
    "voicepipeline_rosterimport_change": {word("listed")},
    "voicepipeline_roster_export": {word("player_first"), word("for_last")},
    "voicepipeline_coach_changelist": {PHONE},
    "voicepipeline_coach_change": {PHONE},
    "voicepipeline_voicenote_add": {PHONE},
}


def test_who_may_read_is_told_each_where_it_belongs_and_that_is_recorded_and_not_logged(client, planted, logged):
    user = make_user(roles.ADMINISTRATOR)
    client.force_login(user)
    telling, unrecorded = {}, set()
    for name, url in every_page(planted):
        before = transaction.savepoint()
        heard = set(found(look(client, url), EVERYTHING))
        telling.setdefault(name, set()).update(heard)
        if heard & OF_NOTES and not ContentReading.objects.filter(user=user).exists():
            unrecorded.add(name)
        # The next page is opened by somebody who has opened none before.
        transaction.savepoint_rollback(before)
    missing = {name: sorted(wanted - telling.get(name, set())) for name, wanted in BELONGS.items()}
    assert {name: words for name, words in missing.items() if words} == {}
    assert unrecorded == set()
    assert found(logged(), EVERYTHING) == []


def test_the_first_screen_tells_readers_no_more_than_others(client, planted):
    client.force_login(make_user(roles.ADMINISTRATOR))
    pages = [(name, url) for name, url in every_page(planted) if name in FIRST_SCREEN]
    assert {name for name, _ in pages} == {*FIRST_SCREEN}
    assert [found(look(client, url), EVERYTHING) for _, url in pages] == [[] for _ in pages]


@pytest.mark.parametrize("role", roles.ROLES)
def test_the_right_counts_and_not_the_role(client, planted, role):
    client.force_login(make_user(role, reads_content=True))
    pages = [(name, url) for name, url in addresses(planted) if name in NOTE_PAGES or name.endswith("_audio")]
    telling = told(client, pages)
    assert word("audio") in telling["voicepipeline_artifact_audio"]
    assert all(word("claim_quote") in telling[name] for name in NOTE_PAGES)
