"""A cluster's place among the processes."""

import subprocess
import sys

import pytest

SAY_GROUP = """
import os, django
django.setup()
from voicepipeline.engine.cluster import lead_own_group
lead_own_group()
print(os.getpgrp() == os.getpid())
"""


@pytest.mark.parametrize("session_of_its_own", [False, True])
def test_a_cluster_leads_a_group_of_its_own_however_it_was_started(session_of_its_own):
    said = subprocess.run(
        [sys.executable, "-c", SAY_GROUP],
        start_new_session=session_of_its_own,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.strip() == "True"
