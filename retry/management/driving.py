"""Taking a bulk retry forward beside the watchdog, and telling how far it is."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.management.base import OutputWrapper

from retry.bulk.pacing import advance
from retry.bulk.progress import Progress, progress_of
from retry.models import BulkRetry, BulkRetryItem
from retry.reports import REFUSED, REQUESTED, WAITING, Told
from retry.words import MOST_SAID, printable

BAR = 24
PAUSE_SECONDS = 0.5
RESULTS = {BulkRetryItem.State.WAITING: WAITING, BulkRetryItem.State.REFUSED: REFUSED}


@dataclass
class Driver:
    """One bulk retry, until nothing of it is left to be begun or it does not go on by itself."""

    bulk: BulkRetry
    output: OutputWrapper
    last_line: str = ""

    def drive(self, *, seconds: float) -> None:
        """Return when every note's retry was requested or refused, when it does not move, or when time is over."""
        deadline = time.monotonic() + seconds
        try:
            while self._step() and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(PAUSE_SECONDS, left))
        finally:
            if self.output.isatty():
                self._write("\r\x1b[K", ending="")

    def _step(self) -> bool:
        """Whether more is to be begun."""
        advance(self.bulk.pk)
        self.bulk.refresh_from_db(fields=["state", "state_reason"])
        progress = progress_of(self.bulk)
        goes_on = self.bulk.state in BulkRetry.MOVING and progress.waiting > 0
        if goes_on:
            self._show(progress)
        return goes_on

    def _show(self, progress: Progress) -> None:
        """A bar on a terminal; elsewhere a line when it says something new."""
        expected = max(self.bulk.expected, 1)
        begun = expected - progress.waiting
        why = self._why_it_waits(progress)
        if self.output.isatty():
            self._write(f"\r\x1b[K[{'#' * (BAR * begun // expected):<{BAR}}] {begun:,} of {expected:,}{why}", ending="")
            return
        line = f"{10 * (10 * begun // expected)} % begun{why}"
        if line != self.last_line:
            self._write(line, ending="\n")
        self.last_line = line

    def _why_it_waits(self, progress: Progress) -> str:
        if progress.waits_for:
            return f"; waits because {printable(progress.waits_for, MOST_SAID)}"
        return "; the rest waits for how the first end" if self.bulk.state == BulkRetry.State.TRYING else ""

    def _write(self, text: str, *, ending: str) -> None:
        self.output.write(text, style_func=str, ending=ending)
        self.output.flush()


def what_became(bulk: BulkRetry) -> Iterator[Told]:
    """Of each of its voice notes, in their order."""
    for item in bulk.items.select_related("artifact", "attempt").order_by("position"):
        number = item.attempt.number if item.attempt else None
        message = item.message or (f"Retry requested (attempt {number})." if number else "")
        result = RESULTS.get(BulkRetryItem.State(item.state), REQUESTED)
        yield Told(str(item.artifact.artifact_id), item.kind, result, message, number)
