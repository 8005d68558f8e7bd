"""How `retry_artifacts` waits for what goes on in the background."""

import pytest

from retry.bulk.deeds import pause
from retry.models import BulkRetry
from tests.engine.helpers import run_to_the_end
from tests.factories import make_user
from tests.retry.factories import ENTRIES, make_failed
from tests.retry.terminal import Terminal, Told, bulk_id, ids, retry
from voicepipeline import roles
from voicepipeline.models import Artifact


@pytest.fixture
def ana(db):
    return make_user(roles.ADMINISTRATOR, username="ana", first_name="Ana")


def test_the_rest_waits_for_the_first_few_and_goes_on_in_the_background(ana):
    notes = [make_failed() for _ in range(5)]
    out, err, code = retry("failed_stage", *ids(*notes), "--timeout=0.01")
    assert ("Requested: 3, refused: 0, not begun: 2" in out, code) == (True, 3)
    assert "60 % begun; the rest waits for how the first end" in err
    assert f"It goes on in the background: http://localhost:8000/admin/retry/bulkretry/{bulk_id()}/" in err


def test_the_first_few_are_not_waited_for_when_somebody_says_so(ana):
    out, _, code = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), "--all-at-once")
    assert ("Requested: 5, refused: 0, not begun: 0" in out, code) == (True, 0)


def test_once_the_first_few_have_succeeded_the_rest_follows(ana):
    notes = [make_failed(ENTRIES) for _ in range(5)]
    work = Told(lambda: [run_to_the_end(note) for note in notes])
    out, _, code = retry("failed_stage", *ids(*notes), stderr=work)
    assert ("Requested: 5, refused: 0, not begun: 0" in out, code) == (True, 0)
    assert Artifact.objects.filter(status="completed").count() >= 3


def test_one_that_somebody_pauses_is_no_longer_waited_for(ana):
    told = Told(lambda: pause(bulk_id(), by=ana))
    _, err, code = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), stderr=told)
    assert ("Paused. Paused by Ana." in err, code) == (True, 3)


def test_who_interrupts_it_is_told_that_it_goes_on(ana):
    def interrupt():
        raise KeyboardInterrupt

    _, err, code = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), stderr=Told(interrupt))
    assert ("You need not wait for it. It goes on in the background: http" in err, code) == (True, 3)
    assert BulkRetry.objects.get().state == "trying"


def test_a_terminal_gets_a_bar_that_is_taken_away_at_the_end(ana):
    _, err, _ = retry("failed_stage", *ids(*[make_failed() for _ in range(5)]), "--timeout=0.01", stderr=Terminal())
    assert "\r\x1b[K[##############          ] 3 of 5; the rest waits for how the first end" in err
    assert err.split("\r\x1b[K")[-1].startswith("0.01 s were not enough for all.")
