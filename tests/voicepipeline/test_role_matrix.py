"""Who may open which page of the admin. A page that this table does not know fails the test."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import URLPattern, reverse
from django.urls.resolvers import RegexPattern

from metrics.limits import MINUTE
from metrics.models import Counter, JobRun, RefusedEvent
from tests.engine.helpers import make_artifact, scheduled
from tests.factories import (
    make_alias,
    make_api_key,
    make_bulk_work,
    make_club,
    make_coach,
    make_draft,
    make_event,
    make_player,
    make_reading,
    make_resolution,
    make_roster_import,
    make_team,
    make_user,
)
from tests.metrics.factories import make_period, make_snapshot
from tests.retry.admin.rows import make_bulk
from tests.retry.factories import make_attempt
from tests.retry.problems import fail, group_of
from voicepipeline import roles
from voicepipeline.admin.name_queue import Question
from voicepipeline.models import ModelPrice

pytestmark = pytest.mark.django_db

VIEWERS = ("anonymous", "coach", "is_staff", "no role", "viewer", "operator", "administrator")
LOGIN, OK, AWAY, NO, GONE, METHOD = "login", 200, 302, 403, 404, 405
STRANGERS = (LOGIN, NO, NO)


def seen_by(no_role, viewer, operator, administrator):
    """Strangers are stopped at every page alike; what differs is what the roles may open."""
    return dict(zip(VIEWERS, (*STRANGERS, no_role, viewer, operator, administrator), strict=True))


ALL = seen_by(OK, OK, OK, OK)
READERS = seen_by(NO, OK, OK, OK)
# The viewer here may not read what notes say, the others may: see tests/privacy.
CONTENT_READERS = seen_by(NO, NO, OK, OK)
OPERATORS = seen_by(NO, NO, OK, OK)
ADMINISTRATORS = seen_by(NO, NO, NO, OK)
NOBODY = seen_by(NO, NO, NO, NO)
EVERYBODY_AWAY = seen_by(AWAY, AWAY, AWAY, AWAY)


def pages_of(model, add, app="voicepipeline"):
    """The admin's own pages of a model of which nothing is deleted; the last is a redirect without a name."""
    own = {"changelist": READERS, "add": add, "change": READERS, "history": READERS, "delete": NOBODY}
    return {
        **{f"{app}_{model}_{page}": seen for page, seen in own.items()},
        f"{app}/{model}/<path:object_id>/": EVERYBODY_AWAY,
    }


