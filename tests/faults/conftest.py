import os
from pathlib import Path

import pytest

from tests.faults.fleet import Fleet
from tests.stages.fixtures import django_db_setup, scripted_stages  # noqa: F401


@pytest.fixture(scope="session")
def installation():
    var_dir = Path(os.environ["VAR_DIR"]) / "fleet"
    with Fleet(var_dir, workers=3, engine={}).up() as fleet:
        yield fleet


@pytest.fixture
def fleet(installation):
    """Real clusters and watchdogs on a database of their own; a test starts those that it needs."""
    yield installation
    installation.end_processes()
