"""The one question every operation and every page asks first."""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from voicepipeline.models import User


class ContentIsPrivate(PermissionDenied):
    """Somebody asked for what a note says without the right to read it."""


def is_platform_staff(user: User | AnonymousUser) -> bool:
    return bool(user.is_active and getattr(user, "is_platform_staff", False))


def verify_platform_staff(user: User | AnonymousUser, permission: str | None = None) -> None:
    """Raise PermissionDenied unless this is active platform staff holding the permission, if one is named."""
    if not is_platform_staff(user):
        raise PermissionDenied("This is for platform staff only.")
    if permission is not None and not user.has_perm(permission):
        raise PermissionDenied("Your role does not include this. Ask an administrator.")


def may_read_content(user: User | AnonymousUser) -> bool:
    """Whether this person may read and hear what notes say, and whom they name."""
    return is_platform_staff(user) and user.has_perm("voicepipeline.read_content")


def verify_reader(user: User | AnonymousUser) -> None:
    """Raise PermissionDenied unless this person may read what notes say."""
    if not may_read_content(user):
        raise ContentIsPrivate(
            "What voice notes say, and whom they name, is private. Ask an administrator for the right to read it."
        )
