"""What history must say, worked out from a plain list of events by loops, dicts and sorting: no SQL, no models.

An event is a dict: event_id, event_type, club (any key, None for no club), timestamp, duration_ms (None: not known;
below zero where clocks disagree) and metadata. The definitions are those of the docs, written down a second time.
"""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
END_TO_END = "end_to_end"
# Stage: what is said when a try begins, succeeds and fails.
STAGES = {
    "transcription": ("transcription_started", "transcription_completed", "transcription_failed"),
    "claims_extraction": ("claims_extraction_started", "claims_extracted", "claims_extraction_failed"),
    "entity_resolution": ("entity_resolution_started", "entity_resolution_completed", "entity_resolution_failed"),
    "draft_generation": ("draft_generation_started", "drafts_generated", "draft_generation_failed"),
}
# Figure: of how many events of this type it is the number.
EVENTS = {
    "artifacts_received": "artifact_received",
    "artifacts_completed": "artifact_completed",
    "artifacts_failed": "artifact_failed",
    "drafts_confirmed": "draft_confirmed",
    "drafts_rejected": "draft_rejected",
    "drafts_undone": "draft_undone",
    "retries": "retry_initiated",
    "retries_succeeded": "retry_succeeded",
    "retries_failed": "retry_failed",
}
# Figure: of which key in events of which type it is the sum, and how many of them told it.
SUMS = {
    "transcript_confidence": ("transcription_completed", "confidence_score", "transcripts_with_confidence"),
    "claim_confidence": ("claims_extracted", "confidence_score", "notes_with_claim_confidence"),
    "claims": ("claims_extracted", "claim_count", "notes_with_claim_count"),
    "claims_unsupported": ("claims_extracted", "claims_unsupported", None),
    "entities": ("entity_resolution_completed", "entity_count", None),
    "entities_auto_resolved": ("entity_resolution_completed", "auto_resolved", None),
    "entities_user_resolved": ("entity_resolution_completed", "user_resolved", None),
    "entities_unresolved": ("entity_resolution_completed", "unresolved", None),
    "disambiguations": ("entity_resolution_completed", "disambiguation_count", None),
    "drafts": ("drafts_generated", "draft_count", None),
    "drafts_automatic": ("drafts_generated", "automatic_count", None),
}
PROMPT_SUMS = ("claims", "claims_unsupported", "claim_confidence")
PROMPT_EVENTS = {
    "completed": "claims_extracted",
    "drafts_confirmed": "draft_confirmed",
    "drafts_rejected": "draft_rejected",
    "drafts_undone": "draft_undone",
}


def once(events):
    """Of those with one id, the first."""
    seen = {}
    for event in events:
        seen.setdefault(event["event_id"], event)
    return list(seen.values())


def history_of(events, clubs, hours):
    """Every figure of these hours and of the days they are in: {(kind, start, club or None): …}."""
    days = sorted({start_of_day(hour) for hour in hours})
    counted = [event for event in once(events) if start_of_hour(event["timestamp"]) in set(hours)]
    history = {}
    for kind, starts, length in (("hour", hours, HOUR), ("day", days, DAY)):
        for start in starts:
            during = [event for event in counted if start <= event["timestamp"] < start + length]
            for club in (None, *clubs):
                history[kind, start, club] = figures_of(of_club(during, club))
    return history


def of_club(events, club):
    """This club's; all of them for the platform."""
    return [event for event in events if club is None or event["club"] == club]


def start_of_hour(moment):
    return moment.replace(minute=0, second=0, microsecond=0)


def start_of_day(moment):
    return start_of_hour(moment).replace(hour=0)


def figures_of(events):
    """All that a row of history and the rows beneath it say of these events."""
    counted = [event for event in events if not _is_repeat(event)]  # what was spent is spent all the same
    return {
        "figures": _note_figures(counted) | _costs(events),
        "stages": _stage_figures(counted),
        "sources": _source_figures(counted),
        "prompts": _prompt_figures(events),
    }


