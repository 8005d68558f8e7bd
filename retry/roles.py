"""Who may see, retry and mark what."""

from collections.abc import Mapping
from typing import Any

from voicepipeline import roles

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    roles.VIEWER: ("view_retryattempt", "view_bulkretry", "view_failuregroup"),
    roles.OPERATOR: ("retry_artifact", "mark_problem"),
    roles.ADMINISTRATOR: ("start_over",),
}


def grant_permissions(**kwargs: Any) -> None:
    roles.grant("retry", PERMISSIONS)
