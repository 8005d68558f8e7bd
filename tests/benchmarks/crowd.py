"""Fifty people with the overview open, on the web server as `manage.py up` starts it: what a poll takes, and what an
ordinary page takes meanwhile, while others write."""

import contextlib
import http.client
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice

import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.benchmarks.overview import load_installation, writing
from tests.benchmarks.surroundings import CHECKOUT, VAR_DIR, Table
from tests.factories import make_user
from tests.overview.polling import digests, told
from tests.supervisor.upping import free_port, until
from voicepipeline import roles
from voicepipeline.models import Artifact
from voicepipeline.supervisor.children import Options, services

PEOPLE = 50
# Polls are shared only among those with the same rights.
ROLES = (roles.VIEWER, roles.OPERATOR, roles.ADMINISTRATOR)
POLL_SECONDS = 3
# As sections.js rests after a slow answer.
REST = 4
CROWD_SECONDS, OTHER_SECONDS = 60, 20
PAGE_PAUSE_SECONDS = 0.1
TARGET_MS = 300
START_SECONDS = PATIENCE_SECONDS = 60


def measure(table: Table) -> None:
    load_installation(table)
    show_crowd(table)


def show_crowd(table: Table) -> None:
    table.heading(
        f"{PEOPLE} open overviews, each asking every {POLL_SECONDS} s, on {settings.WEB_WORKERS} web processes of "
        f"{settings.WEB_THREADS} threads; p50 / p95 (target of a poll: p95 < {TARGET_MS} ms)"
    )
    with web_server() as (process, port):
        with writing():
            alone = watch(port, process, people=0, seconds=OTHER_SECONDS)
            crowded = watch(port, process, people=PEOPLE, seconds=CROWD_SECONDS)
        quiet = watch(port, process, people=PEOPLE, seconds=OTHER_SECONDS)
    table.row("ordinary pages, nobody else there", alone.pages.words, "1.00")
    ratio = crowded.pages.p95 / alone.pages.p95
    table.row("ordinary pages beside them", crowded.pages.words, f"{ratio:.2f}")
    for name, seen in (("while others write", crowded), ("while nothing happens", quiet)):
        table.row(f"a poll {name}", seen.polls.words)
        table.row(f"polls a second {name}", f"{seen.polls.number / seen.seconds:.1f}", f"{seen.unchanged:.0%} are 204")
        table.row(f"work of the web processes {name}", f"{seen.cores:.2f} cores")
    problems = [*alone.problems, *crowded.problems, *quiet.problems]
    assert not problems, f"{len(problems)} requests failed, the first: {problems[0]}"


# --- The web server -------------------------------------------------------------------------------------------------
@contextlib.contextmanager
def web_server() -> Iterator[tuple[psutil.Process, int]]:
    """As `manage.py up` runs it, with the static files that it has collected."""
    call_command("collectstatic", interactive=False, verbosity=0)
    port = free_port()
    options = Options(
        demo=False,
        folder=CHECKOUT,
        var_dir=VAR_DIR,
        host="127.0.0.1",
        port=port,
        site_url=f"http://localhost:{port}",
        workers=settings.WORKERS,
        text_logs=False,
        simulated=False,
    )
    web = next(child for child in services(options) if child.name == "web")
    with (VAR_DIR / "web.log").open("wb") as lines:
        process = subprocess.Popen(web.command, stdout=lines, stderr=lines, **web.popen_options)
        try:
            until(lambda: answers(port), "the web server answers", START_SECONDS)
            yield psutil.Process(process.pid), port
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        return Visitor(port).get("/healthz")[0] == http.client.OK
    return False


def work_of(process: psutil.Process) -> float:
    """Seconds of a core, so far."""
    processes = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in processes)


