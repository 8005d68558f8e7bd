"""The web server as `manage.py up` runs it, on the database of the test run."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from django.db import connection

from tests.api.helpers import over_http
from tests.environment import CHECKOUT
from tests.supervisor.upping import LEFT_OUT, free_port, until

START_SECONDS = 60


@dataclass(frozen=True)
class Served:
    port: int
    media: Path
    lines: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def database_url() -> str:
    at = connection.settings_dict
    user = ":".join(quote(str(at[part]), safe="") for part in ("USER", "PASSWORD") if at[part])
    where = urlencode({name: at[name.upper()] for name in ("host", "port") if at[name.upper()]})
    return f"postgresql://{user}@/{at['NAME']}?{where}"


@contextlib.contextmanager
def gunicorn(folder: Path, **more: str) -> Iterator[Served]:
    served = Served(free_port(), folder / "media", folder / "lines")
    (folder / "static").mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in LEFT_OUT},
        "DATABASE_URL": database_url(),
        "SECRET_KEY": "for-tests-alone-" * 4,
        "VAR_DIR": str(folder),
        "ENV_FILE": os.devnull,
        "WEB_WORKERS": "1",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        **more,
    }
    command = [sys.executable, "-m", "gunicorn", "voicepipeline.wsgi:application"]
    options = ["--config", "python:voicepipeline.supervisor.web", "--bind", f"127.0.0.1:{served.port}"]
    with served.lines.open("wb") as lines:
        process = subprocess.Popen([*command, *options], cwd=CHECKOUT, env=environment, stderr=lines, stdout=lines)
        try:
            until(lambda: _answers(served, process), "the web server answers", START_SECONDS)
            yield served
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


def _answers(served: Served, process: "subprocess.Popen[bytes]") -> bool:
    assert process.poll() is None, served.lines.read_text()
    with contextlib.suppress(OSError):
        return over_http(served.url, "GET", "/healthz")[0] == 200
    return False
