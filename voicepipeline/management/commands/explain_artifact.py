from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from voicepipeline.situations import explain_artifact, find_artifact


class Command(BaseCommand):
    help = "Says in one paragraph where a voice note is, why, what happens next and what can safely be done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("artifact_id", metavar="ID", help="the voice note's id, as its page shows it")

    def handle(self, *args: Any, artifact_id: str, **options: Any) -> None:
        artifact = find_artifact(artifact_id)
        if artifact is None:
            raise CommandError(
                f"There is no voice note with the id {artifact_id[:60]!r}. Copy it from the note's page."
            )
        self.stdout.write(f"{explain_artifact(artifact).paragraph} (Times are UTC.)")
