"""Real threads: an answer against workers and against other people. No answer is lost, and all rows agree with it."""

# ruff: noqa: F401, F811 - fixtures are used by their names

from functools import partial

import pytest

from tests.engine.test_races import Crew
from tests.factories import make_claim
from tests.names.conftest import club, coach, real_stages
from tests.names.helpers import DRAFTS, RESOLUTION, make_read_note, player, resolve, scheduled
from tests.review.name_helpers import asking, entries, learned, means, operator, settle, statuses, take_back
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.execution import perform
from voicepipeline.engine.settling import settle as settle_run
from voicepipeline.models import Artifact, EntityResolution, NameChoice, PlayerAlias, StageRun
from voicepipeline.stages import drafts, resolution

pytestmark = [pytest.mark.trial, pytest.mark.django_db(transaction=True)]

ROUNDS = 100
CODE = {RESOLUTION: resolution, DRAFTS: drafts}


@pytest.fixture
def people(club):
    return player(club, "Eoin Murphy"), player(club, "Seán Murphy")


@pytest.fixture
def both(club):
    return operator(), operator()


def unread(coach):
    """A note that waits for its names to be matched."""
    note = make_read_note(sender=coach)
    make_claim(note, "Murphy")
    scheduled(note)
    return note


def matched(coach):
    """A note that waits for its entries to be made."""
    note = make_read_note(sender=coach)
    make_claim(note, "Murphy")
    resolve(note)
    return note


def take_up(note):
    """What a worker has in hand once it has read the note, before it writes."""
    run = StageRun.objects.get(artifact=note, status="queued")
    taken = claim(run.pk, worker="test:1:1")
    code = CODE[taken.stage.name]
    return taken, code.work(code.load(note))


def work(note):
    """All of a worker's part, from its claim on."""
    settle_run(*take_up(note))


def go_on(note):
    """The note's way to its end, as later workers would take it."""
    while run := StageRun.objects.filter(artifact=note, status="queued").first():
        perform(run.pk)
    note.refresh_from_db()


def race(rounds, prepare):
    """Two at once, round after round; what each of them was answered."""
    outcomes = Crew(2).at_once(rounds, prepare, lambda acts: next(acts)())
    errors = [each for pair in outcomes for each in pair if isinstance(each, Exception)]
    assert errors == []
    return outcomes


def verify_agreement(note):
    """The answer that counts, the matches, the entries and the learned name all say the same."""
    choice = NameChoice.objects.filter(artifact=note, undone_at=None).first()
    meant = [choice.player] if choice else [None]
    assert means(note) == meant
    assert [entry.player for entry in entries(note)] == [one for one in meant if one]
    if choice:
        (match,) = EntityResolution.objects.filter(artifact=note)
        assert (match.resolved_by_id, match.status) == (choice.chosen_by_id, "user_resolved")
        assert choice.alias is not None
        assert choice.alias.player_id == choice.player_id


@pytest.mark.parametrize("make", [unread, matched], ids=["resolution", "drafts"])
@pytest.mark.parametrize("from_claim", [True, False], ids=["from its claim", "from its finish"])
def test_a_choice_against_a_running_stage(coach, people, both, make, from_claim):
    notes = []

    def prepare():
        note = make(coach)
        notes.append(note)
        worker = partial(work, note) if from_claim else partial(settle_run, *take_up(note))
        return iter([worker, partial(settle, note, people[len(notes) % 2], by=both[0])])

    race(ROUNDS, prepare)
    assert NameChoice.objects.filter(undone_at=None).count() == ROUNDS
    for note in notes:
        go_on(note)
        assert note.status == "completed"
        verify_agreement(note)


@pytest.mark.parametrize("make", [unread, matched], ids=["resolution", "drafts"])
def test_a_choice_between_a_workers_claim_and_its_finish(coach, people, both, make):
    for number in range(ROUNDS):
        note = make(coach)
        taken, output = take_up(note)
        assert settle(note, people[number % 2], by=both[0]).done
        settle_run(taken, output)
        assert StageRun.objects.get(pk=taken.run_id).status == "superseded"
        go_on(note)
        verify_agreement(note)


def test_two_people_who_answer_at_once(coach, people, both):
    notes = []

    def prepare():
        notes.append(asking(make_read_note(sender=coach)))
        return iter([partial(settle, notes[-1], meant, by=by) for meant, by in zip(people, both, strict=True)])

    outcomes = race(ROUNDS, prepare)
    assert [sorted(outcome.done for outcome in pair) for pair in outcomes] == [[False, True]] * ROUNDS
    assert all("has answered meanwhile" in each.message for pair in outcomes for each in pair if not each.done)
    assert NameChoice.objects.count() == ROUNDS
    for note in notes:
        verify_agreement(note)


def test_a_change_of_an_answer_against_its_undo(coach, people, both):
    notes = []

    def prepare():
        note = asking(make_read_note(sender=coach))
        notes.append(note)
        settle(note, people[0], by=both[0])
        choice = NameChoice.objects.get(artifact=note)
        return iter(
            [partial(settle, note, people[1], seen=choice.pk, by=both[0]), partial(take_back, choice, by=both[1])]
        )

    outcomes = race(ROUNDS, prepare)
    assert [sorted(outcome.done for outcome in pair) for pair in outcomes] == [[False, True]] * ROUNDS
    for note in notes:
        verify_agreement(note)


def test_two_notes_that_teach_and_forget_one_name(coach, people, both):
    """One note's answer comes while the other's is taken back: both rest on the same learned name."""
    notes = []

    def prepare():
        PlayerAlias.objects.all().delete()
        for number in range(5):  # others that are counted, so that more than one row is locked
            PlayerAlias.objects.create(
                organization=coach.organization,
                coach=coach,
                kind="player_name",
                text=f"Nick{'abcde'[number]}",
                key=f"nick{'abcde'[number]}",
                player=people[0],
            )
        first, second = (asking(make_read_note(sender=coach), "Murphy", "Nicka", "Nickc") for _ in range(2))
        settle(first, people[0], by=both[0])
        notes.append((first, second))
        choice = NameChoice.objects.get(artifact=first)
        return iter([partial(settle, second, people[0], by=both[0]), partial(take_back, choice, by=both[1])])

    def act(acts):
        return next(acts)()

    outcomes = Crew(2).at_once(ROUNDS, prepare, act)
    assert [each for pair in outcomes for each in pair if isinstance(each, Exception)] == []
    assert all(each.done for pair in outcomes for each in pair)
    for first, second in notes:
        assert (statuses(first)[0], means(second)[0]) == ("needs_disambiguation", people[0])
    live = NameChoice.objects.filter(undone_at=None, artifact=notes[-1][1]).get()
    assert live.alias is not None
    assert ("Murphy", people[0]) in learned()
