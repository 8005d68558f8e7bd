"""System checks: settings that would make the pipeline repeat or lose time, found before it starts."""

import math
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.db import DEFAULT_DB_ALIAS, connection
from django.utils import timezone

from voicepipeline.ai.endpoint import configured_endpoint
from voicepipeline.engine.limits import limits
from voicepipeline.models import ProviderModel
from voicepipeline.operations.provider_models import announced_cautions, told_cautions

SLACK_SECONDS = 60


def check_queue_timing(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """A task may wait behind a full local queue before it starts; asked for again earlier, it runs twice."""
    queue: dict[str, Any] = settings.Q_CLUSTER
    rounds = 1 + math.ceil((queue["queue_limit"] + queue["bulk"]) / queue["workers"])
    needed = queue["timeout"] * rounds + SLACK_SECONDS
    if queue["retry"] >= needed:
        return []
    return [
        Error(
            f"The queue hands a task out again after {queue['retry']} s, but one may rightly take {needed} s.",
            hint=f"Set Q_CLUSTER['retry'] to at least {needed}, or lower the timeout or the local queue.",
            id="voicepipeline.E001",
        )
    ]


def check_ai_capabilities(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """What a model is said to understand must be something that can be asked of one."""
    try:
        configured_endpoint()
    except ValueError as error:
        return [Error(str(error), hint="See voicepipeline/ai/endpoint.py for the names.", id="voicepipeline.E004")]
    return []


def check_engine_limits(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Limits that contradict each other or that nobody knows."""
    try:
        how = limits()
    except (TypeError, ValueError) as error:
        return [Error(str(error), hint="See voicepipeline/engine/limits.py for the names.", id="voicepipeline.E002")]
    if how.longest_run.total_seconds() < settings.JOB_TIMEOUT_SECONDS:
        return [
            Caution(
                f"A run may work for {how.longest_run.total_seconds():.0f} s, less than the job timeout of "
                f"{settings.JOB_TIMEOUT_SECONDS} s: one that works on is taken for dead.",
                hint="Raise ENGINE['longest_run'] or lower JOB_TIMEOUT_SECONDS.",
                id="voicepipeline.W003",
            )
        ]
    return []


def check_announced_models(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """Configured models whose end has been announced; needs no database and no network."""
    return _cautions(announced_cautions(today=timezone.now().date()), "voicepipeline.W005")


def check_offered_models(app_configs: Any, *, databases: Any = None, **kwargs: Any) -> Sequence[CheckMessage]:
    """Configured models that the provider itself told to be ending or gone, when it was last asked."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    if ProviderModel._meta.db_table not in connection.introspection.table_names():
        return []  # `migrate` checks before it has made the tables
    today = timezone.now().date()
    known = announced_cautions(today=today)
    return _cautions([each for each in told_cautions(today=today) if each not in known], "voicepipeline.W006")


def _cautions(sentences: Sequence[str], code: str) -> list[CheckMessage]:
    hint = "Voice notes are put on hold once a model is gone; nothing is lost."
    return [Caution(sentence, hint=hint, id=code) for sentence in sentences]
