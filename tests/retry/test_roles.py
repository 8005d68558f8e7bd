"""Who may retry what; and that a refused right leaves no trace."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied

from retry.kinds import KINDS, RETRY_ARTIFACT, START_OVER
from retry.models import RetryKind
from retry.operations import retry
from tests.factories import make_user
from tests.retry.dumps import dump, tried_out
from tests.retry.factories import make_ready
from tests.retry.states import CELLS, COLUMNS, CONFIRMED, MAKERS
from voicepipeline import roles
from voicepipeline.models import StageName
from voicepipeline.stages import STAGES

SOME = (
    "failed: names",
    "ready",
    "ready, entries confirmed",
    "closed: statements",
    "stalled: statements",
    "on hold: statements",
)

pytestmark = pytest.mark.django_db


def without_any_right():
    return {
        "a Viewer": make_user(roles.VIEWER),
        "staff without a role": make_user(),
        "an Operator who is not active": make_user(roles.OPERATOR, is_active=False),
        "an Administrator who is not active": make_user(roles.ADMINISTRATOR, is_active=False),
        "a coach's account": make_user(is_platform_staff=False),
        "an Operator who is no longer staff": make_user(roles.OPERATOR, is_platform_staff=False),
        "a superuser who is no longer staff": make_user(is_superuser=True, is_platform_staff=False),
    }


@pytest.mark.parametrize("name", ["failed: names", "ready", "running: names", "stalled: statements"])
def test_whoever_has_no_right_gets_nothing_but_a_refusal_of_it(name):
    note, people = MAKERS[name](), without_any_right()
    before = dump()
    for by in people.values():
        for asked_for in COLUMNS:
            with pytest.raises(PermissionDenied):
                retry(asked_for, note.artifact_id, by=by, reason="Try.")
    assert dump() == before


def test_a_right_is_asked_for_before_it_is_told_whether_there_is_such_a_note():
    with pytest.raises(PermissionDenied):
        retry(RetryKind.FULL, uuid.uuid4(), by=make_user(roles.OPERATOR))


@pytest.mark.parametrize("name", SOME)
def test_an_operator_may_whatever_the_state_allows_but_start_over(name):
    note, by = MAKERS[name](), make_user(roles.OPERATOR)
    agreed = {"agreed_to": CONFIRMED.get(name, 0), "reason": "The roster was corrected."}
    allowed = [kind for kind in COLUMNS if CELLS[name][kind] == "yes" and kind != RetryKind.FULL]
    with pytest.raises(PermissionDenied, match="role does not include"):
        retry(RetryKind.FULL, note.artifact_id, by=by, **agreed)
    for asked_for in allowed[:1]:
        with tried_out():
            assert retry(asked_for, note.artifact_id, by=by, **agreed).success


def test_a_superuser_may_start_over():
    assert retry(RetryKind.FULL, make_ready().artifact_id, by=make_user(is_superuser=True), reason="Anew.").success


def test_starting_over_alone_needs_a_right_of_its_own():
    needed = {kind.key: kind.permission for kind in KINDS.values()}
    assert needed.pop(RetryKind.FULL) == START_OVER
    assert set(needed.values()) == {RETRY_ARTIFACT}


def test_each_kind_begins_with_its_stage():
    begins = {kind.key: kind.stage for kind in KINDS.values()}
    assert begins.pop(RetryKind.FULL) == STAGES[StageName.TRANSCRIPTION]
    assert begins == {name: STAGES[name] for name in StageName.values}


def test_of_a_note_that_is_not_there_nothing_is_done():
    result = retry(RetryKind.FULL, uuid.uuid4(), by=make_user(roles.ADMINISTRATOR), reason="Try.")
    assert (result.success, result.message) == (False, "There is no voice note with this id.")