def nearest_rank(values, percent):
    """The smallest value such that at least so many percent of all are no larger."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(rank, 1) - 1]


def _is_repeat(event):
    return event["event_type"] == "artifact_completed" and event["metadata"].get("repeat") is True


def _told(events, event_type, key):
    """What events of this type say under this key, where they say it."""
    said = [event["metadata"].get(key) for event in events if event["event_type"] == event_type]
    return [value for value in said if value is not None]


def _number(events, event_type):
    return len([event for event in events if event["event_type"] == event_type])


def _final_failures(events, event_type):
    return len([e for e in events if e["event_type"] == event_type and e["metadata"].get("will_retry") is not True])


def _note_figures(events):
    figures = {name: _number(events, event_type) for name, event_type in EVENTS.items()}
    figures["artifacts_no_speech"] = _told(events, "artifact_completed", "outcome").count("no_speech")
    for name, (event_type, key, told_by) in SUMS.items():
        values = _told(events, event_type, key)
        figures[name] = sum(values)
        if told_by:
            figures[told_by] = len(values)
    return figures


def _costs(events):
    cost, calls, unpriced = Decimal(0), 0, 0
    for event in events:
        price = event["metadata"].get("ai_cost")
        if price is not None:
            cost += price
        if event["metadata"].get("ai_model") is not None:
            calls += 1
            unpriced += price is None
    return {"ai_cost": cost, "ai_calls": calls, "ai_calls_unpriced": unpriced}


def _durations(events, event_type):
    known = [e["duration_ms"] for e in events if e["event_type"] == event_type and e["duration_ms"] is not None]
    return [max(0, duration) for duration in known]


def _times(durations):
    return {
        "timed": len(durations),
        "total_ms": sum(durations),
        "p50_ms": nearest_rank(durations, 50),
        "p95_ms": nearest_rank(durations, 95),
    }


def _stage_figures(events):
    stages = {
        stage: {
            "attempts": _number(events, started),
            "completed": _number(events, completed),
            "failed": _final_failures(events, failed),
            **_times(_durations(events, completed)),
        }
        for stage, (started, completed, failed) in STAGES.items()
    }
    whole_way = {
        "attempts": _number(events, "artifact_received"),
        "completed": _number(events, "artifact_completed"),
        "failed": _number(events, "artifact_failed"),
        **_times(_durations(events, "artifact_completed")),
    }
    return stages | {END_TO_END: whole_way}


def _grouped(events, key):
    groups = defaultdict(list)
    for event in events:
        if event["metadata"].get(key) is not None:
            groups[event["metadata"][key]].append(event)
    return groups


def _source_figures(events):
    sources = {}
    for channel, those in _grouped(events, "source_channel").items():
        durations = _durations(those, "artifact_completed")
        sources[channel] = {
            "artifacts_received": _number(those, "artifact_received"),
            "artifacts_completed": _number(those, "artifact_completed"),
            "artifacts_failed": _number(those, "artifact_failed"),
            "artifacts_no_speech": _told(those, "artifact_completed", "outcome").count("no_speech"),
            "timed": len(durations),
            "total_ms": sum(durations),
        }
    return sources


def _prompt_figures(events):
    prompts = {}
    for version, those in _grouped(events, "prompt_version").items():
        figures = {name: _number(those, event_type) for name, event_type in PROMPT_EVENTS.items()}
        for name in PROMPT_SUMS:
            event_type, key, told_by = SUMS[name]
            values = _told(those, event_type, key)
            figures[name] = sum(values)
            if told_by:
                figures[told_by] = len(values)
        figures["failed"] = _final_failures(those, "claims_extraction_failed")
        figures["drafts_confirmed_automatically"] = _told(those, "draft_confirmed", "automatic").count(True)
        prompts[version] = figures | _costs(those)
    return prompts
