"""The environment of an installation of its own; nothing here needs Django, whose settings are read from it."""

import json
import os
from pathlib import Path

TEST_STAGES = {
    "transcription": "tests.stages.transcription",
    "claims_extraction": "tests.stages.claims",
    "entity_resolution": "tests.stages.resolution",
    "draft_generation": "tests.stages.drafts",
}
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


def environment(var_dir: Path, *, workers: int, engine: dict[str, float]) -> dict[str, str]:
    """What its processes are given, whatever the person or the test run has set."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "voicepipeline.settings",
        "ENV_FILE": os.devnull,
        "VAR_DIR": str(var_dir),
        "WORKERS": str(workers),
        "JOB_TIMEOUT_SECONDS": "20",
        "ENGINE": json.dumps({"longest_run": 25, **engine}),
        "STAGE_CODE": json.dumps(TEST_STAGES),
        # Live figures are added up when their minute is hardly over.
        "METRICS": json.dumps({"counters_folded_after": 1}),
        "PYTHONUNBUFFERED": "1",
    }
