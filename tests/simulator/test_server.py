"""The answers of the simulated provider, as plain HTTP shows them."""

import json
import socket

import pytest

from tests.simulator.asking import ask, chat, upload
from tests.supervisor.upping import until
from voicepipeline.simulator.audio import make_ogg, make_wav
from voicepipeline.simulator.server import NotLoopback, Simulator

WAV = make_wav("Niamh was great.", 4.0)
MODEL = ("model", "gpt-transcribe")


def control(simulator):
    return simulator.base_url.replace("/v1", "/_control")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "", "::"])
def test_only_loopback_is_served(host):
    with pytest.raises(NotLoopback, match="not a loopback address"):
        Simulator(host)


def test_a_transcription_has_the_real_shape(simulator):
    seen = upload(simulator.base_url, WAV, MODEL)
    assert seen.body["text"] == "Niamh was great."
    assert seen.body["usage"] == {
        "type": "tokens",
        "input_tokens": 40,
        "output_tokens": 4,
        "total_tokens": 44,
        "input_token_details": {"audio_tokens": 40, "text_tokens": 0},
    }
    assert seen.headers["x-request-id"].startswith("req_")


def test_a_model_charged_by_time_tells_seconds(simulator):
    seen = upload(simulator.base_url, WAV, ("model", "whisper-1"))
    assert seen.body["usage"] == {"type": "duration", "seconds": 4}


def test_verbose_json_has_segments(simulator):
    seen = upload(simulator.base_url, WAV, ("model", "whisper-1"), ("response_format", "verbose_json"))
    assert [segment["text"] for segment in seen.body["segments"]] == [" Niamh was great."]
    assert seen.body["segments"][0]["end"] == pytest.approx(4.0)


def test_silence_is_heard_as_silence_and_unknown_audio_as_some_note(simulator):
    assert upload(simulator.base_url, make_wav("", 4.0, audible=False), MODEL).body["text"] == ""
    first, again = (upload(simulator.base_url, b"\xff\xfb" * 50, MODEL).body["text"] for _ in range(2))
    assert first == again != ""


@pytest.mark.parametrize(
    ("filename", "status"),
    [("a.ogg", 200), ("a.OGG", 200), ("a.webm", 200), ("a.opus", 400), ("a.oga", 400), ("a.txt", 400), ("ogg", 400)],
)
def test_a_file_is_judged_by_its_extension(simulator, filename, status):
    assert upload(simulator.base_url, make_ogg("hello", 1.0), MODEL, filename=filename).status == status


@pytest.mark.parametrize("keyword", ["a<b", "a>b", "a\rb", "a\nb"])
def test_one_bad_keyword_refuses_the_whole_request(simulator, keyword):
    seen = upload(simulator.base_url, WAV, MODEL, ("keywords[]", "Niamh"), ("keywords[]", keyword))
    assert (seen.status, seen.body["error"]["param"]) == (400, "keywords")


def test_more_than_25_mb_is_too_large(simulator):
    seen = upload(simulator.base_url, b"\x00" * 26_214_400, MODEL)
    assert (seen.status, seen.body["error"]["type"]) == (413, "server_error")


def test_an_empty_file_is_refused(simulator):
    assert upload(simulator.base_url, b"", MODEL).status == 400


def test_errors_have_the_real_shape(simulator):
    seen = upload(simulator.base_url, WAV, ("model", "no-such-model"))
    assert seen.status == 404
    assert seen.body["error"] == {
        "message": "The model `no-such-model` does not exist or you do not have access to it.",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_without_a_key_nothing_is_answered(simulator):
    assert ask(f"{simulator.base_url}/models", Authorization="").status == 401


def test_a_completion_has_the_real_shape(simulator):
    body = chat(simulator.base_url).body
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["role"] == "assistant"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]


def test_a_schema_that_is_not_strict_is_refused(simulator):
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    seen = chat(simulator.base_url, response_format=wanted)
    assert (seen.status, seen.body["error"]["code"]) == (400, "invalid_json_schema")


