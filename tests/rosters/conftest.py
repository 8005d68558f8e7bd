import pytest

from tests.factories import make_club, make_coach
from tests.names.helpers import REAL_STAGES


@pytest.fixture
def real_stages(settings):
    """Names are matched and entries made by the stages themselves."""
    settings.STAGE_CODE = REAL_STAGES


@pytest.fixture
def club():
    return make_club()


@pytest.fixture
def coach(club):
    return make_coach(organization=club, first_name="Siobhán", last_name="Doyle")
