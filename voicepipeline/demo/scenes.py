"""What the other apps show of themselves in the demo, begun once its history and its workers are there."""

import logging

from django.utils.module_loading import import_string

from voicepipeline.registry import registry

logger = logging.getLogger(__name__)


def play() -> None:
    """Begin each of them; what goes wrong in one keeps nobody from seeing voice notes come in."""
    for name, func in registry.demo_scenes.items():
        try:
            import_string(func)()
        except Exception:
            logger.exception("a scene of the demo was left out", extra={"scene": name})
