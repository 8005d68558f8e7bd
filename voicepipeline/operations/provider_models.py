"""Whether the provider still has the models that are configured, and until when: asked once a day."""

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django.db import transaction

from voicepipeline.ai.endpoint import announced_shutdown, configured_models
from voicepipeline.models import ProviderModel
from voicepipeline.policies.model_shutdowns import shutdown_caution

logger = logging.getLogger(__name__)
Told = tuple[bool, date | None]  # whether the provider still offers a model, and until when


def check_models(*, now: datetime) -> None:
    """Write what the provider tells of the configured models; when it cannot be asked, the fault ends the job."""
    # Imported late: the library takes half a second to load, and every command runs the checks that read this module.
    from voicepipeline.ai.client import provider

    listed = {model.name: model.shutdown_date for model in provider().models().data}
    told = {name: (name in listed, listed.get(name)) for name in sorted(set(configured_models().values()))}
    with transaction.atomic():
        ProviderModel.objects.exclude(name__in=told).delete()
        for name, (offered, day) in told.items():
            row = {"offered": offered, "shutdown_on": day, "checked_at": now}
            ProviderModel.objects.update_or_create(name=name, defaults=row)
    _warn(told, today=now.date())


def _warn(told: Mapping[str, Told], *, today: date) -> None:
    """One line in the log for each setting whose model will soon be gone, or is."""
    for setting, model in configured_models().items():
        if _caution(setting, model, told=told[model], today=today):
            day = told[model][1] or announced_shutdown(model)
            extra = {"model": model, "shutdown_on": day.isoformat() if day else "unknown"}
            logger.warning("a configured model will soon be gone, or is", extra=extra)


def announced_cautions(*, today: date) -> list[str]:
    """What is known of the configured models without asking anybody."""
    return _found(
        shutdown_caution(model, setting, shutdown_on=announced_shutdown(model), today=today)
        for setting, model in configured_models().items()
    )


def told_cautions(*, today: date) -> list[str]:
    """What the provider has told of the configured models; where it told no day, the one that was announced."""
    rows = ProviderModel.objects.filter(name__in=configured_models().values())
    return cautions_of({row.name: (row.offered, row.shutdown_on) for row in rows}, today=today)


def cautions_of(told: Mapping[str, Told], *, today: date) -> list[str]:
    """The same of what somebody has read already; a model that nobody was told of is taken to be offered."""
    return _found(
        _caution(setting, model, told=told.get(model, (True, None)), today=today)
        for setting, model in configured_models().items()
    )


def _caution(setting: str, model: str, *, told: Told, today: date) -> str:
    offered, day = told
    day = day or announced_shutdown(model)
    return shutdown_caution(model, setting, shutdown_on=day, offered=offered, today=today)


def _found(cautions: Iterable[str]) -> list[str]:
    return [caution for caution in cautions if caution]
