"""The pages of suggested entries: who finds what on which, and what a press of a button does."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from tests.factories import (
    make_claim,
    make_coach,
    make_draft,
    make_note,
    make_player,
    make_team,
    make_transcript,
    make_user,
)
from voicepipeline import roles
from voicepipeline.models import ContentReading, EntryDecision, InsightDraft
from voicepipeline.operations.entry_decisions import confirm_entry, undo_entry
from voicepipeline.operations.entry_edits import seen_of, seen_of_all

pytestmark = pytest.mark.django_db

LIST = reverse("admin:voicepipeline_insightdraft_changelist")
SAID = {
    "title": "Sore ankle again",
    "description": "Limped off after the second drill.",
    "quote": "limping on her left ankle",
    "recommended_action": "Ring the physio",
    "time_reference": "since Tuesday",
    "skill_name": "First touch",
}


@pytest.fixture
def operator(client):
    user = make_user(roles.OPERATOR, first_name="Aoife", last_name="Kelly")
    client.force_login(user)
    return user


def note_page(draft):
    return reverse("admin:voicepipeline_insightdraft_note", args=[draft.artifact.artifact_id])


def deed(draft, verb):
    return reverse("admin:voicepipeline_insightdraft_deed", args=[draft.artifact.artifact_id, draft.pk, verb])


def listed(client, **given):
    response = client.get(LIST, given)
    assert response.status_code == 200
    return [row.entry for row in response.context["rows"]]


def in_every_tab():
    """One entry for each tab, by its key."""
    by = make_user()
    return {
        "pending": make_draft(),
        "on_hold": make_draft(held_at=timezone.now(), held_by=by),
        "confirmed": make_draft(status="confirmed", decided_by=by),
        "automatic": make_draft(status="confirmed", automatic=True),
        "rejected": make_draft(status="rejected", decided_by=by),
        "expired": make_draft(status="expired"),
    }


# --- The list ---------------------------------------------------------------------------------------------------------
def test_each_tab_lists_the_entries_that_stand_so(client, operator):
    entries = in_every_tab()
    assert {tab: listed(client, tab=tab) for tab in entries} == {tab: [entry] for tab, entry in entries.items()}


def test_applied_entries_stand_among_the_confirmed(client, operator):
    older = make_draft(status="applied", decided_by=operator, decided_at=timezone.now() - timedelta(days=1))
    newer = make_draft(status="confirmed", decided_by=operator)
    assert listed(client, tab="confirmed") == [newer, older]


def test_an_unknown_tab_is_the_first(client, operator):
    draft = make_draft()
    assert listed(client, tab="x\x00") == [draft]


def test_what_waits_is_listed_oldest_first_page_by_page(client, operator):
    claim = make_claim()
    drafts = [make_draft(claim) for _ in range(60)]
    found, url = [], LIST
    while url:
        response = client.get(url)
        found.append([row.entry for row in response.context["rows"]])
        url = response.context["next_url"]
    assert [len(page) for page in found] == [25, 25, 10]
    assert [entry for page in found for entry in page] == drafts


def test_what_is_decided_is_listed_newest_first_page_by_page_also_within_one_moment(client, operator):
    claim, at = make_claim(), timezone.now()
    drafts = [
        make_draft(
            claim,
            status="applied" if number % 3 else "confirmed",
            decided_by=operator,
            decided_at=at - timedelta(hours=number // 40),
        )
        for number in range(60)
    ]
    found, url = [], f"{LIST}?tab=confirmed"
    while url:
        response = client.get(url)
        found += [row.entry for row in response.context["rows"]]
        url = response.context["next_url"]
    assert found == sorted(drafts, key=lambda draft: (draft.decided_at, draft.pk), reverse=True)


@pytest.mark.parametrize("place", ["x", "9" * 30, "2026-11-21~3", "~", "2026-11-21T10:00:00+00:00~x"])
@pytest.mark.parametrize("tab", ["pending", "rejected"])
def test_a_place_that_is_none_is_the_beginning(client, operator, tab, place):
    entry = in_every_tab()[tab]
    assert listed(client, tab=tab, after=place) == [entry]


def test_filters_narrow_the_list(client, operator):
    coach = make_coach()
    at = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    wanted = make_draft(
        make_claim(make_note(sender=coach)), topic="attendance", prompt_version="claims-1", created_at=at
    )
    make_draft(make_claim(make_note(organization=coach.organization)))
    make_draft()
    for given in (
        {"club": coach.organization_id, "topic": "attendance"},
        {"coach": coach.pk},
        {"club": coach.organization_id, "coach": coach.pk},
        {"prompt": "claims-1"},
        {"since": "2026-11-03", "until": "2026-11-03"},
    ):
        assert listed(client, **given) == [wanted], given
        assert listed(client, tab="rejected", **given) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"club": "999999"}, "There is no such club"),
        ({"club": "x"}, "There is no such club"),
        ({"coach": "999999"}, "This coach is not the club"),
        ({"topic": "gossip"}, "Select a valid choice"),
        ({"since": "yesterday"}, "Give a day, such as 2026-11-21."),
        ({"since": "2026-11-03", "until": "2026-11-02"}, "This is before the first day."),
        ({"prompt": "x" * 41}, "at most 40 characters"),
        ({"prompt": "\x00"}, "Null characters are not allowed"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_filter_that_makes_no_sense_is_told_and_lists_nothing(client, operator, given, said):
    make_draft()
    response = client.get(LIST, given)
    assert said in response.content.decode()
    assert response.context["rows"] == []


def test_tabs_tell_how_many_wait(client, operator):
    in_every_tab()
    make_draft()
    tabs = client.get(LIST).context["tabs"]
    assert {tab["key"]: tab["count"] for tab in tabs if tab["count"]} == {"pending": "2", "on_hold": "1"}


def test_a_row_shows_whom_it_is_about_what_was_said_and_why_a_person_is_needed(client, operator):
    player = make_player(first_name="Caoimhe", last_name="Kelly")
    make_draft(player=player, overall_confidence=0.86, person_needed_because="topic_needs_a_person", **SAID)
    html = client.get(LIST).content.decode()
    for words in (
        "Caoimhe Kelly",
        *SAID.values(),
        "Injury, wellbeing and recovery are always confirmed by a person.",
        "86 %",
    ):
        assert escape(words) in html


# --- What people may see and do ---------------------------------------------------------------------------------------
@pytest.fixture
def told():
    """A decided entry that says a lot, with a history that does."""
    by = make_user(roles.OPERATOR)
    note = make_note(audio=b"RIFF", sender=make_coach(first_name="Seán", last_name="Roche"))
    make_transcript(note, text="She was limping on her left ankle.")
    draft = make_draft(make_claim(note), player=make_player(first_name="Caoimhe", last_name="Kelly"), **SAID)
    confirm_entry(draft.pk, by=by, seen=seen_of(draft), edits={"title": "Twisted her ankle"})
    draft.refresh_from_db()
    undo_entry(draft.pk, by=by, reason="Her ankle is fine.", seen=seen_of(draft))
    draft.refresh_from_db()
    return draft


PRIVATE = (*SAID.values(), "Twisted her ankle", "Her ankle is fine", "Caoimhe", "Kelly", "/audio/")


@pytest.mark.parametrize("role", [roles.VIEWER, roles.OPERATOR, roles.ADMINISTRATOR])
def test_who_may_not_read_sees_neither_words_nor_names_nor_buttons(client, told, role):
    client.force_login(make_user(role, reads_content=False))
    for url in (LIST, note_page(told)):
        html = client.get(url).content.decode()
        assert [words for words in PRIVATE if words in html] == []
        assert "C. K." in html
        assert "<button" not in html.partition("<main")[2].partition("vp-drafts")[2]
        assert told.key not in html
    assert not ContentReading.objects.exists()


def test_who_may_only_read_sees_everything_and_no_buttons(client, told):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    html = client.get(note_page(told)).content.decode()
    assert [words for words in PRIVATE if words not in html] == []
    assert 'data-key="c"' not in html


def test_reading_is_recorded_for_the_notes_that_are_shown(client, operator, told):
    make_draft(status="rejected", decided_by=operator)
    client.get(LIST)
    rows = ContentReading.objects.values_list("user", "artifact", "place")
    assert list(rows) == [(operator.pk, told.artifact_id, "entries")]


@pytest.mark.parametrize("verb", ["confirm", "edit", "reject", "hold", "release", "undo"])
@pytest.mark.parametrize(
    ("role", "reads"), [(roles.VIEWER, True), (roles.OPERATOR, False), (roles.ADMINISTRATOR, False)]
)
def test_deciding_is_for_those_who_may_decide_and_read(client, role, reads, verb):
    draft = make_draft()
    client.force_login(make_user(role, reads_content=reads))
    for url in (
        deed(draft, verb),
        reverse("admin:voicepipeline_insightdraft_all", args=[draft.artifact.artifact_id, "reject"]),
    ):
        assert client.get(url).status_code == 403
        assert client.post(url, {"seen": seen_of(draft), "reason": "x"}).status_code == 403
    assert not EntryDecision.objects.exists()


def test_pages_that_show_take_no_post(client, operator):
    draft = make_draft()
    assert [client.post(url).status_code for url in (LIST, note_page(draft))] == [403, 403]


# --- A note's entries -------------------------------------------------------------------------------------------------
def test_a_notes_page_shows_its_entries_their_quotes_and_what_people_decided(client, operator, told):
    html = client.get(note_page(told)).content.decode()
    assert html.count("limping on her left ankle") == 1
    assert "Taken back: it was confirmed" in html
    assert "Edited and confirmed" in html
    assert "Twisted her ankle" in html


def test_what_was_decided_about_an_entry_that_is_gone_is_still_told(client, operator, told):
    told.delete()
    html = client.get(note_page(told)).content.decode()
    assert "Decided about entries that are no longer suggested" in html
    assert "Her ankle is fine." in html


def test_a_quote_can_be_heard_where_it_is_said(client, operator):
    note = make_note(audio=b"RIFF")
    text = "All good. She was limping badly."
    segments = [
        {"text": "All good.", "start_seconds": 0.0, "end_seconds": 2.0},
        {"text": "She was limping badly.", "start_seconds": 2.5, "end_seconds": 5.0},
    ]
    make_transcript(note, text=text, segments=segments)
    make_draft(make_claim(note, quote="limping badly", quote_start=18, quote_end=31))
    assert 'data-seek="2.5"' in client.get(note_page(note.drafts.get())).content.decode()


def test_the_notes_own_page_leads_to_its_entries(client, operator):
    draft = make_draft()
    url = reverse("admin:voicepipeline_artifact_change", args=[draft.artifact.artifact_id])
    assert note_page(draft) in client.get(url).content.decode()


@pytest.mark.parametrize("model", ["note", "all", "deed"])
def test_a_note_that_is_not_there_is_not_found(client, operator, model):
    args = {"note": [], "all": ["confirm"], "deed": [1, "confirm"]}[model]
    nobody = "11111111-2222-4333-8444-555555555555"
    url = reverse(f"admin:voicepipeline_insightdraft_{model}", args=[nobody, *args])
    assert client.get(url).status_code == 404


# --- Deciding ---------------------------------------------------------------------------------------------------------
def press(client, draft, verb, **given):
    return client.post(deed(draft, verb), {"seen": seen_of(draft), **given}, follow=True)


def status(draft):
    draft.refresh_from_db()
    return draft.status


def messages(response):
    return [str(message) for message in response.context["messages"]]


def test_an_entry_is_confirmed_at_one_press(client, operator):
    draft = make_draft()
    assert messages(press(client, draft, "confirm")) == ["Confirmed."]
    assert (status(draft), draft.decided_by) == ("confirmed", operator)


@pytest.mark.parametrize("verb", ["confirm", "edit", "reject", "hold"])
def test_looking_at_a_page_that_asks_changes_nothing(client, operator, verb):
    draft = make_draft(**SAID)
    html = client.get(deed(draft, verb)).content.decode()
    assert "limping on her left ankle" in html
    assert "csrfmiddlewaretoken" in html
    assert status(draft) == "pending"


def test_an_entry_is_edited_and_confirmed(client, operator):
    draft = make_draft(topic="performance")
    form = client.get(deed(draft, "edit")).context["form"]
    given = {name: value or "" for name, value in form.initial.items()}
    response = press(client, draft, "edit", **{**given, "title": "Tackled bravely", "skill_rating": "4"})
    assert messages(response) == ["Edited and confirmed."]
    assert (status(draft), draft.title, draft.skill_rating) == ("confirmed", "Tackled bravely", 4)
    assert set(draft.suggested) == {"title", "skill_rating"}


def test_what_was_written_stays_when_an_edit_is_refused(client, operator):
    draft = make_draft(topic="performance")
    given = {"title": "My own words", "description": "d", "topic": "performance", "severity": "high"}
    html = press(client, draft, "edit", **given).content.decode()
    assert "My own words" in html
    assert "Only injury and wellbeing have a severity" in html
    assert status(draft) == "pending"


@pytest.mark.parametrize(("verb", "becomes"), [("reject", "rejected"), ("hold", "pending")])
def test_a_reason_goes_with_the_decision(client, operator, verb, becomes):
    draft = make_draft()
    press(client, draft, verb, reason="Ask the coach.")
    assert (status(draft), EntryDecision.objects.get().reason) == (becomes, "Ask the coach.")
    assert "Ask the coach." in client.get(note_page(draft)).content.decode()


@pytest.mark.parametrize("verb", ["reject", "undo"])
def test_without_a_reason_the_page_asks_again(client, operator, verb):
    draft = make_draft() if verb == "reject" else make_draft(status="applied", decided_by=operator)
    before = draft.status
    response = press(client, draft, verb, reason=" ")
    assert "Say why" in response.content.decode()
    assert status(draft) == before


def test_an_entry_is_taken_off_hold_at_one_press(client, operator):
    draft = make_draft(held_at=timezone.now(), held_by=operator)
    press(client, draft, "release")
    assert (status(draft), draft.held_at) == ("pending", None)


def test_the_page_that_takes_back_says_what(client, operator):
    by = make_user(first_name="Orla", last_name="Daly")
    draft = make_draft(status="confirmed", decided_by=by)
    html = client.get(deed(draft, "undo")).content.decode()
    assert "by Orla Daly" in html
    assert "to be confirmed again" in html
    press(client, draft, "undo", reason="Another Caoimhe.")
    assert status(draft) == "pending"


def test_who_comes_second_is_told_on_the_page(client, operator):
    by = make_user(first_name="Orla", last_name="Daly")
    draft = make_draft(status="confirmed", decided_by=by)
    (said,) = messages(press(client, draft, "confirm"))
    assert said.startswith("Orla Daly has already confirmed it")
    assert "Orla Daly has already confirmed it" in client.get(deed(draft, "reject")).content.decode()


def test_an_entry_that_is_gone_leads_back_to_what_its_note_says_now(client, operator):
    draft = make_draft()
    url, page = deed(draft, "confirm"), note_page(draft)
    InsightDraft.objects.all().delete()
    for response in (client.get(url), client.post(url, {"seen": "x"})):
        assert response["Location"] == page
    assert messages(client.get(page))[0].startswith("This entry is not there any more")


def test_an_entry_of_another_note_is_not_reached_through_this_one(client, operator):
    mine, other = make_draft(), make_draft()
    url = reverse("admin:voicepipeline_insightdraft_deed", args=[mine.artifact.artifact_id, other.pk, "confirm"])
    client.post(url, {"seen": seen_of(other)})
    assert status(other) == "pending"


def test_after_a_decision_one_is_back_where_one_was_at_the_next_entry(client, operator):
    draft = make_draft()
    back = f"{LIST}?tab=pending&club=3"
    response = client.post(deed(draft, "confirm"), {"seen": seen_of(draft), "back": back, "next": "77"})
    assert response["Location"] == f"{back}#entry-77"


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "evil", "/\\evil"])
def test_nobody_is_led_elsewhere(client, operator, back):
    draft = make_draft()
    response = client.post(deed(draft, "confirm"), {"seen": seen_of(draft), "back": back, "next": "x"})
    assert response["Location"] == f"{note_page(draft)}#entry-{draft.pk}"


@pytest.mark.parametrize(("verb", "becomes"), [("confirm", "confirmed"), ("reject", "rejected")])
def test_all_of_a_note_are_decided_at_once(client, operator, verb, becomes):
    claim = make_claim()
    drafts = [make_draft(claim) for _ in range(3)]
    url = reverse("admin:voicepipeline_insightdraft_all", args=[claim.artifact.artifact_id, verb])
    assert client.get(url).status_code == 200
    client.post(url, {"seen": seen_of_all(drafts), "reason": "All in passing."})
    assert [status(draft) for draft in drafts] == [becomes] * 3


# --- At any size ------------------------------------------------------------------------------------------------------
def queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def add(count, status, by, note=None):
    """So many entries that stand so, for players and teams, each with something in its history."""
    decided = {"decided_by": by} if status in ("confirmed", "rejected") else {}
    held = {"held_at": timezone.now(), "held_by": by} if status == "on_hold" else {}
    for number in range(count):
        its_note = note or make_note(sender=make_coach())
        club = its_note.organization
        player = make_player(organization=club) if number % 2 else None
        team = None if player else make_team(organization=club, name=f"Team {its_note.drafts.count()}")
        fields = {"player": player, "team": team, **decided, **held}
        draft = make_draft(make_claim(its_note), status="pending" if held else status, **fields)
        EntryDecision.objects.create(artifact=its_note, draft_key=draft.key, kind="held", by=by)


@pytest.mark.parametrize("tab", ["pending", "on_hold", "confirmed", "rejected"])
def test_the_list_takes_as_many_queries_for_a_hundred_entries_as_for_one(client, operator, tab):
    url = f"{LIST}?tab={tab}"
    add(1, tab, operator)
    queries(client, url)  # its readers' visits are recorded once
    one = queries(client, url)
    add(100, tab, make_user())
    queries(client, url)
    assert queries(client, url) == one


def test_a_notes_page_takes_as_many_queries_for_a_hundred_entries_as_for_one(client, operator):
    note = make_note(sender=make_coach(), audio=b"RIFF")
    make_transcript(note)
    add(1, "pending", operator, note)
    add(1, "confirmed", operator, note)
    url = note_page(note.drafts.first())
    queries(client, url)
    one = queries(client, url)
    add(100, "pending", operator, note)
    add(2, "confirmed", make_user(), note)
    assert queries(client, url) == one
