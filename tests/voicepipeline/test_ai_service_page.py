"""The page on the AI service: what it says in each state, where its figures lead, what its buttons do."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from tests.ai.conftest import shared_simulator, simulator  # noqa: F401
from tests.ai.leaving import clients_leave_with_their_module  # noqa: F401
from tests.engine.helpers import make_artifact, past, scheduled
from tests.factories import make_club, make_user
from tests.simulator.running import control
from voicepipeline import roles
from voicepipeline.admin.ai_words import NEEDS_PERSON
from voicepipeline.ai.faults import FAULTS
from voicepipeline.ai_status import MOST_CALLS, load_ahead, load_calls
from voicepipeline.models import AIService, AIServiceHealth, Artifact, Pause, ProviderCall, ProviderModel, StageRun
from voicepipeline.stages.contract import NeedsPersonFault

pytestmark = pytest.mark.django_db
PAGE = reverse("admin:voicepipeline_aiservicehealth_changelist")
LIVE, TEST, RESUME, PAUSE, END = (
    reverse(f"admin:voicepipeline_aiservicehealth_{name}") for name in ("live", "test", "resume", "pause", "end_pause")
)
RUNS = reverse("admin:voicepipeline_stagerun_changelist")
TROUBLE = {"state": "open", "reason": "provider_error"}


@pytest.fixture(autouse=True)
def _nobody_has_tested():
    cache.clear()


@pytest.fixture
def viewer(client):
    client.force_login(make_user(roles.VIEWER))


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    client.force_login(user)
    return user


def text(client, url=PAGE, **query):
    return " ".join(client.get(url, query).content.decode().split())


def press(client, url, subject):
    return " ".join(client.post(url, {"subject": subject}, follow=True).content.decode().split())


def make_health(service=AIService.TRANSCRIPTION, **fields):
    return AIServiceHealth.objects.create(**{"service": service, "trouble_since": past(90), **TROUBLE, **fields})


def make_held(stage="transcription", reason="provider_error", club=None, seconds=60):
    run = scheduled(make_artifact())
    Artifact.objects.filter(pk=run.artifact_id).update(organization=club)
    StageRun.objects.filter(pk=run.pk).update(stage=stage, parked_reason=reason, parked_since=past(seconds))
    return run


def make_call(service=AIService.CHAT, seconds=5, code="", **fields):
    ended = past(seconds)
    return ProviderCall.objects.create(
        **{"service": service, "succeeded": not code, "code": code, "started_at": ended, "ended_at": ended, **fields}
    )


def make_pause(by, subject="transcription", club=None, **fields):
    return Pause.objects.create(
        **{"subject": subject, "organization": club, "reason": "Names come out wrong.", "paused_by": by, **fields}
    )


# --- The state of each service ---------------------------------------------------------------------------------------
def test_services_that_were_never_in_trouble_are_normal(client, viewer):
    page = text(client)
    assert page.count(">Normal<") == 2
    assert page.count("<dt>Calls in the last minute</dt><dd>none</dd>") == 2
    for words in ("No voice note is on hold.", "Nobody has paused anything."):
        assert words in page


def test_a_service_that_is_down_says_since_when_and_when_it_is_tested(client, viewer):
    make_health(next_probe_at=timezone.now() + timedelta(seconds=150))
    page = text(client)
    assert ">Paused: the AI service is down<" in page
    assert "The AI service has trouble of its own. It is tried again by itself" in page
    assert "<dt>Next test by itself</dt><dd>in 2 min</dd>" in page


def test_a_test_that_is_due_comes_with_the_next_note(client, viewer):
    make_health(next_probe_at=past(5))
    assert "<dd>with the next voice note</dd>" in text(client)


def test_a_service_that_is_being_tested_says_so(client, viewer):
    make_health(state="half_open", probe_until=timezone.now() + timedelta(minutes=4))
    page = text(client)
    assert ">Testing<" in page
    assert "One voice note is being sent to see whether it works again" in page


@pytest.mark.parametrize("code", [code for code, (kind, _) in FAULTS.items() if issubclass(kind, NeedsPersonFault)])
def test_what_needs_a_person_says_what_and_is_not_tested_by_itself(client, viewer, code):
    make_health(reason=code, needs_person=True, next_probe_at=past(5))
    page = text(client)
    assert f">{NEEDS_PERSON[code]}<" in page
    assert f"{FAULTS[code][1]} Nothing is sent until somebody resumes it" in page
    assert "Next test by itself" not in page


def test_who_resumed_a_service_last_is_named(client, viewer):
    by = make_user(roles.OPERATOR, first_name="Ana", last_name="Nolan")
    make_health(state="closed", reason="", trouble_since=None, resumed_by=by)
    assert re.search(r"Last resumed \(UTC\)</dt><dd>[^<]+, Ana Nolan<", text(client))


def test_calls_of_the_last_minute_and_hour_are_counted_by_what_came_of_them(client, viewer):
    for seconds in (5, 10, 300):
        make_call(seconds=seconds)
    make_call(seconds=20, code="provider_timeout")
    make_call(seconds=400, code="provider_timeout")
    make_call(seconds=3700, code="provider_busy")
    make_call(seconds=5, code="from_a_newer_release")
    page = text(client)
    assert "<dt>Calls in the last minute</dt><dd>2 answered, 2 failed</dd>" in page
    assert "<dt>Calls in the last hour</dt><dd>3 answered, 3 failed</dd>" in page
    failures = re.search(r'<ul class="vp-quiet" aria-labelledby.*?</ul>', page).group()
    assert re.findall("<li>(.*?)</li>", failures) == [
        "The AI service did not answer in time (2)",
        "Another trouble (1)",
    ]


def test_counting_calls_stops(django_assert_num_queries):
    now = timezone.now()
    ProviderCall.objects.bulk_create(
        ProviderCall(service="chat", succeeded=True, started_at=now, ended_at=now) for _ in range(MOST_CALLS + 10)
    )
    with django_assert_num_queries(1):
        calls = load_calls(AIService.CHAT, now=now)
    assert (calls.answered_hour, calls.is_cut) == (MOST_CALLS, True)


# --- On hold ---------------------------------------------------------------------------------------------------------
def test_what_is_on_hold_is_grouped_and_each_count_leads_to_exactly_its_rows(client, viewer):
    club = make_club(name="Na Fianna")
    groups = {
        ("transcription", "provider_error", club): 2,
        ("transcription", "paused_by_staff", club): 1,
        ("transcription", "provider_error", None): 1,
        ("claims_extraction", "provider_error", club): 3,
    }
    runs = {group: [make_held(*group).pk for _ in range(count)] for group, count in groups.items()}
    scheduled(make_artifact())
    page = text(client)
    links = re.findall(r'id="group-[^"]*" class="vp-link" href="([^"]*)">(\d+)<', page)
    assert len(links) == len(groups)
    for group, expected in runs.items():
        stage, reason, of = group
        address = f"{RUNS}?stage__exact={stage}&amp;hold={reason}&amp;club={of.pk if of else 'none'}"
        assert (address, str(len(expected))) in links
        rows = client.get(address.replace("&amp;", "&")).context["cl"].result_list
        assert sorted(row.pk for row in rows) == sorted(expected)
    assert "Paused by people" in page


def test_a_services_card_leads_to_all_that_waits_for_it(client, viewer):
    runs = [make_held(seconds=7300).pk, make_held(reason="paused_by_staff").pk]
    make_held("claims_extraction")
    make_held("draft_generation", "paused_by_staff")
    page = text(client)
    found = re.search(r'id="held-transcription" class="vp-link" href="([^"]*)">2 voice notes</a>', page)
    assert "<dt>Oldest on hold for</dt><dd>2 h 1 min</dd>" in page
    rows = client.get(found.group(1).replace("&amp;", "&")).context["cl"].result_list
    assert sorted(row.pk for row in rows) == sorted(runs)


@pytest.mark.parametrize("count", [1, 30])
def test_the_page_asks_as_many_questions_for_much_as_for_little(client, operator, django_assert_num_queries, count):
    for number in range(count):
        club = make_club()
        make_held(club=club)
        make_pause(operator, club=club)
        make_pause(operator, club=club, resumed_by=operator, resumed_at=past(number))
    # Session, viewer, their permissions (own and by role), on hold, test calls, models, services, calls of each of the
    # two, pauses, past pauses, what stands still, whether a bulk retry of theirs has ended.
    with django_assert_num_queries(14):
        client.get(PAGE)


def test_the_live_part_is_silent_while_nothing_changes(client, operator):
    part = text(client, LIVE)
    digest = part.split('"X-Seen": "')[1].split('"')[0]
    assert client.get(LIVE, headers={"X-Seen": digest}).status_code == 204
    make_health()
    assert client.get(LIVE, headers={"X-Seen": digest}).status_code == 200
    assert "csrfmiddlewaretoken" not in part


def test_a_model_that_ends_is_warned_of(client, viewer, settings):
    ProviderModel.objects.create(name=settings.AI_CLAIMS_MODEL, offered=False)
    assert f"no longer offers the model {settings.AI_CLAIMS_MODEL}. Name another in AI_CLAIMS_MODEL." in text(client)


# --- Buttons ---------------------------------------------------------------------------------------------------------
def test_a_viewer_is_offered_nothing_to_press(client, viewer):
    make_health()
    make_pause(make_user(roles.OPERATOR))
    page = text(client)
    assert "ai-form" not in page
    assert PAUSE not in page


@pytest.mark.parametrize("url", [TEST, RESUME, PAUSE, END])
def test_a_viewer_may_press_nothing(client, viewer, url):
    assert client.post(url, {"subject": "chat"}).status_code == 403


def test_an_operators_buttons_have_their_form_outside_of_what_refreshes_itself(client, operator):
    page = text(client)
    assert '<form id="ai-form" method="post"' in page
    assert "csrfmiddlewaretoken" in page
    assert 'id="ai-form"' not in text(client, LIVE)


def test_only_a_paused_service_offers_to_be_resumed(client, operator):
    assert RESUME not in text(client)
    make_health()
    page = text(client)
    assert 'id="resume-transcription"' in page
    assert 'id="resume-chat"' not in page


def test_a_test_call_shows_its_result_above_and_on_the_card(client, operator, simulator, settings):  # noqa: F811
    settings.OPENAI_BASE_URL = simulator.base_url
    control(simulator, "POST", queue={"chat": ["no_credit"]})
    page = press(client, TEST, "chat")
    assert "Reading statements: The credit with the AI provider is used up. Top up the account" in page
    assert re.search(r"Last test call \(UTC\):</span> [^<]+, Aoife Kelly\. The credit with the AI provider", page)
    assert ">Paused: no credit<" in page


def test_resuming_and_ending_a_pause_say_what_came_of_it(client, operator):
    make_health()
    pause = make_pause(operator)
    assert "Transcription is resumed." in press(client, RESUME, "transcription")
    assert "Transcription is resumed for all clubs." in press(client, END, pause.pk)
    assert "Already resumed by Aoife Kelly" in press(client, END, pause.pk)


@pytest.mark.parametrize("given", ["", "x", "-1", "9" * 40, "1; DROP TABLE"])
def test_nonsense_ends_no_pause(client, operator, given):
    make_pause(operator)
    assert "There is no such pause." in press(client, END, given)


# --- Pausing ---------------------------------------------------------------------------------------------------------
def test_looking_at_a_pause_changes_nothing_and_says_what_it_would_do(client, operator):
    for _ in range(2):
        scheduled(make_artifact())
    page = text(client, PAUSE, subject="transcription", club="")
    assert "Pause the stage “Transcription” for all clubs" in page
    assert "2 voice notes wait for it now and go on hold." in page
    assert "New voice notes are still accepted, and wait." in page
    assert not Pause.objects.exists()


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("transcription", (2, 0, 0)),
        ("claims_extraction", (1, 0, 2)),
        ("draft_generation", (0, 0, 3)),
        ("everything", (3, 0, 0)),
    ],
)
def test_what_a_pause_would_meet_is_counted_by_stage(subject, expected):
    for stage in ("transcription", "transcription", "claims_extraction"):
        make_held(stage)
    ahead = load_ahead(subject, None)
    assert (ahead.waiting, ahead.running, ahead.on_the_way) == expected


def test_what_a_pause_would_meet_is_counted_by_club():
    club = make_club()
    make_held(club=club)
    make_held()
    assert load_ahead("transcription", club.pk).waiting == 1
    assert load_ahead("transcription", None).waiting == 2


def test_a_pause_takes_a_reason_and_is_listed_with_it(client, operator):
    club = make_club(name="Na Fianna")
    url = f"{PAUSE}?subject=transcription&club={club.pk}"
    assert "Say why: whoever finds it paused will want to know." in client.post(url, {"reason": " "}).content.decode()
    page = " ".join(client.post(url, {"reason": "<b>Wrong</b> names."}, follow=True).content.decode().split())
    assert "Transcription is paused for Na Fianna." in page
    assert "&lt;b&gt;Wrong&lt;/b&gt; names." in page
    assert 'data-label="Who">Aoife Kelly<' in page


def test_automatic_confirmation_is_switched_not_paused(client, operator):
    url = f"{PAUSE}?subject=automatic_confirmation"
    page = text(client, url)
    assert "Switch off automatic confirmation for all clubs" in page
    assert "Every suggested entry waits for a person" in page
    page = " ".join(client.post(url, {"reason": "A new season."}, follow=True).content.decode().split())
    assert "Automatic confirmation is switched off for all clubs." in page
    assert ">Switch on<" in page


def test_what_is_paused_already_is_said_instead_of_offered(client, operator):
    make_pause(operator)
    page = text(client, PAUSE, subject="transcription")
    assert "Already paused by Aoife Kelly since" in page
    assert 'name="reason"' not in page


@pytest.mark.parametrize("query", [{"subject": "os.system"}, {"subject": "everything", "club": "987654"}])
def test_a_choice_that_is_not_on_the_list_is_refused_in_words(client, operator, query):
    page = text(client, PAUSE, **query)
    assert "Select a valid choice" in page or "There is no such club." in page
    assert 'name="reason"' not in page
    assert client.post(f"{PAUSE}?subject=os.system", {"reason": "x"}).status_code == 200
    assert not Pause.objects.exists()


def test_past_pauses_say_who_ended_them_and_how_long_they_lasted(client, viewer):
    by = make_user(roles.OPERATOR, first_name="Ana")
    make_pause(by, paused_at=past(7200), resumed_at=past(3600), resumed_by=by)
    page = text(client)
    assert "Past pauses" in page
    assert 'data-label="Lasted">1 h<' in page
