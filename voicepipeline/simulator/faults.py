"""The ways in which the simulated provider can fail, and the plan that says which call fails how."""

import hashlib
import threading
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import Any

TRANSCRIPTIONS, CHAT, MODELS = "transcriptions", "chat", "models"
ENDPOINTS = (TRANSCRIPTIONS, CHAT, MODELS)
EVERYWHERE = frozenset(ENDPOINTS)
WITH_OUTPUT = frozenset({TRANSCRIPTIONS, CHAT})

# Every kind of fault, and the calls that it can befall.
KINDS: dict[str, frozenset[str]] = {
    # An HTTP error, as `status:503`, or with "status", "code" and "retry_after".
    "status": EVERYWHERE,
    # Ready-made errors.
    "rate_limited": EVERYWHERE,
    "no_credit": EVERYWHERE,
    "bad_key": EVERYWHERE,
    "forbidden": EVERYWHERE,
    "model_gone": WITH_OUTPUT,
    "too_large": WITH_OUTPUT,
    "unsupported_audio": frozenset({TRANSCRIPTIONS}),
    "context_length": WITH_OUTPUT,
    "bad_request": WITH_OUTPUT,
    # What happens on the wire; `latency:2` and `drip:2` say how many seconds.
    "latency": EVERYWHERE,
    "hang": EVERYWHERE,
    "drip": EVERYWHERE,
    "reset": EVERYWHERE,
    "html": EVERYWHERE,
    "bad_body": EVERYWHERE,
    "wrong_shape": EVERYWHERE,
    # What the model itself does. A transcription has no JSON of its own, so there the first three spoil the body.
    "truncated": WITH_OUTPUT,
    "malformed": WITH_OUTPUT,
    "schema": WITH_OUTPUT,
    "empty": WITH_OUTPUT,
    "refusal": frozenset({CHAT}),
    "content_filter": WITH_OUTPUT,
    "invented_name": WITH_OUTPUT,
    "text_on_silence": WITH_OUTPUT,
    "obedient": WITH_OUTPUT,
}
NUMBERED = {"status": "status", "latency": "seconds", "drip": "seconds"}
# What `--fault-rate 0.1` spreads its share over: what a real week brings.
USUAL = ("status:503", "rate_limited", "latency:5", "reset", "refusal", "malformed", "invented_name", "text_on_silence")


class UnknownFault(ValueError):
    """The message says which one, and what there is instead."""


@dataclass(frozen=True)
class Fault:
    kind: str
    status: int = 500
    code: str | None = None
    retry_after: str | None = None
    seconds: float = 1.0


def read_fault(given: str | dict[str, Any]) -> Fault:
    """A fault as people write it: `refusal`, `status:503`, or an object with more to say."""
    if isinstance(given, str):
        kind, _, number = given.partition(":")
        given = {"kind": kind, NUMBERED.get(kind, "kind"): float(number)} if number else {"kind": kind}
    kind = str(given.get("kind"))
    if kind not in KINDS or given.keys() - Fault.__dataclass_fields__.keys():
        raise UnknownFault(f"There is no fault {given}. The kinds are: {', '.join(KINDS)}.")
    retry_after = given.get("retry_after")
    fault = Fault(**{**given, "retry_after": None if retry_after is None else str(retry_after)})
    return replace(fault, status=int(fault.status), seconds=float(fault.seconds))


def check_endpoint(name: str, fault: Fault) -> None:
    if name not in ENDPOINTS:
        raise UnknownFault(f"There is no endpoint {name}. The endpoints are: {', '.join(ENDPOINTS)}.")
    if name not in KINDS[fault.kind]:
        raise UnknownFault(f"{fault.kind} cannot befall a call to {name}.")


@dataclass
class Outage:
    starts: float
    ends: float
    fault: Fault

    def is_on(self, now: float) -> bool:
        return self.starts <= now < self.ends


