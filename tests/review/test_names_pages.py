"""The page of one name to check: what it shows, what it does, and who may see it."""

# ruff: noqa: F401, F811 - fixtures are used by their names

import re

import pytest
from django.urls import reverse
from django.utils.html import escape

from tests.factories import make_claim, make_coach, make_note, make_resolution, make_team, make_transcript, make_user
from tests.names.conftest import club, coach, note, real_stages
from tests.names.helpers import make_read_note, player, resolve
from tests.review.name_helpers import asking, learned, means, operator, settle, the_choice, two_murphys
from tests.review.name_pages import (
    QUEUE,
    ana,
    names_on,
    post,
    queries_of,
    question,
    text_of,
    url_in,
    url_of,
    viewer,
)
from voicepipeline import roles
from voicepipeline.admin.name_queue import Filters, Question, next_question, question_before, question_url
from voicepipeline.models import ContentReading, EntityResolution, InsightDraft, NameChoice

pytestmark = pytest.mark.django_db


def test_a_question_shows_the_quote_with_the_name_marked_and_when_it_was_said(client, ana):
    artifact = make_note(audio=b"RIFF")
    said = "Training was grand. Murphy went over on his ankle."
    segments = [
        {"start_seconds": 0, "end_seconds": 4.5, "text": "Training was grand."},
        {"start_seconds": 4.5, "end_seconds": 9, "text": "Murphy went over on his ankle."},
    ]
    make_transcript(artifact, text=said, segments=segments)
    row = question("Murphy", artifact, quote=said[20:], quote_start=20, quote_end=len(said), title="Ankle")
    page = client.get(url_of(row)).content.decode()
    assert "“<mark>Murphy</mark> went over on his ankle.”" in page
    audio = reverse("admin:voicepipeline_artifact_audio", args=[artifact.artifact_id])
    assert f'src="{audio}#t=4.50"' in page
    assert f'href="{audio}#t=4.50" data-seek="4.50"' in page
    assert f'#statement-{row.claim.number}">Statement 1</a>' in page


def test_a_question_offers_its_candidates_with_score_reason_and_team(client, ana, club, note):
    under_14 = make_team(organization=club)
    player(club, "Eoin Murphy", team=under_14), player(club, "Seán Murphy", is_active=False)
    asking(note)
    page = client.get(url_in(note))
    assert "1 Eoin Murphy Under 14 the same last name; no first name said score 100" in text_of(page)
    assert "2 Seán Murphy no longer active the same last name; no first name said score 100" in text_of(page)
    assert page.content.decode().count('style="width: 100%"') == 2


def test_a_question_costs_the_same_for_one_statement_and_for_many(client, ana, club, note):
    two_murphys(club)
    asking(note)
    few = queries_of(client, url_in(note))
    for _ in range(20):
        make_resolution(make_claim(note, "Murphy"))
    assert queries_of(client, url_in(note)) == few <= 26


def test_the_whole_roster_is_searched_by_the_beginnings_of_words_without_accents(client, ana, club, note):
    asking(note)
    siobhan, sean = player(club, "Siobhán O'Neill"), player(club, "Seán Kelly")
    player(make_coach().organization, "Siobhán Walsh")

    def found(asked):
        return re.findall(r'value="player:(\d+)"', client.get(url_in(note), {"q": asked}).content.decode())

    assert found("siobhan oneill") == [str(siobhan.pk)]
    assert set(found("s")) == {str(siobhan.pk), str(sean.pk)}
    assert found("zz") == []


def test_a_choice_settles_the_name_and_goes_on_to_the_next_question_with_undo(client, ana, club, coach, note):
    eoin, _ = two_murphys(club)
    asking(note)
    following = asking(make_read_note(sender=coach), "Merphy")
    answer = post(client, url_in(note), target=f"player:{eoin.pk}", coach=coach.pk)
    choice = the_choice(note)
    assert answer["Location"] == f"{url_in(following, 'Merphy')}?coach={coach.pk}&done={choice.pk}"
    page = client.get(answer["Location"])
    assert "“Murphy” means Eoin Murphy in this voice note." in text_of(page)
    assert reverse("admin:voicepipeline_entityresolution_undo", args=[choice.pk]) in page.content.decode()
    assert means(note) == [eoin]


