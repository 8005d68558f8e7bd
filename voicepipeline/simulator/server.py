"""The server itself: one thread a call, so that fifty slow ones do not wait for each other."""

import http.server
import ipaddress
import itertools
import json
import select
import socket
import socketserver
import struct
import sys
import threading
import time
from typing import Any

from voicepipeline.simulator import completing, multipart, protocol, transcribing
from voicepipeline.simulator.faults import CHAT, MODELS, TRANSCRIPTIONS, Fault, Plan, UnknownFault

# What is read of a body that is too large anyway, so that its sender hears the answer.
MAX_READ = 4 * protocol.MAX_BODY
IDLE_SECONDS = 75
LOOK_SECONDS = 0.2
DRIP_PIECES = 20
HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>Sign in to the network</h1></body></html>"
PATHS = {
    ("POST", "/v1/audio/transcriptions"): TRANSCRIPTIONS,
    ("POST", "/v1/chat/completions"): CHAT,
    ("GET", "/v1/models"): MODELS,
}
CONTROL = "/_control"


class NotLoopback(ValueError):
    """The message is the sentence to show."""


def check_host(host: str) -> None:
    try:
        safe = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        safe = False
    if not safe:
        raise NotLoopback(
            f"The simulated AI provider serves this machine alone, and {host} is not a loopback address. Use 127.0.0.1."
        )


