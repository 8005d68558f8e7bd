"""What was said, who is meant, phones, the key and the provider's words reach no log line, no event and no error.

Everything is logged at the most talkative level that LOG_LEVEL can set; at any other a part of these lines remains.
"""

import io
import json
import logging
import multiprocessing
import queue
import sys
import threading

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Task
from django_q.monitor import monitor
from django_q.signing import SignedPackage
from django_q.worker import worker

from tests.ai.leaving import clients_leave_with_their_module  # noqa: F401
from tests.ai.provider import HASTY, SLOW
from tests.engine.helpers import active_run, make_due, run_to_the_end
from tests.factories import make_user
from tests.pipeline.canaries import (
    FILE_NAME,
    KEY,
    MESSAGE_ID,
    NAMES,
    PHONE,
    SAID,
    Lines,
    found_in,
    leaks_in_rows,
    make_people,
    outside_content,
    rows,
    tables,
)
from tests.pipeline.test_fault_matrix import MATRIX
from tests.stages.leaking import IN_STORE, IN_WORK
from voicepipeline import logs, roles
from voicepipeline.engine.execution import perform
from voicepipeline.events import log_event
from voicepipeline.intake.receiving import receive_voice_note
from voicepipeline.models import AIService, Artifact, Claim, DroppedEvent, InsightDraft, StageRun, Transcript
from voicepipeline.operations.notes import close_artifact
from voicepipeline.simulator.audio import make_wav
from voicepipeline.simulator.faults import CHAT, KINDS, TRANSCRIPTIONS

pytestmark = pytest.mark.django_db

EVENTS, RUNS, UPLOAD, NOTES = (
    reverse(f"admin:voicepipeline_{name}")
    for name in (
        "pipelineevent_changelist",
        "stagerun_changelist",
        "voicenote_add",
        "artifact_changelist",
    )
)
REAL_STAGES = {
    "transcription": "voicepipeline.stages.transcription",
    "claims_extraction": "voicepipeline.stages.claims",
    "entity_resolution": "voicepipeline.stages.resolution",
    "draft_generation": "voicepipeline.stages.drafts",
}
# Beside it: OPENAI_LOG turns the first on; the others are kept quiet for being dull, not for what they tell.
TALKATIVE = dict.fromkeys(("openai", "django-q", "axes"), logging.DEBUG)


@pytest.fixture(autouse=True)
def _surroundings(settings, simulator, tmp_path):
    settings.STAGE_CODE = REAL_STAGES
    settings.OPENAI_API_KEY = KEY
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def lines():
    with Lines().listening(logging.DEBUG, **TALKATIVE) as listening:
        yield listening


@pytest.fixture
def coach():
    return make_people()


@pytest.fixture
def staff(client):
    client.force_login(make_user(roles.ADMINISTRATOR))
    client.raise_request_exception = False
    return client


@pytest.fixture
def meet(settings, befall):
    def prepare(endpoint, *faults):
        if faults[0].startswith(SLOW):
            settings.AI_TRANSCRIPTION_TIMEOUT_SECONDS = settings.AI_CHAT_TIMEOUT_SECONDS = HASTY.total_seconds()
        befall(endpoint, *faults)

    return prepare


def spoken(coach, **fields):
    audio = io.BytesIO(make_wav(SAID, 12))
    return received(coach, audio=audio, filename=FILE_NAME, channel_message_id=MESSAGE_ID, **fields)


def typed(coach, text=SAID, message_id=MESSAGE_ID):
    return received(coach, audio=None, text=text, channel_message_id=message_id)


def received(coach, **given):
    note = receive_voice_note(source_channel="whatsapp_audio", sender=coach, organization=None, **given)
    return Artifact.objects.get(artifact_id=note.artifact_id)


def step(artifact):
    """Do what is next."""
    run = active_run(artifact)
    make_due(artifact)
    perform(run.pk)
    artifact.refresh_from_db()
    return StageRun.objects.get(pk=run.pk)


