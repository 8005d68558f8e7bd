import subprocess
import sys

LOADED = """
import sys
import voicepipeline.matching.deciding
print(*sorted(name for name in sys.modules if name.partition(".")[0] in ("django", "voicepipeline")))
"""


def test_matching_loads_nothing_of_django_or_of_the_rest_of_the_app():
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout.split()
    assert loaded[0] == "voicepipeline"
    assert all(name.startswith("voicepipeline.matching") for name in loaded[1:])
