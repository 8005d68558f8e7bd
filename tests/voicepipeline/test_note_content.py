"""What came of a note, as its page and the list of notes show it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    make_claim,
    make_club,
    make_coach,
    make_draft,
    make_note,
    make_player,
    make_resolution,
    make_team,
    make_transcript,
    make_user,
    mention,
)
from voicepipeline import roles
from voicepipeline.admin import note_content
from voicepipeline.admin.note_transcript import language_name, percent
from voicepipeline.masking import Eyes
from voicepipeline.models import Artifact, Claim, MentionKind, StageRun, Transcript

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_artifact_changelist")
HOSTILE = "<img src=x onerror=alert(1)>{{ 7|add:7 }}\"'"


@pytest.fixture
def viewer(client):
    user = make_user(roles.VIEWER, reads_content=True)
    client.force_login(user)
    return user


@pytest.fixture
def ana():
    return make_user(roles.OPERATOR, first_name="Ana", last_name="Nowak")


def content_of(artifact, run=None, *, read=True):
    return note_content.content_of(artifact, run, Eyes(read))


def ready(**fields):
    now = timezone.now()
    return make_note(status="completed", completed_at=now, first_completed_at=now, **fields)


def page_of(client, artifact):
    return client.get(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])).content.decode()


def only_match(**fields):
    club = make_club()
    claim = make_claim(make_note(organization=club), "Neve")
    make_resolution(claim, **fields)
    (statement,) = content_of(claim.artifact).statements
    return statement.matches[0]


def only_entry(**fields):
    draft = make_draft(make_claim(make_note(sender=make_coach(first_name="Seán", last_name="Ó Sé")), "Neve"), **fields)
    return content_of(draft.artifact).entries[0]


# --- The transcript --------------------------------------------------------------------------------------------------
def test_a_transcript_tells_language_length_model_and_confidence():
    note = make_note(audio=b"x")
    make_transcript(
        note,
        text="Dia duit.",
        languages=["en", "ga", "klingon"],
        duration_seconds=Decimal("75.5"),
        ai_model="gpt-transcribe",
        confidence=0.874,
    )
    assert content_of(note).transcript.facts == [
        ("Language", "English, Irish, Klingon"),
        ("Duration", "1:15"),
        ("Model", "gpt-transcribe"),
        ("Confidence", "87 %"),
    ]


def test_what_a_transcript_does_not_tell_is_unknown():
    note = make_note(audio=b"x")
    make_transcript(note, text="Hello.")
    assert {value for _, value in content_of(note).transcript.facts} == {"unknown"}


def test_a_typed_note_has_neither_a_model_nor_a_player(client, viewer):
    note = make_note(text="Niamh was sharp.")
    make_transcript(note, is_typed=True)
    page = page_of(client, note)
    assert "What was typed" in page
    assert "<audio" not in page
    assert content_of(note).transcript.facts == []


def test_a_typed_note_is_read_before_its_transcript_is_there(client, viewer):
    assert "Niamh was sharp." in page_of(client, make_note(text="Niamh was sharp."))


def test_a_recording_is_played_from_its_own_address(client, viewer, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    note = make_note(audio=b"RIFF")
    assert f'src="{reverse("admin:voicepipeline_artifact_audio", args=[note.artifact_id])}"' in page_of(client, note)


@pytest.mark.parametrize(
    ("verdict", "reason", "words"),
    [
        ("flagged", "often_inaudible", ["To be reviewed", "Somebody should listen", "More than a fifth of it"]),
        ("no_speech", "empty", ["No speech", "nothing was made of it", "There is no text."]),
    ],
)
def test_a_doubtful_transcript_says_why(client, viewer, verdict, reason, words):
    note = make_note(audio=b"x")
    make_transcript(note, verdict=verdict, verdict_reasons=[reason])
    page = page_of(client, note)
    assert [each for each in words if each not in page] == []


def test_a_good_transcript_raises_no_alarm(client, viewer):
    note = make_note(audio=b"x")
    make_transcript(note)
    page = page_of(client, note)
    assert "Quality: Good" in page
    assert "Somebody should listen" not in page


def test_every_quote_leads_to_its_statement_and_back(client, viewer):
    note = make_note()
    make_transcript(note, text="Niamh was sharp. Owen was late.")
    make_claim(note, "Niamh", quote="Niamh was sharp.", quote_start=0, quote_end=16)
    make_claim(note, "Owen", quote="Owen was late.", quote_start=17, quote_end=31)
    page = page_of(client, note)
    for number, words in enumerate(("Niamh was sharp.", "Owen was late."), start=1):
        assert f'<mark data-statements="{number}">{words}</mark>' in page
        assert f'id="quote-{number}" class="vp-ref" href="#statement-{number}"' in page
        assert f'href="#quote-{number}"' in page
        assert f'id="statement-{number}"' in page


def test_a_statement_that_nobody_said_is_marked_as_such(client, viewer):
    note = make_note()
    make_transcript(note)
    make_claim(note, "Niamh", quote="Never said", quote_start=None, quote_end=None)
    page = page_of(client, note)
    assert "Not in the transcript" in page
    assert "1 not in the transcript" in page
    assert "<mark" not in page
    assert 'href="#quote-1"' not in page


# --- Statements and who is meant -------------------------------------------------------------------------------------
def test_a_statement_tells_all_that_it_says(client, viewer):
    make_claim(
        note := make_note(),
        "Neve",
        topic="injury",
        title="Ankle sprain",
        severity="high",
        sentiment="concerned",
        recommended_action="Rest until Thursday.",
        time_reference="last night",
        confidence=0.999,
    )
    make_claim(note, "Owen", topic="skill_rating", skill_name="Tackling", skill_rating=4, confidence=None)
    page = page_of(client, note)
    told = ["Ankle sprain", "High severity", "Concerned", "Rest until Thursday.", "last night", "99 %"]
    assert [words for words in [*told, "Tackling: 4 of 5", "unknown"] if words not in page] == []


def test_an_automatic_match_tells_whom_and_how_sure():
    match = only_match(player=make_player(first_name="Niamh"), score=96.4, reason="Sounds the same.")
    assert (match.raw_text, match.who, match.how) == ("Neve", "Niamh Kelly", "matched automatically 96")
    assert match.reason == "Sounds the same."


def test_a_match_by_a_person_tells_who_chose(ana):
    chosen = {"status": "user_resolved", "resolved_by": ana, "resolved_at": timezone.now()}
    match = only_match(player=make_player(first_name="Niamh"), score=None, **chosen)
    assert (match.who, match.how) == ("Niamh Kelly", "chosen by Ana Nowak")


def test_an_unclear_name_tells_its_candidates():
    match = only_match(candidates=[{"id": 1, "name": "Niamh Kelly", "score": 88.2, "reason": "Sounds alike."}])
    assert (match.who, match.how, match.has_more) == ("", "name unclear", True)
    assert [(each.name, each.score, each.reason) for each in match.candidates] == [
        ("Niamh Kelly", "88", "Sounds alike.")
    ]


def test_a_name_that_is_not_on_the_roster_tells_who_said_so(ana):
    assert only_match(status="unresolved").how == "not on the roster"
    said = {"resolved_by": ana, "resolved_at": timezone.now()}
    assert only_match(status="unresolved", **said).how == "not on the roster, says Ana Nowak"


@pytest.mark.parametrize("target", ["team", "coach_meant"])
def test_teams_and_coaches_are_matched_too(target):
    meant = make_team(name="Under 14") if target == "team" else make_coach(first_name="Under", last_name="14")
    assert only_match(**{target: meant}).who == "Under 14"


def test_a_group_needs_nobody():
    match = only_match(status="auto_resolved", kind=MentionKind.GROUP_REFERENCE, score=None)
    assert (match.who, match.how) == ("", "a group, nobody to find")


def test_where_the_ai_had_meant_somebody_else_it_is_said(client, viewer):
    told = {"player": make_player(first_name="Niamh"), "model_player": make_player(first_name="Nuala")}
    assert only_match(**told, model_agrees=False).ai_said == "Nuala Kelly"
    assert only_match(player=told["player"], model_player=told["player"], model_agrees=True).ai_said == ""
    assert only_match(status="unresolved", model_player=told["model_player"], model_agrees=False).ai_said


def test_names_that_nothing_was_matched_with_yet_are_shown_as_spoken(client, viewer):
    claim = make_claim(None, "Neve", "Owen")
    assert content_of(claim.artifact).statements[0].unmatched == ["Neve", "Owen"]
    assert "not matched yet" in page_of(client, claim.artifact)


@pytest.mark.parametrize("junk", [None, "x", 7, {}, ["x", None, 3, {"score": "high", "name": None}]])
def test_stored_lists_that_are_none_do_not_break_the_page(client, viewer, junk):
    claim = make_claim(make_note(), "Neve")
    make_transcript(claim.artifact, segments=[] if junk is None else junk)
    make_resolution(claim, candidates=[] if junk is None else junk)
    Claim.objects.filter(pk=make_claim(claim.artifact, "Owen").pk).update(mentions=[] if junk is None else junk)
    assert "Neve" in page_of(client, claim.artifact)


# --- Suggested entries -----------------------------------------------------------------------------------------------
def test_an_entry_waits_for_a_person_and_says_why():
    row = only_entry(
        player=make_player(first_name="Niamh"),
        person_needed_because="topic_needs_a_person",
        ai_confidence=0.9,
        resolution_confidence=None,
    )
    assert (row.whom, row.state.words, row.number) == ("Niamh Kelly", "To be confirmed", 1)
    assert row.why_a_person == "Injury, wellbeing and recovery are always confirmed by a person."
    assert (row.confidence, row.parts) == ("unknown", "AI 90 %, match unknown")
    assert row.decision.startswith("until ")


def test_a_confirmed_entry_says_by_whom(ana):
    assert only_entry(status="confirmed", decided_by=ana).decision.startswith("by Ana Nowak, ")
    automatic = only_entry(status="confirmed", automatic=True, overall_confidence=0.91)
    assert (automatic.state.words, automatic.confidence) == ("Confirmed automatically", "91 %")
    assert not automatic.decision.startswith("by")


def test_only_what_is_still_confirmed_is_called_so():
    assert only_entry(status="applied", automatic=True).state.words == "Applied"


def test_an_entry_tells_all_that_it_says(client, viewer):
    told = {"recommended_action": "Rest until Thursday.", "time_reference": "last night", "sentiment": "concerned"}
    row = only_entry(topic="injury", severity="high", **told)
    make_draft(row.entry.claim, topic="skill_rating", skill_name="Tackling", skill_rating=4)
    entries = page_of(client, row.entry.artifact).partition('id="entries-title"')[2]
    words = ["High severity", "Concerned", "Tackling: 4 of 5", "Rest until Thursday.", "last night"]
    assert [each for each in words if each not in entries] == []
    bare = page_of(client, only_entry().entry.artifact).partition('id="entries-title"')[2]
    assert "severity" not in bare
    assert "vp-inline-facts" not in bare


def test_a_rejected_entry_says_by_whom_and_why(client, viewer, ana):
    row = only_entry(status="rejected", decided_by=ana, decision_reason="Another Murphy.")
    assert (row.state.words, row.reason) == ("Rejected", "Another Murphy.")
    assert "The reason given: Another Murphy." in page_of(client, row.entry.artifact)


def test_an_expired_entry_says_so():
    assert only_entry(status="expired").state.words == "Expired"


def test_an_entry_is_for_a_team_or_for_the_coach():
    assert only_entry(team=make_team(name="Under 14")).whom == "Under 14"
    assert only_entry().whom == "Seán Ó Sé, the coach"


def test_an_entry_outlives_its_statement(client, viewer, ana):
    row = only_entry(status="confirmed", decided_by=ana)
    Claim.objects.filter(pk=row.entry.claim_id).delete()
    assert content_of(row.entry.artifact).entries[0].number is None
    assert "its statement has been replaced" in page_of(client, row.entry.artifact)


# --- The whole page --------------------------------------------------------------------------------------------------
def test_hostile_text_is_shown_as_text_everywhere(client, viewer, ana):
    club = make_club(name=HOSTILE)
    note = make_note(sender=make_coach(organization=club, first_name=HOSTILE), text=HOSTILE)
    player = make_player(organization=club, first_name=HOSTILE)
    make_transcript(
        note,
        text=f"{HOSTILE} {HOSTILE}",
        segments=[{"text": HOSTILE, "start_seconds": 0, "end_seconds": 1}],
        languages=[HOSTILE[:20]],
        ai_model=HOSTILE,
        verdict="flagged",
        verdict_reasons=[HOSTILE[:40]],
    )
    words = dict.fromkeys(
        ("title", "description", "quote", "recommended_action", "time_reference", "skill_name"), HOSTILE
    )
    claim = make_claim(note, HOSTILE, **words, quote_end=len(HOSTILE))
    make_claim(note, HOSTILE, **words, quote_start=None, quote_end=None)
    told = {"name": HOSTILE, "score": HOSTILE, "reason": HOSTILE}
    make_resolution(
        claim, reason=HOSTILE, candidates=[told], player=player, model_player=make_player(first_name=HOSTILE)
    )
    make_draft(claim, **words, player=player, person_needed_because=HOSTILE[:40])
    make_draft(claim, status="rejected", decided_by=ana, decision_reason=HOSTILE)
    StageRun.objects.create(artifact=note, stage="transcription", generation=1, attempt=1, ai_model=HOSTILE)
    page = page_of(client, note)
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img src=x" not in page
    assert "{{ 7|add:7 }}" in page


def test_the_page_names_what_is_missing_and_what_comes_next(client, viewer):
    page = page_of(client, make_note(audio=b"x"))
    assert "No transcript yet: transcription has not been queued." in page
    assert "No statements yet: they are read from the transcript, once it is there." in page
    assert "No suggested entries yet:" in page


def test_the_page_adds_up_what_a_round_cost(client, viewer):
    note = make_note()
    for attempt, cost in enumerate((Decimal("0.0125"), None), start=1):
        StageRun.objects.create(
            artifact=note,
            stage="transcription",
            generation=1,
            attempt=attempt,
            status="failed",
            error_code="x",
            finished_at=timezone.now() + timedelta(seconds=1),
            ai_model="gpt-transcribe",
            audio_seconds=Decimal(3),
            cost_usd=cost,
        )
    assert "AI cost of 2 tries, of which 1 of unknown cost: $0.0125" in page_of(client, note)


def filled_note(count):
    note = ready()
    make_transcript(note)
    for _ in range(count):
        claim = make_claim(note, "Neve", "Owen")
        make_resolution(claim, player=make_player(), model_player=make_player())
        make_resolution(claim)
        make_draft(claim, player=make_player())
    return note


def test_sixty_statements_cost_no_more_questions_than_one(client, viewer):
    asked = []
    for count in (1, 60):
        note = filled_note(count)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert page_of(client, note).count('class="vp-statement"') == count
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_what_came_of_a_note_is_four_questions(django_assert_num_queries):
    note = filled_note(3)
    with django_assert_num_queries(4):
        content = content_of(note)
        assert all(str(row.whom) for row in content.entries)


@pytest.mark.parametrize(
    ("share", "words"), [(None, "unknown"), (0, "0 %"), (0.5, "50 %"), (0.9999, "99 %"), (1, "100 %")]
)
def test_a_confidence_is_never_rounded_up_to_certainty(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(("code", "name"), [("en", "English"), ("PL", "Polish"), ("english", "English"), ("xq", "xq")])
def test_languages_are_called_by_their_names(code, name):
    assert language_name(code) == name


# --- The list --------------------------------------------------------------------------------------------------------
def status_of(client):
    page = client.get(LIST).content.decode().partition('id="result_list"')[2]
    return [label.partition("</span>")[0].partition(">")[2] for label in page.split('class="vp-label')[1:]]


def test_the_list_counts_each_unclear_name_once(client, viewer):
    note = ready()
    for name in ("Murphy", "Murphy", "Neve"):
        make_resolution(make_claim(note, name))
    make_resolution(make_claim(note, "Owen"), player=make_player())
    make_resolution(make_claim(note, mentions=[mention("Murphy", MentionKind.COACH_NAME)]))
    assert status_of(client) == ["Ready, 3 names to check"]
    assert content_of(note).open_names == 3


def test_the_list_tells_one_name_from_several(client, viewer):
    make_resolution(make_claim(ready(), "Neve"))
    assert status_of(client) == ["Ready, 1 name to check"]


def test_the_list_tells_silence_and_doubt(client, viewer):
    make_transcript(ready(outcome=Artifact.Outcome.NO_SPEECH), verdict=Transcript.Verdict.NO_SPEECH)
    assert status_of(client) == ["No speech"]
    Artifact.objects.update(received_at=timezone.now() - timedelta(hours=1))
    make_transcript(ready(), verdict=Transcript.Verdict.FLAGGED)
    assert status_of(client) == ["Ready", "To be reviewed", "No speech"]


def test_a_note_on_its_way_is_not_called_ready_for_its_open_names(client, viewer):
    make_resolution(make_claim(make_note(status="processing", current_stage="draft_generation"), "Neve"))
    assert status_of(client) == ["Processing"]


def test_the_page_is_labelled_as_the_list_labels_it(client, viewer):
    note = ready()
    make_transcript(note, verdict=Transcript.Verdict.FLAGGED)
    make_resolution(make_claim(note, "Neve"))
    page = page_of(client, note)
    assert "Ready, 1 name to check" in page
    assert "To be reviewed" in page