def leaks_in_pages(client, artifact):
    """By page; those of events and runs show nothing of a note at all, its own page only in its place."""
    note = client.get(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])).content.decode()
    assert 'id="explanation-title"' in note
    assert 'id="events-title"' in note
    pages = {"note": outside_content(note)}
    newest = StageRun.objects.filter(artifact=artifact, started_at__isnull=False).latest("id")
    for page in (EVENTS, RUNS, reverse("admin:voicepipeline_stagerun_change", args=[newest.pk])):
        pages[page] = client.get(page).content.decode()
    return {page: leaks for page, text in pages.items() if (leaks := found_in(text))}


def assert_nothing_leaked(lines):
    assert (found_in(lines.text()), leaks_in_rows()) == ([], {})


# --- The provider ----------------------------------------------------------------------------------------------


def faults_of(endpoint):
    return [row[0] for row in MATRIX if endpoint in KINDS[row[0].partition(":")[0]]]


@pytest.mark.parametrize(
    ("endpoint", "fault"), [(endpoint, fault) for endpoint in (TRANSCRIPTIONS, CHAT) for fault in faults_of(endpoint)]
)
def test_nothing_leaks_when_a_note_meets(endpoint, fault, coach, meet, lines, calls, staff):
    artifact = spoken(coach) if endpoint == TRANSCRIPTIONS else typed(coach)
    if endpoint == CHAT:
        step(artifact)
    meet(endpoint, fault, fault)
    step(artifact)
    assert calls()[endpoint] > 0
    assert_nothing_leaked(lines)
    assert leaks_in_pages(staff, artifact) == {}


@pytest.mark.parametrize("fault", faults_of(CHAT))
def test_nothing_leaks_from_a_test_call_that_meets(fault, meet, lines, staff):
    cache.clear()
    meet(CHAT, fault, fault)
    url = reverse("admin:voicepipeline_aiservicehealth_test")
    page = staff.post(url, {"subject": AIService.CHAT}, follow=True).content.decode()
    assert ("AI service" in page, found_in(page)) == (True, [])
    assert_nothing_leaked(lines)


@pytest.mark.parametrize("said", ["model", "language", "id", "usage", "choices", "segments", "text"])
def test_nothing_leaks_of_what_a_provider_says_where_it_should_not(said, simulator, coach, lines, staff):
    simulator.said_instead[said] = f"req_sim_hostile {SAID}"
    artifact = spoken(coach)
    step(artifact)
    assert simulator.received
    assert_nothing_leaked(lines)
    assert leaks_in_pages(staff, artifact) == {}


# --- All goes well ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("send", [spoken, typed])
def test_nothing_leaks_of_a_note_that_becomes_ready(send, coach, lines, staff):
    artifact = run_to_the_end(send(coach))
    assert artifact.status == "completed"
    entries = InsightDraft.objects.filter(artifact=artifact)
    assert [str(entry.player) for entry in entries if entry.player] == ["Quixotella Brunhildebird"]
    assert "Zephyrmarrow" in Transcript.objects.get(artifact=artifact).text
    assert_nothing_leaked(lines)
    assert leaks_in_pages(staff, artifact) == {}


def test_the_words_are_really_on_the_page_and_the_key_is_really_sent(coach, staff, simulator, befall):
    """Else the tests around this one could not fail."""
    artifact = run_to_the_end(spoken(coach))
    page = staff.get(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])).content.decode()
    assert {*NAMES, "Zephyrmarrow", "765 4321", "Msgidonia"} <= set(found_in(page))
    assert Claim.objects.filter(artifact=artifact, quote__contains="Quixotella").exists()
    assert "voicepipeline_stagerun" in tables()
    assert "voicepipeline_transcript" not in tables()
    assert {"voicepipeline_pipelineevent", "voicepipeline_providercall"} <= rows().keys()


# --- Our own code breaks ---------------------------------------------------------------------------------------


