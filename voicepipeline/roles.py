"""Who may do what: three groups, filled by each app with its own permissions after every migration."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group, Permission

VIEWER = "Viewer"
OPERATOR = "Operator"
ADMINISTRATOR = "Administrator"
# Each role has what the roles before it have.
ROLES = (VIEWER, OPERATOR, ADMINISTRATOR)

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    VIEWER: ("view_user",),
    OPERATOR: (),
    ADMINISTRATOR: ("add_user", "change_user", "delete_user"),
}


def grant(app_label: str, permissions: Mapping[str, tuple[str, ...]]) -> None:
    """Make the three groups hold exactly these permissions of this app, and leave those of other apps alone."""
    codenames: set[str] = set()
    for role in ROLES:
        codenames |= set(permissions[role])
        wanted = set(Permission.objects.filter(content_type__app_label=app_label, codename__in=codenames))
        group, _ = Group.objects.get_or_create(name=role)
        held = set(group.permissions.filter(content_type__app_label=app_label))
        if wanted != held:
            group.permissions.remove(*(held - wanted))
            group.permissions.add(*(wanted - held))


def grant_permissions(**kwargs: Any) -> None:
    grant("voicepipeline", PERMISSIONS)
