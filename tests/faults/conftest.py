import os
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401


@pytest.fixture(scope="session")
def installation():
    with installed("fleet") as fleet:
        yield fleet


@pytest.fixture(scope="module")
def own_installation(request):
    """For tests that count whatever there is: nothing of other modules is in it."""
    with installed(request.module.__name__.rpartition(".")[2]) as fleet:
        yield fleet


def installed(name):
    return Fleet(Path(os.environ["VAR_DIR"]) / name, workers=3, engine={}).up()


@pytest.fixture
def fleet(installation):
    """Real clusters and watchdogs on a database of their own; a test starts those that it needs."""
    yield installation
    installation.end_processes()