@pytest.fixture
def breaking(settings):
    settings.STAGE_CODE = {**REAL_STAGES, "transcription": "tests.stages.leaking"}


@pytest.mark.usefixtures("breaking")
@pytest.mark.parametrize("how", IN_WORK)
def test_nothing_leaks_when_a_stage_breaks_with_the_text_in_its_error(how, coach, lines, staff):
    artifact = typed(coach, f"{how}: {SAID}")
    assert step(artifact).error_code == "unexpected_error"
    assert "a stage raised an unexpected error" in lines.text()
    assert_nothing_leaked(lines)
    assert leaks_in_pages(staff, artifact) == {}


@pytest.mark.usefixtures("breaking")
@pytest.mark.parametrize("how", IN_STORE)
def test_nothing_leaks_when_a_result_cannot_be_stored(how, coach, lines, staff):
    artifact = typed(coach, f"{how}: {SAID}")
    assert step(artifact).error_code == "result_not_storable"
    assert "could not be stored" in lines.text()
    assert_nothing_leaked(lines)
    assert leaks_in_pages(staff, artifact) == {}


@pytest.mark.usefixtures("breaking")
def test_nothing_leaks_of_what_an_event_may_not_say(coach, lines):
    step(typed(coach, f"metadata: {SAID}"))
    assert "event metadata left out" in lines.text()
    assert_nothing_leaked(lines)


def test_a_refused_event_leaves_no_words(coach, lines):
    log_event("artifact_failed", typed(coach), actor_id=10**12, error_code="x", error_message=SAID)
    connection.check_constraints()
    assert DroppedEvent.objects.count() == 1
    assert_nothing_leaked(lines)


def do_by_queue(function, *args):
    """As a cluster does: the job by django-q's worker, its end recorded by django-q's monitor."""
    tasks, results = queue.Queue(), queue.Queue()
    now = timezone.now()
    tasks.put({"id": "1" * 32, "name": "job", "func": function, "args": args, "kwargs": {}, "started": now})
    tasks.put("STOP")
    worker(tasks, results, multiprocessing.Value("d", -1), timeout=20)
    results.put("STOP")
    monitor(results, get_broker())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("breaking")
def test_a_job_that_breaks_leaves_no_words_in_the_queues_tables(coach, lines, settings):
    settings.ENGINE = {"longest_run": 0}
    run = active_run(typed(coach, f"lost: {SAID}"))
    do_by_queue("voicepipeline.tasks.transcribe_audio", run.artifact.voice_note_id, run.pk)
    job = Task.objects.get()
    assert not job.success
    assert "OperationalError" in job.result
    assert "OperationalError" in lines.text()
    assert_nothing_leaked(lines)


@pytest.mark.django_db(transaction=True)
def test_a_doorbell_tells_numbers_alone(coach, lines):
    artifact = typed(coach)
    (bell,) = OrmQ.objects.all()
    assert SignedPackage.loads(bell.payload)["args"] == (artifact.voice_note_id, active_run(artifact).pk)
    assert_nothing_leaked(lines)


# --- The way in, and the pages ---------------------------------------------------------------------------------


BAD_FILES = {
    "Filenamia empty.wav": b"",
    "Filenamia page.mp3": f"<html>{SAID}".encode(),
    "Filenamia text.wav": SAID.encode(),
    "Filenamia short.wav": make_wav(SAID, 0.3),
    "Filenamia odd ../..%00 name.wav": b"RIFF" + SAID.encode(),
    f"{'Filenamia' * 20}.wav": make_wav(SAID, 3)[:60],
}


def test_nothing_leaks_of_files_that_the_command_refuses(tmp_path, coach, lines, capsys):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, content in BAD_FILES.items():
        (folder / name.replace("/", "_")).write_bytes(content)
    with pytest.raises(SystemExit):
        call_command("ingest_voice_notes", folder, organization=coach.organization.slug, coach=PHONE, json=True)
    told = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert (len(told), found_in(" ".join(told))) == (len(BAD_FILES), [])
    assert_nothing_leaked(lines)