# --- Those who look -------------------------------------------------------------------------------------------------
class Visitor:
    """A browser's side of HTTP: it keeps its connection, and opens another when the server has closed that."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self.headers = {"Cookie": cookie}

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        try:
            return self._get(path, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.connection.close()
            return self._get(path, headers)

    def _get(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        self.connection.request("GET", path, headers={**self.headers, **headers})
        response = self.connection.getresponse()
        return response.status, response.read()


def signed_in(port: int, role: str) -> Visitor:
    client = Client()
    client.force_login(make_user(role))
    name = settings.SESSION_COOKIE_NAME
    return Visitor(port, f"{name}={client.cookies[name].value}")


@dataclass
class Times:
    values: list[float] = field(default_factory=list)  # in ms

    def take(self, get: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        began = time.perf_counter()
        answer = get()
        self.values.append((time.perf_counter() - began) * 1000)
        return answer

    @property
    def number(self) -> int:
        return len(self.values)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.values, n=20)[18]

    @property
    def words(self) -> str:
        return f"{statistics.median(self.values):.0f} / {self.p95:.0f} ms"


@dataclass
class Seen:
    """What was seen by everybody in some seconds."""

    seconds: int
    pages: Times = field(default_factory=Times)
    polls: Times = field(default_factory=Times)
    statuses: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    cores: float = 0

    @property
    def unchanged(self) -> float:
        return self.statuses.count(http.client.NO_CONTENT) / len(self.statuses)


def watch(port: int, process: psutil.Process, *, people: int, seconds: int) -> Seen:
    """All of them open the overview one after the other within a pause, then time begins to count."""
    seen, ready, over = Seen(seconds), threading.Event(), threading.Event()
    crowd = [signed_in(port, role) for role in islice(cycle(ROLES), people)]
    looks = [_guarded(seen, _keep_open, visitor, seen, ready, over) for visitor in crowd]
    threads = [threading.Thread(target=look) for look in looks]
    threads.append(threading.Thread(target=_guarded(seen, _work, signed_in(port, roles.OPERATOR), seen, ready, over)))
    for thread in threads:
        thread.start()
        over.wait(POLL_SECONDS / len(threads))
    ready.set()
    before = work_of(process)
    over.wait(seconds)
    seen.cores = (work_of(process) - before) / seconds
    over.set()
    for thread in threads:
        thread.join()
    return seen


def _guarded(seen: Seen, look: Callable[..., None], *arguments: object) -> Callable[[], None]:
    def run() -> None:
        try:
            look(*arguments)
        except Exception as problem:
            seen.problems.append(repr(problem))
        finally:
            connection.close()

    return run


def _keep_open(visitor: Visitor, seen: Seen, ready: threading.Event, over: threading.Event) -> None:
    """An overview that nobody closes; as its script does, it asks again some time after each answer."""
    status, page = visitor.get(reverse("admin:index"))
    shown = digests(page.decode())
    assert shown, f"the overview answered {status}"
    address, pause = reverse("admin:overview_live"), float(POLL_SECONDS)
    while not over.wait(pause):
        times = seen.polls if ready.is_set() else Times()
        header = told(shown)
        status, answer = times.take(lambda header=header: visitor.get(address, **header))
        if ready.is_set():
            seen.statuses.append(status)
        if status not in (http.client.OK, http.client.NO_CONTENT):
            seen.problems.append(f"a poll answered {status}")
        shown |= digests(answer.decode())
        pause = max(POLL_SECONDS, REST * times.values[-1] / 1000)


def _work(visitor: Visitor, seen: Seen, ready: threading.Event, over: threading.Event) -> None:
    """Somebody who opens one ordinary page after the other."""
    note = Artifact.objects.order_by("-id").first()
    assert note is not None
    addresses = [
        reverse("admin:voicepipeline_artifact_changelist"),
        reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id]),
        reverse("admin:retry_failuregroup_changelist"),
    ]
    ready.wait()
    while not over.is_set():
        for address in addresses:
            status, _ = seen.pages.take(lambda address=address: visitor.get(address))
            if status != http.client.OK:
                seen.problems.append(f"{address} answered {status}")
            over.wait(PAGE_PAUSE_SECONDS)
