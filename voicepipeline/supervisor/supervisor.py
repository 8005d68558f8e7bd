"""The loop behind `manage.py up`: starts the children in order, restarts the dead, ends them all."""

import contextlib
import functools
import http
import http.client
import signal
import time
from types import FrameType
from urllib.parse import urlsplit

from voicepipeline.refusals import NOTE, REFUSAL, GaveUpError, StartError
from voicepipeline.supervisor import children, preflight, processes
from voicepipeline.supervisor.children import Child, Options
from voicepipeline.supervisor.embedded import EmbeddedPostgres
from voicepipeline.supervisor.output import Output
from voicepipeline.supervisor.processes import Register
from voicepipeline.supervisor.running import DEATHS_ALLOWED, Running, in_words

TICK_SECONDS = 0.1
GRACE_SECONDS = 15.0
LEFTOVER_GRACE_SECONDS = 3.0
ANSWER_SECONDS = 2.0
SUCCESS = in_words(0)


class Supervisor:
    def __init__(self, options: Options, postgres: EmbeddedPostgres | None, output: Output) -> None:
        self.options = options
        self.postgres = postgres
        self.output = output
        self.register = Register(options.var_dir / "children.json")
        self.stop_requested = ""
        self._running: list[Running] = []
        self._notes: list[str] = []

    def run(self) -> None:
        """Run until asked to stop; raises when it cannot start or cannot go on. Nothing of ours is left behind."""
        self._listen_to_signals()
        with contextlib.ExitStack() as held:
            held.enter_context(preflight.only_one(self.options.var_dir))
            self._end_leftovers()
            preflight.check_port_is_free(self.options.host, self.options.port)
            if self.options.simulated:
                preflight.check_simulator_port(children.SIMULATOR_HOST, self.options.simulator_port)
            if self.postgres:
                held.enter_context(self.postgres.lock())
            try:
                self._start_everything()
                self._watch()
            finally:
                self._stop_everything()

    def _listen_to_signals(self) -> None:
        """From here on a signal is only noted: a second Ctrl-C cannot interrupt the clean-up after the first."""
        for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if wanted != signal.SIGHUP or signal.getsignal(wanted) != signal.SIG_IGN:  # nohup means it
                signal.signal(wanted, self._note_signal)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop_requested = self.stop_requested or signal.Signals(number).name

    def _end_leftovers(self) -> None:
        found = self.register.read()
        databases = [known for known in found if known.stop_signal == signal.SIGINT]
        others = [known for known in found if known not in databases]
        ended = [
            name
            for wave in (others, databases)  # the database last, as in an orderly stop
            for name in processes.end_leftovers(wave, grace_seconds=LEFTOVER_GRACE_SECONDS)
        ]
        if ended:
            self.output.say(f"Ended what an earlier run left behind: {', '.join(ended)}.")
        self.register.write([])

    def _start_everything(self) -> None:
        if self.postgres:
            self.output.say(f"Starting the embedded PostgreSQL in {self.postgres.home}.")
            self._start(children.database(self.postgres))
        self._run_set_up()
        for child in children.services(self.options):
            if not self.stop_requested:
                self._start(child)

    def _run_set_up(self) -> None:
        set_up = self._start(children.set_up(self.options))
        while set_up in self._running and not self.stop_requested:
            self._look_after_children()
            time.sleep(TICK_SECONDS)

    def _watch(self) -> None:
        announced = False
        while not self.stop_requested:
            self._look_after_children()
            if not announced and self._everything_answers():
                self._announce()
                announced = True
                for child in children.latecomers(self.options):
                    self._start(child)
            time.sleep(TICK_SECONDS)

    # --- Children ----------------------------------------------------------------------------------------------

    def _start(self, child: Child) -> Running:
        running = Running(child, functools.partial(self._pass_on, child))
        self._running.append(running)
        running.start()
        self._record()
        return running

    def _look_after_children(self) -> None:
        for running in list(self._running):
            if running.has_died():
                self._after_death(running)
            elif running.known is None and time.monotonic() >= running.start_at:
                running.start()
                self._record()

    def _after_death(self, running: Running) -> None:
        reason = in_words(running.bury())
        running.child.after_end()
        self._record()
        name = running.child.name
        if running.child.once:
            self._running.remove(running)
            if reason != SUCCESS:
                raise StartError(_why(running, f"{name} failed ({reason})"))
        elif running.count_death():
            delay = running.start_at - time.monotonic()
            self.output.say(f"{name} ended ({reason}). Starting it again in {delay:.1f} s.")
        else:
            raise GaveUpError(_why(running, f"{name} ended {DEATHS_ALLOWED} times within a minute, last with {reason}"))

    def _record(self) -> None:
        self.register.write([running.known for running in self._running if running.known])

    def _stop_everything(self) -> None:
        if self.stop_requested:
            self.output.say(f"Stopping ({self.stop_requested}).")
        if self._notes:
            self.output.block(self._notes)
        databases = [running for running in self._running if running.child.stop_signal == signal.SIGINT]
        others = [running for running in self._running if running not in databases]
        for wave in (others, databases):
            living = {running.known: running for running in wave if running.known}
            processes.end(list(living), grace_seconds=GRACE_SECONDS, reap=lambda known: living[known].bury())  # noqa: B023
            for running in wave:
                running.child.after_end()
        self._running.clear()
        self._record()
        if self.stop_requested:
            self.output.say("Stopped.")

    # --- Words -------------------------------------------------------------------------------------------------

    def _pass_on(self, child: Child, line: str) -> None:
        if child.once and line.startswith(NOTE):
            self._notes.append(line.removeprefix(NOTE))
        elif not (child.once and line.startswith(REFUSAL)):  # `up` itself says that, as its last words
            self.output.line(child.name, line)

    def _announce(self) -> None:
        self.output.block(
            [f"Voice pipeline is ready:  {self.options.site_url}/", "", *self._notes, "", "Ctrl-C stops everything."]
        )
        self._notes.clear()

    def _everything_answers(self) -> bool:
        return all(running.is_settled() for running in self._running) and self._web_answers()

    def _web_answers(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.host, self.options.host)  # noqa: S104
        connection = http.client.HTTPConnection(host, self.options.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/healthz", headers={"Host": urlsplit(self.options.site_url).netloc})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _why(running: Running, what: str) -> str:
    last = running.last_line
    if last.startswith(REFUSAL):
        return last.removeprefix(REFUSAL)
    return f"{what}. Its last line: {last}" if last else f"{what}, without a word."
