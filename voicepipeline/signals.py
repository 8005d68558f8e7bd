"""Facts announced to the other apps, sent inside the transaction that made them true."""

from django.dispatch import Signal

# events: list[LoggedEvent], newly inserted ones only.
events_logged = Signal()

# run: StageRun, as it ended; terminal: whether what its origin asked for has ended with it.
stage_run_finished = Signal()
