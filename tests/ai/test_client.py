"""What our client sends and what it makes of good answers."""

import os
import signal
import socket
import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import psutil
import pytest

from tests.ai.provider import KEY, calling, endpoint
from tests.simulator.running import simulating
from tests.supervisor.upping import until
from voicepipeline.ai.client import provider
from voicepipeline.ai.endpoint import Capabilities, capabilities, configured_endpoint
from voicepipeline.ai.pricing import Price
from voicepipeline.ai.prompts import RosterLine, claims_prompt, ping_prompt
from voicepipeline.ai.quotes import is_quoted
from voicepipeline.ai.schemas import ClaimsShape, PongShape
from voicepipeline.engine.stopping import WorkerStopping
from voicepipeline.simulator.audio import make_ogg, make_wav
from voicepipeline.stages.contract import PermanentFault, ProviderFault

SCRIPT = "Niamh Kelly was excellent tonight. Aoife hurt her ankle and should rest."
ROSTER = [RosterLine("player:7", "Niamh Kelly", "U14"), RosterLine("player:9", "Aoife Ryan", "U14")]
HANG_SECONDS = 0.4


@pytest.fixture
def listener():
    """Something that takes connections, keeps what is sent, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        received = bytearray()

        def take():
            try:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(5)
                    while piece := connection.recv(65_536):
                        received.extend(piece)
            except OSError:
                pass

        thread = threading.Thread(target=take)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1", received
        thread.join(6)


def test_a_recording_becomes_its_words(ours):
    answer = ours.transcribe(make_wav(SCRIPT, 2.0), extension="wav", names=["Niamh Kelly"], languages=["en", "ga"])
    assert (answer.data.text, answer.data.languages) == (SCRIPT, ("en",))
    assert answer.latency > timedelta()


def test_a_transcription_tells_its_model_request_and_tokens(ours):
    usage = ours.transcribe(make_ogg(SCRIPT, 30.0), extension="ogg").usage
    assert (usage.ai_model, usage.input_tokens, usage.audio_seconds) == ("gpt-transcribe", 300, None)
    assert usage.request_id.startswith("req_sim")


def test_a_known_duration_stands_for_seconds_that_the_provider_does_not_tell(ours):
    price = Price("gpt-transcribe", audio_usd_per_minute=Decimal("0.0045"))
    audio = make_ogg(SCRIPT, 30.0)
    usage = ours.transcribe(audio, extension="ogg", duration_seconds=Decimal(30), prices=[price]).usage
    assert (usage.audio_seconds, usage.cost_usd) == (Decimal(30), Decimal("0.00225"))
    assert ours.transcribe(audio, extension="ogg", prices=[price]).usage.cost_usd is None


def test_a_model_charged_by_time_tells_seconds_segments_and_confidence(simulator):
    with calling(simulator.base_url, transcription_model="whisper-1") as ours:
        answer = ours.transcribe(make_wav(SCRIPT, 30.0), extension="wav", names=["Niamh"], languages=["en"])
    assert (answer.usage.audio_seconds, answer.usage.input_tokens) == (Decimal("30.00"), None)
    assert [segment.text for segment in answer.data.segments] == SCRIPT.replace(". ", ".\n").splitlines()
    assert answer.data.confidence == pytest.approx(0.78, abs=0.01)
    assert answer.data.duration_seconds == Decimal("30.00")


def test_names_that_would_refuse_the_whole_request_are_cleaned(ours):
    answer = ours.transcribe(make_wav(SCRIPT, 1.0), extension="wav", names=["<b>Niamh</b>", "Aoife\r\nRyan", "\n"])
    assert answer.data.text == SCRIPT


def test_a_claims_answer_comes_in_its_shape_with_exact_quotes_and_offered_ids(ours):
    prompt = claims_prompt(SCRIPT, ROSTER)
    claims = ours.complete_json(prompt, ClaimsShape).data.claims
    assert [claim.topic for claim in claims] == ["performance", "injury"]
    assert all(is_quoted(claim.quote, SCRIPT) for claim in claims)
    named = [prompt.keys_by_id[mention.roster_id] for claim in claims for mention in claim.mentions]
    assert named == ["player:7", "player:9"]


def test_a_completion_tells_its_prompt_version_and_cost(ours):
    price = Price("gpt-6-luna", Decimal(2), Decimal(8))
    usage = ours.complete_json(claims_prompt(SCRIPT, ROSTER), ClaimsShape, prices=[price]).usage
    assert usage.prompt_version == "claims-1"
    assert usage.cost_usd == Decimal(usage.input_tokens * 2 + usage.output_tokens * 8) / 1_000_000


def test_how_long_the_provider_took_is_told_of_good_answers_and_of_faults(ours, befall):
    befall("transcriptions", "latency:0.2", "status:503")
    assert ours.transcribe(make_wav(SCRIPT, 0.5), extension="wav").usage.provider_ms >= 200
    with pytest.raises(ProviderFault) as failed:
        ours.transcribe(make_wav(SCRIPT, 0.5), extension="wav")
    assert failed.value.usage.provider_ms is not None


def test_the_times_of_both_tries_are_added_up(ours, befall):
    befall("chat", "malformed", "latency:0.2")
    assert ours.complete_json(claims_prompt(SCRIPT, ROSTER), ClaimsShape).usage.provider_ms > 200


def test_a_refusal_has_its_cost(ours, befall):
    befall("chat", "refusal")
    with pytest.raises(PermanentFault) as failed:
        ours.complete_json(
            claims_prompt(SCRIPT, ROSTER), ClaimsShape, prices=[Price("gpt-6-luna", Decimal(2), Decimal(8))]
        )
    assert (failed.value.code, failed.value.usage.cost_usd > 0) == ("model_refused", True)


def test_what_a_fault_used_has_its_cost_too(ours, befall):
    befall("chat", "malformed", "malformed")
    with pytest.raises(PermanentFault) as failed:
        ours.complete_json(
            claims_prompt(SCRIPT, ROSTER), ClaimsShape, prices=[Price("gpt-6-luna", Decimal(2), Decimal(8))]
        )
    assert failed.value.usage.cost_usd > 0


def test_a_server_without_json_schema_is_given_the_schema_in_words(simulator):
    with calling(simulator.base_url, writing=Capabilities(json_schema=False)) as ours, pytest.raises(PermanentFault):
        # The simulated model answers a bare json_object request with no JSON: seen twice, then given up.
        ours.complete_json(ping_prompt(), PongShape)
    assert simulator.plan.report()["calls"]["chat"] == 2


def test_a_test_call_is_answered(ours):
    assert ours.complete_json(ping_prompt(), PongShape).data.ok is True


def test_models_tell_the_day_on_which_they_end(ours):
    ends = {model.name: model.shutdown_date for model in ours.models().data}
    assert (ends["whisper-1"], ends["gpt-6-luna"]) == (date(2027, 2, 26), None)


@pytest.mark.parametrize("fault", ["html", "wrong_shape", "bad_body", "status:500", "hang"])
def test_a_list_of_models_that_cannot_be_had_is_the_providers_fault(caller_for, befall, fault):
    befall("models", fault)
    with pytest.raises(ProviderFault):
        caller_for(fault).models()


def test_a_provider_that_is_not_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
    with calling(url) as ours, pytest.raises(ProviderFault) as failed:
        ours.transcribe(b"x", extension="wav")
    assert failed.value.code == "provider_unreachable"


@pytest.mark.parametrize("fault", ["hang", "drip:30"])
def test_a_call_ends_with_its_total_time_however_slowly_the_answer_comes(simulator, befall, fault):
    limit = timedelta(seconds=HANG_SECONDS)
    befall("transcriptions", fault)
    started = time.monotonic()
    with calling(simulator.base_url, transcription_timeout=limit) as ours, pytest.raises(ProviderFault) as failed:
        ours.transcribe(make_wav(SCRIPT, 1.0), extension="wav")
    assert failed.value.code == "provider_timeout"
    assert time.monotonic() - started < 2 * HANG_SECONDS + 1


def test_nothing_of_the_environment_and_no_facts_about_this_machine_are_sent(listener, monkeypatch):
    url, received = listener
    for name in ("ORG_ID", "PROJECT_ID", "ADMIN_KEY", "WEBHOOK_SECRET", "API_KEY"):
        monkeypatch.setenv(f"OPENAI_{name}", f"from-environment-{name}")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/from-environment")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer from-environment\nX-More: from-environment")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with calling(url, transcription_timeout=timedelta(seconds=0.3)) as ours, pytest.raises(ProviderFault):
        ours.transcribe(b"RIFF", extension="wav")
    head = bytes(received).partition(b"\r\n\r\n")[0].decode().lower()
    assert f"authorization: bearer {KEY}" in head
    assert "from-environment" not in head
    assert "stainless" not in head


def test_a_worker_told_to_stop_leaves_a_client_that_still_works(stopped_soon):
    # A provider of its own: at the shared one a call of another test may still hang.
    with simulating() as simulator, calling(simulator.base_url) as ours:
        simulator.plan.change({"queue": {"transcriptions": ["hang"]}})
        stopped_soon()
        with pytest.raises(WorkerStopping):
            ours.transcribe(make_wav(SCRIPT, 0.5), extension="wav")
        assert ours.transcribe(make_wav(SCRIPT, 0.5), extension="wav").data.text == SCRIPT
        ours.close()
        until(lambda: simulator.plan.report()["at_once"] == 0, "the broken-off call has ended there as well")


@pytest.fixture
def stopped_soon():
    """Something that has this process told to stop in a moment."""

    def stop(number, frame):
        raise WorkerStopping

    before = signal.signal(signal.SIGALRM, stop)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.2)
    signal.signal(signal.SIGALRM, before)


def test_one_client_serves_a_process(settings):
    assert provider() is provider()
    assert provider(endpoint("http://127.0.0.1:1/v1")) is not provider()


def test_a_client_that_is_no_longer_kept_gives_its_connections_back():
    with simulating() as simulator:
        for connect_seconds in range(1, 10):
            provider(endpoint(simulator.base_url, connect_timeout=timedelta(seconds=connect_seconds))).models()
        port = urlsplit(simulator.base_url).port
        ours = [line for line in psutil.Process().net_connections("tcp") if line.raddr and line.raddr.port == port]
    assert 1 <= len(ours) <= 4


def test_a_forked_process_makes_its_own_client():
    mine = id(provider())
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"other" if provider().endpoint and id(provider()) != mine else b"same")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as told:
        assert told.read() == "other"


def test_fifty_slow_calls_are_answered_at_once():
    with simulating() as simulator, calling(simulator.base_url, transcription_timeout=timedelta(seconds=20)) as ours:
        simulator.plan.change({"latency": 1.0})
        audio, texts = make_wav(SCRIPT, 0.5), []
        threads = [
            threading.Thread(target=lambda: texts.append(ours.transcribe(audio, extension="wav").data.text))
            for _ in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert texts == [SCRIPT] * 50
        assert simulator.plan.report()["most_at_once"] == 50


def test_the_settings_name_the_endpoint(settings):
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_BASE_URL = "http://127.0.0.1:8741/v1"
    settings.AI_TRANSCRIPTION_MODEL = "whisper-1"
    settings.AI_CAPABILITIES = {"gpt-6-luna": {"json_schema": False}}
    found = configured_endpoint()
    assert (found.base_url, found.api_key) == ("http://127.0.0.1:8741/v1", "simulated")
    assert (found.hearing.segments, found.writing.json_schema) == (True, False)


def test_the_key_is_not_in_the_endpoints_text():
    assert KEY not in repr(endpoint("http://127.0.0.1:1/v1"))


@pytest.mark.parametrize("wishes", [{"my-model": {"keyword": True}}, {"my-model": {"keywords": "yes"}}])
def test_capabilities_nobody_knows_are_refused(wishes):
    with pytest.raises(ValueError, match="AI_CAPABILITIES"):
        capabilities("my-model", wishes)