class Simulator(http.server.ThreadingHTTPServer):
    """An OpenAI-compatible provider on loopback; `plan` says what goes wrong."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, plan: Plan | None = None) -> None:
        check_host(host)
        self.plan = plan or Plan()
        self.stopping = threading.Event()
        self.request_ids = itertools.count(1)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), Handler)

    @property
    def base_url(self) -> str:
        host, port = self.server_address[:2]
        shown = f"[{host!s}]" if self.address_family == socket.AF_INET6 else str(host)
        return f"http://{shown}:{port}/v1"

    def server_bind(self) -> None:
        # The parent asks the name server for this machine's name, which can take seconds and is not needed.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def stop(self) -> None:
        """Also ends the calls that are being kept waiting."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who has hung up is everyday life here; anything else is worth a traceback."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Gone(Exception):
    """The caller has hung up, or the server is stopping: nobody waits for the answer."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Simulator

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Nothing: what was asked for is in the counters, and what was said belongs in no log."""

    def _serve(self) -> None:
        path = self.path.partition("?")[0]
        try:
            body = self._read_body()
            if path == CONTROL:
                self._serve_control(body)
            elif endpoint := PATHS.get((self.command, path)):
                self._serve_call(endpoint, body)
            else:
                message = f"Invalid URL ({self.command} {path})"
                self._refuse(protocol.Refused(404, message))
        except Gone:
            self.close_connection = True

    def _read_body(self) -> bytes:
        try:
            size = int(self.headers.get("Content-Length", 0))
        except ValueError:
            size = 0
        if size > MAX_READ:
            self.close_connection = True
            return b""
        return self.rfile.read(size)

    # --- The API -----------------------------------------------------------------------------------------------

    def _serve_call(self, endpoint: str, body: bytes) -> None:
        self.server.plan.enter()
        try:
            self._answer_call(endpoint, body)
        except protocol.Refused as refusal:
            self._refuse(refusal)
        finally:
            self.server.plan.leave()

    def _answer_call(self, endpoint: str, body: bytes) -> None:
        form = multipart.parse(self.headers.get("Content-Type", ""), body) if endpoint == TRANSCRIPTIONS else None
        request = _json(body) if endpoint == CHAT else None
        said = _what_is_said(endpoint, form, request)
        fault = self.server.plan.next_fault(endpoint, said)
        self._wait(self.server.plan.latency)
        if fault is not None:
            self._befall(fault, endpoint, _model(form, request), said)
        key = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not key:
            raise protocol.no_key()
        answer = self._answer(endpoint, form, request, len(body), fault)
        self._send_answer(json.dumps(answer, ensure_ascii=False).encode(), fault, endpoint)

    def _answer(
        self, endpoint: str, form: multipart.Form | None, request: Any, size: int, fault: Fault | None
    ) -> dict[str, Any]:
        obedient = self.server.plan.obedient
        if endpoint == TRANSCRIPTIONS:
            checked, file, model = transcribing.check(form, size)
            return transcribing.answer(checked, file, model, fault=fault, obedient=obedient)
        if endpoint == CHAT:
            model = completing.check(request)
            number = next(self.server.request_ids)
            return completing.answer(request, model, number=number, fault=fault, obedient=obedient)
        return {"unexpected": True} if fault and fault.kind == "wrong_shape" else protocol.models()

    def _befall(self, fault: Fault, endpoint: str, model: str, said: str) -> None:
        """The faults that need no answer of ours, and those that are errors; the others return."""
        key = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if refusal := protocol.refused_by(fault, model=model, key=key, said=said):
            raise refusal
        if fault.kind == "content_filter" and endpoint == TRANSCRIPTIONS:
            raise protocol.filtered()
        if fault.kind == "latency":
            self._wait(fault.seconds)
        if fault.kind == "hang":
            self._wait(float("inf"))

    def _send_answer(self, answer: bytes, fault: Fault | None, endpoint: str) -> None:
        spoilt_body = endpoint == TRANSCRIPTIONS
        match fault.kind if fault else "":
            case "html":
                self._send(200, HTML, "text/html; charset=utf-8")
            case "bad_body":
                self._send(200, b'{"text": "' + answer[:200])
            case "truncated" if spoilt_body:
                self._send(200, answer[: len(answer) // 2])
            case "malformed" if spoilt_body:
                self._send(200, b'{"text": ' + answer)
            case "reset":
                self._head(200, len(answer))
                self.wfile.write(answer[: len(answer) // 2])
                self._hang_up_rudely()
            case "drip" if fault:
                self._drip(answer, fault.seconds)
            case _:
                self._send(200, answer)

    # --- On the wire -------------------------------------------------------------------------------------------

    def _refuse(self, refusal: protocol.Refused) -> None:
        more = {} if refusal.retry_after is None else {"Retry-After": refusal.retry_after}
        self._send(refusal.status, json.dumps(refusal.body).encode(), **more)

    def _send(self, status: int, body: bytes, kind: str = "application/json", **more: str) -> None:
        self._head(status, len(body), kind, **more)
        self.wfile.write(body)

    def _head(self, status: int, length: int, kind: str = "application/json", **more: str) -> None:
        self.send_response(status)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(length),
            "x-request-id": f"req_sim{next(self.server.request_ids):012d}",
            "openai-organization": "org-simulated",
            "openai-processing-ms": "1",
            **more,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, answer: bytes, seconds: float) -> None:
        """The whole answer, but a little at a time."""
        self._head(200, len(answer))
        size = max(1, len(answer) // DRIP_PIECES)
        for start in range(0, len(answer), size):
            self._wait(seconds / DRIP_PIECES)
            self.wfile.write(answer[start : start + size])

    def _hang_up_rudely(self) -> None:
        """Reset the connection instead of closing it."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise Gone

    def _wait(self, seconds: float) -> None:
        """Let this much time pass, unless the caller hangs up or the server stops first."""
        watch = select.poll()
        watch.register(self.connection, select.POLLIN)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.server.stopping.wait(min(left, LOOK_SECONDS)):
                raise Gone
            if watch.poll(0) and not self.connection.recv(1, socket.MSG_PEEK):
                raise Gone

    # --- Control -----------------------------------------------------------------------------------------------

    def _serve_control(self, body: bytes) -> None:
        plan = self.server.plan
        if self.command == "DELETE":
            plan.reset()
        if self.command == "POST":
            # A page in a browser cannot send this type to another address without asking first.
            if not self.headers.get("Content-Type", "").startswith("application/json"):
                return self._send(415, b'{"problem": "Send JSON as application/json."}')
            try:
                wishes = json.loads(body)
                plan.change(wishes)
            except (UnknownFault, ValueError, TypeError, KeyError, AttributeError) as error:
                problem = str(error) if isinstance(error, UnknownFault) else "This is not a plan that can be read."
                return self._send(400, json.dumps({"problem": problem}).encode())
        return self._send(200, json.dumps(plan.report()).encode())


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _what_is_said(endpoint: str, form: multipart.Form | None, request: Any) -> str:
    """What tells one note's call from another's: a fault that comes by rate is chosen by it."""
    if endpoint == TRANSCRIPTIONS and form is not None and (file := form.file("file")):
        return transcribing.said_in(file.content)
    if isinstance(request, dict) and isinstance(request.get("messages"), list):
        return completing.transcript_in(request)
    return ""


def _model(form: multipart.Form | None, request: Any) -> str:
    return str((form.text("model") if form else None) or (isinstance(request, dict) and request.get("model")) or "?")
