"""What stage code is given and what it gives back. It sees plain values and cannot touch state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from voicepipeline.models import Artifact


@dataclass(frozen=True)
class Usage:
    """What an attempt used of the AI provider, kept whether it succeeded or not; None is unknown."""

    ai_model: str = ""
    prompt_version: str = ""
    request_id: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    audio_seconds: Decimal | None = None
    provider_ms: int | None = None  # how long the provider took
    cost_usd: Decimal | None = None


NO_USAGE = Usage()


@dataclass(frozen=True)
class StageOutput:
    """A stage's result: plain data for its own `store`, what it used, and what its event should say."""

    data: Any
    usage: Usage = NO_USAGE
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Remark:
    """A further event beside the stage's own; `of` names the fact among those of one run."""

    event_type: str
    of: object = ""
    metadata: dict[str, Any] = field(default_factory=dict)


class StageCode(Protocol):
    """The module of one stage."""

    def load(self, artifact: "Artifact") -> Any:
        """Read, inside the claim's transaction, all that the work needs."""

    def work(self, given: Any) -> StageOutput:
        """Do the work, outside any transaction; raise a StageFault when it cannot be done."""

    def store(self, artifact: "Artifact", data: Any) -> Iterable[Remark] | None:
        """Write the result inside the finishing transaction, in place of earlier machine-made rows only.

        What it returns is logged beside the stage's own event.
        """

    def remove(self, artifact: "Artifact", *, decided_too: bool = False) -> dict[str, int]:
        """Delete what this stage's machine made for the artifact, and say how many rows of what.

        With `decided_too` also what people have confirmed of it; what they have refused stays refused.
        """


class StageFault(Exception):
    """The work could not be done. The message is for staff, in our words; never a provider's."""

    def __init__(self, code: str, message: str, *, usage: Usage | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.usage = usage or NO_USAGE


class TransientFault(StageFault):
    """This note's own passing trouble: trying again may help, and is counted."""

    def __init__(
        self, code: str, message: str, *, retry_after: timedelta | None = None, usage: Usage | None = None
    ) -> None:
        super().__init__(code, message, usage=usage)
        self.retry_after = retry_after


class PermanentFault(StageFault):
    """Trying again will not help."""


class ProviderFault(TransientFault):
    """The provider's trouble, not this note's: the note waits on hold and is charged nothing."""


class NeedsPersonFault(ProviderFault):
    """The provider refuses us until a person acts: credit, key, access, model. On hold until somebody resumes it."""
