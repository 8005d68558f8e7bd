"""Lists of players handed in and applied: all of it or nothing, once, and only as it was seen."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone

from tests.factories import make_claim, make_club, make_note, make_player, make_resolution, make_team, make_user
from voicepipeline import roles
from voicepipeline.models import Player, RosterChange, RosterImport, Team
from voicepipeline.operations.roster_import import apply_import, keep_list, preview

pytestmark = pytest.mark.django_db(transaction=True)

DEADLINE = 20  # seconds
HEADER = "First name,Last name,Team,Number,Active\n"


@pytest.fixture
def operator():
    return make_user(roles.OPERATOR)


@pytest.fixture
def club():
    return make_club()


@pytest.fixture
def team(club):
    return make_team(organization=club)


@pytest.fixture
def hand_in(club, operator):
    def hand_in(*rows, deactivate=False, header=HEADER):
        data = (header + "".join(f"{row}\n" for row in rows)).encode()
        kept = keep_list(data, organization=club, filename="list.csv", deactivate_missing=deactivate, by=operator)
        assert kept.import_id, kept.refusal
        return RosterImport.objects.get(import_id=kept.import_id)

    return hand_in


@pytest.fixture
def apply(operator):
    def apply(given, answers=(), *, by=operator, digest=None):
        digest = digest or preview(given).digest()
        return apply_import(given.import_id, by=by, digest=digest, answers=dict(answers))

    return apply


def names(club, **fields):
    found = Player.objects.filter(organization=club, **fields).order_by("pk")
    return [str(player) for player in found]


def test_everything_of_a_list_is_written_and_the_list_is_forgotten(club, team, operator, hand_in, apply):
    changed = make_player(organization=club, team=team, external_id="1")
    back = make_player(organization=club, team=team, first_name="Tom", last_name="Burke", is_active=False)
    gone = make_player(organization=club, team=team, first_name="Rui", last_name="Costa")
    given = hand_in(
        "Caoimhe,Burke,Minors,1,",
        "Tom,Burke,Under 14,,",
        "Niamh,Kelly,Under 14,3,",
        "Left,Already,,4,no",
        ",Nobody,,,",
        deactivate=True,
    )
    outcome = apply(given)
    assert outcome.message == (
        "The list was applied: 2 added, 1 changed, 1 active again, 1 no longer active. 1 line was left out."
    )
    rows = Player.objects.order_by("pk").values_list(
        "first_name", "last_name", "team__name", "external_id", "is_active"
    )
    assert list(rows) == [
        ("Caoimhe", "Burke", "Minors", "1", True),
        ("Tom", "Burke", "Under 14", "", True),
        ("Rui", "Costa", "Under 14", "", False),
        ("Niamh", "Kelly", "Under 14", "3", True),
        ("Left", "Already", None, "4", False),
    ]
    given.refresh_from_db()
    assert (given.rows, given.applied_by, given.applied_at is not None) == ([], operator, True)
    assert given.counts["applied"]["left_out"] == 1
    added = list(Player.objects.filter(external_id__in="34").order_by("pk").values_list("pk", flat=True))
    change = RosterChange.objects.get()
    assert (change.kind, change.organization, change.by) == ("imported", club, operator)
    assert {key: change.details[key] for key in ("added", "changed", "deactivated", "teams")} == {
        "added": added,
        "changed": [changed.pk, back.pk],
        "deactivated": [gone.pk],
        "teams": [Team.objects.get(name="Minors").pk],
    }


def test_what_is_kept_of_a_change_names_nobody(hand_in, apply):
    apply(hand_in("Niamh,Kelly,,,"))
    assert "Niamh" not in str(RosterChange.objects.get().details)


def test_players_of_other_clubs_are_not_seen(club, hand_in, apply):
    other = make_player(external_id="1", first_name="Somebody", last_name="Else")
    apply(hand_in("Niamh,Kelly,,1,", deactivate=True))
    other.refresh_from_db()
    assert (other.first_name, other.is_active, names(club)) == ("Somebody", True, ["Niamh Kelly"])


def test_questions_are_applied_as_they_are_answered(club, team, hand_in, apply):
    player = make_player(organization=club, team=team, first_name="Niamh")
    make_player(organization=club, team=team, first_name="Tomasz")
    make_player(organization=club, team=team, first_name="Aoife")
    given = hand_in("Neve,Kelly,Under 14,1,", "Tomaz,Kelly,Under 14,2,", "Eefa,Kelly,Under 14,3,")
    assert apply(given, {2: f"same-{player.pk}", 3: "another"}).done
    assert names(club) == ["Neve Kelly", "Tomasz Kelly", "Aoife Kelly", "Tomaz Kelly"]
    player.refresh_from_db()
    assert player.external_id == "1"


def test_an_answer_that_was_not_offered_changes_nothing(club, hand_in, apply):
    make_player(organization=club, first_name="Niamh")
    stranger = make_player()
    outcome = apply(hand_in("Neve,Kelly,,1,", "Tom,Burke,,2,"), {2: f"same-{stranger.pk}"})
    assert (outcome.done, names(club)) == (False, ["Niamh Kelly"])
    assert "line 2 is none of those offered" in outcome.message


def test_a_new_team_of_a_line_that_is_left_out_is_not_made(club, hand_in, apply):
    make_player(organization=club, first_name="Niamh")
    apply(hand_in("Niamh,Kelly,Brand new,1,", "Tom,Burke,,2,"))
    assert not Team.objects.exists()


def test_applying_twice_is_told_and_done_once(club, hand_in, apply):
    given = hand_in("Niamh,Kelly,,,")
    digest = preview(given).digest()
    assert apply(given).done
    again = apply(given, digest=digest)
    assert (again.done, again.message.split(",")[0]) == (False, "It was applied already")
    assert (len(names(club)), RosterChange.objects.count()) == (1, 1)


def test_a_roster_that_has_changed_since_is_left_alone(club, hand_in, apply):
    given = hand_in("Niamh,Kelly,,1,")
    digest = preview(given).digest()
    make_player(organization=club, first_name="Neve")
    outcome = apply(given, digest=digest)
    assert (outcome.done, names(club)) == (False, ["Neve Kelly"])
    assert outcome.message.startswith("Nothing was applied: the roster has changed")
    assert not RosterChange.objects.exists()


def test_a_list_that_changes_nothing_leaves_no_mark(club, hand_in, apply):
    make_player(organization=club)
    outcome = apply(hand_in("Caoimhe,Kelly,,,"))
    assert (outcome.done, RosterChange.objects.exists()) == (False, False)


def test_an_import_that_is_gone_is_told(operator):
    outcome = apply_import(uuid.uuid4(), by=operator, digest="", answers={})
    assert (outcome.done, outcome.message) == (False, "This list is not kept any more. Hand it in again.")


def test_a_list_is_forgotten_after_a_day_even_before_it_is_tidied_up(club, hand_in, apply):
    given = hand_in("Niamh,Kelly,,,")
    RosterImport.objects.update(uploaded_at=timezone.now() - timedelta(hours=25))
    outcome = apply(given)
    assert (outcome.done, names(club)) == (False, [])
    assert outcome.message.startswith("This list is not kept any more.")


@pytest.mark.parametrize("person", ["viewer who reads", "operator who does not read"])
def test_only_those_who_import_and_read_may(club, hand_in, apply, person):
    role = roles.VIEWER if person.startswith("viewer") else roles.OPERATOR
    user = make_user(role, reads_content=person.startswith("viewer"))
    given = hand_in("Niamh,Kelly,,,")
    with pytest.raises(PermissionDenied):
        apply(given, by=user)
    with pytest.raises(PermissionDenied):
        keep_list(b"", organization=club, filename="", deactivate_missing=False, by=user)
    assert not names(club)


def in_threads(*works):
    """Run these at once, each with its own connection; returns what they returned, in their order."""
    results = [None] * len(works)

    def run(at, work):
        try:
            results[at] = work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    return results


def test_of_two_lists_at_once_the_second_sees_what_the_first_did(club, hand_in, apply):
    lists = [hand_in("Niamh,Kelly,,1,"), hand_in("Neve,Kelly,,2,")]
    digests = [preview(given).digest() for given in lists]
    outcomes = in_threads(
        *(
            lambda given=given, digest=digest: apply(given, digest=digest)
            for given, digest in zip(lists, digests, strict=True)
        )
    )
    assert sorted(one.done for one in outcomes) == [False, True]
    assert any("the roster has changed" in one.message for one in outcomes)
    assert len(names(club)) == 1


def test_one_list_applied_by_two_at_once_is_applied_once(club, hand_in, apply):
    given = hand_in("Niamh,Kelly,,1,")
    digest = preview(given).digest()
    outcomes = in_threads(*(lambda: apply(given, digest=digest),) * 2)
    assert sorted(one.done for one in outcomes) == [False, True]
    assert names(club) == ["Niamh Kelly"]


def test_a_player_added_in_the_same_moment_is_no_error(club, hand_in, apply):
    """Whoever adds a single player does not wait for imports, and the import finds that out."""
    given = hand_in("Niamh,Kelly,,1,")
    digest = preview(given).digest()
    waiting = threading.Event()

    def slowly():
        with transaction.atomic():
            make_player(organization=club, first_name="Somebody", external_id="1")
            waiting.set()
            wait_for_a_lock()

    def then():
        assert waiting.wait(DEADLINE)
        return apply(given, digest=digest)

    _, outcome = in_threads(slowly, then)
    assert (outcome.done, outcome.message.split(":")[0]) == (False, "Nothing was applied")
    assert names(club) == ["Somebody Kelly"]


WAITING = """
    SELECT pg_sleep(0.01), count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
