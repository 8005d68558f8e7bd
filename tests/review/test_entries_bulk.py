"""Deciding about the entries of many notes: what is meant, what is left out and why, and that it is done once."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_claim, make_club, make_coach, make_draft, make_note, make_user
from voicepipeline import roles
from voicepipeline.models import Artifact, BulkWork, ContentReading, EntryDecision, InsightDraft, PipelineEvent
from voicepipeline.operations.bulk_work import go_on
from voicepipeline.operations.entry_bulk import CAREFUL, NOT_ALLOWED, ON_HOLD, REMADE, TAKEN_UP, decide_in_bulk
from voicepipeline.operations.entry_decisions import confirm_entry, undo_entry
from voicepipeline.operations.entry_edits import seen_of
from voicepipeline.operations.entry_selection import Filters, preview

pytestmark = pytest.mark.django_db

CONFIRM, REJECT, HOLD = BulkWork.Kind.CONFIRM_ENTRIES, BulkWork.Kind.REJECT_ENTRIES, BulkWork.Kind.HOLD_ENTRIES
KINDS = pytest.mark.parametrize(
    ("kind", "kept"), [(CONFIRM, "confirmed"), (REJECT, "rejected"), (HOLD, "held")], ids=["confirm", "reject", "hold"]
)


@pytest.fixture
def aoife():
    return make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")


def shown(kind=CONFIRM, **filters):
    return preview(kind, Filters(**filters), now=timezone.now())


def asked_for(kind, by, seen, reason="The whole evening was called off."):
    return decide_in_bulk(kind, by=by, reason=reason, shown=seen)


def done(work):
    go_on(work.pk)
    work.refresh_from_db()
    assert work.finished_at is not None
    return work


def in_bulk(kind, by, **filters):
    return done(asked_for(kind, by, shown(kind, **filters)))


def statuses(*drafts):
    return [InsightDraft.objects.get(pk=draft.pk).status for draft in drafts]


def counted(work):
    return (work.notes, work.done, work.skipped, work.failed, work.remarks)


@KINDS
def test_what_is_asked_for_is_done_note_by_note_and_remembered_for_each_entry(aoife, kind, kept):
    claim = make_claim()
    drafts = [make_draft(claim), make_draft(claim), make_draft()]
    work = in_bulk(kind, aoife)
    assert counted(work) == (2, 3, 0, 0, {})
    assert statuses(*drafts) == ["pending" if kept == "held" else kept] * 3
    rows = EntryDecision.objects.filter(bulk=work)
    assert {(row.kind, row.by, row.reason) for row in rows} == {(kept, aoife, "The whole evening was called off.")}
    assert {row.draft_key for row in rows} == {draft.key for draft in drafts}
    events = PipelineEvent.objects.values_list("event_type", "actor")
    assert sorted(events) == ([] if kept == "held" else [(f"draft_{kept}", aoife.pk)] * 3)
    assert InsightDraft.objects.filter(held_by=aoife).count() == (3 if kept == "held" else 0)


@pytest.mark.parametrize(
    ("topic", "severity"),
    [("injury", ""), ("injury", "low"), ("wellbeing", ""), ("wellbeing", "critical"), ("recovery", "")],
)
def test_a_childs_health_is_never_confirmed_among_many(aoife, topic, severity):
    claim = make_claim()
    careful, plain = make_draft(claim, topic=topic, severity=severity), make_draft(claim)
    seen = shown()
    assert (seen.total, seen.careful, seen.expected) == (2, 1, 1)
    work = done(asked_for(CONFIRM, aoife, seen))
    assert counted(work) == (1, 1, 1, 0, {CAREFUL: 1})
    assert statuses(careful, plain) == ["pending", "confirmed"]


@pytest.mark.parametrize(("kind", "status"), [(REJECT, "rejected"), (HOLD, "pending")])
def test_a_childs_health_may_be_rejected_and_held_among_many(aoife, kind, status):
    draft = make_draft(topic="injury", severity="high")
    assert shown(kind).expected == 1
    assert in_bulk(kind, aoife).done == 1
    assert statuses(draft) == [status]


@KINDS
def test_what_is_on_hold_is_left(aoife, kind, kept):
    held = make_draft(held_at=timezone.now(), held_by=make_user(), topic="injury")
    seen = shown(kind)
    assert (seen.total, seen.held, seen.careful, seen.expected) == (1, 1, 0, 0)
    work = done(asked_for(kind, aoife, seen))
    assert counted(work) == (1, 0, 1, 0, {ON_HOLD: 1})
    assert not EntryDecision.objects.exists()
    assert InsightDraft.objects.get().held_by == held.held_by


def test_the_last_day_of_the_calendar_bounds_nothing(client, operator):
    make_draft(title="Did well")
    pages = [reverse("admin:voicepipeline_insightdraft_changelist"), reverse("admin:voicepipeline_insightdraft_bulk")]
    for url in pages:
        page = client.get(url, {"until": "9999-12-31", "kind": "confirm_entries"})
        assert (page.status_code, "Did well" in page.content.decode()) == (200, True)


def test_each_filter_tells_which_are_meant(aoife):
    coach = make_coach()
    at = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    note = make_note(sender=coach)
    wanted = make_draft(make_claim(note), topic="attendance", prompt_version="claims-1", created_at=at)
    others = [make_draft(make_claim(note)), make_draft(make_claim(make_note(organization=coach.organization)))]
    for filters in (
        {"coach": coach.pk, "topic": "attendance"},
        {"club": coach.organization_id, "prompt_version": "claims-1"},
        {"since": "2026-11-03", "until": "2026-11-03"},
    ):
        seen = shown(**filters)
        assert (seen.total, seen.selection["last"]) == (1, wanted.pk), filters
    assert shown(club=make_club().pk).total == 0
    assert in_bulk(CONFIRM, aoife, coach=coach.pk, topic="attendance").organization is None
    assert statuses(wanted, *others) == ["confirmed", "pending", "pending"]


def test_a_club_that_is_chosen_stands_with_the_work(aoife):
    draft = make_draft()
    assert in_bulk(CONFIRM, aoife, club=draft.organization_id).organization == draft.organization


def test_what_is_suggested_after_the_preview_is_not_meant(aoife):
    claim = make_claim()
    before = make_draft(claim)
    seen = shown()
    later, elsewhere = make_draft(claim), make_draft()
    assert done(asked_for(CONFIRM, aoife, seen)).done == 1
    assert statuses(before, later, elsewhere) == ["confirmed", "pending", "pending"]


def test_what_somebody_has_taken_back_since_the_preview_is_left_to_them(aoife):
    draft = make_draft()
    seen = shown()
    confirm_entry(draft.pk, by=aoife, seen=seen_of(draft))
    draft.refresh_from_db()
    undo_entry(draft.pk, by=aoife, reason="Another Caoimhe.", seen=seen_of(draft))
    work = done(asked_for(CONFIRM, aoife, seen))
    assert (counted(work), statuses(draft)) == ((1, 0, 1, 0, {TAKEN_UP: 1}), ["pending"])


def test_what_somebody_has_decided_since_is_left_as_it_is(aoife):
    draft = make_draft()
    seen = shown()
    InsightDraft.objects.update(status="rejected", decided_by=make_user(), decided_at=timezone.now())
    assert done(asked_for(CONFIRM, aoife, seen)).done == 0
    assert statuses(draft) == ["rejected"]


@pytest.mark.parametrize("stands", ["its statement is gone", "its note failed"])
def test_what_was_made_of_old_data_is_not_confirmed_among_many(aoife, stands):
    draft = make_draft()
    if stands == "its statement is gone":
        draft.claim.delete()
    else:
        failed = {"failed_stage": "transcription", "error_code": "audio_unsupported"}
        Artifact.objects.update(status="failed", **failed)
    work = in_bulk(CONFIRM, aoife)
    assert (counted(work), statuses(draft)) == ((1, 0, 1, 0, {REMADE: 1}), ["pending"])


def test_who_loses_the_right_meanwhile_confirms_nothing_more(aoife):
    draft = make_draft()
    work = asked_for(CONFIRM, aoife, shown())
    roles.let_read_content(aoife, False)
    assert counted(done(work)) == (1, 0, 1, 0, {NOT_ALLOWED: 1})
    assert statuses(draft) == ["pending"]


@pytest.mark.parametrize(("role", "reads"), [(roles.VIEWER, True), (roles.OPERATOR, False)])
def test_it_takes_the_role_and_the_right_to_read(role, reads):
    with pytest.raises(PermissionDenied):
        asked_for(CONFIRM, make_user(role, reads_content=reads), shown())
    assert not BulkWork.objects.exists()


def test_done_twice_nothing_is_done_twice(aoife):
    make_draft()
    work = done(asked_for(CONFIRM, aoife, shown()))
    BulkWork.objects.update(finished_at=None, cursor=0)
    work.refresh_from_db()
    go_on(work.pk)
    assert EntryDecision.objects.count() == 1


# --- The page ---------------------------------------------------------------------------------------------------------
PAGE = reverse("admin:voicepipeline_insightdraft_bulk")


@pytest.fixture
def operator(client, aoife):
    client.force_login(aoife)
    return aoife


def test_the_page_first_asks_which(client, operator):
    html = client.get(PAGE).content.decode()
    assert "Show what this does" in html
    assert 'method="post"' not in html.partition("<main")[2]


def test_the_page_shows_what_it_comes_to_and_one_post_has_it_done(client, operator):
    claim = make_claim(make_note(sender=make_coach()))
    make_draft(claim, title="Sharp in training")
    make_draft(claim, topic="injury")
    make_draft(claim, held_at=timezone.now(), held_by=operator)
    url = f"{PAGE}?kind=confirm_entries&club={claim.artifact.organization_id}"
    response = client.get(url)
    html = response.content.decode()
    assert (response.context["found"].expected, response.context["left_out"]) == (1, [(CAREFUL, "1"), (ON_HOLD, "1")])
    assert "Sharp in training" in html
    assert not BulkWork.objects.exists()
    make_draft(make_claim(make_note(organization=claim.artifact.organization)))
    response = client.post(url, {"token": response.context["token"], "reason": ""})
    work = BulkWork.objects.get()
    assert response["Location"] == reverse("admin:voicepipeline_bulkwork_change", args=[work.pk])
    assert (work.kind, work.requested_by, work.expected) == ("confirm_entries", operator, 1)
    assert done(work).done == 1
    assert ContentReading.objects.get().artifact == claim.artifact


def test_many_are_rejected_for_a_reason_only(client, operator):
    make_draft()
    url = f"{PAGE}?kind=reject_entries"
    token = client.get(url).context["token"]
    assert "Say why" in client.post(url, {"token": token, "reason": " "}).content.decode()
    assert not BulkWork.objects.exists()
    client.post(url, {"token": token, "reason": "Called off."})
    assert BulkWork.objects.get().reason == "Called off."


@pytest.mark.parametrize("token", ["", "x", "another kind's"])
def test_nothing_is_done_but_what_was_shown(client, operator, token):
    make_draft()
    token = client.get(f"{PAGE}?kind=hold_entries").context["token"] if "kind" in token else token
    response = client.post(f"{PAGE}?kind=confirm_entries", {"token": token}, follow=True)
    assert "This preview is too old" in response.content.decode()
    assert not BulkWork.objects.exists()


@pytest.mark.parametrize("query", ["kind=eat_entries", "kind=confirm_entries&club=x", "kind=hold_entries&since=soon"])
def test_a_choice_that_makes_no_sense_shows_nothing_to_do(client, operator, query):
    make_draft()
    for response in (client.get(f"{PAGE}?{query}"), client.post(f"{PAGE}?{query}", {"token": "x"})):
        assert response.status_code == 200
        assert "found" not in response.context
    assert not BulkWork.objects.exists()


def test_the_list_leads_to_it_with_its_filters(client, operator):
    draft = make_draft(topic="attendance")
    url = reverse("admin:voicepipeline_insightdraft_changelist")
    html = client.get(url, {"topic": "attendance", "club": draft.organization_id, "after": "0"}).content.decode()
    assert f"{PAGE}?topic=attendance&amp;club={draft.organization_id}" in html


def test_a_preview_takes_as_many_queries_for_a_hundred_entries_as_for_one(client, operator):
    def queries():
        client.get(f"{PAGE}?kind=confirm_entries")
        with CaptureQueriesContext(connection) as captured:
            client.get(f"{PAGE}?kind=confirm_entries")
        return len(captured)

    make_draft()
    one = queries()
    for _ in range(100):
        make_draft()
    assert queries() == one
