"""Suggested entries, through the engine: for whom, how sure, and which of them need no person."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import (
    make_claim,
    make_coach,
    make_draft,
    make_resolution,
    make_team,
    make_user,
    mention,
)
from tests.names.helpers import DRAFTS, choose, event, make_read_note, player, resolve, scheduled
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import settle
from voicepipeline.models import Artifact, Claim, InsightDraft, Pause, PipelineEvent, StageRun, Transcript
from voicepipeline.stages import drafts

pytestmark = pytest.mark.django_db


@pytest.fixture
def coach(club):
    return make_coach(organization=club, trust_level=2)


def suggest(note):
    """The entries of a note whose names are yet to be matched."""
    resolve(note)
    return suggest_again(note)


def suggest_again(note):
    perform(StageRun.objects.get(artifact=note, stage=DRAFTS, status="queued").pk)
    return entries(note)


def entries(note):
    return list(InsightDraft.objects.filter(artifact=note).order_by("id"))


def the_entry(note):
    (entry,) = suggest(note)
    return entry


def test_an_entry_for_each_player_of_a_statement(club, note):
    niamh, eoin = player(club, "Niamh Kelly"), player(club, "Eoin Murphy")
    statement = make_claim(note, "Niamh", "Eoin", severity="", sentiment="positive")
    found = suggest(note)
    assert {entry.player for entry in found} == {niamh, eoin}
    assert {(entry.claim, entry.organization, entry.topic, entry.sentiment) for entry in found} == {
        (statement, club, "performance", "positive")
    }
    note.refresh_from_db()
    assert note.status == "completed"


def test_a_player_named_twice_has_one_entry(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh", "Neve Kelly")
    assert the_entry(note).overall_confidence < 0.9  # from the less sure of the two


@pytest.mark.parametrize(
    ("topic", "mentions", "made"),
    [
        ("performance", [("under 14s", "team_name")], ["U14"]),
        ("performance", [("under 14s", "team_name"), ("under 16s", "team_name")], ["U14", "U16"]),
        ("performance", [("the backs", "group_reference")], []),
        ("injury", [("the backs", "group_reference")], []),
        ("tactical", [("the backs", "group_reference")], [None]),
        ("team_culture", [("the backs", "group_reference")], [None]),
        ("performance", [], []),
        ("injury", [], []),
        ("tactical", [], [None]),
        ("team_culture", [], [None]),
        ("session_plan", [], [None]),
        ("todo", [("Zebedee", "player_name")], [None]),
        ("todo", [("Murphy", "player_name")], [None]),
        ("todo", [], [None]),
        ("todo", [("under 14s", "team_name")], ["U14"]),
        ("session_plan", [("Niamh", "coach_name")], [None]),
        ("performance", [("Zebedee", "player_name")], []),
        ("performance", [("Murphy", "player_name")], []),
        ("performance", [("Zebedee", "player_name"), ("under 14s", "team_name")], []),
        ("injury", [("Murphy", "player_name"), ("the backs", "group_reference")], []),
        ("performance", [("the team", "team_name")], []),
        ("performance", [("Kilmacud", "team_name")], []),
        ("performance", [("Kilmacud", "team_name"), ("our backs", "group_reference")], []),
        ("tactical", [("Kilmacud", "team_name"), ("our backs", "group_reference")], [None]),
        ("tactical", [("Kilmacud", "team_name")], []),
        ("performance", [("Niamh", "coach_name")], []),
    ],
)
def test_whom_an_entry_is_for_where_no_player_is_known(club, note, topic, mentions, made):
    for name in ("U14", "U16"):
        make_team(organization=club, name=name)
    player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, topic=topic, mentions=[mention(*given) for given in mentions])
    found = suggest(note)
    assert [entry.team and entry.team.name for entry in found] == made
    assert event(note, "drafts_generated").metadata["without_entry"] == (not made)


@pytest.mark.parametrize(
    ("topic", "has_team"), [("performance", True), ("session_plan", True), ("tactical", True), ("todo", False)]
)
def test_a_group_is_of_the_only_team_that_the_coach_trains(club, coach, note, topic, has_team):
    team = make_team(organization=club, name="U14")
    coach.teams.add(team, make_team(organization=club, name="Old", is_active=False))
    make_claim(note, topic=topic, mentions=[mention("the backs", "group_reference")])
    assert the_entry(note).team == (team if has_team else None)


@pytest.mark.parametrize("topic", ["performance", "injury", "attendance"])
def test_what_is_said_of_nobody_is_of_no_team_even_where_the_coach_trains_one(club, coach, note, topic):
    coach.teams.add(make_team(organization=club))
    make_claim(note, topic=topic)
    assert suggest(note) == []
    assert event(note, "drafts_generated").metadata["without_entry"] == 1


def test_an_injury_of_nobody_known_stays_as_a_statement_with_its_name_open(club, note):
    player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy", topic="injury", severity="high")
    assert suggest(note) == []
    assert (note.claims.get().status, note.resolutions.get().status) == ("needs_disambiguation",) * 2
    assert event(note, "drafts_generated").metadata["without_entry"] == 1


def test_whoever_a_person_called_nobody_holds_no_entry_of_a_team_back(club, note):
    make_team(organization=club, name="U14")
    make_claim(note, mentions=[mention("Zebedee"), mention("under 14s", "team_name")])
    choose(note, "Zebedee")
    assert the_entry(note).team.name == "U14"


def test_confidence_is_the_ais_times_the_matchs(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Neve Kelly", confidence=0.8)
    entry = the_entry(note)
    score = note.resolutions.get().score
    assert (entry.ai_confidence, entry.resolution_confidence) == (0.8, score / 100)
    assert entry.overall_confidence == pytest.approx(0.8 * score / 100)


def test_what_a_person_chose_is_certain_and_what_the_ai_left_open_unknown(club, note):
    choose(note, "Murphy", player=player(club, "Eoin Murphy"))
    make_claim(note, "Murphy", confidence=None)
    entry = the_entry(note)
    assert (entry.resolution_confidence, entry.overall_confidence) == (1, None)
    assert entry.person_needed_because == "confidence_unknown"


def test_a_misheard_name_is_put_right_but_not_in_the_quote(club, note):
    player(club, "Niamh Kelly")
    make_claim(
        note,
        "Neve Kelly",
        title="Neve Kelly was sharp",
        description="Neve Kelly's passing is better.",
        recommended_action="Praise Neve Kelly.",
        quote="neve kelly was sharp",
    )
    entry = the_entry(note)
    assert entry.title == "Niamh Kelly was sharp"
    assert entry.description == "Niamh Kelly's passing is better."
    assert entry.recommended_action == "Praise Niamh Kelly."
    assert entry.quote == "neve kelly was sharp"


@pytest.mark.parametrize("said", ["she", "Niamh and Aoife"])
def test_what_is_not_one_name_is_not_replaced(club, note, said):
    choose(note, said, player=player(club, "Niamh Kelly"))
    make_claim(note, said, title=f"Today {said} scored")
    assert the_entry(note).title == f"Today {said} scored"


def test_a_title_that_grows_too_long_is_cut(club, note):
    player(club, "Niamh Ní Dhomhnaill")
    make_claim(note, "Niamh", title=f"Niamh {'x' * 190}")
    assert len(the_entry(note).title) == 200


def test_urgent_entries_stand_first(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh")
    make_claim(note, "Niamh", topic="injury", severity="critical")
    suggest(note)
    assert [entry.topic for entry in InsightDraft.objects.filter(artifact=note)] == ["injury", "performance"]


def sure(note, **fields):
    return make_claim(note, "Niamh Kelly", **{"confidence": 0.95, **fields})


def test_a_trusted_coachs_sure_and_harmless_entry_is_confirmed_automatically(club, note):
    player(club, "Niamh Kelly")
    sure(note)
    entry = the_entry(note)
    assert (entry.status, entry.automatic, entry.decided_by, entry.person_needed_because) == (
        "confirmed",
        True,
        None,
        "",
    )
    assert entry.decided_at is not None
    said = event(note, "draft_confirmed").metadata
    assert said == {"automatic": True, "topic": "performance", "confidence_score": 0.95}
    assert event(note, "drafts_generated").metadata["automatic_count"] == 1


def test_each_automatic_confirmation_has_its_event(club, note):
    player(club, "Niamh Kelly")
    sure(note)
    sure(note)
    suggest(note)
    assert PipelineEvent.objects.filter(artifact=note, event_type="draft_confirmed").count() == 2


@pytest.mark.parametrize(
    ("statement", "coachs", "why"),
    [
        ({"topic": "injury"}, {}, "topic_needs_a_person"),
        ({"topic": "wellbeing"}, {}, "topic_needs_a_person"),
        ({"topic": "recovery"}, {}, "topic_needs_a_person"),
        ({"topic": "behavior"}, {}, "topic_not_automatic"),
        ({"quote_start": None, "quote_end": None}, {}, "unsupported_quote"),
        ({"confidence": 0.8}, {}, "confidence_too_low"),
        ({}, {"confirmation_threshold": Decimal("0.99")}, "confidence_too_low"),
        ({}, {"trust_level": 1}, "coach_not_trusted"),
        ({}, {"is_active": False}, "coach_not_trusted"),
    ],
)
def test_every_other_entry_needs_a_person_and_says_why(club, coach, statement, coachs, why):
    player(club, "Niamh Kelly")
    type(coach).objects.filter(pk=coach.pk).update(**coachs)
    note = make_read_note(sender=coach)
    sure(note, **statement)
    entry = the_entry(note)
    assert (entry.status, entry.automatic, entry.decided_at, entry.person_needed_because) == (
        "pending",
        False,
        None,
        why,
    )
    assert not PipelineEvent.objects.filter(artifact=note, event_type="draft_confirmed").exists()


def test_a_flagged_transcript_needs_a_person(club, note):
    player(club, "Niamh Kelly")
    sure(note)
    Transcript.objects.filter(artifact=note).update(verdict="flagged")
    assert the_entry(note).person_needed_because == "transcript_flagged"


@pytest.mark.parametrize(
    ("topic", "why"),
    [("tactical", "about_nobody"), ("todo", ""), ("session_plan", ""), ("team_culture", "about_nobody")],
)
def test_an_entry_for_nobody_needs_a_person_unless_it_is_work_to_do(club, note, topic, why):
    make_claim(note, topic=topic, confidence=0.95)
    entry = the_entry(note)
    assert (entry.automatic, entry.person_needed_because) == (not why, why)


@pytest.mark.parametrize(
    ("quote", "why"),
    [("was", "unsupported_quote"), ("Niamh was", "unsupported_quote"), ("Niamh was sharp", ""), ("Well done", "")],
)
def test_a_word_or_two_out_of_a_sentence_bear_nothing_out(club, note, quote, why):
    player(club, "Niamh Kelly")
    said = "Niamh was sharp in training today. Well done!"
    Transcript.objects.filter(artifact=note).update(text=said)
    at = said.index(quote)
    sure(note, quote=quote, quote_start=at, quote_end=at + len(quote))
    assert the_entry(note).person_needed_because == why


def test_a_name_that_is_not_clear_needs_a_person(club, note):
    player(club, "Niamh Kelly")
    sure(note, mentions=[mention("Niamh Kelly"), mention("Zebedee")])
    assert the_entry(note).person_needed_because == "name_open"


def test_a_note_of_an_unknown_sender_needs_a_person(club):
    player(club, "Niamh Kelly")
    note = make_read_note(organization=club)
    sure(note)
    assert the_entry(note).person_needed_because == "coach_not_trusted"


def test_a_coach_is_trusted_in_the_own_club_only(club):
    player(club, "Niamh Kelly")
    note = make_read_note(organization=club, sender=make_coach(trust_level=3))
    sure(note)
    assert the_entry(note).person_needed_because == "coach_not_trusted"


@pytest.mark.parametrize(
    ("where", "resumed", "status"),
    [("all", False, "pending"), ("own", False, "pending"), ("other", False, "confirmed"), ("all", True, "confirmed")],
)
def test_automatic_confirmation_can_be_switched_off_for_all_or_for_a_club(club, note, where, resumed, status):
    player(club, "Niamh Kelly")
    sure(note)
    by = make_user()
    over = {"resumed_by": by, "resumed_at": timezone.now()} if resumed else {}
    of = {"all": None, "own": club, "other": make_coach().organization}[where]
    Pause.objects.create(
        subject="automatic_confirmation", organization=of, reason="Looking into it", paused_by=by, **over
    )
    assert the_entry(note).status == status


def test_an_entry_waits_for_a_week(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh")
    left = the_entry(note).expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_an_entry_made_again_expires_when_it_would_have(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh", confidence=0.5)
    resolve(note)
    output = drafts.work(drafts.load(note))
    drafts.store(note, output.data)
    long_ago = timezone.now() - timedelta(days=5)
    InsightDraft.objects.update(created_at=long_ago, expires_at=long_ago + timedelta(days=7))
    drafts.store(note, output.data)
    (entry,) = entries(note)
    assert (entry.created_at, entry.expires_at) == (long_ago, long_ago + timedelta(days=7))


def test_stored_twice_the_entries_are_there_once(club, note):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh")
    sure(note)
    resolve(note)
    output = drafts.work(drafts.load(note))
    for _ in range(2):
        drafts.store(note, output.data)
    assert len(entries(note)) == 2


@pytest.mark.parametrize("status", ["confirmed", "rejected", "applied", "expired"])
def test_an_entry_that_is_decided_is_left_and_not_made_again(club, note, status):
    player(club, "Niamh Kelly")
    make_claim(note, "Niamh")
    resolve(note)
    (new,) = drafts.work(drafts.load(note)).data
    by = None if status == "expired" else make_user()
    decided = make_draft(note.claims.get(), key=new.key, status=status, decided_by=by, title="Put right by hand")
    assert drafts.store(note, (new,)) == []
    (kept,) = entries(note)
    assert (kept.pk, kept.status, kept.title) == (decided.pk, status, "Put right by hand")


def test_entries_that_wait_and_are_no_longer_suggested_go(club, note):
    player(club, "Niamh Kelly")
    statement = make_claim(note, "Niamh")
    old = make_draft(statement)
    assert old not in suggest(note)


def test_an_answer_that_comes_during_the_work_has_it_done_again(club, note):
    eoin, _ = player(club, "Eoin Murphy"), player(club, "Seán Murphy")
    make_claim(note, "Murphy")
    resolve(note)
    taken = claim(StageRun.objects.get(artifact=note, stage=DRAFTS).pk, worker="test:1:1")
    output = drafts.work(drafts.load(note))
    Artifact.objects.filter(pk=note.pk).update(input_version=1)
    note.resolutions.update(player=eoin, status="auto_resolved", score=100)
    settle(taken, output)
    assert (StageRun.objects.get(pk=taken.run_id).status, entries(note)) == ("superseded", [])
    assert [entry.player for entry in suggest_again(note)] == [eoin]


def test_removing_spares_what_a_person_decided_about(note):
    statement, by = make_claim(note, "Niamh"), make_user()
    for _ in range(2):
        make_draft(statement)
    make_draft(statement, status="expired")
    make_draft(statement, status="confirmed", automatic=True)
    kept = [make_draft(statement, status=status, decided_by=by) for status in ("confirmed", "rejected", "applied")]
    kept.append(make_draft(statement, status="applied", automatic=True))
    elsewhere = make_draft()
    assert drafts.remove(note) == {"suggested entries": 4}
    assert entries(note) == kept
    assert InsightDraft.objects.filter(pk=elsewhere.pk).exists()


def test_a_note_in_which_nobody_speaks_is_ready_without_entries(club):
    note = make_read_note(DRAFTS, organization=club, outcome="no_speech")
    perform(scheduled(note, DRAFTS).pk)
    note.refresh_from_db()
    assert (note.status, entries(note)) == ("completed", [])


def test_a_long_note_is_loaded_in_as_many_queries_as_a_short_one(club, coach, note):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            drafts.load(Artifact.objects.get(pk=note.pk))
        return len(captured)

    make_resolution(make_claim(note, "Niamh"), player=player(club, "Niamh Kelly"))
    few = queries()
    for _ in range(60):
        make_resolution(make_claim(note, "Niamh"), player=player(club, "Niamh Kelly"))
        make_resolution(make_claim(note, mentions=[mention("Niamh", "coach_name")]), coach_meant=coach)
    assert queries() == few <= 8
    assert Claim.objects.filter(artifact=note).count() == 121
