"""The entries of one note, with where each was said and what people have decided about it."""

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from voicepipeline.admin.entry_rows import Remembered, history_of, rows_of, with_related
from voicepipeline.admin.note_content import MOST_ENTRIES
from voicepipeline.admin.note_marks import Heard, locate
from voicepipeline.admin.note_page import audio_url
from voicepipeline.masking import Eyes
from voicepipeline.models import Artifact, EntryDecision, InsightDraft, Transcript
from voicepipeline.operations.entry_edits import seen_of_all
from voicepipeline.stages.merged import todays_keys

MOST_DECISIONS = 1_000
ALL = "admin:voicepipeline_insightdraft_all"


def note_context(artifact: Artifact, eyes: Eyes, *, may_decide: bool) -> dict[str, Any]:
    """What the page shows, in as many queries for a long note as for a short one."""
    entries = list(entries_of(artifact).prefetch_related("claim")[:MOST_ENTRIES])
    decisions = EntryDecision.objects.filter(artifact=artifact).select_related("by")[:MOST_DECISIONS]
    history = history_of(decisions, eyes, todays_keys(entries))
    audio = audio_url(artifact) if eyes.read else ""
    heard = _heard(artifact) if audio else []
    rows = [
        replace(row, history=history.pop(row.entry.key, []), hear_from=_moment(row.entry, heard))
        for row in rows_of(entries, eyes, may_decide=may_decide)
    ]
    waiting = [entry for entry in entries if is_waiting(entry)]
    return {
        "artifact": artifact,
        "rows": rows,
        "audio_url": audio,
        "waiting": len(waiting),
        "on_hold": sum(entry.held_at is not None for entry in entries),
        "seen_of_all": seen_of_all(waiting),
        "all_urls": {verb: reverse(ALL, args=[artifact.artifact_id, verb]) for verb in ("confirm", "reject")},
        "of_others": _of_others(history),
        "note_url": reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]),
        "back": "",
    }


def entries_of(artifact: Artifact) -> QuerySet[InsightDraft]:
    """In the order of the note's own page: what is urgent first."""
    return with_related(InsightDraft.objects.filter(artifact=artifact).order_by("display_order", "id"))


def is_waiting(entry: InsightDraft) -> bool:
    return entry.status == InsightDraft.Status.PENDING and entry.held_at is None


def _of_others(history: dict[str, list[Remembered]]) -> list[Remembered]:
    """Decisions about entries that the note suggests no more."""
    return [each for decisions in history.values() for each in decisions]


def _heard(artifact: Artifact) -> list[Heard]:
    transcript = Transcript.objects.filter(artifact=artifact).only("text", "segments").first()
    if transcript is None or not isinstance(transcript.segments, list):
        return []
    return locate(transcript.text, transcript.segments)


def _moment(entry: InsightDraft, heard: list[Heard]) -> float | None:
    """When in the recording its quote begins."""
    start = entry.claim.quote_start if entry.claim else None
    if start is None:
        return None
    return next((each.begins for each in reversed(heard) if each.start <= start), None)
