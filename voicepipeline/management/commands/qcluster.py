from typing import Any

from django.core.management.base import BaseCommand

from voicepipeline.engine.cluster import PipelineCluster


class Command(BaseCommand):
    help = "Start a cluster of workers for the stages and the scheduled jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        cluster = PipelineCluster()
        cluster.start()
        cluster.wait()
