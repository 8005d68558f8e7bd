"""Who may do what: three groups, filled by each app with its own permissions after every migration."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, Permission

from voicepipeline.models import User

VIEWER = "Viewer"
OPERATOR = "Operator"
ADMINISTRATOR = "Administrator"
# Each role has what the roles before it have.
ROLES = (VIEWER, OPERATOR, ADMINISTRATOR)
SUMMARIES: Mapping[str, str] = {
    VIEWER: "sees how every voice note fares and changes nothing",
    OPERATOR: "sees how every voice note fares, and acts on voice notes and rosters",
    ADMINISTRATOR: "does all that, and manages users, keys and settings",
}

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    VIEWER: (
        "view_user",
        "view_artifact",
        "view_pipelineevent",
        "view_stagerun",
        "view_clusterbeat",
        "view_scheduledjob",
        "view_organization",
        "view_team",
        "view_coach",
        "view_player",
        "view_modelprice",
        "view_aiservicehealth",
        "view_entityresolution",
        "view_insightdraft",
        "view_playeralias",
        "view_bulkwork",
        "view_rosterchange",
    ),
    OPERATOR: (
        "add_artifact",
        "release_artifact",
        "close_artifact",
        "operate_ai_service",
        "place_artifact",
        "settle_name",
        "decide_draft",
        "import_roster",
        "match_again",
        "merge_player",
        "delete_playeralias",
        *(f"{verb}_{noun}" for noun in ("organization", "team", "coach", "player") for verb in ("add", "change")),
    ),
    ADMINISTRATOR: (
        "add_user",
        "change_user",
        "run_schedule",
        "trust_coach",
        "view_contentreading",
        *(f"{verb}_apikey" for verb in ("view", "add", "change")),
        *(f"{verb}_modelprice" for verb in ("add", "change", "delete")),
    ),
}
# Beside the roles, and held by whoever needs it: what notes say is about children.
CONTENT_READER = "Content reader"
READ_CONTENT = "read_content"


def role_of(user: User | AnonymousUser) -> str | None:
    """The highest of the three roles that this person holds."""
    held = {group.name for group in user.groups.all()}
    return next((role for role in reversed(ROLES) if role in held), None)


def reads_content(user: User | AnonymousUser) -> bool:
    """Whether this person has been given the right to read what notes say."""
    return any(group.name == CONTENT_READER for group in user.groups.all())


def assign(user: User, group: Group | None) -> None:
    """Put this person into the group of one role and out of the other two."""
    user.groups.remove(*Group.objects.filter(name__in=ROLES))
    if group is not None:
        user.groups.add(group)


def let_read_content(user: User, allowed: bool) -> None:
    """Let this person read and hear what notes say, or no longer."""
    group, _ = Group.objects.get_or_create(name=CONTENT_READER)
    if allowed:
        user.groups.add(group)
    else:
        user.groups.remove(group)


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
    readers, _ = Group.objects.get_or_create(name=CONTENT_READER)
    readers.permissions.set(Permission.objects.filter(content_type__app_label="voicepipeline", codename=READ_CONTENT))
