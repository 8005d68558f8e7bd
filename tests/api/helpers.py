"""Keys, and what is asserted of refusals."""

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
