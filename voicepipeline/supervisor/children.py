"""The table of what `up` runs: which command, in which environment, stopped by which signal."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voicepipeline.supervisor.embedded import EmbeddedPostgres

SIMULATOR_HOST = "127.0.0.1"
SIMULATOR_OFFSET = 741
# In a demo notes are to be seen moving.
DEMO_LATENCY_SECONDS = 1
LAST_PORT = 65_535


@dataclass(frozen=True)
class Options:
    """What `up` was asked for, with the settings that its children's commands need."""

    demo: bool
    folder: Path
    var_dir: Path
    host: str
    port: int
    site_url: str
    workers: int
    text_logs: bool
    simulated: bool  # without a key the AI provider is played by a child of ours

    @property
    def bind(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def simulator_port(self) -> int:
        """Tied to the port of the pages, so that installations beside each other keep apart: 8741 beside 8000."""
        port = self.port + SIMULATOR_OFFSET
        return port if port <= LAST_PORT else self.port - SIMULATOR_OFFSET


@dataclass(frozen=True)
class Child:
    name: str
    command: list[str]
    popen_options: Mapping[str, Any]
    stop_signal: signal.Signals = signal.SIGTERM
    once: bool = False  # ends by itself; what follows waits for it
    before_start: Callable[[], None] = field(default=lambda: None)
    after_end: Callable[[], None] = field(default=lambda: None)


def database(postgres: EmbeddedPostgres) -> Child:
    """Prepared anew before every start, so that what a killed postmaster left behind is ended first."""
    return Child(
        "postgres",
        postgres.command(),
        postgres.popen_options(),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, keeps everything committed
        before_start=postgres.prepare,
        after_end=postgres.end_survivors,
    )


def set_up(options: Options) -> Child:
    return replace(_manage("set up", options, "set_up", *(["--demo"] if options.demo else [])), once=True)


def services(options: Options) -> list[Child]:
    """Everything that runs as long as `up` does, in the order of starting."""
    return [
        *([_simulator(options)] if options.simulated else []),
        _python(
            "web",
            options,
            *("-m", "gunicorn", "voicepipeline.wsgi:application"),
            *("--config", "python:voicepipeline.supervisor.web", "--bind", options.bind),
        ),
        _manage("workers", options, "qcluster"),
        _manage("watchdog", options, "pipeline_watchdog"),
    ]


def latecomers(options: Options) -> list[Child]:
    """What begins when the pages answer, so that nobody waits for it."""
    return [_manage("demo", options, "demo_traffic", "--stay")] if options.demo else []


def _simulator(options: Options) -> Child:
    address = ("--host", SIMULATOR_HOST, "--port", str(options.simulator_port))
    slowly = ("--latency", str(DEMO_LATENCY_SECONDS)) if options.demo else ()
    return _manage("simulator", options, "simulate_provider", *address, *slowly)


def _manage(name: str, options: Options, *arguments: str) -> Child:
    return _python(name, options, str(options.folder / "manage.py"), *arguments)


def _python(name: str, options: Options, *arguments: str) -> Child:
    popen_options = {"cwd": options.folder, "env": _environment(options), "start_new_session": True}
    return Child(name, [sys.executable, *arguments], popen_options)


def _environment(options: Options) -> dict[str, str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "voicepipeline.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "VAR_DIR": str(options.var_dir),
        "SITE_URL": options.site_url,
        "WORKERS": str(options.workers),
    }
    if options.simulated:
        environment["OPENAI_BASE_URL"] = f"http://{SIMULATOR_HOST}:{options.simulator_port}/v1"
    if options.text_logs:
        environment["LOG_FORMAT"] = "text"
    return environment
