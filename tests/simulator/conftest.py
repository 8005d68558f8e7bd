import pytest

from tests.simulator.running import simulating


@pytest.fixture
def simulator():
    with simulating() as running:
        yield running
