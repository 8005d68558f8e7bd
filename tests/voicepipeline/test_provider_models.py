"""Models that will not be there for ever: asked for once a day, warned of in time."""

import io
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.utils import timezone

from tests.ai.conftest import shared_simulator, simulator  # noqa: F401
from tests.ai.leaving import clients_leave_with_their_module  # noqa: F401
from tests.simulator.running import control
from voicepipeline import checks
from voicepipeline.configuration import OPENAI
from voicepipeline.models import ProviderModel, ScheduledJob
from voicepipeline.operations.provider_models import announced_cautions, check_models, told_cautions
from voicepipeline.operations.schedules import perform_scheduled_job
from voicepipeline.policies.model_shutdowns import shutdown_caution
from voicepipeline.tracebacks import JobFailed

TODAY = date(2026, 11, 21)
END = date(2027, 2, 26)
JOB = "Check AI models"


@pytest.fixture
def provider(simulator, settings):  # noqa: F811
    settings.OPENAI_BASE_URL = simulator.base_url
    return simulator


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (date(2026, 11, 27), ""),
        (date(2026, 11, 28), "shuts the model whisper-1 down on 26 February 2027, in 90 days."),
        (date(2027, 2, 25), "on 26 February 2027, tomorrow."),
        (date(2027, 2, 26), "shut the model whisper-1 down on 26 February 2027."),
        (date(2028, 1, 1), "shut the model whisper-1 down on 26 February 2027."),
    ],
)
def test_an_end_is_warned_of_for_ninety_days_and_afterwards(today, words):
    caution = shutdown_caution("whisper-1", "AI_X", shutdown_on=END, today=today)
    assert words in caution
    assert bool(caution) == bool(words)
    assert caution.endswith("Name another in AI_X." if words else "")


def test_a_model_that_is_no_longer_offered_is_warned_of_whatever_its_day():
    assert "no longer offers the model x-1" in shutdown_caution(
        "x-1", "AI_X", shutdown_on=None, offered=False, today=TODAY
    )


# --- What is asked ---------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_the_provider_tells_of_the_models_in_use_is_kept(provider, settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    ProviderModel.objects.create(name="used-before")
    now = timezone.now()
    check_models(now=now)
    assert list(ProviderModel.objects.order_by("name").values_list("name", "offered", "shutdown_on", "checked_at")) == [
        ("gpt-6-luna", True, None, now),
        ("whisper-1", True, END, now),
    ]


@pytest.mark.django_db
def test_a_model_that_the_provider_does_not_list_is_no_longer_offered(provider, settings):
    settings.AI_CLAIMS_MODEL = "gpt-3-ancient"
    check_models(now=timezone.now())
    assert not ProviderModel.objects.get(name="gpt-3-ancient").offered
    assert "no longer offers the model gpt-3-ancient" in told_cautions(today=TODAY)[0]


@pytest.mark.django_db
def test_the_log_warns_of_each_model_that_will_soon_be_gone(provider, settings, caplog):
    settings.AI_TRANSCRIPTION_MODEL, settings.AI_CLAIMS_MODEL = "whisper-1", "gpt-3-ancient"
    check_models(now=datetime(2027, 2, 1, tzinfo=UTC))
    warned = [(each.levelname, each.model, each.shutdown_on) for each in caplog.records if hasattr(each, "shutdown_on")]
    assert sorted(warned) == [("WARNING", "gpt-3-ancient", "unknown"), ("WARNING", "whisper-1", "2027-02-26")]


@pytest.mark.django_db
def test_the_log_says_nothing_of_models_that_stay(provider, caplog):
    check_models(now=timezone.now())
    assert [each for each in caplog.records if hasattr(each, "shutdown_on")] == []


@pytest.mark.django_db
def test_asking_again_brings_the_rows_up_to_date(provider):
    ProviderModel.objects.create(name="gpt-6-luna", offered=False, shutdown_on=END)
    check_models(now=timezone.now())
    row = ProviderModel.objects.get(name="gpt-6-luna")
    assert (row.offered, row.shutdown_on) == (True, None)


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["status:503", "bad_key", "html", "reset"])
def test_a_provider_that_cannot_be_asked_leaves_the_rows_and_fails_the_job(provider, fault):
    row = ProviderModel.objects.create(name="gpt-6-luna", shutdown_on=END)
    control(provider, "POST", queue={"models": [fault]})
    with pytest.raises(JobFailed):
        perform_scheduled_job(JOB)
    assert ScheduledJob.objects.get(name=JOB).last_succeeded is False
    assert list(ProviderModel.objects.values_list("name", "checked_at")) == [("gpt-6-luna", row.checked_at)]


@pytest.mark.django_db
def test_the_daily_job_asks(provider):
    perform_scheduled_job(JOB)
    assert ScheduledJob.objects.get(name=JOB).last_succeeded is True
    assert ProviderModel.objects.count() == 2


# --- What is warned of -----------------------------------------------------------------------------------------------
def test_the_models_as_shipped_are_nothing_to_warn_of():
    assert checks.check_announced_models(None) == []


def test_the_check_without_a_database_knows_what_was_announced(settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    with time_machine.travel("2027-02-01T12:00:00Z", tick=False):
        (caution,) = checks.check_announced_models(None)
    assert caution.id == "voicepipeline.W005"
    assert "in 25 days. Name another in AI_TRANSCRIPTION_MODEL." in caution.msg


def test_another_server_lends_itself_the_name_and_keeps_its_model(settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    settings.AI_SIMULATED, settings.OPENAI_BASE_URL = False, "http://speech.example.com/v1"
    assert announced_cautions(today=END) == []
    settings.OPENAI_BASE_URL = OPENAI
    assert len(announced_cautions(today=END)) == 1


@pytest.mark.django_db
def test_the_providers_own_word_comes_before_what_was_announced(settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    ProviderModel.objects.create(name="whisper-1", shutdown_on=date(2027, 12, 1))
    assert told_cautions(today=date(2027, 2, 1)) == []


@pytest.mark.django_db
def test_the_check_of_the_database_tells_what_the_provider_told(settings):
    ProviderModel.objects.create(name=settings.AI_CLAIMS_MODEL, shutdown_on=END)
    with time_machine.travel("2027-02-01T12:00:00Z", tick=False):
        found = run_checks(tags=[Tags.database], databases=["default"])
        assert [each.id for each in found] == ["voicepipeline.W006"]
        errors = io.StringIO()
        call_command("check", "--database", "default", stdout=io.StringIO(), stderr=errors)
        assert f"shuts the model {settings.AI_CLAIMS_MODEL} down on 26 February 2027" in errors.getvalue()


@pytest.mark.django_db
def test_the_check_of_the_database_does_not_repeat_what_was_announced(settings):
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    ProviderModel.objects.create(name="whisper-1", shutdown_on=END)
    with time_machine.travel("2027-02-01T12:00:00Z", tick=False):
        assert checks.check_offered_models(None, databases=["default"]) == []


def test_without_a_database_the_check_asks_none():
    assert checks.check_offered_models(None, databases=None) == []
    assert checks.check_offered_models(None) == []
