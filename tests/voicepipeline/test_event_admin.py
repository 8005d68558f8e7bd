"""The log as staff look through it, and take it away as CSV."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.engine.helpers import make_artifact, run_to_the_end, scheduled
from tests.factories import make_club, make_event, make_user
from voicepipeline import roles
from voicepipeline.admin.events import MOST_EXPORTED
from voicepipeline.models import PipelineEvent

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_pipelineevent_changelist")
EXPORT = reverse("admin:voicepipeline_pipelineevent_export")


@pytest.fixture(autouse=True)
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


def found(client, **query):
    return [event.pk for event in client.get(LIST, query).context["cl"].result_list]


def exported(client, **query):
    text = b"".join(client.get(EXPORT, query).streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("count", [1, 100])
def test_the_list_asks_as_many_questions_for_a_hundred_events_as_for_one(
    client, viewer, django_assert_num_queries, count
):
    for _ in range(count):
        make_event(make_artifact(), organization_id=make_club().pk, actor_id=viewer.pk)
    # Session, viewer, their permissions (own and by role), names of clubs for the filter, bounded count, rows,
    # what stands still.
    with django_assert_num_queries(8):
        client.get(LIST)


def test_events_are_found_by_their_voice_note(client):
    make_event(make_artifact())
    event = make_event(make_artifact())
    assert found(client, q=str(event.artifact.artifact_id)) == [event.pk]
    assert found(client, q=str(event.artifact.artifact_id)[:8]) == [event.pk]
    assert found(client, q="nonsense") == []


def test_filters_narrow_the_log(client):
    club = make_club()
    plain = make_event()
    old = make_event(timestamp=timezone.now() - timedelta(hours=2))
    failed = make_event(
        make_artifact(), "transcription_failed", stage="transcription", error_code="x", organization_id=club.pk
    )
    assert found(client, errors="only") == [failed.pk]
    assert found(client, since="1h") == [failed.pk, plain.pk]
    assert found(client, pipeline_stage__exact="transcription") == [failed.pk]
    assert found(client, club=club.pk) == [failed.pk]
    assert found(client, event_type__exact="artifact_received") == [old.pk, plain.pk]


def test_an_event_shows_everything_it_says(client):
    make_event(make_artifact(), "transcription_failed", error_code="rough_audio", metadata={"will_retry": True})
    page = client.get(LIST).content.decode()
    assert "<details" in page
    assert "&quot;will_retry&quot;: true" in page


def test_hostile_text_in_an_event_stays_text(client):
    make_event(error_code="x", error_message="<script>alert(1)</script>", metadata={"reason": "</pre><b>x</b>"})
    page = client.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "</pre><b>" not in page


def test_the_csv_holds_the_rows_of_the_list_with_its_filters(client):
    artifact = make_artifact(transcription=["permanent"])
    scheduled(artifact)
    run_to_the_end(artifact)
    rows = exported(client, errors="only")
    assert [row["What"] for row in rows] == ["Voice note failed", "Transcription failed"]
    assert {row["Voice note"] for row in rows} == {str(artifact.artifact_id)}


def test_no_cell_of_the_csv_is_a_formula(client):
    club = make_club(name="=HYPERLINK(1)")
    make_event(make_artifact(), organization_id=club.pk, error_code="x", error_message="\t@SUM(A1)")
    (row,) = exported(client)
    assert (row["Club"], row["Message"]) == ("'=HYPERLINK(1)", "'\t@SUM(A1)")


def test_the_csv_is_a_file_to_be_kept(client):
    response = client.get(EXPORT)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="events-')


def test_the_csv_is_bounded_and_the_list_says_so(client):
    PipelineEvent.objects.bulk_create(
        PipelineEvent(event_type="artifact_received", time_window="2026-11-21-14") for _ in range(MOST_EXPORTED + 1)
    )
    assert len(exported(client)) == MOST_EXPORTED
    assert f"newest {MOST_EXPORTED}" in client.get(LIST).content.decode()


def test_the_csv_with_a_filter_that_makes_no_sense_leads_back_to_the_list(client):
    response = client.get(EXPORT, {"nonsense__x": "1"})
    assert (response.status_code, response["Location"]) == (302, LIST)
