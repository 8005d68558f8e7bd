import pytest
from django.contrib.auth.models import Group, Permission

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.access import may_read_content
from voicepipeline.models import User

pytestmark = pytest.mark.django_db


def held():
    return {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}


def test_each_role_has_what_the_role_before_it_has():
    permissions = held()
    assert permissions[roles.VIEWER] <= permissions[roles.OPERATOR] <= permissions[roles.ADMINISTRATOR]
    assert set(permissions) == {*roles.ROLES, roles.CONTENT_READER}


def test_no_role_holds_the_right_to_read_what_notes_say_and_the_group_for_it_holds_nothing_else():
    permissions = held()
    assert permissions[roles.CONTENT_READER] == {"read_content"}
    assert not any("read_content" in permissions[role] for role in roles.ROLES)


def test_granting_takes_from_the_readers_what_somebody_added_by_hand():
    Group.objects.get(name=roles.CONTENT_READER).permissions.add(Permission.objects.get(codename="change_user"))
    roles.grant_permissions()
    assert held()[roles.CONTENT_READER] == {"read_content"}


def test_granting_again_changes_nothing():
    before = held()
    roles.grant_permissions()
    assert held() == before


def test_granting_takes_back_what_somebody_added_by_hand():
    before = held()
    Group.objects.get(name=roles.VIEWER).permissions.add(Permission.objects.get(codename="change_user"))
    roles.grant_permissions()
    assert held() == before


def test_granting_leaves_the_permissions_of_other_apps_alone():
    session = Permission.objects.get(codename="view_session")
    Group.objects.get(name=roles.VIEWER).permissions.add(session)
    roles.grant_permissions()
    assert "view_session" in held()[roles.VIEWER]


def test_nobody_may_delete_users():
    assert not any("delete_user" in codenames for codenames in held().values())


def test_the_highest_role_counts():
    user = make_user(roles.VIEWER)
    user.groups.add(Group.objects.get(name=roles.OPERATOR))
    assert roles.role_of(user) == roles.OPERATOR


def test_assigning_a_role_replaces_the_present_one_and_keeps_other_groups():
    user = make_user(roles.OPERATOR, reads_content=True)
    other = Group.objects.create(name="Book club")
    user.groups.add(other)
    roles.assign(user, Group.objects.get(name=roles.VIEWER))
    assert set(user.groups.values_list("name", flat=True)) == {
        roles.VIEWER,
        roles.CONTENT_READER,
        "Book club",
    }


def test_the_right_to_read_is_given_and_taken_beside_the_role():
    user = make_user(roles.VIEWER)
    roles.let_read_content(user, True)
    assert (roles.role_of(user), may_read_content(person(user))) == (roles.VIEWER, True)
    roles.let_read_content(user, False)
    assert (roles.role_of(user), may_read_content(person(user))) == (roles.VIEWER, False)


def person(user):
    """The same account as the next request has it: permissions are remembered on the object."""
    return User.objects.get(pk=user.pk)
