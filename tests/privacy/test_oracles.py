"""Who may not read a name cannot find it by asking for it either: what is answered is the same for every word."""

import re
from urllib.parse import quote, quote_plus

import pytest
from django.contrib import admin
from django.core.exceptions import FieldError
from django.urls import NoReverseMatch, reverse

from tests.factories import make_user
from tests.privacy.planting import PHONE, Planted, word
from voicepipeline import roles
from voicepipeline.models import User

pytestmark = pytest.mark.django_db

NOBODY = "qxnobodyxq"
ASKED = (word("player_last"), word("learned"), word("mention"), PHONE)
# Columns that hold it, as an address of a list could name them.
COLUMNS = (
    *("first_name", "last_name", "phone", "external_id", "text", "key", "raw_text", "name_key", "candidates"),
    *("reason", "title", "description", "quote", "recommended_action", "time_reference", "skill_name", "suggested"),
    *("edited", "segments", "rows", "sender_address", "details", "player", "player__first_name", "sender__phone"),
    *("player__last_name", "coach__phone", "voice_note__text", "transcript__text", "claims__title", "drafts__title"),
    *("artifact__transcript__text", "artifact__claims__title", "aliases__text", "resolutions__raw_text"),
)
CHANGES = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"|"X-Seen": "\w*"|\d+')


@pytest.fixture
def planted(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return Planted()


@pytest.fixture(autouse=True)
def _nobody_who_reads(client, planted):
    client.force_login(make_user(roles.ADMINISTRATOR, reads_content=False))


def lists():
    """Every list of the admin, but for that of the people who work here."""
    for model in set(admin.site._registry) - {User}:
        try:
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        except NoReverseMatch:
            continue


def answer(client, url, term):
    """Which rows a list shows, or all else that a page says, but for the words asked for and what changes by itself."""
    response = client.get(url, {"q": term})
    if response.context and "cl" in response.context:
        return [row.pk for row in response.context["cl"].result_list]
    text = response.content.decode()
    for spelling in (term, quote(term), quote_plus(term)):
        text = text.replace(spelling, "")
    return CHANGES.sub("", text)


def test_searching_tells_nothing(client):
    telling = {}
    for url in lists():
        nothing = answer(client, url, NOBODY)
        told = [asked for asked in ASKED if answer(client, url, asked) != nothing]
        telling |= {url: told} if told else {}
    assert telling == {}


def test_no_list_is_narrowed_by_a_private_column(client, rf):
    request = rf.get("/")
    request.user = make_user(roles.ADMINISTRATOR, reads_content=False)
    telling = [
        f"{model.__name__}.{column}"
        for model, model_admin in admin.site._registry.items()
        for column in COLUMNS
        if model is not User
        and has(model, column)
        and model_admin.lookup_allowed(f"{column}__startswith", "q", request)
    ]
    assert telling == []


def test_a_list_that_is_asked_so_refuses(client):
    url = reverse("admin:voicepipeline_player_changelist")
    assert client.get(url, {"last_name__startswith": "qx"}).status_code == 400


def has(model, column):
    try:
        model.objects.values(column)
    except FieldError:
        return False
    return True
