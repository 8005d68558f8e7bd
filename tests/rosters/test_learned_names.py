"""Learned names: listed, removed one by one or all of a span of time; and the history of rosters."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.urls import reverse

from tests.factories import make_alias, make_club, make_coach, make_note, make_player, make_team, make_user
from tests.names.helpers import choose, matches, player
from tests.rosters.read_notes import make_ready_note
from voicepipeline import roles
from voicepipeline.models import NameChoice, PlayerAlias, RosterChange
from voicepipeline.operations.rosters import Taught, remove_learned_name, remove_learned_names

pytestmark = pytest.mark.django_db
LIST = reverse("admin:voicepipeline_playeralias_changelist")
MANY = reverse("admin:voicepipeline_playeralias_remove_many")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
# Session, viewer, their permissions (own and by role), clubs and coaches to filter by, bounded count, rows, what
# stands still.
QUERIES = 9


@pytest.fixture
def by():
    return make_user(roles.OPERATOR)


def taught_at(moment, text="Neevo", **fields):
    return make_alias(text, created_at=moment, **fields)


def rows(client, **filters):
    return [alias.text for alias in client.get(LIST, filters).context["cl"].result_list]


# --- The list -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("count", [1, 100])
def test_the_list_asks_as_many_questions_for_a_hundred_names_as_for_one(client, django_assert_num_queries, count):
    client.force_login(make_user(roles.VIEWER, reads_content=True))
    for number in range(count):
        make_alias(f"Neevo {number}", coach=make_coach(), created_by=make_user())
    with django_assert_num_queries(QUERIES):
        client.get(LIST)


def test_each_row_says_what_is_meant_for_whom_how_often_and_who_taught_it(client, by, club):
    coach = make_coach(organization=club, first_name="Ciara", last_name="Daly")
    someone = player(club, "Niamh Kelly")
    taught_by = make_user(first_name="Orla", last_name="Nugent")
    make_alias("Neevo", player=someone, coach=coach, use_count=1234, created_by=taught_by)
    make_alias("The Kittens", team=make_team(organization=club, name="Under 8"))
    client.force_login(by)
    page = client.get(LIST).content.decode()
    for words in ("Neevo", "Niamh Kelly", "Ciara Daly", "1,234", "by Orla Nugent", "Under 8", "Every coach"):
        assert words in page


def test_names_are_filtered_by_club_coach_and_kind_and_searched_from_their_beginning(client, by):
    one, other = make_coach(), make_coach()
    make_alias("Neevo", organization=one.organization, coach=one)
    make_alias("Dubs", team=make_team(organization=other.organization))
    client.force_login(by)
    assert rows(client, club=one.organization_id) == ["Neevo"]
    assert rows(client, coach=one.pk) == ["Neevo"]
    assert rows(client, coach="all") == ["Dubs"]
    assert rows(client, kind__exact="team_name") == ["Dubs"]
    assert rows(client, q="nee") == ["Neevo"]
    assert rows(client, coach="9" * 30) == ["Dubs", "Neevo"]


def test_who_may_not_read_sees_initials_and_removes_nothing(client):
    club = make_club()
    make_alias("Neevo", player=make_player(organization=club))
    client.force_login(make_user(roles.OPERATOR, reads_content=False))
    page = client.get(LIST).content.decode()
    assert "Kelly" not in page
    assert "Neevo" not in page
    assert "C. K." in page
    assert rows(client, q="Zebedee") == ["Neevo"]
    assert client.get(MANY).status_code == 403
    assert client.post(MANY).status_code == 403


# --- Removing one ---------------------------------------------------------------------------------------------------
def test_a_name_is_removed_and_answers_that_rest_on_it_stay(by):
    alias = make_alias("Neevo", use_count=4)
    choice = choose(make_note(organization=alias.organization), "Neevo", player=alias.player, alias=alias)
    assert remove_learned_name(alias.pk, by=by, reason="Somebody else").done
    assert not PlayerAlias.objects.exists()
    choice = NameChoice.objects.get(pk=choice.pk)
    assert (choice.alias, choice.player, choice.undone_at) == (None, alias.player, None)
    change = RosterChange.objects.get()
    assert (change.kind, change.by, change.reason) == ("names_removed", by, "Somebody else")
    assert change.organization == alias.organization
    assert change.details == {"removed": 1, "uses": 4, "names": [alias.pk]}


def test_a_name_that_is_gone_already_is_told(by):
    outcome = remove_learned_name(0, by=by)
    assert not outcome.done
    assert "removed already" in outcome.message
    assert not RosterChange.objects.exists()


@pytest.mark.usefixtures("real_stages")
def test_what_it_matched_stays_and_later_notes_are_matched_without_it(coach, club, by):
    niamh = player(club, "Niamh Kelly")
    alias = make_alias("Zebedee", player=niamh)
    before = make_ready_note(coach, "Zebedee")
    remove_learned_name(alias.pk, by=by)
    after = make_ready_note(coach, "Zebedee")
    assert [match.player for match in matches(before)] == [niamh]
    assert [match.status for match in matches(after)] == ["unresolved"]


def test_its_page_says_what_happens_and_one_post_removes_it(client, by):
    alias = make_alias("Neevo")
    url = reverse("admin:voicepipeline_playeralias_remove", args=[alias.pk])
    client.force_login(by)
    page = client.get(url).content.decode()
    assert "Neevo" in page
    assert "stays as it is" in page
    assert PlayerAlias.objects.exists()
    again = reverse("admin:voicepipeline_organization_match_again", args=[alias.organization_id])
    assert client.post(url, {"reason": ""})["Location"] == again
    assert not PlayerAlias.objects.exists()
    assert client.get(url)["Location"] == LIST
    assert client.post(url, {"reason": ""})["Location"] == LIST


# --- Removing many --------------------------------------------------------------------------------------------------
def between(**more):
    return Taught(since=NOON, until=NOON + timedelta(hours=1), **more)


def left():
    return sorted(PlayerAlias.objects.values_list("text", flat=True))


def test_all_that_was_learned_in_a_span_goes_in_one_change(by):
    club = make_club()
    inside = [taught_at(NOON + timedelta(minutes=at), f"In {at}", organization=club) for at in (0, 30)]
    taught_at(NOON - timedelta(seconds=1), "Before")
    taught_at(NOON + timedelta(hours=1), "After")
    outcome = remove_learned_names(between(), by=by, reason="The wrong roster")
    assert outcome.message.startswith("2 learned names removed.")
    assert left() == ["After", "Before"]
    change = RosterChange.objects.get()
    assert (change.organization, change.details["removed"]) == (club, 2)
    assert change.details["names"] == [alias.pk for alias in inside]


def test_a_span_is_narrowed_by_club_and_by_who_taught_it(by):
    club, teacher = make_club(), make_user()
    taught_at(NOON, "Both", organization=club, created_by=teacher)
    taught_at(NOON, "Other club", created_by=teacher)
    taught_at(NOON, "Other teacher", organization=club)
    remove_learned_names(between(organization_id=club.pk, taught_by_id=teacher.pk), by=by, reason="x")
    assert left() == ["Other club", "Other teacher"]


def test_names_that_were_learned_after_the_preview_stay(by):
    shown = taught_at(NOON, "Shown")
    taught_at(NOON, "Later")
    remove_learned_names(between(newest=shown.pk), by=by, reason="x")
    assert left() == ["Later"]


def test_many_are_removed_only_with_a_reason_and_when_there_are_any(by):
    assert "Nothing was taught" in remove_learned_names(between(), by=by, reason="x").message
    taught_at(NOON)
    assert "Say why" in remove_learned_names(between(), by=by, reason="  ").message
    assert left() == ["Neevo"]
    assert not RosterChange.objects.exists()


@pytest.mark.parametrize(
    "who",
    [
        pytest.param({"role": roles.VIEWER, "reads_content": True}, id="viewer"),
        pytest.param({"role": roles.OPERATOR, "reads_content": False}, id="operator who may not read"),
    ],
)
def test_only_operators_who_may_read_remove_names(who):
    user = make_user(**who)
    with pytest.raises(PermissionDenied):
        remove_learned_name(make_alias().pk, by=user)
    with pytest.raises(PermissionDenied):
        remove_learned_names(between(), by=user, reason="x")


SPAN = {"since": "2026-11-20T12:00", "until": "2026-11-20T13:00"}


def test_the_page_shows_the_count_and_a_sample_and_one_post_removes_them(client, by):
    for number in range(25):
        taught_at(NOON, f"Name {number}")
    client.force_login(by)
    preview = client.get(MANY, SPAN)
    assert (preview.context["count"], len(preview.context["rows"])) == (25, 20)
    taught_at(NOON, "Later")
    newest = preview.context["form"].initial["newest"]
    url = f"{MANY}?since={SPAN['since']}&until={SPAN['until']}"
    assert "Say why" in client.post(url, {"newest": newest}).content.decode()
    for blind in ({}, {"newest": ""}, {"newest": "x"}):
        refused = client.post(url, {**blind, "reason": "Wrong"}, follow=True)
        assert refused.redirect_chain == [(url, 302)]
        assert "Nothing was removed" in refused.content.decode()
    assert len(left()) == 26
    assert client.post(url, {"newest": newest, "reason": "Wrong"})["Location"] == LIST
    assert left() == ["Later"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"since": "yesterday", "until": SPAN["until"]}, "Give a day and a time"),
        ({"since": SPAN["until"], "until": SPAN["since"]}, "Give a later moment"),
        ({**SPAN, "club": "0"}, "There is no such club"),
        ({**SPAN, "taught_by": "x"}, "There is no such person"),
        ({"since": "", "until": ""}, "Say from when"),
        (SPAN, "Nothing was learned then"),
    ],
    ids=["no date", "backwards", "no club", "nobody", "nothing", "empty"],
)
def test_a_span_that_is_none_is_refused_in_a_sentence(client, by, given, words):
    client.force_login(by)
    assert words in client.get(MANY, given).content.decode()


# --- The history of rosters -----------------------------------------------------------------------------------------
CHANGES = reverse("admin:voicepipeline_rosterchange_changelist")
# Session, viewer, their permissions (own and by role), clubs to filter by, bounded count, rows, players, what stands
# still.
QUERIES_OF_CHANGES = 9


@pytest.mark.parametrize("count", [1, 100])
def test_the_changes_ask_as_many_questions_for_a_hundred_as_for_one(client, django_assert_num_queries, by, count):
    client.force_login(make_user(roles.VIEWER))
    for _ in range(count):
        told = {"stays": make_player().pk, "goes": make_player().pk}
        RosterChange.objects.create(kind="merged", by=by, organization=make_club(), details=told)
    with django_assert_num_queries(QUERIES_OF_CHANGES):
        client.get(CHANGES)


@pytest.mark.parametrize(("reads", "words"), [(True, "Grace Twomey into Niamh Kelly"), (False, "G. T. into N. K.")])
def test_a_merge_is_told_by_names_to_those_who_may_read_them(client, club, by, reads, words):
    told = {"stays": player(club, "Niamh Kelly").pk, "goes": player(club, "Grace Twomey").pk}
    RosterChange.objects.create(kind="merged", by=by, organization=club, details=told)
    client.force_login(make_user(roles.VIEWER, reads_content=reads))
    assert words in client.get(CHANGES).content.decode()


def test_imports_and_removals_are_told_by_their_counts(client, by):
    RosterChange.objects.create(kind="imported", by=by, details={"counts": {"added": 12, "changed": 1, "left": 0}})
    RosterChange.objects.create(kind="names_removed", by=by, details={"removed": 3, "names": [1, 2, 3]})
    client.force_login(make_user(roles.VIEWER))
    page = client.get(CHANGES).content.decode()
    assert "Added 12, changed 1" in page
    assert "3 learned names" in page


def test_history_is_never_changed(by):
    change = RosterChange.objects.create(kind="merged", by=by)
    with pytest.raises(IntegrityError), transaction.atomic():
        RosterChange.objects.filter(pk=change.pk).update(reason="Another")
