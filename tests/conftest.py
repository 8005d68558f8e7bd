from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import TransactionTestCase, override_settings

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
    """Static files straight from their apps, so that no test run has to collect them; passwords hashed in no time."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing one
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        STORAGES={**settings.STORAGES, "staticfiles": plain},
        PASSWORD_HASHERS=["tests.conftest.QuickArgon2"],
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
