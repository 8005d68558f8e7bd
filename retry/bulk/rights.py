"""In whose name a bulk retry may do what it does."""

from django.core.exceptions import PermissionDenied

from retry.facts import name_of
from retry.kinds import KINDS, RETRY_ARTIFACT
from retry.models import BulkRetry
from voicepipeline.access import verify_platform_staff


def permission_of(asked_for: str) -> str:
    """The right that somebody needs who asks for this."""
    return KINDS[asked_for].permission if asked_for in KINDS else RETRY_ARTIFACT


def why_its_starter_may_not(bulk: BulkRetry) -> str:
    """Why it cannot go on in its starter's name, in words; empty when it can. Its starter has just been read."""
    try:
        verify_platform_staff(bulk.requested_by, permission_of(bulk.kind))
    except PermissionDenied:
        return f"{name_of(bulk.requested_by)}, who started it, may no longer do this."
    return ""
