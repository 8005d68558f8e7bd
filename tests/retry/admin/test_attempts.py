"""The list of all retries, and the page of each."""

import pytest
from django.urls import reverse

from retry.models import RetryKind
from tests.factories import make_user
from tests.retry.factories import make_attempt, make_bulk_of, make_failed
from voicepipeline import roles

pytestmark = pytest.mark.django_db
LIST = reverse("admin:retry_retryattempt_changelist")


def text_of(response):
    return response.content.decode()


def found(client, **query):
    return [attempt.pk for attempt in client.get(LIST, query).context["cl"].result_list]


def page_of(attempt):
    return reverse("admin:retry_retryattempt_change", args=[attempt.pk])


def test_it_says_who_retried_what_and_what_came_of_it(client, viewer):
    note = make_failed()
    make_attempt(note, make_user(first_name="Ana", last_name="Silva"), outcome="succeeded")
    page = text_of(client.get(LIST))
    assert "Ana Silva" in page
    assert "Read the statements again" in page
    assert '<span class="vp-label vp-label-completed">Succeeded</span>' in page


def test_where_it_stands_is_not_called_what_it_is_called(client, viewer):
    page = text_of(client.get(LIST))
    assert "Retrying" in page[page.index(f'href="{reverse("admin:app_list", args=["retry"])}"') :][:300]


@pytest.mark.parametrize(("reads_content", "why"), [(True, "Caoimhe is meant."), (False, "Hidden")])
def test_a_reason_is_for_those_who_may_read(client, reads_content, why):
    attempt = make_attempt(make_failed(), reason="Caoimhe is meant.")
    client.force_login(make_user(roles.OPERATOR, reads_content=reads_content))
    for page in (LIST, page_of(attempt)):
        shown = text_of(client.get(page))
        assert (why in shown, "Caoimhe" in shown) == (True, reads_content)


def test_retries_of_one_note_are_found_by_its_id(client, viewer):
    mine, other = make_attempt(make_failed()), make_attempt(make_failed())
    assert found(client, q=str(mine.artifact.artifact_id)[:8]) == [mine.pk]
    assert found(client, q="nonsense") == []
    assert set(found(client)) == {mine.pk, other.pk}


def test_it_is_narrowed_down_by_outcome_kind_person_and_way(client, viewer):
    ana = make_user(roles.OPERATOR)
    failed = make_attempt(make_failed(), ana, outcome="failed")
    other = make_attempt(make_failed(), kind=RetryKind.FULL)
    queries = ({"outcome__exact": "failed"}, {"kind__exact": "claims_extraction"}, {"who": ana.pk})
    assert [found(client, **query) for query in queries] == [[failed.pk]] * 3
    assert set(found(client, how="alone")) == {failed.pk, other.pk}
    assert found(client, how="bulk") == []


def test_its_page_leads_to_the_note_and_to_its_bulk_retry(client, viewer):
    attempt = make_attempt(make_failed(), outcome="succeeded", deleted={"statements": 3})
    bulk = make_bulk_of(attempt)
    page = text_of(client.get(page_of(attempt)))
    assert "3 statements" in page
    assert reverse("admin:voicepipeline_artifact_change", args=[attempt.artifact.artifact_id]) in page
    assert reverse("admin:retry_bulkretry_change", args=[bulk.bulk_id]) in page


def test_nobody_changes_it(client):
    attempt = make_attempt(make_failed())
    client.force_login(make_user(roles.ADMINISTRATOR))
    assert client.post(page_of(attempt), {"reason": "Another."}).status_code == 403


@pytest.mark.parametrize("count", [1, 30])
def test_thirty_cost_as_many_questions_as_one(client, viewer, count, django_assert_num_queries):
    for _ in range(count):
        make_attempt(make_failed(with_input=False), viewer)
    # Session, viewer, their permissions (own and by role), people for the filter, bounded count, rows, what stands
    # still.
    with django_assert_num_queries(8):
        client.get(LIST)


@pytest.mark.parametrize("query", ["outcome__exact=%00", "kind__exact=%00", "outcome=%00"])
def test_what_the_database_cannot_know_is_no_filter(client, viewer, query):
    assert client.get(f"{LIST}?{query}").status_code in (302, 400)
