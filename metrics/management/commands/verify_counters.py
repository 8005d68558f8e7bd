import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from metrics.verification import Difference, find_differences

MOST_SHOWN = 100


class Command(BaseCommand):
    help = "Counts the events of the last 2 hours again and tells where the live figures say something else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        differences = find_differences()
        if options["json"]:
            self.stdout.write(json.dumps({"differences": [each.as_dict() for each in differences]}))
        else:
            self._tell(differences)
        if differences:
            sys.exit(1)

    def _tell(self, differences: Sequence[Difference]) -> None:
        for each in differences[:MOST_SHOWN]:
            self.stdout.write(str(each))
        if len(differences) > MOST_SHOWN:
            self.stdout.write(f"… and {len(differences) - MOST_SHOWN:,} more")
        if not differences:
            self.stdout.write("The live figures of the last 2 hours are what the events say.")
        elif len(differences) == 1:
            self.stdout.write("1 live figure differs from the events of the last 2 hours.")
        else:
            self.stdout.write(f"{len(differences):,} live figures differ from the events of the last 2 hours.")
