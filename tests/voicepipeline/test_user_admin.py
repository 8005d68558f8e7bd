import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.access import may_read_content
from voicepipeline.models import User

pytestmark = pytest.mark.django_db

LIST = reverse("admin:voicepipeline_user_changelist")
NEW_PASSWORD = "a much better password"


@pytest.fixture
def administrator(client):
    user = make_user(roles.ADMINISTRATOR, username="niamh")
    client.force_login(user)
    return user


def change_url(user):
    return reverse("admin:voicepipeline_user_change", args=[user.pk])


def change(client, user, **data):
    """Post the change form as its page would, with these fields changed."""
    fields = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_active": user.is_active,
        "is_platform_staff": user.is_platform_staff,
        "is_superuser": user.is_superuser,
        "role": group_id(roles.role_of(user)),
        "reads_content": roles.reads_content(user),
        **data,
    }
    response = client.post(
        change_url(user), {name: value for name, value in fields.items() if value not in (None, False)}
    )
    user.refresh_from_db()
    return response


def group_id(role):
    return Group.objects.get(name=role).pk if role else None


def test_an_administrator_gives_a_colleague_another_role(client, administrator):
    user = make_user(roles.VIEWER)
    change(client, user, role=group_id(roles.OPERATOR))
    assert [group.name for group in user.groups.all()] == [roles.OPERATOR]


def test_an_administrator_takes_a_role_away(client, administrator):
    user = make_user(roles.VIEWER)
    change(client, user, role=None)
    assert not user.groups.exists()


@pytest.mark.parametrize("role", roles.ROLES)
def test_an_administrator_lets_a_colleague_read_what_notes_say_whatever_their_role(client, administrator, role):
    user = make_user(role, reads_content=False)
    change(client, user, reads_content="on")
    assert (roles.role_of(user), may_read_content(again(user))) == (role, True)
    change(client, user, reads_content=False)
    assert (roles.role_of(user), may_read_content(again(user))) == (role, False)


def test_the_form_shows_who_may_read(client, administrator):
    for reads in (True, False):
        form = client.get(change_url(make_user(roles.VIEWER, reads_content=reads))).context["adminform"].form
        assert form["reads_content"].value() is reads


def test_a_new_colleague_reads_only_when_that_is_ticked(client, administrator):
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    for name, ticked in (("sean", {}), ("sinead", {"reads_content": "on"})):
        data = {"username": name, "is_platform_staff": "on", "role": group_id(roles.OPERATOR), **ticked}
        client.post(reverse("admin:voicepipeline_user_add"), data | passwords)
    assert not may_read_content(User.objects.get(username="sean"))
    assert may_read_content(User.objects.get(username="sinead"))


@pytest.mark.parametrize("reads", [True, False])
def test_nobody_gives_or_takes_their_own_right_to_read(client, reads):
    user = make_user(roles.ADMINISTRATOR, reads_content=reads)
    client.force_login(user)
    change(client, user, reads_content=False if reads else "on", first_name="Ana")
    assert user.first_name == "Ana"
    assert roles.reads_content(again(user)) is reads


def test_the_list_can_be_narrowed_to_those_who_read(client, administrator):
    make_user(roles.VIEWER, username="aoife", reads_content=True)
    make_user(roles.VIEWER, username="newcomer")
    User.objects.create_superuser("root")
    names = {value: {user.username for user in listed(client, reads=value)} for value in ("yes", "no")}
    assert names == {"yes": {"niamh", "aoife", "root"}, "no": {"newcomer"}}


def listed(client, **query):
    return client.get(LIST, query).context["cl"].result_list


def again(user):
    """The same account as the next request has it: permissions are remembered on the object."""
    return User.objects.get(pk=user.pk)


def test_an_administrator_switches_a_colleague_off(client, administrator):
    user = make_user(roles.VIEWER)
    change(client, user, is_active=False)
    assert not user.is_active


def test_an_administrator_adds_a_colleague_with_a_role_in_one_step(client, administrator):
    data = {"username": "sean", "is_platform_staff": "on", "role": group_id(roles.OPERATOR)}
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    response = client.post(reverse("admin:voicepipeline_user_add"), data | passwords)
    assert response["Location"] == LIST
    user = User.objects.get(username="sean")
    assert user.is_platform_staff
    assert roles.role_of(user) == roles.OPERATOR
    assert user.check_password(NEW_PASSWORD)


