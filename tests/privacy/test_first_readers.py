"""Who could read what notes say before there was a right to it, may go on."""

import importlib

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.models import User

pytestmark = pytest.mark.django_db

READERS = importlib.import_module("voicepipeline.migrations.0006_review_rosters_api").READERS


@pytest.fixture
def staff():
    """People as they were before: roles, and nobody among the readers, of whom there was no group."""
    people = {role: make_user(role, reads_content=False, username=role or "nobody") for role in (None, *roles.ROLES)}
    people["both"] = make_user(roles.OPERATOR, reads_content=False, username="both")
    people["both"].groups.add(Group.objects.get(name=roles.ADMINISTRATOR))
    Group.objects.filter(name=roles.CONTENT_READER).delete()
    return people


def readers():
    return set(User.objects.filter(groups__name=roles.CONTENT_READER).values_list("username", flat=True))


def migrate():
    with connection.cursor() as cursor:
        cursor.execute(READERS)


def test_operators_and_administrators_become_readers_and_nobody_else(staff):
    migrate()
    assert readers() == {roles.OPERATOR, roles.ADMINISTRATOR, "both"}


def test_what_is_done_twice_is_done_once(staff):
    migrate()
    migrate()
    assert User.groups.through.objects.filter(group__name=roles.CONTENT_READER).count() == 3
    assert Group.objects.filter(name=roles.CONTENT_READER).count() == 1


def test_roles_are_left_as_they_were(staff):
    before = {name: roles.role_of(again(user)) for name, user in staff.items()}
    migrate()
    assert {name: roles.role_of(again(user)) for name, user in staff.items()} == before


def test_in_an_empty_database_there_are_no_readers_yet():
    Group.objects.all().delete()
    migrate()
    assert readers() == set()


def again(user):
    return User.objects.get(pk=user.pk)
