"""The demo's child of `up`, which must not end however it goes."""

import logging
import os
import signal

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection

from voicepipeline.demo import clubs
from voicepipeline.management.commands import demo_traffic
from voicepipeline.operations import first_run

pytestmark = pytest.mark.django_db(transaction=True)


class StopAtThird(logging.Handler):
    """Tells the process to stop once something was logged for the third time."""

    def __init__(self):
        super().__init__()
        self.errors = []

    def emit(self, record):
        self.errors.append(record.error)
        if len(self.errors) == 3:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def told():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    handler = StopAtThird()
    demo_traffic.logger.addHandler(handler)
    yield handler.errors
    demo_traffic.logger.removeHandler(handler)
    for number, before in kept.items():
        signal.signal(number, before)


@pytest.fixture
def command():
    first_run.create_demo_accounts()
    clubs.add_clubs()
    command = demo_traffic.Command()
    command.pause_seconds = 0.01
    return command


@pytest.fixture
def broken():
    """A database in which something is missing."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE voicepipeline_player RENAME TO elsewhere")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE elsewhere RENAME TO voicepipeline_player")


def test_what_goes_wrong_is_tried_again_until_the_child_is_told_to_stop(told, command, broken):
    call_command(command, stay=True)
    assert told == ["ProgrammingError"] * 3


def test_without_staying_an_error_is_the_callers(told, command, broken):
    with pytest.raises(ProgrammingError):
        call_command(command)
    assert told == []
