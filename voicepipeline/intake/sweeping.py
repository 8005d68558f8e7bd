"""Deleting recordings that no voice note names: what a crash left between the file and its row."""

import itertools
import logging
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from voicepipeline.intake.storing import AUDIO, INCOMING, discard, media
from voicepipeline.models import VoiceNote

logger = logging.getLogger(__name__)

# Between a file and its row lie milliseconds; between the first byte of an upload and its last, minutes.
LEFT_ALONE = timedelta(hours=1)
NAMES_A_QUERY = 5_000
MOST_A_SWEEP = 10_000
# More than this many, and more than half of all: the database is not the one that these recordings belong to.
TOO_MANY = 100


@dataclass(frozen=True)
class Swept:
    """How many files went, and of which kind."""

    recordings: int
    unfinished: int
    refused: bool = False


def sweep_orphans(now: datetime) -> Swept:
    """Delete recordings without a voice note and uploads that never ended, each older than an hour."""
    unfinished = _delete(list(itertools.islice(_old_files(INCOMING, now), MOST_A_SWEEP)))
    looked_at, orphans = _orphans(now)
    refused = len(orphans) > TOO_MANY and len(orphans) * 2 > looked_at
    if refused:
        logger.error(
            "recordings without a voice note left alone: more than half of all; is this the right database?",
            extra={"orphans": len(orphans), "looked_at": looked_at},
        )
    swept = Swept(0 if refused else _delete(map(media, orphans)), unfinished, refused)
    if swept.recordings or swept.unfinished:
        logger.warning(
            "left-over files deleted", extra={"recordings": swept.recordings, "unfinished": swept.unfinished}
        )
    return swept


def _orphans(now: datetime) -> tuple[int, list[str]]:
    """How many recordings were looked at, and the names of those that no row has; no more than one sweep deletes."""
    root = media("")
    looked_at, orphans = 0, list[str]()
    names = (path.relative_to(root).as_posix() for path in _old_files(AUDIO, now))
    while len(orphans) < MOST_A_SWEEP and (batch := list(itertools.islice(names, NAMES_A_QUERY))):
        looked_at += len(batch)
        # No index: one pass over the table for thousands of names, once a day.
        named = set(VoiceNote.objects.filter(audio__in=batch).values_list("audio", flat=True))
        orphans += [name for name in batch if name not in named]
    return looked_at, orphans[:MOST_A_SWEEP]


def _old_files(folder: str, now: datetime) -> Iterator[Path]:
    """Plain files of this folder and of those in it that nobody has touched for an hour; links are not followed."""
    before = (now - LEFT_ALONE).timestamp()
    for entry in _entries(media(folder)):
        below = _entries(entry.path) if entry.is_dir(follow_symlinks=False) else [entry]
        for each in below:
            if each.is_file(follow_symlinks=False) and _touched_at(each) < before:
                yield Path(each.path)


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except FileNotFoundError:
        return


def _touched_at(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:  # moved or deleted since the folder was listed
        return math.inf


def _delete(paths: Iterable[Path]) -> int:
    deleted = 0
    for path in paths:
        discard(path)
        deleted += not path.exists()
    return deleted