def test_the_last_choice_leads_back_to_the_queue(client, ana, club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    answer = post(client, url_in(note), target=f"player:{eoin.pk}")
    assert answer["Location"] == f"{QUEUE}?done={the_choice(note).pk}"
    assert "Your last answer: “Murphy” means Eoin Murphy" in text_of(client.get(answer["Location"]))


def test_a_choice_for_one_statement_only(client, ana, club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Murphy", "Murphy")
    post(client, url_in(note), target=f"player:{eoin.pk}", only="claim2")
    assert (means(note), learned()) == ([None, eoin], [])


def scopes_on(page):
    """Every place where the answer may hold, and whether it is the one that is chosen."""
    found = re.findall(r'type="radio" name="only" value="([^"]*)"( checked)?', page.content.decode())
    return {value: bool(checked) for value, checked in found}


def test_a_search_keeps_where_the_answer_shall_hold(client, ana, club, note):
    two_murphys(club)
    asking(note, "Murphy", "Murphy")
    assert scopes_on(client.get(url_in(note))) == {"": True, "claim1": False, "claim2": False}
    page = client.get(url_in(note), {"q": "eoin", "only": "claim2"})
    assert scopes_on(page) == {"": False, "claim1": False, "claim2": True}
    assert '<input type="hidden" name="only" value="claim2">' in page.content.decode()


@pytest.mark.parametrize("only", ["claim9", '"><b>', "x" * 500])
def test_a_statement_that_does_not_say_the_name_is_not_kept(client, ana, club, note, only):
    two_murphys(club)
    asking(note)
    page = client.get(url_in(note), {"only": only})
    assert scopes_on(page) == {"": True, "claim1": False}
    assert '<input type="hidden" name="only" value="">' in page.content.decode()


def test_a_refusal_keeps_where_the_answer_shall_hold(client, ana, club, note):
    two_murphys(club)
    asking(note)
    answer = post(client, url_in(note), target="nonsense:1", only="claim1")
    assert answer["Location"] == f"{url_in(note)}?only=claim1"


def test_not_on_the_roster(client, ana, club, note):
    two_murphys(club)
    asking(note)
    post(client, url_in(note), target="nobody")
    assert the_choice(note).player is None
    assert EntityResolution.objects.get(artifact=note).status == "unresolved"


@pytest.mark.parametrize("target", ["", "player:", "player:x", "player:999999", "team:1", "nonsense:1", "player:1:2"])
def test_a_target_that_makes_no_sense_is_refused_in_words(client, ana, club, note, target):
    two_murphys(club)
    asking(note)
    answer = post(client, url_in(note), target=target)
    assert answer["Location"] == url_in(note)
    assert NameChoice.objects.count() == 0
    assert 'class="mb-3 px-3 py-2.5' in client.get(answer["Location"]).content.decode()


def test_the_second_of_two_people_sees_what_the_first_answered(client, ana, club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin, by=operator(first_name="Bartek", last_name="Zając"))
    answer = post(client, url_in(note), target=f"player:{sean.pk}")
    assert answer["Location"] == url_in(note)
    page = text_of(client.get(answer["Location"]))
    assert "Bartek Zając" in page
    assert "Your answer was not kept" in page
    assert means(note) == [eoin]


def test_undo_leads_back_to_the_question_and_keeps_the_filters(client, ana, club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    settle(note, eoin)
    undo = reverse("admin:voicepipeline_entityresolution_undo", args=[the_choice(note).pk])
    answer = client.post(undo, {"club": club.pk})
    assert answer["Location"] == f"{url_in(note)}?club={club.pk}"
    assert means(note) == [None]
    assert "Taken back: that “Murphy” means Eoin Murphy." in text_of(client.get(answer["Location"]))
    assert client.post(undo, {"tab": "answered"})["Location"] == f"{QUEUE}?tab=answered"


def test_nothing_is_undone_by_a_get(client, ana, club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    settle(note, eoin)
    undo = reverse("admin:voicepipeline_entityresolution_undo", args=[the_choice(note).pk])
    assert client.get(undo).status_code == 405
    assert means(note) == [eoin]


def test_skip_goes_to_the_next_question_and_back_again(client, ana):
    first, second = make_note(), make_note()
    rows = [question("Aoife", first), question("Murphy", first), question("Aoife", second)]
    asked = [Question(row.artifact_id, row.kind, row.name_key) for row in rows]
    assert [next_question(Filters(), each) for each in asked] == [*asked[1:], None]
    assert [question_before(Filters(), each) for each in asked] == [None, *asked[:-1]]
    page = client.get(url_of(rows[1])).content.decode()
    assert f'href="{url_of(rows[2])}" data-shortcut="s"' in page
    assert f'href="{url_of(rows[0])}" data-shortcut="ArrowLeft"' in page


def test_a_confirmed_entry_for_somebody_else_is_shown_and_linked(client, ana, club, note):
    eoin, sean = two_murphys(club)
    asking(note)
    settle(note, eoin)
    InsightDraft.objects.update(status="confirmed", decided_by=ana, decided_at=note.received_at)
    post(client, url_in(note), target=f"player:{sean.pk}", seen=the_choice(note).pk)
    page = client.get(url_in(note))
    assert "Confirmed for somebody else than is meant now." in text_of(page)
    entries = reverse("admin:voicepipeline_insightdraft_note", args=[note.artifact_id])
    assert f'href="{entries}#entry-{InsightDraft.objects.get(status="confirmed").pk}"' in page.content.decode()


def test_a_note_without_a_club_asks_for_one_first(client, ana):
    orphan = make_read_note(organization=None)
    make_claim(orphan, "Murphy")
    resolve(orphan)
    page = client.get(url_in(orphan))
    assert "This voice note has no club" in text_of(page)
    assign = reverse("admin:voicepipeline_artifact_action", args=[orphan.artifact_id, "assign-club"])
    assert f'href="{assign}">Give it a club first.' in page.content.decode()
    assert client.get(assign).status_code == 200
    assert 'name="target"' not in page.content.decode()


def test_a_name_that_is_not_matched_yet_can_be_settled(client, ana, club, note):
    eoin, _ = two_murphys(club)
    make_claim(note, "Murphy")
    url = question_url(Question(note.pk, "player_name", "murphy"), note.artifact_id)
    assert "This name has not been looked up yet." in text_of(client.get(url))
    post(client, url, target=f"player:{eoin.pk}")
    resolve(note)
    assert means(note) == [eoin]


def test_a_name_that_the_note_says_no_more_leads_to_the_note(client, ana, club, note):
    asking(note)
    url = url_in(note)
    EntityResolution.objects.all().delete()
    InsightDraft.objects.all().delete()
    note.claims.all().delete()
    answer = client.get(url)
    assert answer["Location"] == reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])


@pytest.mark.parametrize("name", ["Ó Súilleabháin", "a/b?c=d&e", "<b>x</b>", "日本", "%2F..", "' OR 1=1 --"])
def test_a_name_may_hold_any_characters_and_no_address_holds_the_name(client, ana, name):
    row = question(name)
    page = client.get(url_of(row))
    assert page.status_code == 200
    assert escape(name) in page.content.decode()
    assert re.fullmatch(r"[/\w-]+", url_of(row))
    assert names_on(client.get(QUEUE)) == [escape(name)]


# --- Who may see what ---------------------------------------------------------------------------------------------
def test_who_may_not_read_sees_initials_and_no_buttons(client, viewer, club, note):
    eoin, _ = two_murphys(club)
    asking(note, "Murphy", "Murphy")
    settle(note, eoin, claim_key="claim1")
    note.claims.update(title="Ankle", quote="Murphy hurt his ankle")
    for url in (QUEUE, QUEUE + "?tab=answered", url_in(note), url_in(note) + "?q=eoin"):
        page = client.get(url).content.decode()
        assert page.count("M.") > 0
        for private in (
            "Murphy",
            "murphy",
            "Eoin",
            "ankle",
            "Ankle",
            "last name",
            'name="target"',
            "/undo/",
            "/audio/",
        ):
            assert private not in page, url
    assert client.get(url_in(note)).content.decode().count("vp-names-bar") == 2
    assert ContentReading.objects.count() == 0


def test_who_may_not_read_cannot_settle_or_undo(client, club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    settle(note, eoin)
    client.force_login(make_user(roles.OPERATOR, reads_content=False))
    assert post(client, url_in(note), target=f"player:{eoin.pk}").status_code == 403
    undo = reverse("admin:voicepipeline_entityresolution_undo", args=[the_choice(note).pk])
    assert client.post(undo).status_code == 403
    assert means(note) == [eoin]


def test_who_reads_and_may_not_settle_sees_names_and_no_buttons(client, club, note):
    two_murphys(club)
    asking(note)
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    page = client.get(url_in(note)).content.decode()
    assert "Eoin Murphy" in page
    assert 'name="target"' not in page


def test_what_is_read_here_is_recorded(client, ana, club, note):
    two_murphys(club)
    asking(note)
    other = question().artifact
    client.get(QUEUE)
    assert set(ContentReading.objects.values_list("artifact", "place", "user")) == {
        (each.pk, "names", ana.pk) for each in (note, other)
    }


def test_what_is_read_of_one_question_is_recorded_once(client, ana, club, note):
    two_murphys(club)
    asking(note)
    client.get(url_in(note)), client.get(url_in(note))
    assert list(ContentReading.objects.values_list("artifact", "place", "user")) == [(note.pk, "names", ana.pk)]


def test_the_answer_that_led_here_is_read_again_also_hours_later(client, ana, club, note):
    eoin, _ = two_murphys(club)
    asking(note)
    settle(note, eoin, by=ana)
    assert "Eoin Murphy" in client.get(f"{QUEUE}?done={the_choice(note).pk}").content.decode()
    assert list(ContentReading.objects.values_list("artifact", "place", "user")) == [(note.pk, "names", ana.pk)]


def test_the_notes_page_leads_to_the_question(client, ana, club, note):
    two_murphys(club)
    asking(note)
    page = client.get(reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])).content.decode()
    assert f'href="{url_in(note)}"' in page
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    page = client.get(reverse("admin:voicepipeline_artifact_change", args=[note.artifact_id])).content.decode()
    assert url_in(note) not in page