def test_a_completion_is_cut_where_its_limit_says(simulator):
    transcript = "<transcript-1>\n" + "Niamh was great. " * 20 + "\n</transcript-1>"
    schema = {
        "type": "object",
        "properties": {"claims": {"type": "array", "items": {}}},
        "required": ["claims"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    messages = [{"role": "user", "content": transcript}]
    body = chat(simulator.base_url, messages=messages, response_format=wanted, max_completion_tokens=10).body
    assert body["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("path", ["/", "/v1/nothing", "/v1/audio/speech"])
def test_other_addresses_are_not_found(simulator, path):
    assert ask(simulator.base_url.replace("/v1", path)).status == 404


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"messages": 7}', b'{"messages": [3]}'])
def test_nonsense_is_a_bad_request_and_no_crash(simulator, body):
    seen = ask(f"{simulator.base_url}/chat/completions", body, Content_Type="application/json")
    assert seen.status in (400, 404)


# --- Control ---------------------------------------------------------------------------------------------------


def post(simulator, **wishes):
    return ask(control(simulator), json.dumps(wishes).encode(), Content_Type="application/json")


def test_queued_faults_come_in_their_order_and_are_counted(simulator):
    post(simulator, queue={"chat": ["status:503", {"kind": "status", "status": 418, "retry_after": 9}]})
    statuses = [chat(simulator.base_url).status for _ in range(3)]
    report = ask(control(simulator)).body
    assert statuses == [503, 418, 200]
    assert (report["calls"]["chat"], report["faults"]["chat"]) == (3, {"status": 2})


def test_retry_after_is_sent(simulator):
    post(simulator, queue={"chat": [{"kind": "status", "status": 503, "retry_after": 9}]})
    assert chat(simulator.base_url).headers["Retry-After"] == "9"


def test_an_outage_begins_and_ends_by_itself(simulator):
    post(simulator, outage={"from": 0, "for": 0.3, "fault": "status:503"})
    assert chat(simulator.base_url).status == 503
    assert ask(control(simulator)).body["outage"] is True
    until(lambda: ask(control(simulator)).body["outage"] is False, "the outage is over")
    assert chat(simulator.base_url).status == 200


def test_a_rate_chooses_the_same_calls_again_whatever_their_order(simulator):
    def failing(order):
        ask(control(simulator), method="DELETE")
        post(simulator, rates={"transcriptions": {"status:503": 0.3}}, seed=4)
        return {name for name in order if upload(simulator.base_url, make_wav(name, 0.1), MODEL).status == 503}

    names = [f"note {number}" for number in range(60)]
    first = failing(names)
    assert 5 < len(first) < 35
    assert failing(reversed(names)) == first


def test_latency_is_waited_for(simulator):
    post(simulator, latency=0.2)
    assert ask(control(simulator)).body["latency"] == 0.2
    assert chat(simulator.base_url).status == 200


def test_delete_puts_everything_back(simulator):
    post(simulator, queue={"chat": ["refusal"]}, rates={"chat": {"reset": 1}}, latency=9, obedient=True, seed=3)
    report = ask(control(simulator), method="DELETE").body
    assert report["queued"]["chat"] == 0
    assert (report["latency"], report["obedient"], report["seed"]) == (0, False, 0)
    assert chat(simulator.base_url).status == 200


@pytest.mark.parametrize(
    ("wishes", "problem"),
    [
        ({"queue": {"chat": ["explosion"]}}, "There is no fault"),
        ({"queue": {"moon": ["hang"]}}, "There is no endpoint moon"),
        ({"queue": {"transcriptions": ["refusal"]}}, "cannot befall"),
        ({"rates": {"chat": {"hang": "often"}}}, "not a plan"),
        ({"outage": {"from": 1}}, "not a plan"),
        ({"queue": {"chat": [{"kind": "status", "colour": "red"}]}}, "There is no fault"),
        ({"queue": {"chat": ["latency:soon"]}}, "not a plan"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(simulator, wishes, problem):
    seen = post(simulator, **wishes)
    assert seen.status == 400
    assert problem in seen.body["problem"]


def test_a_page_in_a_browser_cannot_change_the_plan_unasked(simulator):
    assert ask(control(simulator), b'{"latency": 5}', Content_Type="text/plain").status == 415


def test_a_caller_who_hangs_up_frees_its_place(simulator):
    post(simulator, queue={"models": ["hang"]})
    address = simulator.server_address[:2]
    with socket.create_connection(address) as caller:
        caller.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n")
        until(lambda: ask(control(simulator)).body["at_once"] == 1, "the call hangs")
    until(lambda: ask(control(simulator)).body["at_once"] == 0, "the hanging call has given its place back")
