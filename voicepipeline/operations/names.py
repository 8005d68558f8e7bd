"""Who is meant by a name in a voice note, as people say it: settled, changed and taken back."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from voicepipeline.access import verify_platform_staff, verify_reader
from voicepipeline.engine.changes import Change
from voicepipeline.engine.rebuilding import Rebuilt, rebuild
from voicepipeline.engine.transactions import database_now, engine_transaction, lock_artifact
from voicepipeline.errors import InvalidTransition
from voicepipeline.matching import keys
from voicepipeline.models import (
    Artifact,
    Claim,
    Coach,
    EntityResolution,
    EventType,
    MentionKind,
    NameChoice,
    Player,
    StageName,
    Team,
    User,
)
from voicepipeline.operations import name_words as words
from voicepipeline.operations.aliases import forget, is_learnable, learn
from voicepipeline.operations.name_entries import decided_for_others
from voicepipeline.text import safe_text

Target = tuple[str, int]
"""The field that names whom a name means (player, team or coach_meant), and their row."""

FIELDS = {MentionKind.PLAYER_NAME: "player", MentionKind.TEAM_NAME: "team", MentionKind.COACH_NAME: "coach_meant"}
MODELS: dict[str, type[Player] | type[Team] | type[Coach]] = {"player": Player, "team": Team, "coach_meant": Coach}


@dataclass(frozen=True)
class Settled:
    """Whether it was done, what to tell the person, and what it led to."""

    done: bool
    message: str
    choice_id: int | None = None
    learned: bool = False
    rebuilt: Rebuilt = field(default_factory=Rebuilt)
    # Entries that were confirmed before, for somebody whom their statement no longer means.
    for_others: tuple[int, ...] = ()
    open_names: int = 0  # of the whole note, after this


@dataclass(frozen=True)
class Asked:
    """One name of one note, wherever the note says it."""

    artifact: Artifact
    kind: str
    key: str
    claim_key: str  # of the only statement that the answer is about; empty for the whole note
    raw_text: str
    said_in: frozenset[str]  # keys of the statements that the answer is about

    @property
    def names_it(self) -> dict[str, object]:
        return {"artifact": self.artifact, "kind": self.kind, "name_key": self.key}


@engine_transaction
def settle_name(
    artifact_id: uuid.UUID,
    *,
    kind: str,
    name_key: str,
    claim_key: str = "",
    target: Target | None,
    by: User,
    seen: int | None,
) -> Settled:
    """Keep whom a name means, everywhere in the note or in one statement; None is nobody on the roster.

    `seen` is the newest answer about this name that the person knew of: if somebody has answered since, or taken an
    answer back, nothing is done and the person is told.
    """
    _verify(by)
    found = Artifact.objects.filter(artifact_id=artifact_id).only("pk").first()
    if found is None:
        return Settled(False, "There is no voice note with this id.")
    change = Change(lock_artifact(found.pk), database_now())
    try:
        asked = _asked(change.artifact, kind, name_key, claim_key)
        meant = _meant(asked, target)
        _verify_nobody_was_first(change, asked, target, seen)
    except InvalidTransition as refusal:
        return Settled(False, str(refusal))
    choice = _keep(change, asked, target, by)
    rebuilt = rebuild(change, of=f"choice/{choice.pk}")
    for_others = decided_for_others(asked.artifact, asked.said_in) if rebuilt.names else []
    settled = Settled(
        True,
        words.settled(asked.raw_text, meant, choice, rebuilt, for_others=len(for_others), sender=asked.artifact.sender),
        choice_id=choice.pk,
        learned=choice.alias_id is not None,
        rebuilt=rebuilt,
        for_others=tuple(entry.pk for entry in for_others),
        open_names=_open_names(asked.artifact),
    )
    change.flush()
    return settled


@engine_transaction
def undo_choice(choice_id: int, *, by: User) -> Settled:
    """Take an answer back: the name is matched again without it, and what was learned by it alone is forgotten."""
    _verify(by)
    found = NameChoice.objects.filter(pk=choice_id).only("artifact").first()
    if found is None:
        return Settled(False, "There is no such answer.")
    change = Change(lock_artifact(found.artifact_id), database_now())
    choice = NameChoice.objects.select_related("undone_by", "alias").get(pk=choice_id)
    if not _end(change, [choice], by):
        return Settled(False, words.undone_already(choice, now=change.now))
    uses = choice.alias.use_count if choice.alias else 0
    forgotten = _forget(choice)
    of = f"choice/{choice.pk}/undone"
    change.say(
        EventType.NAME_CHOICE_UNDONE,
        of=of,
        stage=StageName.ENTITY_RESOLUTION,
        actor_id=by.pk,
        metadata={"kind": choice.kind},
    )
    rebuilt = rebuild(change, of=of)
    said_in = {each for each, _ in mentions_of(change.artifact, choice.kind, choice.name_key)}
    said_in &= {choice.claim_key} if choice.claim_key else said_in
    for_others = decided_for_others(change.artifact, said_in) if rebuilt.names else []
    settled = Settled(
        True,
        words.undone(choice, rebuilt, forgotten=forgotten, uses=uses, for_others=len(for_others)),
        choice_id=choice.pk,
        rebuilt=rebuilt,
        for_others=tuple(entry.pk for entry in for_others),
        open_names=_open_names(change.artifact),
    )
    change.flush()
    return settled


def mentions_of(artifact: Artifact, kind: str, name_key: str) -> list[tuple[str, str]]:
    """The statements that say this name, by their keys, and how they say it; whether it has been matched or not."""
    said = Claim.objects.filter(artifact=artifact).order_by("number").values_list("key", "mentions")
    return [
        (claim_key, mention["raw_text"])
        for claim_key, mentions in said
        for mention in mentions
        if mention["kind"] == kind and keys.name_key(kind, mention["raw_text"]) == name_key
    ]


def newest_answer(artifact: Artifact, kind: str, name_key: str) -> NameChoice | None:
    """The newest answer about this name that still counts, about the whole note or about one statement."""
    answers = NameChoice.objects.filter(artifact=artifact, kind=kind, name_key=name_key, undone_at__isnull=True)
    return answers.select_related("chosen_by", "player", "team", "coach_meant").order_by("-pk").first()


def _verify(by: User) -> None:
    verify_platform_staff(by, "voicepipeline.settle_name")
    verify_reader(by)


def _asked(artifact: Artifact, kind: str, key: str, claim_key: str) -> Asked:
    if kind == MentionKind.GROUP_REFERENCE:
        raise InvalidTransition("A group is nobody in particular, so there is nobody to choose.")
    if artifact.organization_id is None:
        raise InvalidTransition("This voice note has no club, so there is no roster to choose from. Give it one first.")
    mentions = mentions_of(artifact, kind, key)
    if not mentions:
        raise InvalidTransition("No statement of this voice note says this name any more. Nothing was changed.")
    said_in = frozenset(each for each, _ in mentions)
    if claim_key and claim_key not in said_in:
        raise InvalidTransition("The statement has been read anew and does not say this name any more. Look again.")
    raw_text = next(text for each, text in mentions if claim_key in ("", each))
    return Asked(artifact, kind, key, claim_key, raw_text, frozenset({claim_key}) if claim_key else said_in)


def _meant(asked: Asked, target: Target | None) -> Player | Team | Coach | None:
    """Whoever is meant, held so that nobody merges them away meanwhile; refused unless on this club's roster."""
    if target is None:
        return None
    name, pk = target
    if name != FIELDS.get(MentionKind(asked.kind)):
        kind = MentionKind(asked.kind).label.lower()
        raise InvalidTransition(f"This is the name of a {kind}, so choose a {kind}.")
    rows = MODELS[name]._default_manager.select_for_update(no_key=True)
    person: Player | Team | Coach | None = rows.filter(pk=pk, organization=asked.artifact.organization_id).first()
    if person is None:
        raise InvalidTransition(f"They are not on the roster of {asked.artifact.organization}. Choose somebody who is.")
    if isinstance(person, Player) and person.merged_into_id is not None:
        raise InvalidTransition(f"{person} has been merged into {person.merged_into}. Choose that player.")
    return person


