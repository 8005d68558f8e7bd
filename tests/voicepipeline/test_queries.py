"""The questions asked of the log and of the notes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.engine.helpers import make_artifact
from voicepipeline.events import NewEvent, log_events
from voicepipeline.models import Artifact, Organization, PipelineEvent
from voicepipeline.queries import get_active_artifacts, get_event_timeline, get_failed_artifacts, get_recent_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def club():
    return Organization.objects.create(name="St Brigid's", slug="st-brigids")


def log(count: int, event_type: str = "artifact_received", **fields) -> None:
    log_events([NewEvent(event_type=event_type, **fields) for _ in range(count)])


def failed(**fields) -> Artifact:
    return Artifact.objects.create(
        source_channel="api", status="failed", error_code="x", failed_stage="transcription", **fields
    )


def test_pages_are_complete_and_do_not_overlap():
    log(25)
    seen, before = [], None
    while True:
        page = get_recent_events(page_size=10, before_id=before)
        seen += [event.pk for event in page.events]
        before = page.next_before_id
        if before is None:
            break
    assert seen == sorted(PipelineEvent.objects.values_list("pk", flat=True), reverse=True)


def test_events_that_arrive_between_two_pages_do_not_shift_them():
    log(15)
    first = get_recent_events(page_size=10)
    log(5)
    second = get_recent_events(page_size=10, before_id=first.next_before_id)
    assert len({event.pk for event in [*first.events, *second.events]}) == 15


def test_only_errors():
    log(2)
    log(1, "transcription_failed", error_code="rough_audio")
    assert [event.event_type for event in get_recent_events(errors_only=True).events] == ["transcription_failed"]


def test_by_type_and_stage():
    log(1, "drafts_generated", stage="draft_generation")
    log(1, "claims_extracted", stage="claims_extraction")
    assert len(get_recent_events(event_type="drafts_generated").events) == 1
    assert len(get_recent_events(stage="claims_extraction").events) == 1
    assert len(get_recent_events(event_type="drafts_generated", stage="claims_extraction").events) == 0


def test_a_club_filter_without_a_time_is_given_one(club):
    log(1, organization_id=club.pk)
    log(1, organization_id=club.pk, timestamp=timezone.now() - timedelta(days=3))
    assert len(get_recent_events(organization_id=club.pk).events) == 1
    since = timezone.now() - timedelta(days=4)
    assert len(get_recent_events(organization_id=club.pk, since=since).events) == 2


def test_a_page_is_one_query(django_assert_num_queries, club):
    log(20, organization_id=club.pk)
    with django_assert_num_queries(1):
        page = get_recent_events(organization_id=club.pk)
        assert {event.organization.name for event in page.events} == {"St Brigid's"}


def test_the_timeline_is_chronological():
    artifact = make_artifact()
    log(1, "artifact_received", artifact=artifact)
    log(1, "artifact_completed", artifact=artifact)
    log(1, "artifact_received")
    timeline = get_event_timeline(artifact)
    assert [event.event_type for event in timeline] == ["artifact_received", "artifact_completed"]


def test_active_notes_are_the_longest_waiting_first():
    late, early = make_artifact(), make_artifact()
    Artifact.objects.filter(pk=early.pk).update(received_at=timezone.now() - timedelta(hours=1))
    failed()
    assert list(get_active_artifacts()) == [early, late]


def test_failed_notes_since():
    old, new = failed(), failed()
    Artifact.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=2))
    assert set(get_failed_artifacts()) == {old, new}
    assert list(get_failed_artifacts(since=timezone.now() - timedelta(days=1))) == [new]
