"""Keys, and what is asserted of refusals."""

import http.client
from urllib.parse import urlsplit

from tests.factories import make_user
from voicepipeline import roles
from voicepipeline.operations.api_keys import make_api_key


def make_key(club, *scopes, rate=6_000, by=None, name="The club's app"):
    """A key with these scopes; `.secret` is what its program knows."""
    by = by or make_user(roles.ADMINISTRATOR)
    made = make_api_key(by=by, organization_id=club.pk, name=name, scopes=scopes, rate=rate)
    assert made.outcome.done, made.outcome.message
    return made


def problem(response):
    """The status and the kind of problem of a refusal, once it is seen to be one."""
    assert response["Content-Type"].startswith("application/problem+json"), response.content
    told = response.json()
    assert told["status"] == response.status_code
    assert told["title"]
    assert told["detail"].endswith(".")
    return told["status"], told["type"].removeprefix("urn:voice-pipeline:problem:")


SECONDS = 60
BOUNDARY = "in-between"


def form(audio=None, fields=(), name="note.wav"):
    """The body of a form as it goes over the line, and what kind of content it is."""
    parts = [
        f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode() for key, value in dict(fields).items()
    ]
    if audio is not None:
        head = f'Content-Disposition: form-data; name="audio"; filename="{name}"\r\nContent-Type: audio/wav\r\n\r\n'
        parts.append(head.encode() + audio)
    body = b"".join(b"--%b\r\n%b\r\n" % (BOUNDARY.encode(), part) for part in parts)
    return body + f"--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"


def over_http(server, method, path, body=None, kind=None, **headers):
    """Status, headers and body of what a real server answers."""
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=SECONDS)
    if kind is not None:
        headers["Content-Type"] = kind
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()