EXPECTED = {
    "index": ALL,
    # The form is for everybody who is not in yet; who is in has no business there.
    "login": {**seen_by(AWAY, AWAY, AWAY, AWAY), "anonymous": OK},
    # Signing out takes a POST, which everybody may send: see test_sign_in.
    "logout": dict.fromkeys(VIEWERS, AWAY),
    "password_change": ALL,
    "password_change_done": ALL,
    "autocomplete": NOBODY,  # no field of any form uses it yet
    "jsi18n": ALL,
    "view_on_site": seen_by(GONE, GONE, GONE, GONE),
    "app_list": EVERYBODY_AWAY,
    **pages_of("user", add=ADMINISTRATORS),
    "auth_user_password_change": ADMINISTRATORS,
    # History is made by the engine alone.
    **pages_of("artifact", add=NOBODY),
    "voicepipeline_artifact_live": READERS,
    # Its note has no recording: see tests/intake/test_serving.py. What is said is for those who may read it.
    "voicepipeline_artifact_audio": CONTENT_READERS | {"operator": GONE, "administrator": GONE},
    "voicepipeline_artifact_action": OPERATORS,
    "voicepipeline_artifact_placing": READERS,
    "voicepipeline_voicenote_add": OPERATORS,
    **pages_of("pipelineevent", add=NOBODY),
    "voicepipeline_pipelineevent_export": READERS,
    **pages_of("stagerun", add=NOBODY),
    "voicepipeline_clusterbeat_changelist": READERS,
    "voicepipeline_aiservicehealth_changelist": READERS,
    "voicepipeline_aiservicehealth_live": READERS,
    "voicepipeline_aiservicehealth_test": seen_by(NO, NO, METHOD, METHOD),
    "voicepipeline_aiservicehealth_resume": seen_by(NO, NO, METHOD, METHOD),
    "voicepipeline_aiservicehealth_pause": OPERATORS,
    "voicepipeline_aiservicehealth_end_pause": seen_by(NO, NO, METHOD, METHOD),
    "voicepipeline_clusterbeat_live": READERS,
    "voicepipeline_scheduledjob_changelist": READERS,
    "voicepipeline_scheduledjob_live": READERS,
    "voicepipeline_scheduledjob_run": seen_by(NO, NO, NO, METHOD),
    "voicepipeline_entityresolution_changelist": READERS,
    "voicepipeline_entityresolution_question": READERS,
    "voicepipeline_entityresolution_undo": seen_by(NO, NO, METHOD, METHOD),
    "voicepipeline_insightdraft_changelist": READERS,
    "voicepipeline_insightdraft_bulk": OPERATORS,
    "voicepipeline_insightdraft_note": READERS,
    "voicepipeline_insightdraft_all": OPERATORS,
    "voicepipeline_insightdraft_deed": OPERATORS,
    **pages_of("organization", add=OPERATORS),
    **pages_of("team", add=OPERATORS),
    **pages_of("coach", add=OPERATORS),
    **pages_of("player", add=OPERATORS),
    # A player's own pages are called by their name.
    "voicepipeline_player_change": CONTENT_READERS,
    "voicepipeline_player_history": CONTENT_READERS,
    "voicepipeline_rosterimport_add": OPERATORS,
    "voicepipeline_rosterimport_change": OPERATORS,
    "voicepipeline_roster_export": OPERATORS,
    # Without a club it leads back to where one is chosen.
    "voicepipeline_roster_export_chosen": seen_by(NO, NO, AWAY, AWAY),
    "voicepipeline_organization_match_again": OPERATORS,
    "voicepipeline_player_merge": OPERATORS,
    "voicepipeline_playeralias_changelist": READERS,
    "voicepipeline_playeralias_remove": OPERATORS,
    "voicepipeline_playeralias_remove_many": OPERATORS,
    "voicepipeline_rosterchange_changelist": READERS,
    **pages_of("bulkwork", add=NOBODY),
    "voicepipeline_bulkwork_live": READERS,
    **pages_of("modelprice", add=ADMINISTRATORS),
    **{
        name: ADMINISTRATORS if seen is READERS else seen
        for name, seen in pages_of("apikey", add=ADMINISTRATORS).items()
    },
    "voicepipeline_apikey_revoke": ADMINISTRATORS,
    **pages_of("contentreading", add=NOBODY),
    **{f"voicepipeline_contentreading_{page}": ADMINISTRATORS for page in ("changelist", "change", "history")},
    "overview_live": READERS,
    "pipeline": READERS,
    "pipeline_live": READERS,
    "pipeline_panel": READERS,
    # Figures are for all roles: they name clubs, and nobody else.
    "metrics_dashboard": READERS,
    "metrics_dashboard_clubs": READERS,
    # Without the name of a table it has nothing to give.
    "metrics_dashboard_export": seen_by(NO, GONE, GONE, GONE),
    **pages_of("counter", add=NOBODY, app="metrics"),
    # A part of a live figure has no page of its own.
    "metrics_counter_change": NOBODY,
    "metrics_counter_history": NOBODY,
    **pages_of("metricssnapshot", add=NOBODY, app="metrics"),
    **pages_of("jobrun", add=NOBODY, app="metrics"),
    "metrics_jobrun_run": seen_by(NO, NO, NO, METHOD),
    **pages_of("period", add=NOBODY, app="metrics"),
    **pages_of("refusedevent", add=NOBODY, app="metrics"),
    # Of one stage: starting over is for administrators, see tests/retry/admin/test_note_retry.py.
    "retry_note": OPERATORS,
    **pages_of("retryattempt", add=NOBODY, app="retry"),
    **pages_of("bulkretry", add=NOBODY, app="retry"),
    "retry_bulkretry_live": READERS,
    "retry_bulkretry_notes": READERS,
    "retry_bulkretry_stop": OPERATORS,
    "retry_bulkretry_deed": seen_by(NO, NO, METHOD, METHOD),
    "retry_failuregroup_changelist": READERS,
    "retry_failuregroup_live": READERS,
    "retry_failuregroup_change": READERS,
    "retry_failuregroup_change_live": READERS,
    "retry_failuregroup_mark": seen_by(NO, NO, METHOD, METHOD),
    "retry_failuregroup_retry": seen_by(NO, NO, METHOD, METHOD),
    "retry_failuregroup_export": READERS,
    # A pattern without a name.
    "(?P<url>.*)$": seen_by(GONE, GONE, GONE, GONE),
}


def pages(patterns=None, prefix=""):
    """Every page of the admin: its name, or its route when it has none, and its whole route."""
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        route = prefix + (
            pattern.pattern.regex.pattern if isinstance(pattern.pattern, RegexPattern) else str(pattern.pattern)
        )
        if isinstance(pattern, URLPattern):
            yield pattern.name or route, route
        else:
            yield from pages(pattern.url_patterns, route)


