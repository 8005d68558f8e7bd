import pytest

from tests.ai.provider import HASTY, SLOW, calling
from tests.simulator.running import control, simulating


@pytest.fixture(scope="session")
def shared_simulator():
    with simulating() as running:
        yield running


@pytest.fixture
def simulator(shared_simulator):
    """Answers as it should until a test says otherwise."""
    shared_simulator.plan.reset()
    yield shared_simulator
    shared_simulator.plan.reset()


@pytest.fixture(scope="session")
def shared_caller(shared_simulator):
    with calling(shared_simulator.base_url) as ours:
        yield ours


@pytest.fixture
def ours(shared_caller, simulator):
    """A client of ours."""
    return shared_caller


@pytest.fixture(scope="session")
def shared_hasty_caller(shared_simulator):
    with calling(shared_simulator.base_url, transcription_timeout=HASTY, chat_timeout=HASTY) as ours:
        yield ours


@pytest.fixture
def caller_for(ours, shared_hasty_caller):
    """The client to meet a fault with: one that gives up soon where the fault is slowness."""
    return lambda fault: shared_hasty_caller if fault.startswith(SLOW) else ours


@pytest.fixture
def befall(simulator):
    """Let the next calls to an endpoint fail in these ways."""

    def queue(endpoint, *faults):
        control(simulator, "POST", queue={endpoint: list(faults)})

    return queue