def test_the_add_form_takes_for_granted_that_a_colleague_may_sign_in(client, administrator):
    form = client.get(reverse("admin:voicepipeline_user_add")).context["adminform"].form
    assert form["is_platform_staff"].value() is True


def test_an_administrator_sets_a_colleagues_password(client, administrator):
    user = make_user(roles.VIEWER)
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    client.post(url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


@pytest.mark.parametrize("field", ["is_superuser", "is_staff", "user_permissions"])
def test_an_administrator_cannot_grant_what_roles_do_not_hold(client, administrator, field):
    user = make_user(roles.VIEWER)
    value = "1" if field == "user_permissions" else "on"
    assert change(client, user, **{field: value}).status_code == 302
    assert not user.is_superuser
    assert not user.is_staff
    assert not user.user_permissions.exists()


def test_an_administrator_cannot_add_a_superuser(client, administrator):
    data = {"username": "sean", "is_superuser": "on", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(reverse("admin:voicepipeline_user_add"), data | {"usable_password": "true"})
    assert not User.objects.get(username="sean").is_superuser


def test_an_administrator_cannot_edit_a_superuser(client, administrator):
    root = User.objects.create_superuser("root")
    assert client.get(change_url(root)).status_code == 200
    assert change(client, root, email="mine@example.com").status_code == 403
    assert root.email == ""


def test_an_administrator_cannot_set_a_superusers_password(client, administrator):
    root = User.objects.create_superuser("root")
    url = reverse("admin:auth_user_password_change", args=[root.pk])
    assert client.post(url, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}).status_code == 403
    root.refresh_from_db()
    assert not root.check_password(NEW_PASSWORD)


def test_a_superuser_makes_another(client):
    client.force_login(User.objects.create_superuser("root"))
    user = make_user()
    change(client, user, is_superuser="on")
    assert user.is_superuser


@pytest.mark.parametrize(
    "make", [lambda: make_user(roles.ADMINISTRATOR), lambda: User.objects.create_superuser("root")]
)
def test_nobody_locks_themselves_out(client, make):
    user = make()
    before = (user.is_active, user.is_platform_staff, user.is_superuser, roles.role_of(user))
    client.force_login(user)
    change(client, user, is_active=False, is_platform_staff=False, is_superuser=False, role=None, first_name="Ana")
    assert user.first_name == "Ana"
    assert (user.is_active, user.is_platform_staff, user.is_superuser, roles.role_of(user)) == before


def test_ones_own_password_takes_the_page_that_asks_for_the_present_one(client, administrator):
    url = reverse("admin:auth_user_password_change", args=[administrator.pk])
    response = client.post(url, {"usable_password": "false", "unset-password": "1"})
    assert response["Location"] == reverse("admin:password_change")


def test_not_even_a_superuser_deletes_accounts(client):
    client.force_login(User.objects.create_superuser("root"))
    user = make_user()
    assert client.post(reverse("admin:voicepipeline_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": user.pk, "post": "yes"})
    assert User.objects.filter(pk=user.pk).exists()


def test_a_viewer_changes_nothing(client):
    client.force_login(make_user(roles.VIEWER))
    user = make_user()
    assert change(client, user, email="mine@example.com").status_code == 403


def test_a_viewer_sees_no_trace_of_a_password(client):
    client.force_login(make_user(roles.VIEWER))
    page = client.get(change_url(make_user(password=NEW_PASSWORD))).content.decode()
    assert "argon2" not in page
    assert "Set a new password" not in page


def test_the_list_can_be_narrowed_to_a_role(client, administrator):
    make_user(roles.VIEWER, username="aoife")
    make_user(username="newcomer")
    assert [user.username for user in client.get(LIST, {"role": "Viewer"}).context["cl"].result_list] == ["aoife"]
    assert [user.username for user in client.get(LIST, {"role": "none"}).context["cl"].result_list] == ["newcomer"]


def test_the_list_asks_as_many_questions_for_thirty_people_as_for_three(
    client, administrator, django_assert_num_queries
):
    for _ in range(30):
        make_user(roles.VIEWER)
    # Session, viewer, their permissions (own and by role), counts of all and of found, rows, groups of the rows,
    # what stands still, whether a bulk retry of theirs has ended.
    with django_assert_num_queries(10):
        client.get(LIST)
