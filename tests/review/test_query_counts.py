"""Pages that ask before something is done, and pages of what is under way: a hundred rows more cost no query more."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import (
    make_alias,
    make_bulk_work,
    make_claim,
    make_club,
    make_coach,
    make_draft,
    make_note,
    make_player,
    make_resolution,
    make_roster_import,
    make_team,
    make_transcript,
    make_user,
)
from voicepipeline import roles
from voicepipeline.models import BulkWork, EntryDecision

pytestmark = pytest.mark.django_db

MANY = 100


@pytest.fixture
def by(client):
    user = make_user(roles.OPERATOR)
    client.force_login(user)
    return user


def page(name, *args, **query):
    return reverse(f"admin:voicepipeline_{name}", args=args, query=query)


def copies(row, count, **own):
    """So many more rows like this one; `own` tells what each has for itself, by its number."""
    model = type(row)
    same = {
        field.attname: getattr(row, field.attname) for field in model._meta.concrete_fields if not field.primary_key
    }
    return model.objects.bulk_create(
        model(**same | {name: tell(number) for name, tell in own.items()}) for number in range(count)
    )


def pks(rows):
    """For `copies`: the key of another one of these rows for each."""
    return lambda number: rows[number].pk


def people(club, count):
    """So many players of the club, each in a team of their own."""
    there = club.teams.count()
    team = make_team(organization=club, name=f"Team {there}")
    teams = copies(team, count, name=lambda number: f"Team {there + 1 + number}")
    return copies(make_player(organization=club), count, team_id=pks(teams))


def noted(count, verdict=None, **fields):
    """So many notes, heard by now or not."""
    first = make_note(**fields)
    voices = copies(first.voice_note, count)
    notes = copies(first, count, voice_note_id=pks(voices), artifact_id=lambda number: uuid.uuid4())
    if verdict:
        copies(make_transcript(first, verdict=verdict), count, artifact_id=pks(notes))
    return notes


def suggested(note, count, by, **fields):
    """So many entries of the note about as many players, each with something in its history and a doubtful name."""
    players = people(note.organization, count)
    first = make_draft(make_claim(note, "Niamh"), player=make_player(organization=note.organization), **fields)
    claims = copies(
        first.claim,
        count,
        number=lambda number: first.claim.number + 1 + number,
        key=lambda number: f"{first.key}-{number}",
    )
    drafts = copies(
        first, count, claim_id=pks(claims), player_id=pks(players), key=lambda number: f"{first.key}:{number}"
    )
    copies(make_resolution(first.claim), count, claim_id=pks(claims))
    history = EntryDecision.objects.create(artifact=note, draft_key=first.key, kind="held", by=by)
    copies(history, count, draft_key=lambda number: drafts[number].key)
    return first


# Each tells where its page is, and how there come to be so many more rows.
def match_again(by):
    club = make_club()

    def more(count):
        notes = noted(count, organization=club)
        first = make_resolution(make_claim(make_note(organization=club), "Niamh"))
        claims = copies(first.claim, count, artifact_id=pks(notes))
        copies(first, count, artifact_id=pks(notes), claim_id=pks(claims), name_key=lambda number: f"niamh{number}")

    return page("organization_match_again", club.pk), more


def merge_choice(by, **query):
    player = make_player()
    return page("player_merge", player.pk, **query), lambda count: people(player.organization, count)


def merge_search(by):
    return merge_choice(by, q="Cao")


def merge_preview(by):
    stays = make_player()
    goes = make_player(organization=stays.organization)

    def more(count):
        for player in (stays, goes):
            notes = noted(count, organization=stays.organization)
            coaches = copies(make_coach(organization=stays.organization), count)
            match = make_resolution(player=player)
            claims = copies(match.claim, count, artifact_id=pks(notes))
            copies(match, count, artifact_id=pks(notes), claim_id=pks(claims))
            for draft in (make_draft(player=player), make_draft(player=player, status="confirmed", decided_by=by)):
                copies(draft, count, artifact_id=pks(notes))
            copies(make_alias(player=player, key=f"neevo{count}"), count, coach_id=pks(coaches))

    return page("player_merge", stays.pk, **{"with": goes.pk}), more


def learned_names_to_remove(by):
    now = timezone.now()
    span = {"since": now - timedelta(hours=1), "until": now + timedelta(hours=1)}

    def more(count):
        first = make_alias(coach=make_coach(), created_by=by)
        name = {field: lambda number: f"of-{count}-{number}" for field in ("name", "slug")}
        clubs = copies(first.organization, count, **name)
        teachers = copies(by, count, username=lambda number: f"teacher-{count}-{number}")
        copies(
            first,
            count,
            organization_id=pks(clubs),
            coach_id=pks(copies(first.coach, count, organization_id=pks(clubs))),
            player_id=pks(copies(first.player, count, organization_id=pks(clubs))),
            created_by_id=pks(teachers),
        )

    return page("playeralias_remove_many", **{name: f"{at:%Y-%m-%dT%H:%M}" for name, at in span.items()}), more


def one_entry(by, verb, **fields):
    note = make_note(sender=make_coach())
    draft = suggested(note, 1, by, **fields)
    url = page("insightdraft_deed", note.artifact_id, draft.pk, verb)
    return url, lambda count: suggested(note, count, by, **fields)


def all_entries(by, verb):
    note = make_note(sender=make_coach())
    return page("insightdraft_all", note.artifact_id, verb), lambda count: suggested(note, count, by)


def asked(verb, **fields):
    return pytest.param(lambda by: one_entry(by, verb, **fields), 9, id=f"one entry, {verb}")


def undo(by):
    return one_entry(by, "undo", status="confirmed", decided_by=by)


def release(by):
    return one_entry(by, "release", held_by=by, held_at=timezone.now())


def bulk_action(by):
    players = [make_player(), make_player()]
    selection = {"goes": players[0].pk, "stays": players[1].pk}
    work = make_bulk_work(kind=BulkWork.Kind.MERGE_PLAYERS, selection=selection)

    def more(count):
        people(work.organization, count)
        copies(work, count, bulk_id=lambda number: uuid.uuid4())
        BulkWork.objects.filter(pk=work.pk).update(
            notes=count, done=count, failed=count, remarks={f"Left because of {number}": 1 for number in range(count)}
        )

    return page("bulkwork_change", work.pk), more


def notes_to_sort_out(by):
    def more(count):
        noted(count, organization=None)
        noted(count)
        now = timezone.now()
        heard = {"status": "completed", "completed_at": now, "first_completed_at": now}
        noted(count, "flagged", sender=make_coach(), **heard)
        noted(count, "no_speech", sender=make_coach(), outcome="no_speech", **heard)

    return page("artifact_placing"), more


def roster_import(by):
    """A list with players who are new, changed, doubtful, missing and refused, and with new teams."""
    club = make_club()
    given = make_roster_import(organization=club, uploaded_by=by)

    def more(count):
        people(club, count)
        copies(make_player(organization=club), count, external_id=lambda number: f"{count}-{number}")
        lines = []
        for number in range(count):
            lines += [
                ["Tomasz", f"Nowak{number}", f"New team {number}", f"new{number}", None, False, ""],
                ["Caoimhe", f"Changed{number}", None, f"{count}-{number}", None, False, ""],
                ["Caoimhe", "Kelly", f"Team {number}", f"other{number}", None, False, ""],
                ["", "", None, None, None, False, "The first name is missing."],
            ]
        given.rows = [[at, *line] for at, line in enumerate(lines, start=2)]
        given.save()

    return page("rosterimport_change", given.import_id), more


PAGES = [
    pytest.param(match_again, 9, id="match again"),
    pytest.param(merge_choice, 10, id="merge, choice"),
    pytest.param(merge_search, 9, id="merge, search"),
    pytest.param(merge_preview, 16, id="merge, preview"),
    pytest.param(learned_names_to_remove, 11, id="learned names to remove"),
    *(asked(verb) for verb in ("confirm", "edit", "reject", "hold")),
    pytest.param(release, 10, id="one entry, release"),
    pytest.param(undo, 10, id="one entry, undo"),
    *(
        pytest.param(lambda by, verb=verb: all_entries(by, verb), 9, id=f"all entries, {verb}")
        for verb in ("confirm", "reject")
    ),
    pytest.param(bulk_action, 8, id="bulk action"),
    pytest.param(notes_to_sort_out, 10, id="notes to sort out"),
    pytest.param(roster_import, 9, id="roster import"),
]


@pytest.mark.parametrize(("prepare", "most"), PAGES)
def test_a_hundred_rows_more_cost_no_query_more(client, by, prepare, most):
    url, more = prepare(by)
    more(1)
    client.get(url)  # what is read is recorded once
    few = queries(client, url)
    more(MANY)
    assert queries(client, url) == few <= most


def queries(client, url):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)