AN_HOUR = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make_counter():
    """From long ago, so that nobody takes it for a live figure."""
    return Counter.objects.create(
        counter_type="retries_1h",
        organization=make_club(),
        window_start=AN_HOUR,
        window_end=AN_HOUR + MINUTE,
        slot=0,
        value=1,
    )


# A row for the pages about one row, by the beginning of their route. Its key fills whatever is not named in BLANKS.
TARGETS = {
    "voicepipeline/user/": lambda: make_user(roles.VIEWER),
    "voicepipeline/artifact/": make_artifact,
    "voicepipeline/pipelineevent/": lambda: make_event(make_artifact()),
    "voicepipeline/stagerun/": lambda: scheduled(make_artifact()),
    "voicepipeline/organization/": make_club,
    "voicepipeline/team/": make_team,
    "voicepipeline/coach/": make_coach,
    "voicepipeline/player/": make_player,
    "voicepipeline/playeralias/": make_alias,
    "voicepipeline/insightdraft/": make_draft,
    "voicepipeline/rosterimport/": make_roster_import,
    "voicepipeline/contentreading/": make_reading,
    "voicepipeline/apikey/": make_api_key,
    "voicepipeline/bulkwork/": make_bulk_work,
    "voicepipeline/modelprice/": lambda: ModelPrice.objects.first(),
    "voicepipeline/entityresolution/": make_resolution,
    "retry/failuregroup/": lambda: group_of(fail()),
    "retry/bulkretry/": lambda: make_bulk(state="running"),
    "retry/retryattempt/": lambda: make_attempt(make_artifact()),
    "metrics/counter/": make_counter,
    "metrics/metricssnapshot/": lambda: make_snapshot("hour", AN_HOUR, make_club()),
    "metrics/jobrun/": lambda: JobRun.objects.create(name="a-job", started_at=AN_HOUR),
    "metrics/period/": lambda: make_period("hour", AN_HOUR),
    "metrics/refusedevent/": lambda: RefusedEvent.objects.create(period_start=AN_HOUR, event_type="artifact_received"),
}
BLANKS = {
    "uuid:artifact_id": lambda target: target.artifact_id,
    "slug:action": lambda target: "close",
    "uuid:note": lambda target: target.artifact.artifact_id,
    "slug:kind": lambda target: target.kind,
    "slug:retry_kind": lambda target: "transcription",
    "slug:mark": lambda target: Question.of(target).mark,
    "uuid:import_id": lambda target: target.import_id,
    "uuid:note_id": lambda target: target.artifact.artifact_id,
    "int:draft_id": lambda target: target.pk,
    "slug:verb": lambda target: "confirm",
    "int:organization_id": lambda target: target.organization_id,
    "uuid:bulk_id": lambda target: target.bulk_id,
    "slug:fingerprint": lambda target: target.fingerprint,
    "slug:decision": lambda target: "fixed",
    "slug:panel": lambda target: "clubs",
    "slug:deed": lambda target: "pause",
}
FIXED = {
    "view_on_site": "r/1/0/",
    "app_list": "voicepipeline/",
    "(?P<url>.*)$": "nowhere/",
}


def address(name, route):
    """The route with every blank filled in."""
    if name in FIXED:
        return reverse("admin:index") + FIXED[name]
    target = next((make() for beginning, make in TARGETS.items() if "<" in route and route.startswith(beginning)), None)

    def fill(blank):
        return str(BLANKS.get(blank[1], lambda row: row.pk)(target))

    return reverse("admin:index") + re.sub(r"<([^>]+)>", fill, route)


def sign_in_as(client, viewer):
    if viewer != "anonymous":
        fields = {
            "coach": {"is_platform_staff": False},
            "is_staff": {"is_platform_staff": False, "is_staff": True},
        }.get(viewer, {})
        role = viewer.capitalize() if viewer.capitalize() in roles.ROLES else None
        user = make_user(role, **fields)
        if viewer in ("coach", "is_staff"):
            # Even with permissions: what counts first is the flag.
            user.user_permissions.set(Permission.objects.filter(content_type__app_label="voicepipeline"))
        client.force_login(user)


def test_every_page_of_the_admin_is_in_the_table():
    assert {name for name, _ in pages()} == set(EXPECTED)


@pytest.mark.parametrize("viewer", VIEWERS)
def test_each_kind_of_person_opens_their_pages_and_no_others(client, viewer):
    addresses = {name: address(name, route) for name, route in pages() if name in EXPECTED}
    sign_in_as(client, viewer)
    answers = {}
    for name, url in addresses.items():
        response = client.get(url)
        to_login = response.status_code == 302 and response["Location"].startswith(reverse("admin:login"))
        answers[name] = LOGIN if to_login else response.status_code
    assert answers == {name: expected[viewer] for name, expected in EXPECTED.items()}
