"""Fixtures for tests in which the scripted stages do the work."""

import pytest
from django.db import connection

from tests.faults.surroundings import TEST_STAGES
from tests.stages.scripted import RESULT_TABLE


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(RESULT_TABLE)


@pytest.fixture(autouse=True)
def scripted_stages(settings):
    settings.STAGE_CODE = TEST_STAGES
