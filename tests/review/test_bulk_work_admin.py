"""The list of bulk actions, and the page of each."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_bulk_work, make_club, make_coach, make_player, make_user
from voicepipeline import roles
from voicepipeline.models import BulkWork

pytestmark = pytest.mark.django_db

LIST = reverse("admin:voicepipeline_bulkwork_changelist")
Kind = BulkWork.Kind


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


def page_of(work, page="change"):
    return reverse(f"admin:voicepipeline_bulkwork_{page}", args=[work.pk])


def text_of(client, work):
    return " ".join(client.get(page_of(work)).content.decode().split())


@pytest.mark.parametrize("count", [1, 100])
def test_the_list_costs_the_same_with_one_row_and_with_many(client, viewer, django_assert_num_queries, count):
    for _ in range(count):
        make_bulk_work()
    client.get(LIST)
    with django_assert_num_queries(8):
        client.get(LIST)


def test_the_list_tells_what_who_and_how_far(client, viewer):
    work = make_bulk_work(requested_by=make_user(first_name="Aoife", last_name="Kelly"), expected=1200, done=40)
    page = client.get(LIST).content.decode()
    for words in ("Match names again", "Aoife Kelly", str(work.organization), "40 of 1,200", "Waits for a worker"):
        assert words in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Waits for a worker"),
        ({"notes": 3, "moved_at": timedelta(seconds=2)}, "Under way"),
        ({"notes": 3, "moved_at": timedelta(seconds=90)}, "Waits for a worker"),
        ({"notes": 3, "finished_at": timedelta(0)}, "Finished"),
        ({"notes": 3, "failed": 1, "finished_at": timedelta(0)}, "Finished, with failures"),
    ],
    ids=["not begun", "moving", "quiet", "finished", "with failures"],
)
def test_its_state_is_told_from_how_it_moves(client, viewer, fields, words):
    ago = {name: timezone.now() - value for name, value in fields.items() if isinstance(value, timedelta)}
    assert f">{words}</span>" in text_of(client, make_bulk_work(**{**fields, **ago}))


@pytest.mark.parametrize(("state", "found"), [("open", "open"), ("finished", "finished"), ("trouble", "trouble")])
def test_the_list_is_filtered_by_state(client, viewer, state, found):
    now = timezone.now()
    works = {
        "open": make_bulk_work(),
        "finished": make_bulk_work(finished_at=now),
        "trouble": make_bulk_work(failed=2),
    }
    rows = {row.pk for row in client.get(LIST, {"state": state}).context["cl"].result_list}
    assert works[found].pk in rows
    assert len(rows) == (2 if state == "open" else 1)


def test_its_page_tells_why_some_were_left_with_how_many(client, viewer):
    work = make_bulk_work(reason="New roster", remarks={"On hold": 2, "Still open": 7}, skipped=9)
    page = text_of(client, work)
    assert page.index("Still open") < page.index("On hold")
    assert '<td data-label="How many">7</td>' in page
    # People type names into reasons.
    assert "New roster" not in page
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    assert "New roster" in text_of(client, work)


def test_what_was_chosen_is_told_in_words(client, viewer):
    coach = make_coach(first_name="Niamh", last_name="Byrne", organization=make_club(name="Na Fianna"))
    work = make_bulk_work(
        kind=Kind.CONFIRM_ENTRIES,
        selection={
            "club": coach.organization_id,
            "coach": coach.pk,
            "topic": "performance",
            "prompt_version": "claims-3",
            "since": "2026-11-01",
            "until": "2026-11-20",
            "last": 7,
            "previewed_at": "2026-11-20T10:00:00+00:00",
        },
    )
    page = text_of(client, work)
    for words in ("Na Fianna", "Niamh Byrne", "Performance", "claims-3", "2026-11-01", "20 Nov, 10:00:00"):
        assert f"<dd>{words}</dd>" in page


@pytest.mark.parametrize(("reads", "shown"), [(True, "Aoife Daly"), (False, "A. D.")], ids=["reader", "viewer"])
def test_merged_players_are_named_to_those_who_may_read(client, reads, shown):
    client.force_login(make_user(roles.VIEWER, reads_content=reads))
    stays = make_player(first_name="Aoife", last_name="Daly")
    goes = make_player(first_name="Eva", last_name="Daly", organization=stays.organization)
    page = text_of(client, make_bulk_work(kind=Kind.MERGE_PLAYERS, selection={"stays": stays.pk, "goes": goes.pk}))
    assert f"<dd>{shown}</dd>" in page
    assert ("Eva" in page) is reads


def test_a_club_that_is_gone_and_a_kind_of_the_future_are_no_error(client, viewer):
    gone = make_bulk_work(kind=Kind.REJECT_ENTRIES, selection={"club": 2**40})
    assert "No longer there" in text_of(client, gone)
    future = make_bulk_work(kind="of_the_future", selection={})
    assert client.get(page_of(future)).status_code == 200


def test_a_page_that_is_seen_already_is_not_sent_again(client, viewer):
    work = make_bulk_work()
    first = client.get(page_of(work, "live"))
    digest = first.content.decode().split('"X-Seen": "')[1][:16]
    assert client.get(page_of(work, "live"), headers={"X-Seen": digest}).status_code == 204
    BulkWork.objects.filter(pk=work.pk).update(done=5, moved_at=timezone.now())
    assert client.get(page_of(work, "live"), headers={"X-Seen": digest}).status_code == 200


@pytest.mark.parametrize("key", ["0", "nobody", "9" * 30])
def test_what_is_not_there_is_not_found(client, viewer, key):
    assert client.get(f"{LIST}{key}/change/").status_code == 404


def test_nothing_is_changed_on_its_page(client, viewer):
    assert client.post(page_of(make_bulk_work()), {"done": 7}).status_code == 403