def test_nothing_leaks_of_files_that_the_page_refuses(coach, lines, staff):
    for name, content in BAD_FILES.items():
        sent = {"coach": coach.pk, "files": SimpleUploadedFile(name, content)}
        response = staff.post(UPLOAD, sent, headers={"Accept": "application/json"})
        (item,) = response.json()["items"]
        assert (item["result"], found_in(item["message"])) == ("refused", [])
    assert_nothing_leaked(lines)


def refuse_rows(table):
    """As a constraint would, whose error quotes the row."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT nothing_fits CHECK (false) NOT VALID")


@pytest.mark.parametrize("sent", ["typed", "spoken"])
def test_nothing_leaks_when_the_database_refuses_what_was_uploaded(sent, coach, lines, staff):
    refuse_rows("voicepipeline_voicenote" if sent == "typed" else "voicepipeline_artifact")
    what = {"text": SAID} if sent == "typed" else {"files": SimpleUploadedFile(FILE_NAME, make_wav(SAID, 3))}
    response = staff.post(UPLOAD, {"coach": coach.pk, **what})
    assert (response.status_code, found_in(response.content.decode())) == (500, [])
    assert "CheckViolation: SQLSTATE 23514" in lines.text()
    assert_nothing_leaked(lines)


@pytest.mark.parametrize("url", [NOTES, EVENTS, RUNS])
def test_nothing_leaks_of_a_page_that_breaks_over_what_somebody_looked_for(url, lines, staff):
    def broken(execute, sql, params, many, context):
        if "voicepipeline_user" in sql:
            raise ValueError(SAID)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(broken):
        response = staff.get(url, {"q": f"{PHONE} Quixotella"})
    assert (response.status_code, found_in(response.content.decode())) == (500, [])
    assert "Internal Server Error" in lines.text()
    assert_nothing_leaked(lines)


@pytest.mark.parametrize("status", [403, 404, 405])
def test_nothing_leaks_of_what_was_looked_for_on_a_page_that_is_refused(status, client, staff, lines):
    if status == 403:
        client.force_login(make_user())
    page = f"{UPLOAD}nowhere/" if status == 404 else UPLOAD if status == 405 else EVENTS
    ask = client.put if status == 405 else client.get
    assert ask(f"{page}?q=%2B353877654321+Quixotella").status_code == status
    assert page in lines.text()
    assert_nothing_leaked(lines)


def test_what_a_person_did_to_a_failed_note_shows_no_words_but_their_own(coach, meet, lines, staff):
    meet(TRANSCRIPTIONS, "bad_request")
    artifact = spoken(coach)
    step(artifact)
    assert artifact.status == "failed"
    close_artifact(artifact.artifact_id, by=make_user(roles.OPERATOR), reason="Nobody needs it.")
    assert "voicepipeline_notedecision" in rows()
    assert_nothing_leaked(lines)
    assert leaks_in_pages(staff, artifact) == {}


# --- Log lines -------------------------------------------------------------------------------------------------


def test_statements_stay_out_of_the_log_even_for_a_developer(coach, lines, settings):
    settings.DEBUG = True
    assert step(typed(coach)).status == "succeeded"
    assert connection.queries
    assert_nothing_leaked(lines)


def test_an_error_nothing_caught_is_told_without_its_words(lines):
    before = sys.excepthook, threading.excepthook
    logs.log_uncaught()
    try:
        try:
            raise ValueError(SAID)
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
            threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, None)))
    finally:
        sys.excepthook, threading.excepthook = before
    assert lines.text().count('"event": "nothing caught an error"') == 2
    assert found_in(lines.text()) == []


def test_a_message_that_repeats_an_errors_words_is_told_without_them(lines):
    try:
        raise ValueError(SAID)
    except ValueError as error:
        logging.getLogger("library").exception("Error calling it (%s)", error)
    assert '"event": "Error calling it (ValueError)"' in lines.text()
    assert found_in(lines.text()) == []
