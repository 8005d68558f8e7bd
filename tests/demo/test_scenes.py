"""What other apps show of themselves in the demo."""

import pytest

from tests.factories import make_club
from voicepipeline.demo import scenes
from voicepipeline.models import Organization
from voicepipeline.registry import registry

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    """Have only these functions of this module played."""
    kept = dict(registry.demo_scenes)
    registry.demo_scenes.clear()
    yield lambda func: registry.add_demo_scene(func.__name__, f"{__name__}.{func.__name__}")
    registry.demo_scenes.clear()
    registry.demo_scenes.update(kept)


def breaks():
    raise ValueError("It broke.")


def shows():
    make_club(name="Seen in the demo")


def test_every_scene_is_played_whatever_goes_wrong_in_another(scene, caplog):
    scene(breaks)
    scene(shows)
    scenes.play()
    assert Organization.objects.filter(name="Seen in the demo").exists()
    assert caplog.messages == ["a scene of the demo was left out"]
