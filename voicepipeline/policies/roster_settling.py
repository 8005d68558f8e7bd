"""What people answer about the lines of a list that look like somebody, and what is applied then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from voicepipeline.errors import VoicePipelineError
from voicepipeline.policies.roster_parts import Difference, Field, Freed, New, Plan, Question, Update, new_teams

LEAVE, ANOTHER, SAME = "leave", "another", "same"


class UnknownAnswer(VoicePipelineError):
    """The answers do not fit the questions; the message says what to do."""


@dataclass(frozen=True)
class Settled:
    """What is written, once every question has its answer."""

    added: tuple[New, ...]
    updates: tuple[Update, ...]
    missing: tuple[int, ...]
    left_out: int
    # Whose numbers go over to somebody else.
    freed: tuple[int, ...] = ()

    @property
    def new_teams(self) -> dict[str, int]:
        return new_teams([*(one.state for one in self.added), *(one.state for one in self.updates)])


def same(player: int) -> str:
    """The answer that a line is about this player."""
    return f"{SAME}-{player}"


def answers_to(question: Question) -> tuple[str, ...]:
    """All answers that this question can have."""
    players = tuple(same(one.update.player) for one in question.candidates if one.update)
    return (LEAVE, *players, *((ANOTHER,) if question.may_add else ()))


def settle(plan: Plan, answers: Mapping[int, str]) -> Settled:
    """The plan with these answers, by line; what is not answered is left out."""
    added, updates = list(plan.added), list(plan.updates)
    lines_of = {update.player: update.line for update in updates}
    freed: dict[int, Freed] = {}
    left_out = len(plan.refused)
    for question in plan.questions:
        answer = answers.get(question.line, LEAVE)
        if answer not in answers_to(question):
            raise UnknownAnswer(f"The answer for line {question.line} is none of those offered. Choose it again.")
        if answer == LEAVE:
            left_out += 1
            continue
        update = None if answer == ANOTHER else _update(question, answer)
        if frees := question.frees_by(update):
            freed[frees.player] = frees
        if update is None:
            added.append(New(question.line, question.state))
        else:
            other = lines_of.setdefault(update.player, question.line)
            if other != question.line:
                one, two = sorted((other, question.line))
                told = f"Lines {one} and {two} are both said to be {update.name}"
                raise UnknownAnswer(f"{told}. Choose that for one of them only.")
            updates.append(update)
    return Settled(
        added=tuple(added),
        updates=tuple(update for update in (_without(freed, update) for update in updates) if update.differences),
        missing=tuple(one.player for one in plan.missing),
        left_out=left_out,
        freed=tuple(freed),
    )


def _without(freed: Mapping[int, Freed], update: Update) -> Update:
    """What a line makes of a player whose number, which it does not tell, has gone over to somebody else."""
    number = update.state.number
    if update.player not in freed or number != freed[update.player].number:
        return update
    lost = Difference(Field.NUMBER, number, "")
    return replace(update, state=replace(update.state, number=""), differences=(*update.differences, lost))


def _update(question: Question, answer: str) -> Update:
    return next(one.update for one in question.candidates if one.update and same(one.update.player) == answer)
