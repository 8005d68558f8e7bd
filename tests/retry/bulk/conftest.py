import pytest

from tests.stages.fixtures import scripted_stages  # noqa: F401


@pytest.fixture(autouse=True)
def time_enough(settings):
    """A machine that is busy with other tests begins as many in a step as one that is not."""
    settings.RETRY = settings.RETRY | {"longest_step": 60}
