"""People who look at the pages of retries, signed in."""

import pytest

from tests.factories import make_user
from voicepipeline import roles


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    client.force_login(user)
    return user


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


@pytest.fixture
def administrator(client):
    user = make_user(roles.ADMINISTRATOR)
    client.force_login(user)
    return user
