from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import TransactionTestCase, override_settings
from psycopg.pq import TransactionStatus

from tests import resetting


class QuickArgon2(Argon2PasswordHasher):
    """The hasher of the settings, with the least work: a test has no passwords worth guarding."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The longest come first, so that of several processes none is left with them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


@pytest.fixture(scope="session", autouse=True)
def _settings_of_tests():
    """Static files straight from their apps, so that no test run has to collect them; passwords hashed in no time.

    What a poll of the overview finds is shared with no other, so that each is answered with what a test has just done.
    """
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing one
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES={**settings.STORAGES, "staticfiles": plain},
        PASSWORD_HASHERS=["tests.conftest.QuickArgon2"],
        OVERVIEW_SHARED_SECONDS=0,
    ):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The database as its migrations leave it; a test that commits leaves it so, too."""
    with django_db_blocker.unblock():
        if not resetting.is_possible():
            yield
            return
        baseline = resetting.Baseline()
    emptying_every_table = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda _: baseline.restore()
    yield
    TransactionTestCase._fixture_teardown = emptying_every_table


WITH_DATABASE = {"db", "transactional_db", "live_server", "django_db_reset_sequences", "django_db_serialized_rollback"}
ANYTHING_COUNTED = """
SELECT EXISTS (SELECT FROM voicepipeline_pipelineevent) OR EXISTS (SELECT FROM metrics_counter)
"""


@pytest.fixture(autouse=True)
def _live_figures_are_what_events_say(request):
    """After every test with a database, before what it wrote is taken away."""
    if not request.node.get_closest_marker("django_db") and WITH_DATABASE.isdisjoint(request.fixturenames):
        yield
        return
    request.getfixturevalue("_django_db_helper")  # its database goes after this
    yield
    from metrics.verification import compare

    if connection.in_atomic_block and not _can_be_asked():
        return  # the test ended in the middle of a refused transaction, or closed its connection
    with connection.cursor() as cursor:
        cursor.execute(ANYTHING_COUNTED)
        (anything,) = cursor.fetchone()
    differences = compare() if anything else []
    assert not differences, "\n".join(map(str, differences))


def _can_be_asked():
    raw = connection.connection
    return raw is not None and not raw.closed and raw.info.transaction_status != TransactionStatus.INERROR
