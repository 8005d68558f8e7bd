"""The table of what may be retried from where: every state of a note, what it was sent as, and what is expected.

A cell holds `yes`, or the name of a refusal in REFUSALS. The columns are the kinds in their order, then `over` (start
over) and `failed` (the stage that failed).
"""

from datetime import timedelta
from functools import partial

from django.utils import timezone

from retry.kinds import FAILED_STAGE
from retry.models import RetryKind
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    TRANSCRIPTION,
    make_cancelled,
    make_closed,
    make_confirmed,
    make_failed,
    make_moving,
    make_ready,
    make_speechless,
    make_stalled,
)
from voicepipeline.models import StageName

COLUMNS = (*RetryKind.values[:4], RetryKind.FULL.value, FAILED_STAGE)

# The words by which each refusal is known; {…} are filled in by the state.
REFUSALS = {
    "soon": "It goes on by itself within a minute.",
    "waits": "It waits for a worker for {stage}, and goes on by itself.",
    "runs": "{stage} is running since ",
    "hold": "It is on hold before {stage}, and goes on by itself once what holds it is over.",
    "later": "{stage} will be tried again by itself at ",
    "still": "It stands still. Release it",
    "at T": "It failed at Transcription, which comes before {asked}. ",
    "at S": "It failed at Statements, which comes before {asked}. ",
    "at N": "It failed at Matching names, which comes before {asked}. ",
    "no T": "There is no result of Transcription to go on from. ",
    "no S": "There is no result of Statements to go on from. ",
    "no N": "There is no result of Matching names to go on from. ",
    "ready": "It is ready and has its transcript. To have it transcribed anew, start over.",
    "no fail": "It has not failed: choose from which stage it should be run again.",
}

TABLE = """
received, forgotten        | soon  | soon  | soon  | soon  | yes   | soon
transcribing, forgotten    | soon  | soon  | soon  | soon  | yes   | soon
transcribed, forgotten     | soon  | soon  | soon  | soon  | yes   | soon
processing, forgotten      | soon  | soon  | soon  | soon  | yes   | soon
waiting: transcription     | waits | waits | waits | waits | waits | waits
waiting: statements        | waits | waits | waits | waits | waits | waits
waiting: names             | waits | waits | waits | waits | waits | waits
waiting: entries           | waits | waits | waits | waits | waits | waits
running: transcription     | runs  | runs  | runs  | runs  | runs  | runs
running: statements        | runs  | runs  | runs  | runs  | runs  | runs
running: names             | runs  | runs  | runs  | runs  | runs  | runs
running: entries           | runs  | runs  | runs  | runs  | runs  | runs
on hold: transcription     | hold  | hold  | hold  | hold  | hold  | hold
on hold: statements        | hold  | hold  | hold  | hold  | hold  | hold
trying again: statements   | later | later | later | later | later | later
stalled: transcription     | still | still | still | still | yes   | still
stalled: statements        | still | still | still | still | yes   | still
stalled: entries           | still | still | still | still | yes   | still
stalled, nobody takes it up| still | still | still | still | yes   | still
stalled, nothing scheduled | still | still | still | still | yes   | still
failed: transcription      | yes   | at T  | at T  | at T  | yes   | yes
failed: statements         | yes   | yes   | at S  | at S  | yes   | yes
failed: names              | yes   | yes   | yes   | at N  | yes   | yes
failed: entries            | yes   | yes   | yes   | yes   | yes   | yes
failed without: statements | yes   | no T  | at S  | at S  | yes   | no T
failed without: names      | yes   | no T  | no S  | at N  | yes   | no S
failed without: entries    | yes   | no T  | no S  | no N  | yes   | no N
cancelled: transcription   | yes   | at T  | at T  | at T  | yes   | yes
cancelled: names           | yes   | yes   | yes   | at N  | yes   | yes
closed: statements         | yes   | yes   | at S  | at S  | yes   | yes
ready                      | ready | yes   | yes   | yes   | yes   | no fail
ready, names unclear       | ready | yes   | yes   | yes   | yes   | no fail
ready, nobody speaks       | ready | yes   | yes   | yes   | yes   | no fail
ready, entries confirmed   | ready | yes   | yes   | yes   | yes   | no fail
"""
CELLS = {
    name.strip(): dict(zip(COLUMNS, map(str.strip, cells), strict=True))
    for name, *cells in (line.split("|") for line in TABLE.strip().splitlines())
}
STAGES = {"transcription": TRANSCRIPTION, "statements": STATEMENTS, "names": NAMES, "entries": ENTRIES}


def _trying_again(**fields):
    """Its last try failed for now, and the next one is not due."""
    note = make_moving(STATEMENTS, **fields)
    note.runs.filter(status="queued").update(not_before=timezone.now() + timedelta(minutes=5), transient_no=1)
    return note


def _of_another_status(status, **fields):
    """Nothing is scheduled for it, and it changed just now."""
    stage = {"transcribed": STATEMENTS, "processing": NAMES}.get(status, TRANSCRIPTION)
    note = make_moving(stage, None, **fields)
    type(note).objects.filter(pk=note.pk).update(status=status)
    return note


def _with_confirmed_entries(**fields):
    note = make_ready(**fields)
    make_confirmed(note)
    make_confirmed(note, applied=True)
    make_confirmed(note, automatic=True)
    return note


MAKERS = {
    **{f"{status}, forgotten": partial(_of_another_status, status)
       for status in ("received", "transcribing", "transcribed", "processing")},
    **{f"waiting: {name}": partial(make_moving, stage) for name, stage in STAGES.items()},
    **{f"running: {name}": partial(make_moving, stage, "running") for name, stage in STAGES.items()},
    **{f"on hold: {name}": partial(make_moving, STAGES[name], "on hold") for name in ("transcription", "statements")},
    "trying again: statements": _trying_again,
    **{f"stalled: {name}": partial(make_stalled, STAGES[name]) for name in ("transcription", "statements", "entries")},
    "stalled, nobody takes it up": partial(make_stalled, STATEMENTS, "queued"),
    "stalled, nothing scheduled": partial(make_stalled, STATEMENTS, None),
    **{f"failed: {name}": partial(make_failed, stage) for name, stage in STAGES.items()},
    **{f"failed without: {name}": partial(make_failed, STAGES[name], with_input=False)
       for name in ("statements", "names", "entries")},
    **{f"cancelled: {name}": partial(make_cancelled, STAGES[name]) for name in ("transcription", "names")},
    "closed: statements": partial(make_closed, STATEMENTS),
    "ready": make_ready,
    "ready, names unclear": partial(make_ready, unclear=True),
    "ready, nobody speaks": make_speechless,
    "ready, entries confirmed": _with_confirmed_entries,
}  # fmt: skip
CONFIRMED = {"ready, entries confirmed": 3}


def stage_asked_for(asked_for):
    return StageName(asked_for).label if asked_for in StageName.values else ""


def refusal_in_words(name, cell, asked_for, note):
    """The beginning of what is said, to this kind, of this note."""
    run = note.runs.filter(status__in=["queued", "running"]).first()
    stage = run.get_stage_display() if run else ""
    return REFUSALS[cell].format(stage=stage, asked=stage_asked_for(asked_for))
