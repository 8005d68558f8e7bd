from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        from metrics import checks, overview, pipeline, roles, schedules, token_check
        from voicepipeline.registry import OverviewPart, PipelinePanel, registry

        register(checks.check_limits)
        register(token_check.check_token)
        schedules.register()
        registry.add_overview_part(OverviewPart("metrics", overview.load, overview.load_flow_times))
        registry.add_pipeline_panel(PipelinePanel("sources", "metrics/pipeline_sources.html", pipeline.by_source, 20))
        registry.add_pipeline_panel(
            PipelinePanel("clubs", "metrics/pipeline_clubs.html", pipeline.by_club, 30, later=True)
        )
        post_migrate.connect(roles.grant_permissions, sender=self)
