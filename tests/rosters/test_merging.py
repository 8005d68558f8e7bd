"""Two players who are one person."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_alias, make_claim, make_club, make_coach, make_draft, make_player, make_team, make_user
from tests.names.helpers import choose, make_read_note, matches, player, scheduled
from tests.rosters.read_notes import entries, make_ready_note, the_work
from voicepipeline import roles
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.settling import finish as finish_run
from voicepipeline.matching.keys import name_key
from voicepipeline.models import (
    BulkWork,
    EntryDecision,
    InsightDraft,
    NameChoice,
    Player,
    PlayerAlias,
    RosterChange,
)
from voicepipeline.operations.merging import merge_players
from voicepipeline.operations.names import settle_name, undo_choice
from voicepipeline.stages import drafts, resolution
from voicepipeline.stages.merged import entry_key, todays_keys

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("real_stages")]
MERGE = BulkWork.Kind.MERGE_PLAYERS


@pytest.fixture
def by():
    return make_user(roles.OPERATOR)


@pytest.fixture
def stays(club):
    return player(club, "Niamh Kelly")


@pytest.fixture
def goes(club):
    return player(club, "Grace Twomey")


def merge(stays, goes, by):
    """Merged, and everything moved; both as they are then."""
    outcome = merge_players(stays.pk, goes.pk, by=by)
    assert outcome.done, outcome.message
    work = the_work(MERGE)
    assert work.failed == 0, work.remarks
    for each in (stays, goes):
        each.refresh_from_db()
    return work


# --- The roster -----------------------------------------------------------------------------------------------------
def test_one_stays_on_the_roster_and_the_other_points_to_them(stays, goes, by):
    merge(stays, goes, by)
    assert (stays.is_active, stays.merged_into) == (True, None)
    assert (goes.is_active, goes.merged_into) == (False, stays)


def test_it_is_kept_who_merged_whom_and_why(stays, goes, by):
    merge_players(stays.pk, goes.pk, by=by, reason=" Came twice from the club ")
    change = RosterChange.objects.get()
    assert (change.kind, change.by, change.reason) == ("merged", by, "Came twice from the club")
    assert (change.details["stays"], change.details["goes"]) == (stays.pk, goes.pk)
    assert change.organization == stays.organization


def test_learned_names_move_and_those_known_already_are_counted_together(stays, goes, coach, by):
    moved = make_alias("Gracie", player=goes, coach=coach)
    kept = make_alias("Neevo", player=stays, use_count=2)
    folded = make_alias("Neevo", player=goes, use_count=3, last_used_at=timezone.now())
    note = make_ready_note(coach, "Grace Twomey")
    choice = choose(note, "Neevo", player=goes, alias=folded)
    merge(stays, goes, by)
    assert PlayerAlias.objects.get(pk=moved.pk).player == stays
    kept.refresh_from_db()
    assert (kept.use_count, kept.last_used_at) == (5, folded.last_used_at)
    assert not PlayerAlias.objects.filter(pk=folded.pk).exists()
    assert NameChoice.objects.get(pk=choice.pk).alias == kept


def test_what_the_one_who_goes_was_called_means_the_one_who_stays(stays, goes, coach, by):
    merge(stays, goes, by)
    alias = PlayerAlias.objects.get()
    assert (alias.text, alias.coach, alias.player, alias.created_by) == ("Grace Twomey", None, stays, by)
    note = make_ready_note(coach, "Grace Twomey")
    assert [match.player for match in matches(note)] == [stays]


def test_the_same_name_twice_teaches_nothing(club, stays, by):
    merge(stays, player(club, "niamh  kelly"), by)
    assert not PlayerAlias.objects.exists()


def learned_from(answer, player, by, **note_fields):
    """An answer that has taught what somebody is called: by the note's sender, or by everybody where there is none."""
    note = make_read_note(**note_fields)
    make_claim(note, answer)
    key = name_key("player_name", answer)
    settled = settle_name(
        note.artifact_id, kind="player_name", name_key=key, target=("player", player.pk), by=by, seen=None
    )
    assert settled.learned, settled.message
    return settled.choice_id


def take_back(choice_id, by):
    assert undo_choice(choice_id, by=by).done


