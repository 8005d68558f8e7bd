"""What the demo's people decided about entries stands as the operations would have written it."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from voicepipeline.demo import seeding
from voicepipeline.events import stable_event_id
from voicepipeline.models import EntryDecision, InsightDraft, PipelineEvent
from voicepipeline.operations import first_run
from voicepipeline.operations.entry_steps import EVENTS, event_name

pytestmark = pytest.mark.django_db

# What people did is drawn by chance, the same for the same moment: at this one there is something of every kind.
NOW = datetime(2026, 3, 18, 21, 30, tzinfo=UTC)


def test_every_decision_has_its_history_and_its_event():
    first_run.create_demo_accounts()
    seeding.seed(now=NOW, notes=300)
    rows = list(EntryDecision.objects.all())
    assert set(Counter(row.kind for row in rows)) == {"confirmed", "edited", "rejected", "held", "undone"}
    drafts = {(draft.artifact_id, draft.key): draft for draft in InsightDraft.objects.all()}
    by_people = {key for key, draft in drafts.items() if draft.decided_by_id or draft.held_by_id}
    assert {(row.artifact_id, row.draft_key) for row in rows if row.kind != "undone"} == by_people
    for row in rows:
        draft = drafts[row.artifact_id, row.draft_key]
        when = draft.held_at if row.kind == "held" else draft.decided_at
        assert row.kind == "undone" or (row.by_id, row.decided_at) == (draft.decided_by_id or draft.held_by_id, when)
        assert set(row.edited) == set(draft.suggested)
    wanted = {stable_event_id(event_name(row), EVENTS[row.kind]) for row in rows if row.kind in EVENTS}
    told = PipelineEvent.objects.filter(event_type__in=set(EVENTS.values()), actor__isnull=False)
    assert set(told.values_list("event_id", flat=True)) == wanted
