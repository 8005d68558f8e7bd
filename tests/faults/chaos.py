"""Two hundred notes on their way while everything that carries them is killed, and what is left of them at the end."""

import contextlib
import functools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from metrics.aggregation import aggregate_hourly_metrics
from metrics.limits import HOUR
from metrics.verification import find_differences
from tests.faults.feeding import feed
from tests.faults.fleet import Fleet, members_of, sentinel_of, until
from tests.faults.invariants import broken
from tests.faults.staff import Staff, hire
from voicepipeline.engine.limits import limits
from voicepipeline.engine.transactions import database_now

say = functools.partial(print, flush=True)

CLUSTERS = ("cluster one", "cluster two")
WATCHDOGS = ("watchdog one", "watchdog two")
KILLS, RESTARTS, FREEZES = 40, 5, 4
WEIGHTS = {"busy": 10, "idle": 8, "pusher": 6, "monitor": 5, "sentinel": 5, "cluster": 6}
GAP_SECONDS = (1.0, 3.5)
DOWN_SECONDS = (0.0, 4.0)
FIND_SECONDS = 20.0
# What is under way after the last blow: finding a wedged cluster, and the tries that are still to come.
DRAIN_SECONDS = 60.0
LONGEST_SECONDS = 330.0


@dataclass(frozen=True)
class Blow:
    """One thing that is done to the fleet, this long after the one before."""

    pause: float
    kind: str
    cluster: str = ""
    number: signal.Signals = signal.SIGKILL
    seconds: float = 0.0  # how long a database is down or a worker frozen
    choice: float = 0.0  # which of those there are


@dataclass
class Result:
    seed: int
    blows: Counter[str] = field(default_factory=Counter)
    notes: int = 0
    lost: list[int] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    reclaimed: int = 0
    discarded: int = 0
    wedged: int = 0
    jobs: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    settled_after: float = 0.0
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not self.lost and not self.violations


def plan(chance: random.Random) -> list[Blow]:
    """The same seed plans the same blows; what they hit depends on the moment."""
    kinds = list(WEIGHTS) + chance.choices(list(WEIGHTS), WEIGHTS.values(), k=KILLS - len(WEIGHTS))
    kinds += ["database"] * RESTARTS + ["freeze"] * FREEZES
    chance.shuffle(kinds)
    return [_blow(chance, kind) for kind in kinds]


def _blow(chance: random.Random, kind: str) -> Blow:
    stop = chance.choice([signal.SIGINT, signal.SIGQUIT])
    down = chance.uniform(*DOWN_SECONDS)
    frozen = limits().lease.total_seconds() * chance.uniform(1.5, 3)
    return Blow(
        pause=chance.uniform(*GAP_SECONDS),
        kind=kind,
        cluster=chance.choice(CLUSTERS),
        number=stop if kind == "database" else signal.SIGKILL,
        seconds=frozen if kind == "freeze" else down,
        choice=chance.random(),
    )


def scripts(chance: random.Random, count: int) -> list[dict[str, list[str]]]:
    """Most stages simply work, some slowly; the others fail in each of the ways that there are."""
    words = ["ok", "slow", "transient", "provider", "bug", "permanent", "bad_result"]
    weights = [40, 40, 8, 6, 4, 1, 1]

    def word() -> str:
        drawn = chance.choices(words, weights)[0]
        return f"slow:{chance.uniform(0.2, 2.5):.1f}" if drawn == "slow" else drawn

    return [{stage: [word() for _ in range(4)] for stage in settings.STAGE_CODE} for _ in range(count)]