@pytest.mark.parametrize("of", ["stays", "goes"])
def test_a_name_that_was_taught_apart_is_known_after_an_answer_is_taken_back(stays, goes, coach, by, of):
    """Whichever of the two it was taught for: the two learned names are one after the merge."""
    answered, apart = (stays, goes) if of == "goes" else (goes, stays)
    choice_id = learned_from("Gracie", answered, by, sender=coach)
    make_alias("Gracie", player=apart, coach=coach)
    merge(stays, goes, by)
    take_back(choice_id, by)
    known = PlayerAlias.objects.filter(player=stays, coach=coach, key=name_key("player_name", "Gracie"))
    assert known.count() == 1


def test_what_two_answers_taught_is_forgotten_once_both_are_taken_back(stays, goes, coach, by):
    choices = [learned_from("Gracie", each, by, sender=coach) for each in (stays, goes)]
    merge(stays, goes, by)
    for choice_id, left in zip(choices, (1, 0), strict=True):
        take_back(choice_id, by)
        assert PlayerAlias.objects.filter(key=name_key("player_name", "Gracie")).count() == left


def test_a_name_of_the_roster_is_known_though_an_answer_that_said_it_before_is_taken_back(stays, goes, club, by):
    choice_id = learned_from("Grace Twomey", stays, by, organization=club)
    assert PlayerAlias.objects.get().coach is None
    merge(stays, goes, by)
    take_back(choice_id, by)
    assert [alias.player for alias in PlayerAlias.objects.all()] == [stays]


def test_number_and_team_are_taken_over_where_there_are_none(club, stays, goes, by):
    team = make_team(organization=club)
    Player.objects.filter(pk=goes.pk).update(external_id="77", team=team)
    merge(stays, goes, by)
    assert (stays.external_id, stays.team, goes.external_id) == ("77", team, "")


def test_number_and_team_of_the_one_who_stays_are_kept(club, stays, goes, by):
    teams = make_team(organization=club, name="Under 12"), make_team(organization=club)
    Player.objects.filter(pk=stays.pk).update(external_id="5", team=teams[0])
    Player.objects.filter(pk=goes.pk).update(external_id="77", team=teams[1])
    merge(stays, goes, by)
    assert (stays.external_id, stays.team, goes.external_id) == ("5", teams[0], "77")


def test_who_was_merged_into_the_one_who_goes_is_the_one_who_stays(club, stays, goes, by):
    first = player(club, "Orla Nugent")
    merge(goes, first, by)
    merge(stays, goes, by)
    first.refresh_from_db()
    assert first.merged_into == stays


# --- What notes have ------------------------------------------------------------------------------------------------
def test_matched_names_answers_and_entries_follow(stays, goes, coach, by):
    note = make_ready_note(coach, "Grace Twomey")
    choice = choose(note, "Gracie", player=goes)
    work = merge(stays, goes, by)
    (match,) = matches(note)
    assert (match.player, [one["id"] for one in match.candidates]) == (stays, [stays.pk])
    assert match.candidates[0]["name"] == "Niamh Kelly"
    assert NameChoice.objects.get(pk=choice.pk).player == stays
    (entry,) = entries(note)
    assert (entry.player, entry.key) == (stays, entry_key(entry.claim_key, player=stays.pk, team=None))
    assert (work.notes, work.done) == (1, 3)


def test_notes_of_others_are_left_alone(stays, goes, club, coach, by):
    player(club, "Orla Nugent")
    note = make_ready_note(coach, "Orla Nugent")
    version = note.input_version
    assert merge(stays, goes, by).notes == 0
    note.refresh_from_db()
    assert note.input_version == version


def test_what_a_model_linked_follows_and_agrees_again(stays, goes, coach, by):
    note = make_ready_note(coach, "Grace Twomey")
    row = matches(note)[0]
    row.model_player, row.model_agrees = stays, False
    row.save()
    merge(stays, goes, by)
    assert [(match.model_player, match.model_agrees) for match in matches(note)] == [(stays, True)]


def test_a_question_which_of_the_two_is_meant_has_its_answer(club, coach, by):
    stays, goes = player(club, "Niamh Kelly"), player(club, "Niamh Kelly")
    note = make_ready_note(coach, "Niamh Kelly")
    assert ([match.status for match in matches(note)], entries(note)) == (["needs_disambiguation"], [])
    merge(stays, goes, by)
    (match,) = matches(note)
    assert (match.status, match.player) == ("auto_resolved", stays)
    assert [entry.player for entry in entries(note)] == [stays]


def test_a_question_about_a_third_stays_and_offers_nobody_twice(club, coach, by):
    stays, goes = player(club, "Niamh Kelly"), player(club, "Neve Kelly")
    third = player(club, "Niamh Ryan")
    note = make_ready_note(coach, "Niamh")
    merge(stays, goes, by)
    (match,) = matches(note)
    assert match.status == "needs_disambiguation"
    assert sorted(one["id"] for one in match.candidates) == [stays.pk, third.pk]


def both_have(coach, stays, goes, *, stays_is, goes_is):
    """A note in which each has the same entry, in these statuses."""
    note = make_read_note(sender=coach)
    said = make_claim(note, "Grace Twomey")
    for row, status in ((stays, stays_is), (goes, goes_is)):
        decided = {} if status in ("pending", "expired") else {"decided_by": make_user()}
        key = entry_key(said.key, player=row.pk, team=None)
        make_draft(said, player=row, key=key, status=status, **decided)
    return note


@pytest.mark.parametrize(
    ("stays_is", "goes_is", "left"),
    [
        ("pending", "pending", ["pending"]),
        ("confirmed", "pending", ["confirmed"]),
        ("pending", "confirmed", ["confirmed"]),
        ("pending", "applied", ["applied"]),
        ("confirmed", "applied", ["confirmed", "applied"]),
        ("pending", "rejected", ["pending", "rejected"]),
        ("rejected", "confirmed", ["rejected", "confirmed"]),
        ("pending", "expired", ["pending", "expired"]),
    ],
)
def test_of_the_same_entry_twice_what_waits_makes_way_and_what_was_decided_stays(
    stays, goes, coach, by, stays_is, goes_is, left
):
    note = both_have(coach, stays, goes, stays_is=stays_is, goes_is=goes_is)
    merge(stays, goes, by)
    assert [entry.status for entry in entries(note)] == left
    assert {entry.player for entry in entries(note)} == {stays}


def test_an_entry_on_hold_stays_on_hold_whichever_of_the_two_is_kept(stays, goes, coach, by):
    note = both_have(coach, stays, goes, stays_is="pending", goes_is="pending")
    held = {"held_at": timezone.now(), "held_by": by, "held_reason": "The parents first"}
    InsightDraft.objects.filter(player=goes).update(**held)
    merge(stays, goes, by)
    assert [(entry.held_by, entry.held_reason) for entry in entries(note)] == [(by, "The parents first")]


def test_decisions_about_an_entry_are_found_under_the_key_of_their_day(stays, goes, coach, by):
    note = make_ready_note(coach, "Grace Twomey")
    (entry,) = entries(note)
    decided = EntryDecision.objects.create(artifact=note, draft_key=entry.key, kind="held", by=by)
    merge(stays, goes, by)
    moved = entries(note)
    assert moved[0].key != entry.key
    assert todays_keys(moved)[decided.draft_key] == moved[0].key


def test_of_two_that_were_decided_each_keeps_what_was_decided_about_it(stays, goes, coach, by):
    note = both_have(coach, stays, goes, stays_is="confirmed", goes_is="applied")
    before = [entry.key for entry in entries(note)]
    merge(stays, goes, by)
    assert [entry.key for entry in entries(note)] == before
    assert todays_keys(entries(note)) == {key: key for key in before}


def test_an_entrys_history_is_on_the_page_of_its_note_after_a_merge(client, stays, goes, coach, by):
    note = make_ready_note(coach, "Grace Twomey")
    (entry,) = entries(note)
    EntryDecision.objects.create(artifact=note, draft_key=entry.key, kind="released", by=by)
    merge(stays, goes, by)
    client.force_login(by)
    page = client.get(reverse("admin:voicepipeline_insightdraft_note", args=[note.artifact_id]))
    (row,) = page.context["rows"]
    assert [each.what for each in row.history] == ["Taken off hold"]
    assert page.context["of_others"] == []


def test_what_a_person_took_back_is_not_confirmed_by_the_rule_after_a_merge(stays, goes, club, by):
    trusted = make_coach(organization=club, trust_level=3, confirmation_threshold="0.5")
    text = "Grace Twomey did very well at training today."
    fields = {"quote": text, "quote_end": len(text), "topic": "performance"}
    note = make_ready_note(trusted, "Grace Twomey", **fields)
    note.transcript.text = text
    note.transcript.save()
    (entry,) = entries(note)
    EntryDecision.objects.create(
        artifact=note, draft_key=entry.key, kind="undone", by=by, reason="No", undone_status="confirmed"
    )
    InsightDraft.objects.filter(pk=entry.pk).delete()
    merge(stays, goes, by)
    PlayerAlias.objects.all().delete()
    again = make_ready_note(trusted, "Niamh Kelly", **fields)
    again.transcript.text = text
    again.transcript.save()
    rebuild_entries(again)
    rebuild_entries(note)
    # The rule would have confirmed it: it does where nobody took it back.
    assert [entry.automatic for entry in entries(again)] == [True]
    assert [(entry.player, entry.automatic, entry.person_needed_because) for entry in entries(note)] == [
        (stays, False, "taken_up_by_a_person")
    ]


def rebuild_entries(note):
    InsightDraft.objects.filter(artifact=note).delete()
    drafts.store(note, drafts.work(drafts.load(note)).data)


# --- Work that has begun --------------------------------------------------------------------------------------------
def stage_under_way(note):
    """A stage whose work is done and not yet stored."""
    taken = claim(scheduled(note, note.current_stage).pk, worker="test:1:1")
    return taken, taken.stage.code.work(taken.stage.code.load(note))


def test_names_that_were_matched_before_the_merge_are_stored_for_the_one_who_stays(stays, goes, coach, by):
    note = make_read_note(sender=coach)
    make_claim(note, "Grace Twomey")
    taken, output = stage_under_way(note)
    merge(stays, goes, by)
    finish_run(taken, output)
    (match,) = matches(note)
    assert (match.player, [one["id"] for one in match.candidates]) == (stays, [stays.pk])


def test_entries_that_were_made_before_the_merge_are_stored_for_the_one_who_stays(stays, goes, coach, by):
    note = make_ready_note(coach, "Grace Twomey")
    made = drafts.work(drafts.load(note)).data
    merge(stays, goes, by)
    drafts.store(note, made)
    assert [(entry.player, entry.claim_key) for entry in entries(note)] == [(stays, "claim1")]


def test_what_was_decided_follows_when_the_note_is_made_again_before_its_turn(stays, goes, coach, by):
    note = make_ready_note(coach, "Grace Twomey")
    InsightDraft.objects.update(status="confirmed", decided_at=timezone.now(), decided_by=by)
    assert merge_players(stays.pk, goes.pk, by=by).done
    resolution.store(note, resolution.work(resolution.load(note)).data)
    drafts.store(note, drafts.work(drafts.load(note)).data)
    assert [(entry.player, entry.status) for entry in entries(note)] == [(stays, "confirmed")]


# --- Refusals -------------------------------------------------------------------------------------------------------
def refusals():
    yield "itself", lambda stays, goes: (stays, stays), "one and the same"
    yield "another club's", lambda stays, goes: (stays, make_player(organization=make_club())), "not on the roster"
    yield "merged before", lambda stays, goes: (stays, gone(goes, merged_into=stays)), "has been merged into"
    yield "into a merged one", lambda stays, goes: (gone(stays, merged_into=goes), goes), "has been merged into"
    yield "into an inactive one", lambda stays, goes: (gone(stays), goes), "no longer active"
    yield "nobody", lambda stays, goes: (stays, Player(pk=0)), "not on any roster"


def gone(row, **fields):
    Player.objects.filter(pk=row.pk).update(is_active=False, **fields)
    return row


@pytest.mark.parametrize(("pair", "words"), [pytest.param(p, w, id=name) for name, p, w in refusals()])
def test_who_cannot_be_merged_is_refused_in_a_sentence(stays, goes, by, pair, words):
    one, other = pair(stays, goes)
    outcome = merge_players(one.pk, other.pk, by=by)
    assert not outcome.done
    assert words in outcome.message
    assert not BulkWork.objects.exists()
    assert not RosterChange.objects.exists()


def test_somebody_inactive_is_merged_into_an_active_player(stays, goes, by):
    gone(goes)
    merge(stays, goes, by)
    assert goes.merged_into == stays


@pytest.mark.parametrize(
    "who",
    [
        pytest.param({"role": roles.VIEWER, "reads_content": True}, id="viewer"),
        pytest.param({"role": roles.OPERATOR, "reads_content": False}, id="operator who may not read"),
    ],
)
def test_only_operators_who_may_read_merge(stays, goes, who):
    with pytest.raises(PermissionDenied):
        merge_players(stays.pk, goes.pk, by=make_user(**who))


# --- The pages ------------------------------------------------------------------------------------------------------
def page_of(row, page="merge"):
    return reverse(f"admin:voicepipeline_player_{page}", args=[row.pk])


def test_likely_doubles_are_offered_and_others_found_by_name(client, club, stays, goes, by):
    double = player(club, "Neve Kelly")
    player(make_club(), "Niamh Kelly")
    client.force_login(by)
    offered = client.get(page_of(stays))
    assert [row["player"] for row in offered.context["alike"]] == [double]
    found = client.get(page_of(stays), {"q": "two"})
    assert [row["player"] for row in found.context["found"]] == [goes]


def test_the_preview_shows_both_and_one_post_merges(client, stays, goes, coach, by):
    make_ready_note(coach, "Grace Twomey")
    make_alias("Gracie", player=goes)
    client.force_login(by)
    preview = client.get(page_of(stays), {"with": goes.pk})
    facts = {label: (str(one), str(other)) for label, one, other in preview.context["facts"]}
    assert facts["Learned names"] == facts["Matched names"] == facts["Entries to be confirmed"] == ("0", "1")
    assert facts["Voice notes"] == ("0", "1")
    assert "cannot be taken back" in preview.content.decode()
    response = client.post(page_of(stays), {"with": goes.pk, "reason": "Twice"})
    assert response["Location"] == page_of(stays, "change")
    goes.refresh_from_db()
    assert goes.merged_into == stays


@pytest.mark.parametrize("other", ["x", "0", "99999999999999999999", "-1", ""])
def test_an_unknown_other_leads_back_to_the_choice(client, stays, by, other):
    client.force_login(by)
    assert client.get(page_of(stays), {"with": other}).context["alike"] == []
    assert client.post(page_of(stays), {"with": other}).status_code == 200


def test_a_merged_players_page_says_so_and_takes_no_change(client, stays, goes, by):
    merge(stays, goes, by)
    client.force_login(by)
    page = client.get(page_of(goes, "change"))
    assert page_of(stays, "change") in page.content.decode()
    assert "Merge with another player" not in page.content.decode()
    data = {"organization": goes.organization_id, "first_name": "Grace", "is_active": "on"}
    assert client.post(page_of(goes, "change"), data).status_code == 403
    with pytest.raises(IntegrityError), transaction.atomic():
        Player.objects.filter(pk=goes.pk).update(is_active=True)


def test_a_players_own_number_is_changed_on_its_page(client, stays, by):
    client.force_login(by)
    data = {"organization": stays.organization_id, "first_name": "Niamh", "external_id": "12", "is_active": "on"}
    assert client.post(page_of(stays, "change"), data).status_code == 302
    stays.refresh_from_db()
    assert stays.external_id == "12"


def test_players_are_listed_by_standing(client, stays, goes, club, by):
    left = player(club, "Orla Nugent", is_active=False)
    merge(stays, goes, by)
    client.force_login(by)
    players = reverse("admin:voicepipeline_player_changelist")
    pages = {each: client.get(players, {"standing": each}) for each in ("active", "left", "merged")}
    assert {each: set(page.context["cl"].result_list) for each, page in pages.items()} == {
        "active": {stays},
        "left": {left},
        "merged": {goes},
    }
