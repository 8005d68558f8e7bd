import pytest
from django.urls import reverse

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
LOGIN = reverse("admin:login")
OVERVIEW = reverse("admin:index")


def sign_in(client, username, password=PASSWORD, *, query="", **headers):
    return client.post(f"{LOGIN}{query}", {"username": username, "password": password}, **headers)


def test_the_root_leads_to_the_admin(client):
    assert client.get("/")["Location"] == OVERVIEW


def test_platform_staff_without_djangos_staff_flag_signs_in(client):
    make_user(username="ana", password=PASSWORD)
    assert sign_in(client, "ana")["Location"] == OVERVIEW
    assert client.get(OVERVIEW).status_code == 200


@pytest.mark.parametrize("flags", [{}, {"is_staff": True}, {"is_staff": True, "is_superuser": True}])
def test_another_account_is_told_that_the_back_office_is_for_platform_staff(client, flags):
    make_user(username="coach", password=PASSWORD, is_platform_staff=False, **flags)
    response = sign_in(client, "coach")
    assert "This account is not platform staff" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_an_account_that_was_switched_off_does_not_sign_in(client):
    make_user(username="gone", password=PASSWORD, is_active=False)
    assert "do not belong together" in sign_in(client, "gone").content.decode()


def test_a_wrong_password_does_not_tell_whether_the_account_exists(client):
    make_user(username="ana", password=PASSWORD)
    known, unknown = sign_in(client, "ana", "wrong"), sign_in(client, "nobody", "wrong")
    sentence = "This user name and password do not belong together."
    assert sentence in known.content.decode()
    assert sentence in unknown.content.decode()


def test_signing_in_leads_to_the_page_that_was_asked_for(client):
    make_user(roles.VIEWER, username="ana", password=PASSWORD)
    users = reverse("admin:voicepipeline_user_changelist")
    asked = client.get(users)
    assert sign_in(client, "ana", query=asked["Location"].removeprefix(LOGIN))["Location"] == users


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_to_another_site(client, elsewhere):
    make_user(username="ana", password=PASSWORD)
    response = client.post(LOGIN, {"username": "ana", "password": PASSWORD, "next": elsewhere})
    assert response["Location"] == OVERVIEW


def test_who_loses_the_flag_while_signed_in_gets_a_page_to_sign_out_from(client):
    user = make_user(username="ana")
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_platform_staff=False)
    for url in (OVERVIEW, LOGIN):
        response = client.get(url)
        assert response.status_code == 403
        assert "For platform staff only" in response.content.decode()
        assert f'action="{reverse("admin:logout")}"' in response.content.decode()


def test_who_is_not_platform_staff_can_sign_out(client):
    client.force_login(make_user(is_platform_staff=False))
    assert client.post(reverse("admin:logout")).status_code == 200
    assert "_auth_user_id" not in client.session


def test_signing_out_takes_a_post(client):
    client.force_login(make_user())
    client.get(reverse("admin:logout"))
    assert "_auth_user_id" in client.session


def test_who_is_switched_off_while_signed_in_is_out_at_once(client):
    user = make_user()
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(OVERVIEW)["Location"].startswith(LOGIN)


def fail(client, username="ana", times=5, **headers):
    for _ in range(times):
        response = sign_in(client, username, "wrong", **headers)
    return response


def test_five_wrong_passwords_lock_the_name_for_that_address(client):
    make_user(username="ana", password=PASSWORD)
    response = fail(client)
    assert response.status_code == 429
    assert "15 minutes" in response.content.decode()
    assert sign_in(client, "ana").status_code == 429


def test_a_lock_does_not_touch_the_same_name_from_elsewhere(client):
    make_user(username="ana", password=PASSWORD)
    fail(client)
    assert sign_in(client, "ana", REMOTE_ADDR="198.51.100.7")["Location"] == OVERVIEW


def test_a_lock_does_not_touch_another_name_from_the_same_address(client):
    make_user(username="ana", password=PASSWORD)
    make_user(username="bea", password=PASSWORD)
    fail(client)
    assert sign_in(client, "bea")["Location"] == OVERVIEW


def test_an_invented_forwarding_header_does_not_get_around_a_lock(client):
    make_user(username="ana", password=PASSWORD)
    fail(client)
    assert sign_in(client, "ana", HTTP_X_FORWARDED_FOR="198.51.100.7").status_code == 429


def test_behind_our_proxy_the_lock_follows_the_address_that_the_proxy_saw(client, settings):
    settings.PROXY_COUNT = 1
    make_user(username="ana", password=PASSWORD)
    fail(client, HTTP_X_FORWARDED_FOR="203.0.113.5, 198.51.100.7")
    assert sign_in(client, "ana", HTTP_X_FORWARDED_FOR="203.0.113.99, 198.51.100.7").status_code == 429
    assert sign_in(client, "ana", HTTP_X_FORWARDED_FOR="198.51.100.7, 198.51.100.8").status_code == 302


def test_four_wrong_passwords_and_a_right_one_start_the_count_again(client):
    make_user(username="ana", password=PASSWORD)
    fail(client, times=4)
    assert sign_in(client, "ana").status_code == 302
    assert fail(client, times=4).status_code == 200


def test_everybody_can_change_their_own_password(client):
    user = make_user(username="ana", password=PASSWORD)
    client.force_login(user)
    new = "a much better password"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post(reverse("admin:password_change"), data).status_code == 302
    user.refresh_from_db()
    assert user.check_password(new)
