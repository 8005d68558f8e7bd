"""Fixtures for tests in which the scripted stages do the work."""

import pytest
from django.db import connection

from tests.stages.scripted import RESULT_TABLE

TEST_STAGES = {
    "transcription": "tests.stages.transcription",
    "claims_extraction": "tests.stages.claims",
    "entity_resolution": "tests.stages.resolution",
    "draft_generation": "tests.stages.drafts",
}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(RESULT_TABLE)


@pytest.fixture(autouse=True)
def scripted_stages(settings):
    settings.STAGE_CODE = TEST_STAGES
