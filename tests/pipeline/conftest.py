import pytest

from tests.ai.provider import KEY
from tests.pipeline.listening import Listening
from tests.simulator.running import control, simulating
from tests.stages.fixtures import django_db_setup  # noqa: F401

# The stages under test, and scripted ones behind them that make nothing of a real note.
STAGES = {
    "transcription": "voicepipeline.stages.transcription",
    "claims_extraction": "voicepipeline.stages.claims",
    "entity_resolution": "tests.stages.resolution",
    "draft_generation": "tests.stages.drafts",
}
PATIENT_SECONDS = 15


@pytest.fixture(scope="session")
def shared_simulator():
    with simulating() as running:
        running.RequestHandlerClass = Listening
        running.received, running.said_instead = [], {}
        yield running


@pytest.fixture(autouse=True)
def simulator(shared_simulator, settings):
    """The provider of the settings; it answers as it should until a test says otherwise."""
    settings.STAGE_CODE = STAGES
    settings.OPENAI_BASE_URL = shared_simulator.base_url
    settings.OPENAI_API_KEY = KEY
    settings.AI_TRANSCRIPTION_TIMEOUT_SECONDS = PATIENT_SECONDS
    settings.AI_CHAT_TIMEOUT_SECONDS = PATIENT_SECONDS
    shared_simulator.plan.reset()
    shared_simulator.received.clear()
    shared_simulator.said_instead.clear()
    yield shared_simulator
    shared_simulator.plan.reset()


@pytest.fixture
def befall(simulator):
    """Let the next calls to an endpoint fail in these ways."""

    def queue(endpoint, *faults):
        control(simulator, "POST", queue={endpoint: list(faults)})

    return queue


@pytest.fixture
def calls(simulator):
    """How often each endpoint was called."""
    return lambda: simulator.plan.report()["calls"]
