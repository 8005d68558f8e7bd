"""What a provider says, the key, and what was spoken reach no exception, no stored message and no log line."""

import io
import json
import logging
import threading
import traceback

import pytest

from tests.ai.provider import KEY, calling
from voicepipeline import logs
from voicepipeline.ai.faults import FAULTS
from voicepipeline.ai.prompts import RosterLine, claims_prompt
from voicepipeline.ai.schemas import ClaimsShape
from voicepipeline.simulator.audio import make_wav
from voicepipeline.simulator.faults import CHAT, KINDS, TRANSCRIPTIONS
from voicepipeline.stages.contract import StageFault

CANARY = "Xylophonia Canarybird"
SCRIPT = f"{CANARY} hurt her ankle, ring +353 87 123 4567."
# Words of the simulated provider's own errors.
THEIRS = ("server had an error", "exceeded your current quota", "Incorrect API key", "org-simulated", "Sign in to the")
SECRETS = (CANARY, "Canarybird", "123 4567", KEY, KEY[8:], *THEIRS)
QUICK = {kind: f"{kind}:3" for kind in ("latency", "drip")}


@pytest.fixture
def log():
    """Everything that any library would write at the most talkative level, through our own formatter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.formatter("json"))
    root, talkative = logging.getLogger(), [logging.getLogger(name) for name in ("openai", "httpx2", "httpcore2")]
    levels = [(each, each.level) for each in (root, *talkative)]
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    logging.getLogger("openai").setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    for each, level in levels:
        each.setLevel(level)
    handler.close()


def call(ours, name):
    if name == TRANSCRIPTIONS:
        return ours.transcribe(make_wav(SCRIPT, 0.5), extension="wav", names=[CANARY])
    return ours.complete_json(claims_prompt(SCRIPT, [RosterLine("player:1", CANARY)]), ClaimsShape)


def everything_of(error):
    """All that a traceback with its causes and contexts, and all that the attributes would show."""
    seen = "".join(traceback.format_exception(error))
    while error is not None:
        seen += f"{error!r} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__
    return seen


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in KINDS for name in (TRANSCRIPTIONS, CHAT) if name in KINDS[kind]]
)
def test_no_secret_comes_out_of(caller_for, befall, log, kind, name):
    fault = QUICK.get(kind, kind)
    befall(name, fault, fault)
    told = ""
    try:
        call(caller_for(fault), name)
    except StageFault as error:
        logging.getLogger("voicepipeline").exception("a stage failed")
        told = everything_of(error)
        assert error.message == FAULTS[error.code][1]  # noqa: PT017 - some faults of the simulator are none to us
    told += log.getvalue()
    assert [secret for secret in SECRETS if secret in told] == []


def test_the_canaries_are_really_sent_back_by_the_provider(simulator, befall):
    """Else the tests above could not fail."""
    import openai

    befall(CHAT, "forbidden")
    caller = openai.OpenAI(api_key=KEY, base_url=simulator.base_url, max_retries=0)
    prompt = claims_prompt(SCRIPT, [])
    with caller, pytest.raises(openai.PermissionDeniedError, match="Canarybird"):
        caller.chat.completions.create(model="gpt-6-luna", messages=[{"role": "user", "content": prompt.user}])


@pytest.mark.parametrize("header", ["x" * 500, "req 1 <script>", "Xylophonia Canarybird"])
def test_a_request_id_that_is_none_is_not_kept(header):
    import http.server

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"text": "hello"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-request-id", header)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with calling(f"http://127.0.0.1:{server.server_port}/v1") as ours:
            answer = ours.transcribe(b"RIFF", extension="wav")
        thread.join(5)
    assert (answer.data.text, answer.usage.request_id) == ("hello", "")
