import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.api.helpers import make_key
from tests.factories import make_club, make_coach
from voicepipeline.models import ApiScope


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    """A folder of the test's own for recordings."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def club():
    return make_club()


@pytest.fixture
def coach(club):
    return make_coach(organization=club, phone="+353861234567")


@pytest.fixture
def key(club):
    """A key of the club that may do everything."""
    return make_key(club, *ApiScope.values)


@pytest.fixture
def post(client, key):
    """Send a voice note as a form; a file as bytes under `audio`."""

    def post(audio=None, *, secret=None, name="note.wav", idempotency_key=None, **fields):
        headers = {"Authorization": f"Bearer {secret or key.secret}"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if audio is not None:
            fields["audio"] = SimpleUploadedFile(name, audio, content_type="audio/wav")
        return client.post("/api/v1/voice-notes", fields, headers=headers)

    return post


@pytest.fixture
def get(client, key):
    def get(path="", secret=None, **query):
        headers = {"Authorization": f"Bearer {secret or key.secret}"}
        return client.get(f"/api/v1/voice-notes{path}", query, headers=headers)

    return get


@pytest.fixture
def make_other():
    """A key of another club."""
    return lambda: make_key(make_club(), *ApiScope.values)
