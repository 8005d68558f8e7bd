"""A server and settings for measuring: what a production start would have, in a folder of its own."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import running
from voicepipeline.supervisor.embedded import EmbeddedPostgres

CHECKOUT = Path(__file__).resolve().parent.parent.parent
VAR_DIR = CHECKOUT / "var" / "bench"
STAGE_CODE = (
    '{"transcription": "tests.stages.transcription", "claims_extraction": "tests.stages.claims",'
    ' "entity_resolution": "tests.stages.resolution", "draft_generation": "tests.stages.drafts"}'
)


@contextlib.contextmanager
def measuring_database() -> Iterator[None]:
    """A fresh database with every migration, Django set up on it, and nothing left behind."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "voicepipeline.settings",
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(VAR_DIR),
        "STAGE_CODE": STAGE_CODE,
        "LOG_LEVEL": "ERROR",
    }
    os.environ.pop("DATABASE_URL", None)
    postgres = EmbeddedPostgres.for_var_dir(VAR_DIR)
    try:
        with running(postgres, max_wal_size="8GB"):
            (VAR_DIR / "static").mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing one
            prepare_django()
            yield
    finally:
        shutil.rmtree(postgres.home, ignore_errors=True)
        shutil.rmtree(VAR_DIR, ignore_errors=True)


def prepare_django() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from tests.stages.scripted import RESULT_TABLE

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(RESULT_TABLE)


class Table:
    """Rows of figures, printed as they come."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def heading(self, text: str) -> None:
        print(f"\n{text}  ({time.monotonic() - self.started:.0f} s)", flush=True)

    def row(self, name: str, figure: str, ratio: str = "") -> None:
        print(f"  {name:<62} {figure:>18} {ratio:>10}", flush=True)
