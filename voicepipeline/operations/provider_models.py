"""Whether the provider still has the models that are configured, and until when: asked once a day."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from voicepipeline.ai.endpoint import announced_shutdown, configured_models
from voicepipeline.models import ProviderModel
from voicepipeline.policies.model_shutdowns import shutdown_caution


def check_models(*, now: datetime) -> None:
    """Write what the provider tells of the configured models; when it cannot be asked, the fault ends the job."""
    # Imported late: the library takes half a second to load, and every command runs the checks that read this module.
    from voicepipeline.ai.client import provider

    offered = {model.name: model for model in provider().models().data}
    names = set(configured_models().values())
    with transaction.atomic():
        ProviderModel.objects.exclude(name__in=names).delete()
        for name in sorted(names):
            known = offered.get(name)
            told = {
                "offered": known is not None,
                "shutdown_on": known.shutdown_date if known else None,
                "checked_at": now,
            }
            ProviderModel.objects.update_or_create(name=name, defaults=told)


def announced_cautions(*, today: date) -> list[str]:
    """What is known of the configured models without asking anybody."""
    return _found(
        shutdown_caution(model, setting, shutdown_on=announced_shutdown(model), today=today)
        for setting, model in configured_models().items()
    )


def told_cautions(*, today: date) -> list[str]:
    """What the provider has told of the configured models; where it told no day, the one that was announced."""
    rows = {row.name: row for row in ProviderModel.objects.filter(name__in=configured_models().values())}
    cautions = []
    for setting, model in configured_models().items():
        row = rows.get(model)
        day = (row.shutdown_on if row else None) or announced_shutdown(model)
        offered = row is None or row.offered
        cautions.append(shutdown_caution(model, setting, shutdown_on=day, offered=offered, today=today))
    return _found(cautions)


def _found(cautions: Iterable[str]) -> list[str]:
    return [caution for caution in cautions if caution]
