"""When a note has made no progress for too long."""

from datetime import datetime

from voicepipeline.engine.limits import limits


def is_stalled(status: str, last_progress: datetime, now: datetime) -> bool:
    return now - last_progress > limits().stalled_after