@dataclass
class Plan:
    """What is to go wrong, and how often what was called. Safe for many threads."""

    seed: int = 0
    latency: float = 0.0
    rates: dict[str, list[tuple[Fault, float]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._first = (self.seed, self.latency, {name: list(rates) for name, rates in self.rates.items()})
        self.reset()

    def reset(self) -> None:
        """Back to how it was started, with counters at zero."""
        with self._lock:
            self.seed, self.latency = self._first[:2]
            self.rates = defaultdict(list, {name: list(rates) for name, rates in self._first[2].items()})
            self.obedient = False
            self._outage: Outage | None = None
            self._queues: dict[str, deque[Fault]] = defaultdict(deque)
            self._calls: Counter[str] = Counter()
            self._faults: Counter[tuple[str, str]] = Counter()
            self._seen: Counter[str] = Counter()
            self._at_once = self._most_at_once = 0

    def change(self, wishes: dict[str, Any]) -> None:
        """Do what a control request says; raises UnknownFault before anything is changed."""
        queues = {name: [read_fault(fault) for fault in faults] for name, faults in wishes.get("queue", {}).items()}
        rates = {name: _read_rates(given) for name, given in wishes.get("rates", {}).items()}
        for name, faults in [*queues.items(), *((name, [pair[0] for pair in pairs]) for name, pairs in rates.items())]:
            for fault in faults:
                check_endpoint(name, fault)
        outage = _read_outage(wishes["outage"]) if wishes.get("outage") else None
        with self._lock:
            for name, faults in queues.items():
                self._queues[name].extend(faults)
            self.rates.update(rates)
            self.seed = int(wishes.get("seed", self.seed))
            self.latency = float(wishes.get("latency", self.latency))
            self.obedient = bool(wishes.get("obedient", self.obedient))
            if "outage" in wishes:
                self._outage = outage

    def next_fault(self, endpoint: str, content: str) -> Fault | None:
        """How this call fails: an outage first, then the queue, then by rate."""
        with self._lock:
            self._calls[endpoint] += 1
            fault = self._choose(endpoint, content)
            if fault is not None:
                self._faults[endpoint, fault.kind] += 1
            return fault

    def _choose(self, endpoint: str, content: str) -> Fault | None:
        if self._outage is not None and self._outage.is_on(time.monotonic()):
            return self._outage.fault
        if self._queues[endpoint]:
            return self._queues[endpoint].popleft()
        # Chosen by what is asked and how often it was, not by the order of arrival: the same with 1 worker or 32.
        key = hashlib.sha256(f"{endpoint}/{content}".encode()).hexdigest()[:16]
        self._seen[key] += 1
        digest = hashlib.sha256(f"{self.seed}/{key}/{self._seen[key]}".encode()).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        for fault, rate in self.rates[endpoint]:
            if share < rate:
                return fault
            share -= rate
        return None

    def enter(self) -> None:
        with self._lock:
            self._at_once += 1
            self._most_at_once = max(self._most_at_once, self._at_once)

    def leave(self) -> None:
        with self._lock:
            self._at_once -= 1

    def report(self) -> dict[str, Any]:
        with self._lock:
            faults: dict[str, dict[str, int]] = {name: {} for name in ENDPOINTS}
            for (name, kind), count in self._faults.items():
                faults[name][kind] = count
            return {
                "calls": {name: self._calls[name] for name in ENDPOINTS},
                "faults": faults,
                "queued": {name: len(self._queues[name]) for name in ENDPOINTS},
                "outage": self._outage is not None and self._outage.is_on(time.monotonic()),
                "at_once": self._at_once,
                "most_at_once": self._most_at_once,
                "latency": self.latency,
                "obedient": self.obedient,
                "seed": self.seed,
            }


def _read_rates(given: dict[str, Any]) -> list[tuple[Fault, float]]:
    return [(read_fault(kind), float(rate)) for kind, rate in given.items()]


def _read_outage(given: dict[str, Any]) -> Outage:
    """`{"from": 0, "for": 60, "fault": "status:503"}`, seconds from now."""
    fault = read_fault(given.get("fault", "status:503"))
    for name in ENDPOINTS:
        check_endpoint(name, fault)
    starts = time.monotonic() + float(given.get("from", 0))
    return Outage(starts, starts + float(given["for"]), fault)


def rates_for(rates: list[tuple[str, float]]) -> dict[str, list[tuple[Fault, float]]]:
    """These rates at every endpoint that they can befall."""
    read = [(read_fault(kind), rate) for kind, rate in rates]
    return {name: [(fault, rate) for fault, rate in read if name in KINDS[fault.kind]] for name in WITH_OUTPUT}