def _verify_nobody_was_first(change: Change, asked: Asked, target: Target | None, seen: int | None) -> None:
    newest = newest_answer(asked.artifact, asked.kind, asked.key)
    if newest is not None and (target_of(newest), newest.claim_key) == (target, asked.claim_key):
        raise InvalidTransition(words.said_already(newest, now=change.now))
    if (newest.pk if newest else None) != seen:
        seen_answer = NameChoice.objects.filter(pk=seen or 0).select_related("undone_by").first()
        raise InvalidTransition(words.somebody_was_first(newest, seen_answer, now=change.now))
    # The newest may be about one statement; the answer about the whole note stands beside it.
    same = NameChoice.objects.filter(**asked.names_it, claim_key=asked.claim_key, undone_at__isnull=True).first()
    if same is not None and target_of(same) == target:
        raise InvalidTransition(words.said_already(same, now=change.now))


def target_of(choice: NameChoice) -> Target | None:
    fields = {"player": choice.player_id, "team": choice.team_id, "coach_meant": choice.coach_meant_id}
    return next(((name, pk) for name, pk in fields.items() if pk is not None), None)


def _keep(change: Change, asked: Asked, target: Target | None, by: User) -> NameChoice:
    artifact = asked.artifact
    ended = list(NameChoice.objects.filter(**asked.names_it, claim_key=asked.claim_key, undone_at__isnull=True))
    _end(change, ended, by)
    for each in ended:
        _forget(each)
    alias = None
    if target is not None and not asked.claim_key and is_learnable(asked.kind, asked.raw_text):
        alias = learn(artifact, kind=asked.kind, text=asked.raw_text, target=target, by=by, now=change.now)
    choice = NameChoice.objects.create(
        **asked.names_it,
        claim_key=asked.claim_key,
        raw_text=safe_text(asked.raw_text, keys.LONGEST),
        alias=alias,
        chosen_by=by,
        chosen_at=change.now,
        **({f"{target[0]}_id": target[1]} if target else {}),
    )
    change.say(
        EventType.ENTITY_RESOLVED_BY_PERSON,
        of=f"choice/{choice.pk}",
        stage=StageName.ENTITY_RESOLUTION,
        actor_id=by.pk,
        metadata={"kind": asked.kind},
    )
    return choice


def _end(change: Change, choices: Iterable[NameChoice], by: User) -> int:
    """Let these answers count no more; how many of them still did."""
    live = NameChoice.objects.filter(pk__in=[choice.pk for choice in choices], undone_at__isnull=True)
    return live.update(undone_at=change.now, undone_by=by)


def _forget(choice: NameChoice) -> bool:
    return choice.alias_id is not None and forget(choice.alias_id)


def _open_names(artifact: Artifact) -> int:
    unclear = EntityResolution.objects.filter(artifact=artifact, status=EntityResolution.Status.NEEDS_DISAMBIGUATION)
    return unclear.order_by().values("kind", "name_key").distinct().count()