def run(seed: int, var_dir: Path, notes: int) -> Result:
    """One run, from an empty database to the verdict."""
    say(f"Seed {seed}: {notes} notes, {KILLS} kills, {RESTARTS} restarts of PostgreSQL.")
    chance = random.Random(seed)
    result = Result(seed)
    began = time.monotonic()
    fleet = Fleet(var_dir, workers=settings.WORKERS, engine=settings.ENGINE)
    with fleet.up():
        for name in CLUSTERS:
            fleet.start(name, "qcluster")
        for name in WATCHDOGS:
            fleet.start(name, "pipeline_watchdog")
        blows = plan(chance)
        feeder = Feeder(scripts(chance, notes))
        striking = Striking(fleet, result)
        with retrying(seed, result):
            for number, blow in enumerate(blows, start=1):
                feeder.feed(number / len(blows))
                time.sleep(blow.pause)
                striking.strike(blow)
        last_blow = time.monotonic()
        _wait_for_the_end(fleet, result, began, last_blow)
        _judge(fleet, result, feeder)
        connection.close()
    result.seconds = time.monotonic() - began
    _tell(result, fleet)
    say(f"Seed {seed}: {'in order' if result.holds else 'NOT IN ORDER'} after {result.seconds:.0f} s.")
    return result


@contextlib.contextmanager
def retrying(seed: int, result: Result) -> Iterator[None]:
    """Somebody of the staff retries notes meanwhile."""
    staff = Staff(seed, hire())
    staff.start()
    try:
        yield
    finally:
        staff.stop()
        result.retries = staff.said
        result.violations += staff.trouble


class Feeder:
    """Notes arrive all the time, whatever has just happened."""

    def __init__(self, waiting: list[dict[str, list[str]]]) -> None:
        self.waiting = waiting
        self.fed: list[int] = []

    def feed(self, share: float) -> None:
        """So many that this share of all notes has arrived."""
        while self.waiting and len(self.fed) < share * (len(self.fed) + len(self.waiting)):
            self._feed(self.waiting.pop())

    def _feed(self, script: dict[str, list[str]]) -> None:
        """Until the note is safe in the database; that it is scheduled as well is then the watchdog's part."""

        def is_fed() -> bool:
            try:
                self.fed.append(feed(script))
            except (OperationalError, InterfaceError):
                connection.close()
                return False
            return True

        until(is_fed, "the database takes a note")


class Striking:
    """Carries a blow out. Whatever it needs, such as a busy worker, is waited for."""

    def __init__(self, fleet: Fleet, result: Result) -> None:
        self.fleet = fleet
        self.result = result

    def strike(self, blow: Blow) -> None:
        try:
            self._strike(blow)
        except AssertionError as nothing_there:
            self.result.violations.append(str(nothing_there))
            return
        self.fleet.note("chaos", blow.kind)
        self.result.blows[blow.kind] += 1

    def _strike(self, blow: Blow) -> None:
        match blow.kind:
            case "database":
                self._restart_database(blow)
            case "freeze":
                self._freeze(blow)
            case "cluster":
                os.killpg(until(lambda: self.fleet.pid(blow.cluster), blow.cluster), signal.SIGKILL)
            case _:
                self._victim(blow).kill()

    def _restart_database(self, blow: Blow) -> None:
        self.fleet.stop_database(blow.number)
        time.sleep(blow.seconds)
        self.fleet.start_database()
        self.result.violations += _violations(self.fleet)

    def _freeze(self, blow: Blow) -> None:
        """A worker that stands still for longer than its lease and then goes on as if nothing had been."""
        victim = self._victim(blow)
        victim.suspend()
        threading.Timer(blow.seconds, _resume, [victim]).start()

    def _victim(self, blow: Blow) -> psutil.Process:
        """One of this kind, in the cluster of the plan if it has one, else in the other."""
        order = (blow.cluster, *(name for name in CLUSTERS if name != blow.cluster))
        return until(lambda: next(self._found(blow, order), None), f"a process to kill: {blow.kind}", FIND_SECONDS)

    def _found(self, blow: Blow, order: tuple[str, ...]) -> Iterator[psutil.Process]:
        kind = "busy" if blow.kind == "freeze" else blow.kind
        for name in order:
            parent = self.fleet.pid(name)
            if parent is None:
                continue
            sentinel = sentinel_of(parent)
            found = ([sentinel] if sentinel else []) if kind == "sentinel" else members_of(parent)[kind]
            if found:
                yield found[int(blow.choice * len(found))]


