from datetime import timedelta

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = "Retries"

    def ready(self) -> None:
        from retry import closing, groups, roles
        from voicepipeline.registry import Tick, registry
        from voicepipeline.signals import stage_run_finished

        post_migrate.connect(roles.grant_permissions, sender=self)
        groups.connect()
        stage_run_finished.connect(closing.on_run_finished, dispatch_uid="retry.closing")
        registry.add_tick(Tick("close forgotten retries", timedelta(seconds=30), closing.sweep))
