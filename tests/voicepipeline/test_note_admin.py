"""The list of voice notes and each note's own page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from metrics.models import Counter
from tests.engine.helpers import active_run, claimed, make_artifact, past, run_to_the_end, scheduled
from tests.factories import make_club, make_coach, make_event, make_user
from voicepipeline import roles
from voicepipeline.admin.lists import MOST_COUNTED, BoundedPaginator
from voicepipeline.models import Artifact, StageRun, VoiceNote

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_artifact_changelist")


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    client.force_login(user)
    return user


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER)
    client.force_login(user)
    return user


def page_of(artifact, page="change", *arguments):
    return reverse(f"admin:voicepipeline_artifact_{page}", args=[artifact.artifact_id, *arguments])


def failed_note(**script):
    artifact = make_artifact(**(script or {"transcription": ["permanent"]}))
    scheduled(artifact)
    return run_to_the_end(artifact)


def stalled_note():
    artifact = make_artifact()
    scheduled(artifact)
    StageRun.objects.filter(artifact=artifact).update(not_before=past(3600), queued_at=past(3600))
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=past(3600))
    return artifact


def found(client, **query):
    return [row.pk for row in client.get(LIST, query).context["cl"].result_list]


def text_of(response):
    return response.content.decode()


# --- The list --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 100])
def test_the_list_asks_as_many_questions_for_a_hundred_notes_as_for_one(
    client, viewer, django_assert_num_queries, count
):
    for _ in range(count):
        scheduled(
            Artifact.objects.create(
                voice_note=VoiceNote.objects.create(source_channel="app_typed", text="{}"),
                source_channel="app_typed",
                sender=make_coach(),
                organization=make_club(),
            )
        )
    # Session, viewer, their permissions (own and by role), names of clubs for the filter, bounded count, rows,
    # what stands still.
    with django_assert_num_queries(8):
        client.get(LIST)


def test_a_note_is_found_by_its_whole_id(client, viewer):
    make_artifact()
    artifact = make_artifact()
    assert found(client, q=str(artifact.artifact_id)) == [artifact.pk]


def test_a_note_is_found_by_the_beginning_of_its_id_as_the_list_shows_it(client, viewer):
    artifact = make_artifact()
    assert found(client, q=str(artifact.artifact_id)[:8].upper()) == [artifact.pk]


def test_a_note_is_found_by_its_message_id(client, viewer):
    artifact = make_artifact()
    VoiceNote.objects.filter(pk=artifact.voice_note_id).update(channel_message_id="wamid.1234abcd")
    assert found(client, q="wamid.1234abcd") == [artifact.pk]


@pytest.mark.parametrize("term", ["nonsense", "ab", "'; DROP", "0b5e8f0a-7c1d-4e9b-8a53-2f6d1c9e4b70"])
def test_what_is_no_id_finds_nothing(client, viewer, term):
    make_artifact()
    assert found(client, q=term) == []


@pytest.mark.parametrize("state", ["active", "received", "failed", "completed", "closed", "stalled", "on_hold"])
def test_each_state_can_be_listed_alone(client, operator, state):
    waiting, held, ready = make_artifact(), make_artifact(transcription=["provider"]), make_artifact()
    scheduled(held)
    run_to_the_end(held, most=1)
    scheduled(ready)
    run_to_the_end(ready)
    failed, closed, stalled = failed_note(), failed_note(), stalled_note()
    client.post(page_of(closed, "action", "close"), {"reason": "sent twice"})
    expected = {
        "active": {waiting, held, stalled},
        "received": {waiting, stalled},
        "failed": {failed},
        "completed": {ready},
        "closed": {closed},
        "stalled": {stalled},
        "on_hold": {held},
    }
    assert set(found(client, status=state)) == {artifact.pk for artifact in expected[state]}


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("provider_error", "On hold: the AI service is down"),
        ("provider_no_credit", "On hold: the provider credit is used up"),
        ("paused_by_staff", "On hold: people have paused this work"),
        ("from_a_newer_release", "On hold: the AI service is in trouble"),
    ],
)
def test_the_list_the_note_and_its_tries_say_why_it_is_on_hold(client, viewer, reason, words):
    held = make_artifact()
    scheduled(held)
    StageRun.objects.filter(artifact=held).update(parked_reason=reason, parked_since=past())
    label = f'<span class="vp-label vp-label-on_hold">{words}</span>'
    assert text_of(client.get(LIST)).count(label) == 1
    assert text_of(client.get(page_of(held))).count(label) == 2
    runs = client.get(reverse("admin:voicepipeline_stagerun_changelist"))
    assert text_of(runs).count(label) == 1


def test_a_note_that_is_due_later_does_not_count_as_stalled(client, viewer):
    artifact = stalled_note()
    StageRun.objects.filter(artifact=artifact).update(not_before=timezone.now() + timedelta(minutes=5))
    assert found(client, status="stalled") == []


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({"stage": "transcription"}, True),
        ({"stage": "draft_generation"}, False),
        ({"received": "1h"}, True),
        ({"source_channel__exact": "api"}, False),
        ({"club": "1e9"}, True),
        ({"club": "999999999"}, False),
        ({"stage": "nonsense"}, True),
    ],
)
def test_filters_narrow_the_list(client, viewer, query, matches):
    make_club()
    artifact = failed_note()
    assert found(client, **query) == ([artifact.pk] if matches else [])


def test_how_long_is_too_long_is_said_per_stage_by_the_settings(client, viewer, settings):
    artifact = make_artifact()
    scheduled(artifact)
    Artifact.objects.filter(pk=artifact.pk).update(updated_at=past(90))
    StageRun.objects.filter(artifact=artifact).update(not_before=past(90))
    settings.ENGINE = {"claims_extraction_stalled_after": 60}
    assert found(client, status="stalled") == []
    settings.ENGINE = {"transcription_stalled_after": 60}
    assert found(client, status="stalled") == [artifact.pk]
    assert "No progress for 1 min" in text_of(client.get(LIST))


def test_an_empty_list_says_what_to_expect(client, viewer):
    assert "Each appears here as soon as a coach has sent it." in text_of(client.get(LIST))


def test_the_list_says_how_it_stands_in_words(client, viewer):
    stalled_note()
    failed_note(transcription=["transient", "transient", "permanent"])
    page = text_of(client.get(LIST))
    assert "No progress for 1 h" in page
    assert 'data-label="Tries">3<' in page


def test_counting_stops_at_ten_thousand(django_assert_num_queries):
    make_artifact()
    paginator = BoundedPaginator(Artifact.objects.order_by("-received_at"), 50)
    with django_assert_num_queries(1) as captured:
        assert (paginator.count, paginator.has_more, paginator.num_pages) == (1, False, 1)
    (query,) = captured.captured_queries
    assert f"LIMIT {MOST_COUNTED + 1}" in query["sql"]
    assert "ORDER BY" not in query["sql"]


def test_beyond_ten_thousand_the_list_asks_to_be_narrowed(client, viewer):
    Artifact.objects.bulk_create(Artifact(source_channel="api") for _ in range(MOST_COUNTED + 1))
    page = text_of(client.get(LIST))
    assert "10,000+ voice notes" in page
    response = client.get(LIST, {"p": 201})
    assert response.status_code == 302  # there is no page that far back


def test_the_list_answers_its_own_polling_only_when_a_row_has_changed(client, viewer):
    artifact = make_artifact()
    Artifact.objects.filter(pk=artifact.pk).update(received_at=past(90))
    digest = client.get(LIST).context["digest"]
    assert client.get(LIST, headers={"X-Seen": digest}).status_code == 204
    scheduled(artifact)
    assert client.get(LIST, headers={"X-Seen": digest}).status_code == 200


# --- The note's page -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 100])
def test_the_notes_page_asks_as_many_questions_for_a_hundred_events_as_for_one(
    client, operator, django_assert_num_queries, count
):
    artifact = make_artifact()
    scheduled(artifact)
    for _ in range(count):
        make_event(artifact, "rate_limit_hit", actor_id=operator.pk)
    # Session, viewer, their permissions (own and by role), the note, that it is read, the moment, its active run,
    # how many are ahead, the clusters, its transcript, statements, matches and entries, its runs, its events, how
    # it can be retried (7) and was, what stands still, whether a bulk retry of theirs has ended.
    with django_assert_num_queries(28):
        client.get(page_of(artifact))


def test_the_page_of_a_note_with_many_tries_is_as_cheap(client, viewer, django_assert_num_queries):
    artifact = failed_note(**{stage: ["transient"] * 5 for stage in ("transcription", "claims_extraction")})
    assert StageRun.objects.filter(artifact=artifact).count() == 14
    # Of a ready note also what waits for a person; there is no run to be asked about.
    with django_assert_num_queries(24):
        client.get(page_of(artifact))


def test_the_page_explains_and_draws_every_try(client, viewer):
    artifact = failed_note(transcription=["transient", "permanent"])
    page = text_of(client.get(page_of(artifact)))
    assert "Trying again will not help." in page
    assert page.count('class="vp-try"') == 2
    assert "Transcription failed" in page


def test_the_timeline_outlives_the_events(client, viewer):
    artifact = failed_note()
    artifact.events.all()._raw_delete(using="default")
    Counter.objects.all().delete()  # live figures are gone long before
    page = text_of(client.get(page_of(artifact)))
    assert page.count('class="vp-try"') == 1
    assert "The log keeps 48 hours" in page


def test_the_page_is_found_by_row_too_as_the_admins_own_links_have_it(client, viewer):
    artifact = make_artifact()
    response = client.get(reverse("admin:voicepipeline_artifact_change", args=[artifact.pk]))
    assert str(artifact.artifact_id) in text_of(response)


@pytest.mark.parametrize("key", ["0b5e8f0a-7c1d-4e9b-8a53-2f6d1c9e4b70", "999999999", "nonsense", "٣"])
def test_an_unknown_note_is_a_missing_page(client, viewer, key):
    assert client.get(reverse("admin:voicepipeline_artifact_change", args=[key])).status_code == 404


def test_hostile_text_stays_text(client, viewer):
    artifact = failed_note()
    hostile = "<script>alert(1)</script>"
    Artifact.objects.filter(pk=artifact.pk).update(error_message=hostile, sender=make_coach(first_name=hostile))
    VoiceNote.objects.filter(pk=artifact.voice_note_id).update(channel_message_id=hostile)
    for page in (page_of(artifact), LIST):
        assert hostile not in text_of(client.get(page))


def test_the_live_part_answers_only_when_something_has_changed(client, viewer):
    artifact = failed_note()
    part = text_of(client.get(page_of(artifact, "live")))
    digest = part.split('"X-Seen": "')[1].split('"')[0]
    assert client.get(page_of(artifact, "live"), headers={"X-Seen": digest}).status_code == 204
    make_event(artifact)
    response = client.get(page_of(artifact, "live"), headers={"X-Seen": digest})
    assert "Voice note received" in text_of(response)


def test_the_page_starts_with_what_its_live_part_would_answer(client, viewer):
    artifact = failed_note()
    digest = text_of(client.get(page_of(artifact))).split('"X-Seen": "')[1].split('"')[0]
    assert client.get(page_of(artifact, "live"), headers={"X-Seen": digest}).status_code == 204


# --- What staff do ---------------------------------------------------------------------------------------------------
def offered(client, artifact):
    page = text_of(client.get(page_of(artifact)))
    return {key for key in ("release", "close", "reopen") if page_of(artifact, "action", key) in page}


def test_only_what_makes_sense_is_offered(client, operator):
    failed, closed, moving = failed_note(), failed_note(), make_artifact()
    scheduled(moving)
    client.post(page_of(closed, "action", "close"), {"reason": "sent twice"})
    assert [offered(client, note) for note in (failed, closed, moving, stalled_note())] == [
        {"close"},
        {"reopen"},
        set(),
        {"release", "close"},
    ]


def test_a_viewer_is_offered_nothing(client, viewer):
    assert offered(client, failed_note()) == set()


def test_the_page_before_an_action_says_what_will_happen_and_does_nothing(client, operator):
    artifact = failed_note()
    page = text_of(client.get(page_of(artifact, "action", "close")))
    assert "Nothing is deleted." in page
    artifact.refresh_from_db()
    assert artifact.closed_at is None


def test_closing_asks_for_a_reason(client, operator):
    artifact = failed_note()
    response = client.post(page_of(artifact, "action", "close"), {"reason": "  "})
    assert "Say why" in text_of(response)
    artifact.refresh_from_db()
    assert artifact.closed_at is None


def test_closing_keeps_who_and_why(client, operator):
    artifact = failed_note()
    response = client.post(page_of(artifact, "action", "close"), {"reason": "sent twice"}, follow=True)
    artifact.refresh_from_db()
    assert (artifact.closed_by, artifact.closed_reason) == (operator, "sent twice")
    assert "Closed by Aoife Kelly" in text_of(response)


def test_reopening_makes_it_a_failed_one_again(client, operator):
    artifact = failed_note()
    client.post(page_of(artifact, "action", "close"), {"reason": "sent twice"})
    client.post(page_of(artifact, "action", "reopen"))
    artifact.refresh_from_db()
    assert (artifact.status, artifact.closed_at) == ("failed", None)


def test_releasing_a_stalled_note_makes_it_due_at_once(client, operator):
    artifact = stalled_note()
    response = client.post(page_of(artifact, "action", "release"), follow=True)
    assert "Released. A worker will take it up in a moment." in text_of(response)
    assert timezone.now() - active_run(artifact).not_before < timedelta(minutes=1)


def test_what_makes_no_sense_any_more_is_refused_in_words(client, operator):
    artifact = make_artifact()
    scheduled(artifact)
    claimed(artifact)
    assert "nothing to release" in text_of(client.get(page_of(artifact, "action", "release")))
    response = client.post(page_of(artifact, "action", "release"), follow=True)
    assert "It is moving on by itself." in text_of(response)
    assert active_run(artifact).status == "running"


@pytest.mark.parametrize("action", ["release", "close", "reopen"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_viewer_may_do_nothing(client, viewer, action, method):
    artifact = failed_note()
    response = getattr(client, method)(page_of(artifact, "action", action), {"reason": "x"})
    assert response.status_code == 403
    artifact.refresh_from_db()
    assert artifact.closed_at is None


def test_an_unknown_action_is_a_missing_page(client, operator):
    assert client.get(page_of(make_artifact(), "action", "explode")).status_code == 404


def test_an_action_without_its_token_is_refused(client, operator):
    client.handler.enforce_csrf_checks = True
    artifact = failed_note()
    assert client.post(page_of(artifact, "action", "close"), {"reason": "x"}).status_code == 403
