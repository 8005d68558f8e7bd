from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from voicepipeline.operations import database, first_run, static_files
from voicepipeline.refusals import NOTE
from voicepipeline.supervisor import preflight


class Command(BaseCommand):
    help = "Brings the database up to date and makes the first accounts. `up` runs this before anything else."
    # Checks come after the database answers; before that they could only fail with a traceback.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with the documented demo accounts")

    def handle(self, *args: Any, demo: bool, **rest: Any) -> None:
        if demo:
            preflight.check_demo_host(settings.WEB_HOST)
        database.refuse_old_server(database.wait_for_database())
        with database.one_at_a_time():
            database.refuse_newer_schema()
            if outstanding := database.outstanding_migrations():
                self.stdout.write(f"Applying {outstanding} migrations.")
            database.bring_up_to_date()
            self._make_accounts(demo)
        if static_files.collect_static():
            self.stdout.write("Collected the static files.")

    def _make_accounts(self, demo: bool) -> None:
        if demo:
            first_run.create_demo_accounts()
        elif account := first_run.create_first_administrator():
            self._note(f"Sign in as {account.username} with the password {account.password}")
            self._note("It is shown this once. Change it after signing in.")
        usable = first_run.usable_demo_accounts()
        if demo:
            for account in usable:
                self._note(f"Sign in as {account.username:<14} with the password {account.password}")
        elif usable:
            self._note("Warning: this database holds demo accounts, whose passwords everybody knows.")

    def _note(self, text: str) -> None:
        self.stdout.write(f"{NOTE}{text}")
