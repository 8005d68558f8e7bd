from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Whether it was done, and what to tell the person."""

    done: bool
    message: str