"""


def wait_for_a_lock():
    """Until some other connection waits for what this one holds."""
    with connection.cursor() as cursor:
        for _ in range(DEADLINE * 100):
            cursor.execute(WAITING)
            if cursor.fetchone()[1]:
                return
    raise AssertionError("nobody waited")


def test_notes_go_on_naming_players_while_a_list_is_applied(club, hand_in, apply):
    """The import has locked the club and the first player, and waits for the second: a note names the first."""
    first, second = make_player(organization=club), make_player(organization=club, first_name="Niamh")
    given = hand_in("Caoimhe,Burke,,,", "Niamh,Kelly,,1,")
    locked = threading.Event()

    def slowly():
        with transaction.atomic():
            Player.objects.select_for_update(no_key=True).get(pk=second.pk)
            locked.set()
            wait_for_a_lock()
            return in_threads(lambda: make_resolution(make_claim(make_note(organization=club)), player=first).pk)

    def then():
        assert locked.wait(DEADLINE)
        return apply(given)

    (made,), outcome = in_threads(slowly, then)
    assert (made is not None, outcome.done) == (True, True)


@pytest.mark.parametrize("merged", [False, True], ids=["left", "merged"])
def test_a_number_is_taken_from_whoever_is_off_the_roster_before_another_is_given_it(
    club, team, hand_in, apply, merged
):
    stays = make_player(organization=club, team=team, first_name="Niamh", external_id="7")
    old = make_player(
        organization=club,
        team=team,
        first_name="Neve",
        external_id="5",
        is_active=False,
        merged_into=stays if merged else None,
    )
    outcome = apply(hand_in("Niamh,Kelly,Under 14,7,", "Zoe,Quirke,Under 14,5,"), {3: "another"})
    assert outcome.done, outcome.message
    rows = Player.objects.order_by("pk").values_list("first_name", "external_id", "is_active")
    assert list(rows) == [("Niamh", "7", True), ("Neve", "", False), ("Zoe", "5", True)]
    assert RosterChange.objects.get().details["numbers_given_up"] == [old.pk]


def test_a_database_that_refuses_leaves_everything_as_it_was(club, hand_in, apply):
    make_player(organization=club, external_id=" 1", first_name="Somebody", last_name="Else")
    make_player(organization=club, external_id="1", first_name="Another", last_name="Else")
    outcome = apply(hand_in("Wojciech,Nowak,New team,1,"))
    assert (outcome.done, RosterChange.objects.exists(), Team.objects.exists()) == (False, False, False)
