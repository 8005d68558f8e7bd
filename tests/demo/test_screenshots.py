"""The pictures of the README and of docs/: taken from a demo that runs for them alone."""

import os
import struct
import subprocess
import sys

import pytest

from tests import screenshots
from tests.environment import CHECKOUT

PNG = b"\x89PNG\r\n\x1a\n"


def take(folder, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tests.screenshots", "--into", str(folder)],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )


def size_of(picture):
    content = picture.read_bytes()
    assert content.startswith(PNG)
    return struct.unpack(">II", content[16:24])


def test_without_chromium_it_says_what_is_missing_and_starts_nothing(tmp_path):
    done = take(tmp_path / "pictures", PATH="")
    assert (done.returncode, done.stderr.strip()) == (1, screenshots.NO_CHROMIUM)
    assert not (tmp_path / "pictures").exists()


@pytest.mark.faults
@pytest.mark.trial
def test_every_picture_is_taken_in_its_size_and_nothing_is_left_of_the_demo(tmp_path):
    done = take(tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in tmp_path.iterdir()} == {picture.name for picture in screenshots.WANTED}
    for picture in screenshots.WANTED:
        wanted = (picture.scale * picture.width, picture.scale * picture.height)
        assert size_of(tmp_path / f"{picture.name}.png") == wanted
    assert not list((CHECKOUT / "var").glob("screenshots-*"))
