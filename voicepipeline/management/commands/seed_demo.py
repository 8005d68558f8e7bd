from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from voicepipeline.demo import seeding
from voicepipeline.operations import first_run
from voicepipeline.supervisor import preflight


class Command(BaseCommand):
    help = (
        "Fills an empty database with the demo: made-up clubs, players and coaches, and a week of their voice notes. "
        "A second run changes nothing. `up --demo` does this by itself."
    )
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        preflight.check_demo_host(settings.WEB_HOST)
        first_run.create_demo_accounts()
        self.stdout.write(seeding.seed(now=timezone.now()).in_words)
