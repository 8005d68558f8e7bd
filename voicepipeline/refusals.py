"""Why something does not start or does not go on, told in one sentence and without a traceback."""

# How a command's last words begin when it refuses, and how its lines begin that `up` shows once all is running.
REFUSAL = "Cannot start: "
NOTE = "» "


class StartError(Exception):
    """It cannot start as things are; the message is a sentence that says what to do."""


class GaveUpError(Exception):
    """It was running and had to end; the message is a sentence that says which part and why."""
