from dataclasses import replace

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.template.loader import render_to_string
from django.urls import reverse

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.admin import shell

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of(rf):
    def request_of(user):
        request = rf.get("/")
        request.user = user
        return request

    return request_of


def titles(request):
    return {str(group): [entry.title for entry, _ in pages] for group, pages in shell.visible(request)}


def test_the_sidebar_shows_what_the_viewer_may_open(request_of):
    assert titles(request_of(make_user(roles.VIEWER)))["Team"] == ["Users"]


def test_a_group_without_a_page_for_the_viewer_is_left_out(request_of):
    assert titles(request_of(make_user())) == {"Overview": ["Overview"]}


def test_an_entry_appears_only_once_its_page_exists(request_of):
    request = request_of(make_user())
    there = shell.Entry(shell.Group.REVIEW, "Names", "badge", "admin:index")
    to_come = replace(there, url_name="admin:a_page_to_come")
    assert list(shell.visible(request, [there])) == [(shell.Group.REVIEW, [(there, reverse("admin:index"))])]
    assert list(shell.visible(request, [to_come])) == []


def test_adding_an_entry_twice_shows_it_once(request_of):
    request = request_of(make_user(roles.VIEWER))
    (users,) = [entry for group, pages in shell.visible(request) for entry, _ in pages if entry.title == "Users"]
    shell.add(users)
    assert titles(request)["Team"] == ["Users"]


def test_the_overview_tells_what_each_page_of_the_viewer_is_for(client):
    client.force_login(make_user(roles.VIEWER))
    page = client.get(reverse("admin:index"))
    assert [card["title"] for card in page.context["places"]] == [
        title for group, pages in titles(page.wsgi_request).items() if group != "Overview" for title in pages
    ]


def test_the_overview_tells_who_has_no_role_what_to_do(client):
    client.force_login(make_user())
    assert "Ask an administrator to give your account a role" in client.get(reverse("admin:index")).content.decode()


def test_the_overview_is_cheap(client, django_assert_num_queries):
    client.force_login(make_user(roles.ADMINISTRATOR))
    # Those that tests/overview/test_page.py counts, and whether a bulk retry of theirs has ended.
    with django_assert_num_queries(15):
        client.get(reverse("admin:index"))


@pytest.mark.parametrize("page", ["admin:index", "admin:login", "admin:voicepipeline_user_changelist"])
def test_every_page_says_that_the_ai_service_is_simulated(client, settings, page):
    if page != "admin:login":
        client.force_login(make_user(roles.VIEWER))
    sentence = "The AI service is simulated."
    settings.AI_SIMULATED = True
    assert sentence in client.get(reverse(page)).content.decode()
    settings.AI_SIMULATED = False
    assert sentence not in client.get(reverse(page)).content.decode()


def test_the_pages_of_libraries_are_gone():
    names = {model._meta.label for model in admin.site._registry}
    assert not {name for name in names if name.split(".")[0] in ("django_q", "axes", "auth")}
    assert not admin.site.is_registered(Group)


def test_a_missing_page_shows_platform_staff_their_sidebar(client):
    client.force_login(make_user(roles.VIEWER))
    response = client.get("/admin/nowhere/")
    assert response.status_code == 404
    assert reverse("admin:voicepipeline_user_changelist") in response.content.decode()


def test_a_missing_page_shows_a_stranger_nothing_of_the_sidebar(client):
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert "nav-sidebar" not in response.content.decode()


def test_a_form_without_its_token_is_refused_with_words(client):
    client.handler.enforce_csrf_checks = True
    response = client.post(reverse("admin:login"), {"username": "ana", "password": "x"})
    assert response.status_code == 403
    assert "Nothing was changed." in response.content.decode()


@pytest.mark.parametrize("template", ["400.html", "500.html"])
def test_the_last_pages_need_no_context(template, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert "Go to the overview" in render_to_string(template)
