from datetime import timedelta

from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = "Retrying"

    def ready(self) -> None:
        from retry import checks, closing, groups, overview, pipeline, roles
        from retry.bulk import pacing, previews
        from voicepipeline.registry import OverviewPart, PipelinePanel, Tick, registry
        from voicepipeline.signals import stage_run_finished

        post_migrate.connect(roles.grant_permissions, sender=self)
        groups.connect()
        stage_run_finished.connect(closing.on_run_finished, dispatch_uid="retry.closing")
        register(checks.check_limits)
        registry.add_tick(Tick("bulk retries", timedelta(seconds=1), pacing.advance_all))
        registry.add_tick(Tick("old previews", timedelta(minutes=10), previews.delete_old_previews))
        registry.add_tick(Tick("close forgotten retries", timedelta(seconds=30), closing.sweep))
        registry.add_overview_part(OverviewPart("retries", overview.load))
        registry.add_pipeline_panel(PipelinePanel("problems", "retry/pipeline_problems.html", pipeline.problems, 10))
        registry.add_demo_scene("retries", "retry.demo.play")
