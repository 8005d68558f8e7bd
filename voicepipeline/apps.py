from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class VoicePipelineConfig(AppConfig):
    default = True
    name = "voicepipeline"
    verbose_name = "Back office"

    def ready(self) -> None:
        from voicepipeline import checks, roles, schedules

        register(checks.check_queue_timing)
        register(checks.check_engine_limits)
        register(checks.check_ai_capabilities)
        register(checks.check_announced_models)
        register(checks.check_offered_models, Tags.database)
        schedules.register()
        post_migrate.connect(roles.grant_permissions, sender=self)
        post_migrate.connect(schedules.write_schedules, sender=self)
        post_migrate.connect(add_default_prices, sender=self)


def add_default_prices(**kwargs: Any) -> None:
    # Imported late: apps are made known before their models are there.
    from voicepipeline.operations import prices

    prices.add_default_prices()


class BackOfficeAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "voicepipeline.admin.site.BackOfficeSite"

    def ready(self) -> None:
        # Our pages first, so that another app's admin module can build on them.
        from voicepipeline.admin import pages  # noqa: F401

        super().ready()
