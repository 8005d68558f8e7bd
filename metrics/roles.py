"""Who may see which page of the metrics."""

from collections.abc import Mapping
from typing import Any

from voicepipeline import roles

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    roles.VIEWER: ("view_metricssnapshot", "view_counter", "view_period", "view_jobrun", "view_refusedevent"),
    roles.OPERATOR: (),
    roles.ADMINISTRATOR: (),
}


def grant_permissions(**kwargs: Any) -> None:
    roles.grant("metrics", PERMISSIONS)
