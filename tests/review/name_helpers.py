"""Notes that ask whom a name means, and people who answer."""

from tests.factories import make_claim, make_user
from tests.names.helpers import DRAFTS, player, resolve
from voicepipeline import roles
from voicepipeline.engine.execution import perform
from voicepipeline.matching.keys import name_key
from voicepipeline.models import EntityResolution, InsightDraft, NameChoice, PlayerAlias, StageRun
from voicepipeline.operations.names import settle_name, undo_choice

ASK = "needs_disambiguation"


def operator(**fields):
    return make_user(roles.OPERATOR, **fields)


def two_murphys(club):
    return player(club, "Eoin Murphy"), player(club, "Seán Murphy")


def ready(note):
    """The note once the engine has matched its names and made its entries."""
    resolve(note)
    perform(StageRun.objects.get(artifact=note, stage=DRAFTS, status="queued").pk)
    note.refresh_from_db()
    return note


def asking(note, *names):
    """The same with these statements, one for each name."""
    for name in names or ("Murphy",):
        make_claim(note, name)
    return ready(note)


def settle(note, meant, name="Murphy", *, by=None, seen=None, kind="player_name", **scope):
    """Answer whom this name means; `meant` is a row, or None for nobody on the roster."""
    field = {"Player": "player", "Team": "team", "Coach": "coach_meant", "NoneType": ""}[type(meant).__name__]
    return settle_name(
        note.artifact_id,
        kind=kind,
        name_key=name_key(kind, name),
        target=(field, meant.pk) if meant else None,
        by=by or operator(),
        seen=seen.pk if isinstance(seen, NameChoice) else seen,
        **scope,
    )


def take_back(choice, *, by=None):
    return undo_choice(choice.pk, by=by or operator())


def the_choice(note):
    return NameChoice.objects.get(artifact=note)


def means(note):
    """Whom the names of the note mean, in order."""
    rows = EntityResolution.objects.filter(artifact=note).order_by("claim__number", "mention_number")
    return [row.player or row.team or row.coach_meant for row in rows]


def statuses(note):
    rows = EntityResolution.objects.filter(artifact=note).order_by("claim__number", "mention_number")
    return list(rows.values_list("status", flat=True))


def entries(note):
    return list(InsightDraft.objects.filter(artifact=note).order_by("claim__number", "id"))


def learned():
    return [
        (alias.text, alias.player or alias.team or alias.coach_meant) for alias in PlayerAlias.objects.order_by("pk")
    ]
