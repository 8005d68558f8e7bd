"""For modules whose tests let our code make its own clients: none is left to be found open by somebody else's test."""

import gc
import warnings

import pytest

from voicepipeline.ai import client


@pytest.fixture(scope="module", autouse=True)
def clients_leave_with_their_module():
    forget_clients()
    yield
    forget_clients()


def forget_clients():
    """A process keeps its clients for life, a test run does not: it has another provider for every module."""
    client._provider.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
