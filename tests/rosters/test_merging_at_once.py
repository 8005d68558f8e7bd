"""A merge while a worker finishes: whoever comes first, nothing is left with the player who was merged."""

import pytest

from tests.engine.test_races import Crew
from tests.factories import make_claim, make_club, make_coach, make_user
from tests.names.helpers import DRAFTS, RESOLUTION, make_read_note, matches, player, resolve, scheduled
from tests.rosters.read_notes import entries, the_work
from voicepipeline import roles
from voicepipeline.engine.claiming import claim
from voicepipeline.engine.requests import active_run
from voicepipeline.engine.settling import finish
from voicepipeline.models import BulkWork, EntityResolution, InsightDraft, PipelineEvent, Player
from voicepipeline.operations.merging import merge_players
from voicepipeline.operations.rematching import match_club_again
from voicepipeline.tasks import work_in_bulk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_stages")]


def worked_out(note):
    """A stage that is done and not stored yet."""
    taken = claim(active_run(note).pk, worker="test:1:1")
    return taken, taken.stage.code.work(taken.stage.code.load(note))


def a_merge_and_a_finish(stage):
    by = make_user(roles.OPERATOR)

    def prepare():
        club = make_club()
        stays, goes = player(club, "Niamh Kelly"), player(club, "Grace Twomey")
        note = make_read_note(sender=make_coach(organization=club))
        make_claim(note, "Grace Twomey", "Niamh Kelly")
        if stage == DRAFTS:
            resolve(note)
        else:
            scheduled(note)
        taken, output = worked_out(note)
        acts = [lambda: merge_players(stays.pk, goes.pk, by=by), lambda: finish(taken, output)]
        return iter(acts)

    return prepare


def left_with_those_who_were_merged():
    of_merged = {"player__merged_into__isnull": False}
    return (
        EntityResolution.objects.filter(**of_merged).count(),
        InsightDraft.objects.filter(**of_merged).count(),
    )


@pytest.mark.parametrize("stage", [RESOLUTION, DRAFTS])
@pytest.mark.parametrize(
    "rounds", [pytest.param(8, id="few"), pytest.param(100, id="a hundred", marks=pytest.mark.trial)]
)
def test_a_merge_and_a_stage_that_finishes_leave_nothing_behind(stage, rounds):
    outcomes = Crew(2).at_once(rounds, a_merge_and_a_finish(stage), lambda acts: next(acts)())
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert Player.objects.filter(merged_into__isnull=False).count() == rounds
    while BulkWork.objects.filter(finished_at__isnull=True).exists():
        the_work(BulkWork.Kind.MERGE_PLAYERS, finished_at__isnull=True)
    assert left_with_those_who_were_merged() == (0, 0)
    for stays in Player.objects.filter(merged_from__isnull=False):
        kept = InsightDraft.objects.filter(player=stays).count()
        assert kept == (1 if stage == DRAFTS else 0)
        assert EntityResolution.objects.filter(player=stays).count() == 2


@pytest.mark.trial
@pytest.mark.parametrize("stage", [RESOLUTION, DRAFTS])
def test_a_merge_and_its_history_beside_a_stage_that_finishes_a_hundred_times(stage):
    """The history is looked for as soon as the merge is there: what is stored after that has to speak of who stays."""

    def prepare():
        merge, end = a_merge_and_a_finish(stage)()
        return iter([lambda: (merge(), work_in_bulk(BulkWork.objects.latest("pk").pk)), end])

    outcomes = Crew(2).at_once(100, prepare, lambda acts: next(acts)())
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    assert not BulkWork.objects.filter(finished_at__isnull=True).exists()
    assert left_with_those_who_were_merged() == (0, 0)


@pytest.mark.trial
def test_matching_again_and_a_stage_that_finishes_a_hundred_times():
    """Whoever is first: the entries are made from the names that stand in the end."""
    by = make_user(roles.OPERATOR)

    def prepare():
        club = make_club()
        note = make_read_note(sender=make_coach(organization=club))
        make_claim(note, "Zebedee")
        resolve(note)
        taken, output = worked_out(note)
        player(club, "Zebedee Quin")
        assert match_club_again(club.pk, by=by).done
        again = BulkWork.objects.latest("pk")
        return note, iter([lambda: the_work(again.kind, pk=again.pk), lambda: finish(taken, output)])

    notes = []

    def remembered():
        note, acts = prepare()
        notes.append(note)
        return acts

    outcomes = Crew(2).at_once(100, remembered, lambda acts: next(acts)())
    assert not [error for pair in outcomes for error in pair if isinstance(error, Exception)]
    for note in notes:
        run = active_run(note)
        if run is not None:
            finish(*worked_out(note))
        (match,) = matches(note)
        assert [entry.player_id for entry in entries(note)] == [match.player_id] != [None]
    assert not PipelineEvent.objects.filter(event_type="draft_generation_failed").exists()
