import pytest


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """A folder of the test's own for recordings."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT
