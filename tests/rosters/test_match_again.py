"""A club's open questions are matched again; what is answered stays as it is."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from tests.engine.helpers import write_unguarded
from tests.engine.test_races import Crew
from tests.factories import make_alias, make_claim, make_club, make_coach, make_resolution, make_user
from tests.names.helpers import DRAFTS, RESOLUTION, choose, make_read_note, matches, player, resolve
from tests.rosters.read_notes import entries, finish, make_ready_note, the_work
from voicepipeline import roles
from voicepipeline.engine.changes import Budgets, Change
from voicepipeline.engine.requests import active_run, run_again_from
from voicepipeline.engine.transactions import database_now
from voicepipeline.models import (
    Artifact,
    BulkWork,
    Claim,
    EntityResolution,
    InsightDraft,
    Player,
    PlayerAlias,
    StageRun,
)
from voicepipeline.operations.rematching import (
    ANOTHER_CLUB,
    BEING_MATCHED,
    NO_NAMES,
    STILL_OPEN,
    match_club_again,
    open_questions_of,
)
from voicepipeline.stages import STAGES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("real_stages")]
AGAIN = BulkWork.Kind.MATCH_AGAIN


@pytest.fixture
def by():
    return make_user(roles.OPERATOR)


def again(club, by):
    outcome = match_club_again(club.pk, by=by)
    assert outcome.done, outcome.message
    return the_work(AGAIN)


def statuses(note):
    return [match.status for match in matches(note)]


@pytest.mark.parametrize("before", ["needs_disambiguation", "unresolved"])
def test_an_open_question_finds_its_answer_and_its_entry(club, coach, by, before):
    if before == "needs_disambiguation":
        other = player(club, "Niamh Kelly")
        player(club, "Niamh Ryan")
    note = make_ready_note(coach, "Niamh")
    assert (statuses(note), entries(note)) == ([before], [])
    meant = other if before == "needs_disambiguation" else player(club, "Niamh Kelly")
    alias = make_alias("Niamh", player=meant)
    Player.objects.exclude(pk=meant.pk).update(organization=make_club())
    work = again(club, by)
    assert (statuses(note), [entry.player for entry in entries(note)]) == (["auto_resolved"], [meant])
    assert (work.expected, work.notes, work.done, work.skipped, work.remarks) == (1, 1, 1, 0, {})
    assert Claim.objects.get(artifact=note).status == Claim.Status.RESOLVED
    assert PlayerAlias.objects.get(pk=alias.pk).use_count == 1


def test_names_that_are_matched_and_their_entries_stay_as_they_are(club, coach, by):
    player(club, "Niamh Kelly")
    note = make_read_note(sender=coach)
    make_claim(note, "Niamh Kelly")
    make_claim(note, "Zebedee")
    resolve(note)
    finish(note)
    row, entry = matches(note)[0], entries(note)[0]
    # By today's roster both would be somebody else, and the entry would be in another name.
    Player.objects.update(organization=make_club(), first_name="Nuala")
    player(club, "Niamh Kelly")
    zebedee = player(club, "Zebedee Quin")
    again(club, by)
    assert same(EntityResolution, row)
    assert same(InsightDraft, entry)
    assert [match.player for match in matches(note)][1] == zebedee
    assert {made.player for made in entries(note)} == {row.player, zebedee}


def same(model, row):
    now = model.objects.get(pk=row.pk)
    return {f.attname: getattr(now, f.attname) for f in model._meta.concrete_fields} == {
        f.attname: getattr(row, f.attname) for f in model._meta.concrete_fields
    }


def test_what_a_person_chose_or_found_to_be_nobody_stays(club, coach, by):
    nobody = make_read_note(sender=coach)
    make_claim(nobody, "Zebedee")
    choose(nobody, "Zebedee")
    resolve(nobody)
    finish(nobody)
    make_ready_note(coach, "Somebody Else")
    player(club, "Zebedee Quin")
    again(club, by)
    assert [(match.status, match.resolved_by is not None) for match in matches(nobody)] == [("unresolved", True)]


def test_a_question_that_nothing_new_answers_stays_open_and_nothing_is_written(club, coach, by):
    player(club, "Niamh Kelly")
    player(club, "Niamh Ryan")
    note = make_ready_note(coach, "Niamh")
    row, version = matches(note)[0], note.input_version
    work = again(club, by)
    note.refresh_from_db()
    assert same(EntityResolution, row)
    assert note.input_version == version
    assert (work.done, work.skipped, work.remarks) == (0, 1, {STILL_OPEN: 1})


def test_a_stranger_who_is_like_two_players_now_becomes_a_question(club, coach, by):
    note = make_ready_note(coach, "Niamh")
    player(club, "Niamh Kelly")
    player(club, "Niamh Ryan")
    again(club, by)
    assert statuses(note) == ["needs_disambiguation"]
    assert Claim.objects.get(artifact=note).status == Claim.Status.NEEDS_DISAMBIGUATION


def test_decided_entries_of_the_same_statement_are_not_made_again(club, coach, by):
    niamh = player(club, "Niamh Kelly")
    note = make_ready_note(coach, "Niamh Kelly", "Zebedee")
    InsightDraft.objects.update(status="rejected", decided_at=note.received_at, decided_by=by)
    (decided,) = entries(note)
    zebedee = player(club, "Zebedee Quin")
    again(club, by)
    assert same(InsightDraft, decided)
    assert [(entry.player, entry.status) for entry in entries(note)] == [(niamh, "rejected"), (zebedee, "pending")]


def test_other_clubs_and_failed_notes_are_left_alone(club, coach, by):
    elsewhere = make_ready_note(make_coach(), "Zebedee")
    failed = make_ready_note(coach, "Zebedee")
    fail(failed)
    make_ready_note(coach, "Zebedee")
    for each in (club, elsewhere.organization):
        player(each, "Zebedee Quin")
    assert again(club, by).notes == 1
    assert statuses(elsewhere) == statuses(failed) == ["unresolved"]


def fail(note):
    write_unguarded(Artifact, note.pk, status="failed", completed_at=None, error_code="x", failed_stage="transcription")


def test_a_note_that_came_after_the_request_is_not_among_it(club, coach, by):
    make_ready_note(coach, "Zebedee")
    assert match_club_again(club.pk, by=by).done
    make_ready_note(coach, "Zebedee")
    assert the_work(AGAIN).notes == 1


def test_a_note_whose_names_are_being_matched_is_left_to_its_run(club, coach, by):
    note = make_ready_note(coach, "Zebedee")
    run_again(note, RESOLUTION)
    open_question(note)
    version = note.input_version
    player(club, "Zebedee Quin")
    work = again(club, by)
    note.refresh_from_db()
    assert (statuses(note), work.remarks) == (["unresolved"], {NO_NAMES: 1})
    assert note.input_version == version


def test_a_run_that_matches_names_while_its_earlier_names_stand_hears_of_it(club, coach, by):
    note = make_ready_note(coach, "Zebedee")
    active(note, RESOLUTION)
    player(club, "Zebedee Quin")
    version = note.input_version
    work = again(club, by)
    note.refresh_from_db()
    assert (statuses(note), work.remarks) == (["unresolved"], {BEING_MATCHED: 1})
    assert note.input_version == version + 1


def test_a_run_that_makes_entries_makes_them_from_the_new_names(club, coach, by):
    note = make_read_note(sender=coach)
    make_claim(note, "Zebedee")
    resolve(note)
    assert active_run(note).stage == DRAFTS
    zebedee = player(club, "Zebedee Quin")
    version = note.input_version
    again(club, by)
    note.refresh_from_db()
    assert (statuses(note), entries(note), note.input_version) == (["auto_resolved"], [], version + 1)
    finish(note)
    assert [entry.player for entry in entries(note)] == [zebedee]


def run_again(note, stage):
    change = Change(note, database_now())
    run_again_from(change, STAGES[stage], Budgets())


def open_question(note):
    return make_resolution(Claim.objects.get(artifact=note), status="unresolved")


def active(note, stage):
    """A queued run of a stage whose earlier result still counts."""
    StageRun.objects.create(artifact=note, stage=stage, generation=1, attempt=9, status="queued")


def test_a_note_that_was_given_to_another_club_meanwhile_is_skipped(club, coach, by):
    note = make_ready_note(coach, "Zebedee")
    assert match_club_again(club.pk, by=by).done
    Artifact.objects.filter(pk=note.pk).update(organization=make_club())
    assert the_work(AGAIN).remarks == {ANOTHER_CLUB: 1}


def test_questions_are_counted_once_a_name_and_note(club, coach):
    note = make_read_note(sender=coach)
    for names in (["Zebedee"], ["Zebedee", "Niamh"]):
        make_claim(note, *names)
    resolve(note)
    make_ready_note(coach, "Zebedee")
    found = open_questions_of(club)
    assert (found.questions, found.notes) == (3, 2)


def test_nothing_open_and_already_under_way_are_told(club, coach, by):
    assert "no open question" in match_club_again(club.pk, by=by).message
    make_ready_note(coach, "Zebedee")
    assert match_club_again(club.pk, by=by).done
    assert "being matched again already" in match_club_again(club.pk, by=by).message
    assert "no such club" in match_club_again(0, by=by).message
    assert BulkWork.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_ask_at_once_one_begins(by):
    def prepare():
        club = make_club()
        make_ready_note(make_coach(organization=club), "Zebedee")
        return club.pk

    outcomes = Crew(2).at_once(5, prepare, lambda club: match_club_again(club, by=by).done)
    assert [sorted(pair) for pair in outcomes] == [[False, True]] * 5


def test_only_operators_have_names_matched_again(club):
    with pytest.raises(PermissionDenied):
        match_club_again(club.pk, by=make_user(roles.VIEWER, reads_content=True))


def test_the_page_says_how_many_and_one_post_begins(client, club, coach, by):
    url = reverse("admin:voicepipeline_organization_match_again", args=[club.pk])
    client.force_login(by)
    assert "No open question" in client.get(url).content.decode()
    make_ready_note(coach, "Zebedee", "Niamh")
    assert "2 open questions in 1 voice note" in client.get(url).content.decode()
    assert not BulkWork.objects.exists()
    client.post(url, {"reason": "New players"})
    work = BulkWork.objects.get()
    assert (work.kind, work.reason, work.expected, work.organization) == (AGAIN, "New players", 2, club)
    assert client.get(reverse("admin:voicepipeline_organization_match_again", args=[0])).status_code == 404
