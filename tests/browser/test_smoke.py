"""Every page of the shell in a real browser: it works by keyboard, fits, is quiet, and serves everybody."""

import re

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser.conftest import PASSWORD
from tests.factories import make_user
from voicepipeline import roles

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Chromium itself reports the page that was asked for when its status says that it went wrong.
REFUSED = ("the server responded with a status of 4",)


def test_signing_in_by_keyboard_leads_to_the_overview(page, look, administrator, check_page):
    page.goto("/")
    expect(page.get_by_label("User name")).to_be_focused()
    check_page()
    page.keyboard.type("niamh")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Needs attention")).to_be_visible()
    check_page()


def test_users_are_listed_searched_and_opened(page, look, administrator, check_page, sign_in):
    user = make_user(roles.OPERATOR, username="sean", first_name="Seán Óg", last_name="Ó hAilpín")
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_user_changelist"))
    expect(page.get_by_text("Seán Óg Ó hAilpín")).to_be_visible()
    check_page()
    page.get_by_placeholder("Name, user name or e-mail").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No users match")).to_be_visible()
    check_page()
    page.goto(reverse("admin:voicepipeline_user_change", args=[user.pk]))
    check_page()


def test_the_other_pages_of_users_fit_and_serve_everybody(page, look, administrator, check_page, sign_in):
    sign_in(administrator)
    for name, *arguments in (
        ("voicepipeline_user_add",),
        ("voicepipeline_user_change", administrator.pk),
        ("voicepipeline_user_history", administrator.pk),
        ("password_change",),
    ):
        page.goto(reverse(f"admin:{name}", args=arguments))
        check_page()


def test_a_missing_page_and_a_refused_one(page, look, check_page, sign_in):
    viewer = make_user(roles.VIEWER, username="aoife")
    sign_in(viewer)
    page.goto("/admin/nowhere/")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    check_page(allowed=REFUSED)
    page.goto(reverse("admin:voicepipeline_user_add"))
    expect(page.get_by_role("heading", name="Your role does not include this")).to_be_visible()
    check_page(allowed=REFUSED)


def test_a_stranger_meets_plain_pages(page, look, check_page):
    page.goto("/nowhere/")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    check_page(allowed=REFUSED)


def test_the_skip_link_leads_past_the_sidebar(page, administrator, sign_in):
    sign_in(administrator)
    page.goto(reverse("admin:index"))
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_filters_keep_the_keyboard_and_give_it_back(page, administrator, check_page, sign_in):
    sign_in(administrator)
    page.goto(reverse("admin:voicepipeline_user_changelist"))
    opener = page.get_by_role("button", name="Filters")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Filters")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    check_page()
    page.keyboard.press("Shift+Tab")
    assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
    page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_dialog_has_a_name_and_keeps_the_keyboard(page, administrator, check_page, sign_in, rf):
    sign_in(administrator)
    page.goto(reverse("admin:index"))
    content = render_to_string("unfold/helpers/dialog.html", {"dialog": {"title": "Hold this stage?"}}, rf.get("/"))
    page.locator("#modal-content").evaluate("(element, html) => { element.innerHTML = html }", content)
    opener = page.get_by_role("button", name="Niamh Byrne")
    opener.focus()
    page.evaluate("Alpine.$data(document.documentElement).openModal = true")
    dialog = page.get_by_role("dialog", name="Hold this stage?")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    check_page()
    page.keyboard.press("Shift+Tab")
    expect(dialog.get_by_role("button", name="Submit")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_signing_out_by_keyboard(page, administrator, check_page, sign_in):
    sign_in(administrator)
    page.goto(reverse("admin:index"))
    page.get_by_role("button", name="Niamh Byrne").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    check_page()
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    check_page()


def test_the_chosen_appearance_stays(page, administrator, sign_in):
    sign_in(administrator)
    page.goto(reverse("admin:index"))
    page.get_by_role("button", name="Niamh Byrne").click()
    page.get_by_role("button", name="Dark").click()
    page.goto(reverse("admin:password_change"))
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))


def test_on_a_phone_the_sidebar_opens_and_closes(page, administrator, sign_in, check_page):
    page.set_viewport_size({"width": 375, "height": 812})
    sign_in(administrator)
    page.goto(reverse("admin:index"))
    sidebar = page.get_by_role("navigation").filter(has=page.get_by_role("link", name="Users"))
    expect(sidebar).to_be_hidden()
    page.get_by_role("button", name="Sidebar").click()
    expect(sidebar).to_be_visible()
    check_page()
    page.get_by_role("button", name="Close the sidebar").click()
    expect(sidebar).to_be_hidden()
