"""Made-up days of a busy platform: what the page Metrics shows of them can be told beforehand."""

from datetime import timedelta

from django.utils import timezone

from metrics.models import END_TO_END
from tests.factories import make_club
from tests.metrics.factories import hour, make_snapshot
from voicepipeline.models import StageName

# Of a busy hour at one club; quiet hours have a part of it.
SHARES = (1, 0.6, 0.25)
WITHOUT_A_CLUB = 0.1


def make_busy_hours(*, hours=30, now=None, clubs=None, holes=()):
    """So many hours up to the running one, for three clubs and what belongs to none; returns the clubs."""
    now = now or timezone.now()
    clubs = clubs or [make_club(name=name) for name in ("Na Fianna", "Kilmacud Crokes", "St Vincents")]
    for back in range(hours):
        if back in holes:
            continue
        start = hour(now, back=back)
        figures = [(club, figures_of(start, share)) for club, share in zip(clubs, SHARES, strict=False)]
        rest = figures_of(start, WITHOUT_A_CLUB)
        make_snapshot("hour", start, None, **beneath(start, 1), **added([each for _, each in figures] + [rest]))
        for club, each in figures:
            make_snapshot("hour", start, club, stages={END_TO_END: times(start, END_TO_END, 5)}, **each)
    return clubs


def make_busy_days(*, days=30, now=None):
    """So many whole days before today, of the platform alone."""
    now = now or timezone.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(1, days + 1):
        start = midnight - timedelta(days=back)
        each = {name: value * 14 for name, value in figures_of(start + timedelta(hours=15), 2).items()}
        make_snapshot("day", start, None, **beneath(start, 4), **each)


def figures_of(start, share):
    """More by day than by night, and something goes wrong at times."""
    received = round(share * (4 + 40 * max(0, 1 - abs(start.hour - 15) / 9) + start.day % 5))
    failed = received // 12 if start.hour % 5 else received // 5
    completed = max(received - failed - start.hour % 2, 0)
    return {
        "artifacts_received": received,
        "artifacts_completed": completed,
        "artifacts_failed": failed,
        "artifacts_no_speech": completed // 30,
        "claims": completed * 3,
        "notes_with_claim_count": completed,
        "claims_unsupported": completed // 6,
        "entities": completed * 4,
        "entities_auto_resolved": completed * 3,
        "entities_user_resolved": completed // 2,
        "disambiguations": completed // 3,
        "drafts": completed * 2,
        "drafts_confirmed": completed,
        "drafts_rejected": completed // 7,
        "drafts_undone": completed // 20,
        "retries": failed,
        "retries_succeeded": failed // 2,
        "retries_failed": failed // 4,
        "ai_cost": round(completed * 0.0123, 4),
        "ai_calls": completed * 2,
        "ai_calls_unpriced": completed // 25,
    }


def added(figures):
    return {name: sum(each[name] for each in figures) for name in figures[0]}


def beneath(start, times_many):
    """What stands under a platform's row."""
    stages = {
        stage: {**times(start, stage, 20), "attempts": 22, "failed": start.hour % 3 if stage == "transcription" else 0}
        for stage in StageName.values
    }
    channel = {"artifacts_received": 30, "artifacts_completed": 28, "artifacts_failed": 2, "timed": 28}
    return {
        "stages": {**stages, END_TO_END: times(start, END_TO_END, 30)},
        "sources": {
            "whatsapp_audio": {**channel, "total_ms": 28 * 41_000},
            "app_recorded": {**channel, "artifacts_received": 12, "artifacts_failed": 0, "total_ms": 28 * 25_000},
        },
        "prompts": {
            version: {
                "completed": 20,
                "claims": 61,
                "notes_with_claim_count": 20,
                "claims_unsupported": unsupported,
                "claim_confidence": 16.4,
                "notes_with_claim_confidence": 20,
                "drafts_confirmed": 30,
                "drafts_rejected": rejected,
                "ai_cost": "0.24",
                "ai_calls": 20 * times_many,
            }
            for version, unsupported, rejected in (("2026-10-02", 9, 6), ("2026-11-14", 3, 2))
        },
    }


BASES = {"transcription": 8_000, "claims_extraction": 11_000, "entity_resolution": 90, "draft_generation": 2_400}


def times(start, stage, many):
    base = BASES.get(stage, 24_000) * (1 + (start.hour % 7) / 10)
    return {
        "durations": [round(base * (0.6 + number / many) + (number == many - 1) * base * 2) for number in range(many)]
    }