def _resume(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()


# --- The verdict -----------------------------------------------------------------------------------------------

UNFINISHED = "SELECT count(*) FROM voicepipeline_artifact WHERE status NOT IN ('completed', 'failed')"
ENDS = "SELECT coalesce(nullif(error_code, ''), status), count(*) FROM voicepipeline_artifact GROUP BY 1"
EVENTS = "SELECT count(*) FROM voicepipeline_pipelineevent WHERE event_type = %s"
WEDGED = "SELECT count(*) FROM voicepipeline_clusterbeat WHERE ended_at IS NOT NULL"
# What the scheduled jobs of the metrics came to while workers and databases went; the next one makes up for each.
JOBS = """
    SELECT CASE WHEN succeeded THEN 'done' WHEN finished_at IS NULL THEN 'died' ELSE 'failed' END, count(*)
    FROM metrics_jobrun GROUP BY 1
"""
LEFT = """
    SELECT id, artifact_id, stage, status, crash_no, ring_count, rung_at, clock_timestamp()
    FROM voicepipeline_stagerun WHERE status IN ('queued', 'running')
"""


def _wait_for_the_end(fleet: Fleet, result: Result, began: float, last_blow: float) -> None:
    while fleet.count(UNFINISHED) and time.monotonic() - began < LONGEST_SECONDS:
        time.sleep(0.2)
    result.settled_after = time.monotonic() - last_blow
    allowed = 2 * limits().lease.total_seconds() + DRAIN_SECONDS
    if result.settled_after > allowed:
        result.violations.append(f"settled {result.settled_after:.0f} s after the last blow, allowed {allowed:.0f} s")


def _violations(fleet: Fleet) -> list[str]:
    """What the checker finds in one snapshot of all rows, however busy the fleet is at this moment."""
    with fleet.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        return [str(violation) for violation in broken(cursor)]


def _judge(fleet: Fleet, result: Result, feeder: Feeder) -> None:
    states = dict(fleet.query("SELECT id, coalesce(nullif(error_code, ''), status) FROM voicepipeline_artifact"))
    result.notes = len(states)
    result.ends = Counter(states.values())
    known_ends = {"completed", "worker_died", "unreadable_audio", "result_not_storable"}
    result.lost = [pk for pk in states.keys() | set(feeder.fed) if states.get(pk) not in known_ends]
    result.reclaimed = fleet.count(EVENTS, "stage_run_reclaimed")
    result.discarded = fleet.count(EVENTS, "stage_result_discarded")
    result.wedged = fleet.count(WEDGED)
    result.jobs = Counter(dict(fleet.query(JOBS)))
    _count_history()
    result.violations += [str(difference) for difference in find_differences()]
    result.violations += _violations(fleet)
    for row in fleet.query(LEFT):
        result.violations.append(f"still active: {row}")


def _count_history() -> None:
    """The hours of the run once more, so that all of it can be compared with the events."""
    this_hour = database_now().replace(minute=0, second=0, microsecond=0)
    for hour in (this_hour - HOUR, this_hour):
        aggregate_hourly_metrics(hour)


def _tell(result: Result, fleet: Fleet) -> None:
    for violation in result.violations:
        say(f"  VIOLATION {violation}")
    if not result.holds:
        log = fleet.var_dir.parent / f"chaos-seed-{result.seed}.log"
        log.write_text("\n".join(fleet.lines))
        say(f"  The last lines of every process: {log}")


def show(results: list[Result]) -> None:
    kinds = [*WEIGHTS, "database", "freeze"]
    head = ["seed", *kinds, "notes", "reclaimed", "discarded", "wedged", "lost", "violations", "settled s", "seconds"]
    say(" | ".join(head))
    for result in results:
        figures = [result.notes, result.reclaimed, result.discarded, result.wedged, len(result.lost)]
        times = [f"{result.settled_after:.1f}", f"{result.seconds:.0f}"]
        row = [result.seed, *(result.blows[kind] for kind in kinds), *figures, len(result.violations), *times]
        say(" | ".join(f"{value!s:>{len(name)}}" for value, name in zip(row, head, strict=True)))
        say(f"       ends: {_in_words(result.ends)}; jobs of the metrics: {_in_words(result.jobs)}")
        say(f"       what staff were told when they retried: {_in_words(result.retries)}")


def _in_words(counted: Counter[str]) -> str:
    return ", ".join(f"{what} {count}" for what, count in counted.most_common()) or "none"
