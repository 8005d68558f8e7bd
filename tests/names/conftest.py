import pytest

from tests.factories import make_club, make_coach
from tests.names.helpers import REAL_STAGES, make_read_note


@pytest.fixture(autouse=True)
def real_stages(settings):
    settings.STAGE_CODE = REAL_STAGES


@pytest.fixture
def club():
    return make_club()


@pytest.fixture
def coach(club):
    return make_coach(organization=club, first_name="Siobhán", last_name="Doyle")


@pytest.fixture
def note(coach):
    return make_read_note(sender=coach)
