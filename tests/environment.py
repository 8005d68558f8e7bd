"""The surroundings of a test run, made before Django reads its settings: loaded by `-p tests.environment`.

One throw-away PostgreSQL for the whole run, or the server that TEST_DATABASE_URL names.
"""

import contextlib
import os
import shutil
from pathlib import Path

import hypothesis
import psutil
import pytest

from tests.postgres import UNSAFE_BUT_QUICK, running
from voicepipeline.supervisor.embedded import EmbeddedPostgres, EmbeddedPostgresError

CHECKOUT = Path(__file__).resolve().parent.parent
RUNS = CHECKOUT / "var" / "tests"
THE_PERSONS_OWN = ("DEBUG", "SITE_URL", "ALLOWED_HOSTS", "ADMIN_PATH", "WORKERS")
# What a person may have set for their own installation.
ALTERING = ("DEBUG", "SITE_URL", "ALLOWED_HOSTS", "ADMIN_PATH", "WORKERS")


def _settle_environment() -> None:
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "AI_")) or name in ALTERING:
            del os.environ[name]
    os.environ["ENV_FILE"] = os.devnull
    os.environ["VAR_DIR"] = str(RUNS / str(os.getpid()))
    # Playwright runs an event loop in the thread that also uses the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    os.environ.pop("DATABASE_URL", None)
    if "TEST_DATABASE_URL" in os.environ:
        os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
        os.environ["SECRET_KEY"] = "for-tests-alone-" * 4


_settle_environment()

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile(
    "project", deadline=None, database=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("project")


def remove(postgres: EmbeddedPostgres, var_dir: Path) -> None:
    shutil.rmtree(postgres.home, ignore_errors=True)
    shutil.rmtree(var_dir, ignore_errors=True)


def _remove_killed_runs() -> None:
    for var_dir in RUNS.glob("[0-9]*"):
        if not psutil.pid_exists(int(var_dir.name)):
            bury(var_dir)


def bury(var_dir: Path) -> None:
    """End what a killed run left working, and remove what it left lying."""
    with contextlib.ExitStack() as held:
        try:
            postgres = EmbeddedPostgres.for_var_dir(var_dir)
            held.enter_context(postgres.lock())
        except (EmbeddedPostgresError, OSError):
            return  # another run, which begins at the same time, does it
        postgres.end_survivors()
        remove(postgres, var_dir)


_stack = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if "TEST_DATABASE_URL" in os.environ or config.option.collectonly:
        return
    # Of a run in several processes the first one tidies up and hands out the tests; each of the others has a server.
    if not hasattr(config, "workerinput"):
        _remove_killed_runs()
        if getattr(config.option, "numprocesses", None):
            return
    var_dir = Path(os.environ["VAR_DIR"])
    postgres = EmbeddedPostgres.for_var_dir(var_dir)
    _stack.callback(remove, postgres, var_dir)
    _stack.enter_context(running(postgres, **UNSAFE_BUT_QUICK))


def pytest_unconfigure(config: pytest.Config) -> None:
    _stack.close()
