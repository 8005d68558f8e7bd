"""`retry_artifacts` as somebody types it: at a terminal, in a script, with what happens meanwhile."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from retry.models import BulkRetry, RetryAttempt

WHY = "--reason=The prompt was mended."


class Terminal(StringIO):
    """Where somebody sits who types this, or to whom something is shown."""

    def isatty(self):
        return True


class Slow(Terminal):
    """Somebody who says yes after something else has happened."""

    def __init__(self, do):
        super().__init__("y\n")
        self.do = do

    def readline(self):
        self.do()
        return super().readline()


class Told(StringIO):
    """Where progress is shown; each time this is done."""

    def __init__(self, do):
        super().__init__()
        self.do = do

    def write(self, text):
        super().write(text)
        if "begun" in text:
            self.do()
        return len(text)


def run(*arguments, stdin=None, stderr=None):
    """What was printed, what was told beside it, and the exit code."""
    out, err, code = StringIO(), stderr or StringIO(), 0
    try:
        call_command("retry_artifacts", *map(str, arguments), stdout=out, stderr=err, stdin=stdin or StringIO())
    except SystemExit as ended:
        code = ended.code
    return out.getvalue(), err.getvalue(), code


def retry(*arguments, **how):
    return run("--timeout=30", *arguments, "--as=ana", WHY, "--yes", **how)


def refused(*arguments, **how):
    with pytest.raises(CommandError) as told:
        run(*arguments, **how)
    assert (told.value.returncode, RetryAttempt.objects.count(), BulkRetry.objects.count()) == (1, 0, 0)
    return str(told.value)


def ids(*notes):
    return [note.artifact_id for note in notes]


def attempts():
    return RetryAttempt.objects.order_by("artifact").values_list("artifact", "kind", "number", "reason")


def bulk_id():
    return BulkRetry.objects.get().bulk_id
