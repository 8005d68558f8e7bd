from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.core.checks import register
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
        schedules.register()
        post_migrate.connect(roles.grant_permissions, sender=self)
        post_migrate.connect(schedules.write_schedules, sender=self)


class BackOfficeAdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "voicepipeline.admin.site.BackOfficeSite"

    def ready(self) -> None:
        # Our pages first, so that another app's admin module can build on them.
        from voicepipeline.admin import pages  # noqa: F401

        super().ready()
