import pytest

from tests.stages.scripted import RESULT_TABLE


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(RESULT_TABLE)


@pytest.fixture(autouse=True)
def _recordings_of_their_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
