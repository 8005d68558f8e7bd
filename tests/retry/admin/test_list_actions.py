"""Retries asked for from the list of voice notes: of those ticked, and of all that match."""

import re

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from retry.kinds import FAILED_STAGE, KINDS
from retry.models import BulkRetry, RetryAttempt, RetryKind
from tests.factories import make_club, make_user
from tests.retry.factories import STATEMENTS, make_failed, make_ready
from voicepipeline import roles
from voicepipeline.models import Artifact

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_artifact_changelist")
BOX = 'name="_selected_action"'


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


def ask(client, notes, action=FAILED_STAGE, *, across=False, query=""):
    sent = {"action": action, "index": 0, "select_across": "1" if across else "0"}
    return client.post(f"{LIST}{query}", {**sent, "_selected_action": [note.pk for note in notes]})


def messages_of(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def offered(client):
    page = client.get(LIST).content.decode()
    bar = page.partition('<select name="action"')[2].partition("</select>")[0]
    return re.findall(r'<option value="(\w+)">', bar)


def chosen(bulk):
    return list(bulk.items.order_by("position").values_list("artifact", flat=True))


# --- What is offered to whom ------------------------------------------------------------------------------------------
def test_an_operator_is_offered_the_stages_and_an_administrator_starting_over_too(client, operator):
    make_failed()
    stages = [FAILED_STAGE, *KINDS]
    stages.remove(RetryKind.FULL)
    assert offered(client) == stages
    client.force_login(make_user(roles.ADMINISTRATOR))
    assert offered(client) == [*stages, RetryKind.FULL]


def test_each_row_has_a_box_with_a_name_of_its_own(client, operator):
    note = make_failed()
    page = client.get(LIST).content.decode()
    assert page.count(BOX) == 1
    assert f'Select<span class="vp-sr"> voice note {str(note.artifact_id)[:8]}</span>' in page


def test_a_viewer_has_no_boxes_and_nothing_to_choose(client):
    make_failed()
    client.force_login(make_user(roles.VIEWER))
    page = client.get(LIST).content.decode()
    assert BOX not in page
    assert 'name="action"' not in page


@pytest.mark.parametrize("count", [1, 20])
def test_boxes_cost_the_list_no_more_questions(client, operator, count, django_assert_num_queries):
    for _ in range(count):
        make_failed(with_input=False)
    client.get(LIST)
    # As without them, and one for what this person's bulk retries have come to.
    with django_assert_num_queries(9):
        client.get(LIST)


@pytest.mark.parametrize(("count", "offered"), [(50, False), (1_001, True)])
def test_all_that_match_are_offered_where_they_are_more_than_a_page(client, operator, count, offered):
    Artifact.objects.bulk_create(Artifact(source_channel="app_typed") for _ in range(count))
    assert (f"Select all {count:,} that match" in client.get(LIST).content.decode()) is offered


# --- What asking does -------------------------------------------------------------------------------------------------
def test_those_ticked_are_frozen_in_a_preview_and_nothing_else_is_written(client, operator):
    ticked, _ = make_failed(), make_failed()
    response = ask(client, [ticked])
    (bulk,) = BulkRetry.objects.all()
    assert response.url == reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id])
    assert (chosen(bulk), bulk.kind, bulk.state, bulk.requested_by) == ([ticked.pk], FAILED_STAGE, "preview", operator)
    assert bulk.chosen_by == "1 ticked in the list of voice notes"
    assert not RetryAttempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_preview_is_no_part_of_another_transaction(client):
    note = make_failed()
    client.force_login(make_user(roles.OPERATOR))
    ask(client, [note])
    assert BulkRetry.objects.count() == 1


def test_all_that_match_are_those_of_the_filter_on_every_page(client, operator):
    club = make_club(name="Ballymore")
    matching = [make_failed(organization=club) for _ in range(3)]
    make_failed()
    make_ready(organization=club)
    ask(client, matching[:1], across=True, query=f"?status=failed&club={club.pk}")
    (bulk,) = BulkRetry.objects.all()
    assert set(chosen(bulk)) == {note.pk for note in matching}
    assert bulk.chosen_by == "All 3 voice notes that matched: status “Failed”, club “Ballymore”"


def test_a_search_is_told_too(client, operator):
    note = make_failed()
    ask(client, [note], across=True, query=f"?q={note.artifact_id}")
    assert BulkRetry.objects.get().chosen_by == f"The one voice note that matched: search “{note.artifact_id}”"


def test_ticked_rows_that_no_longer_match_are_left_out(client, operator):
    failed, ready = make_failed(), make_ready()
    ask(client, [failed, ready], query="?status=failed")
    assert chosen(BulkRetry.objects.get()) == [failed.pk]


def test_more_than_are_possible_at_once_are_refused_with_what_to_do(client, operator, settings):
    settings.RETRY = {"most_in_bulk": 2}
    notes = [make_failed() for _ in range(3)]
    response = ask(client, notes[:1], across=True)
    assert messages_of(response) == [
        "More than 2 voice notes match. "
        "Narrow them down, by club or by when they were received, and retry them in parts."
    ]
    assert not BulkRetry.objects.exists()


def test_none_ticked_is_told(client, operator):
    make_failed()
    response = ask(client, [])
    assert messages_of(response) == ["Tick the voice notes that you mean, then choose what to do with them."]


def test_none_that_are_left_is_told(client, operator):
    response = ask(client, [make_ready()], query="?status=failed")
    assert messages_of(response) == ["Choose at least one voice note."]


# --- What is forged ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("role", "action"),
    [
        (roles.VIEWER, FAILED_STAGE),
        (roles.VIEWER, STATEMENTS),
        (roles.OPERATOR, RetryKind.FULL),
        (roles.ADMINISTRATOR, "delete_selected"),
    ],
)
def test_what_somebody_may_not_ask_for_is_stopped(client, role, action):
    note = make_failed()
    client.force_login(make_user(role))
    assert ask(client, [note], action).status_code == 403
    assert not BulkRetry.objects.exists()


@pytest.mark.parametrize("value", ["all", "1' OR 1=1", "9" * 40, "-1"])
def test_what_can_be_no_row_is_no_request(client, operator, value):
    sent = {"action": FAILED_STAGE, "index": 0, "select_across": "0", "_selected_action": [value]}
    assert client.post(LIST, sent).status_code == 400
