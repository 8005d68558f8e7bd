"""The tries of a note one after another, as the engine would have written them: rows that are not saved yet."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from voicepipeline.models import Artifact, StageName, StageRun
from voicepipeline.policies.fingerprints import fingerprint
from voicepipeline.stages.contract import NO_USAGE, Remark, StageFault, Usage
from voicepipeline.text import safe_text

WORKERS = 8
WORKER_DIED = "worker_died"
DIED_MESSAGE = "The worker died in the middle of the work."
# A dead worker is noticed when its lease is over.
NOTICED_AFTER = timedelta(seconds=68)


@dataclass(frozen=True)
class Hold:
    """A worker took it up, the AI service was down, and it was put back to wait."""

    started_at: datetime
    parked_at: datetime
    reason: str


@dataclass
class Try:
    """A run as it ended, and what its events say beside what stands in its row."""

    run: StageRun
    hold: Hold | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


class Timeline:
    """Where one note has got to; every step adds a try and lets time pass."""

    def __init__(self, artifact: Artifact, choose: Random) -> None:
        self.artifact = artifact
        self.tries: list[Try] = []
        self.now = artifact.received_at + timedelta(milliseconds=choose.randint(5, 40))
        self._choose = choose
        self._origin = uuid.UUID(int=choose.getrandbits(128), version=4)
        self._hold: tuple[timedelta, datetime, str] | None = None

    def hold(self, reason: str, *, after: timedelta, until: datetime) -> None:
        """The next try is put on hold after so much work, and taken up again then."""
        self._hold = (after, until, reason)

    def succeed(
        self, stage: StageName, lasting: timedelta, usage: Usage = NO_USAGE, metadata: dict[str, Any] | None = None
    ) -> Try:
        added = self._add(stage, lasting, usage, status=StageRun.Status.SUCCEEDED, effective=True)
        added.metadata = metadata or {}
        return added

    def die(self, stage: StageName) -> None:
        """The worker is killed; its run is picked up by another one."""
        self._fail(stage, NOTICED_AFTER, WORKER_DIED, DIED_MESSAGE, NO_USAGE, terminal=False)

    def fail(self, stage: StageName, lasting: timedelta, fault: StageFault, *, pause: timedelta | None = None) -> None:
        """It fails: for good, or with a pause before the next try."""
        self._fail(stage, lasting, fault.code, fault.message, fault.usage, terminal=pause is None)
        self.now += pause or timedelta()

    def _fail(
        self, stage: StageName, lasting: timedelta, code: str, message: str, usage: Usage, *, terminal: bool
    ) -> None:
        mark = fingerprint(stage, code, message)
        self._add(
            stage,
            lasting,
            usage,
            status=StageRun.Status.FAILED,
            terminal=terminal,
            error_code=code,
            error_message=message,
            fingerprint=mark,
        )
        if terminal:
            self._end(
                status=Artifact.Status.FAILED,
                current_stage=stage,
                failed_stage=stage,
                error_code=code,
                error_message=message,
                fingerprint=mark,
            )

    def complete(self) -> None:
        self._end(
            status=Artifact.Status.COMPLETED, current_stage="", completed_at=self.now, first_completed_at=self.now
        )

    def _end(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.artifact, name, value)
        self.artifact.updated_at = self.now

    def _add(self, stage: StageName, lasting: timedelta, usage: Usage, **values: Any) -> Try:
        earlier = [each.run for each in self.tries if each.run.stage == stage]
        queued = self.now
        hold = self._wait(queued)
        started = self.now
        self.now += lasting
        crashes = sum(run.error_code == WORKER_DIED for run in earlier)
        run = StageRun(
            artifact=self.artifact,
            stage=stage,
            generation=1,
            attempt=len(earlier) + 1,
            origin=self._origin,
            transient_no=len(earlier) - crashes,
            crash_no=crashes,
            queued_at=queued,
            not_before=queued,
            rung_at=queued,
            ring_count=1,
            lease_token=2 if hold else 1,
            hard_deadline=started + timedelta(seconds=240),
            worker=f"demo:{self._choose.randint(1, WORKERS)}",
            started_at=started,
            finished_at=self.now,
            **_columns(usage),
            **values,
        )
        self.tries.append(Try(run, hold))
        return self.tries[-1]

    def _wait(self, queued: datetime) -> Hold | None:
        """A moment until a worker is free; for a note on hold, until the AI service is back as well."""
        self.now = queued + timedelta(milliseconds=self._choose.randint(20, 400))
        if self._hold is None:
            return None
        after, until, reason = self._hold
        self._hold = None
        hold = Hold(self.now, self.now + after, reason)
        self.now = max(until, hold.parked_at + timedelta(seconds=1))
        return hold


def _columns(usage: Usage) -> dict[str, Any]:
    return {
        "ai_model": safe_text(usage.ai_model, 80),
        "prompt_version": usage.prompt_version,
        "request_id": usage.request_id,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "audio_seconds": usage.audio_seconds,
        "provider_ms": usage.provider_ms,
        "cost_usd": usage.cost_usd,
    }
