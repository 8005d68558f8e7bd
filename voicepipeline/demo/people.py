"""What people did about the notes of the history: chose names, decided about entries, gave failed notes up."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from voicepipeline.demo.deciding import decide
from voicepipeline.demo.entries import keep_entries, suggest
from voicepipeline.demo.fates import CLOSED_BECAUSE
from voicepipeline.demo.results import keep_matches, match_names
from voicepipeline.models import (
    Artifact,
    EntityResolution,
    MentionKind,
    NameChoice,
    NoteDecision,
    PlayerAlias,
    User,
)
from voicepipeline.operations.aliases import LearnedName
from voicepipeline.stages.names import TARGETS, Choice, Match

if TYPE_CHECKING:
    from voicepipeline.demo.history import Story

DAY = timedelta(days=1)
JUST_NOW = timedelta(seconds=30)
# How many of the questions are answered, of a note older than a day and of a fresh one.
ANSWERED, ANSWERED_TODAY = 0.75, 0.25
NOBODY = 0.1
TAUGHT = 0.6
CLOSED = 0.4


@dataclass
class People:
    """The staff of the demo, and the moment up to which they have worked."""

    choose: Random
    staff: list[User]
    now: datetime
    closings: list[NoteDecision] = field(default_factory=list)
    aliases: list[PlayerAlias] = field(default_factory=list)

    def look_at(self, story: "Story") -> None:
        """Do what staff would have done about this note since it was received."""
        if story.artifact.status == Artifact.Status.FAILED:
            self._perhaps_close(story)
        else:
            self._answer_questions(story)
            for draft in story.results.drafts:
                decide(self, story, draft)

    def since(self, moment: datetime, *, hours: tuple[float, float] = (0.3, 20)) -> datetime:
        """When somebody got round to it: some hours later, and never in the future."""
        later = timedelta(hours=self.choose.uniform(*hours))
        left = max(self.now - JUST_NOW - moment, timedelta())
        return moment + (later if later < left else self.choose.random() * left)

    def is_old(self, artifact: Artifact) -> bool:
        return self.now - artifact.received_at > DAY

    def _perhaps_close(self, story: "Story") -> None:
        artifact = story.artifact
        if not self.is_old(artifact) or self.choose.random() > CLOSED:
            return
        by, at, reason = self.choose.choice(self.staff), self.since(artifact.updated_at), CLOSED_BECAUSE[story.fate]
        artifact.closed_at, artifact.closed_by, artifact.closed_reason = at, by, reason
        artifact.updated_at = at
        self.closings.append(
            NoteDecision(artifact=artifact, kind=NoteDecision.Kind.CLOSED, by=by, reason=reason, decided_at=at)
        )

    def count_uses(self, used: frozenset[int], moment: datetime) -> None:
        """Learned names by which somebody was linked; their ids are their places in our list, from 1."""
        for number in used:
            alias = self.aliases[number - 1]
            alias.use_count += 1
            alias.last_used_at = moment

    # --- Names ---------------------------------------------------------------------------------------------------

    def _answer_questions(self, story: "Story") -> None:
        share = ANSWERED if self.is_old(story.artifact) else ANSWERED_TODAY
        asked = {match.mention.question: match for match in story.results.matches if _is_question(match)}
        answers = [self._answer(story, match) for match in asked.values() if self.choose.random() < share]
        if not answers:
            return
        story.results.choices = answers
        story.artifact.input_version = len(answers)
        choices = tuple(_plain(row) for row in answers)
        output = match_names(story.results.claims, story.sender, story.around, story.artifact.received_at, choices)
        moment = max(row.chosen_at for row in answers)
        keep_matches(story.artifact, story.results, output.data.matches, moment)
        entries = suggest(story.results, story.sender, story.around).data
        keep_entries(story.artifact, story.results, entries, moment)

    def _answer(self, story: "Story", match: Match) -> NameChoice:
        mention = match.mention
        nobody = not match.candidates or self.choose.random() < NOBODY
        target = None if nobody else (TARGETS[MentionKind(mention.kind)], int(match.candidates[0]["id"]))
        row = NameChoice(
            artifact=story.artifact,
            kind=mention.kind,
            raw_text=mention.raw_text,
            name_key=mention.key,
            chosen_by=self.choose.choice(self.staff),
            chosen_at=self.since(story.timeline.now),
            **({f"{target[0]}_id": target[1]} if target else {}),
        )
        if target and self.choose.random() < TAUGHT:
            self._teach(story, match, row, target)
        return row

    def _teach(self, story: "Story", match: Match, choice: NameChoice, target: tuple[str, int]) -> None:
        """A mishearing becomes a learned name; one that several bear does not, or it would be a question for ever."""
        mention, around = match.mention, story.around
        if "equally well" in match.reason or "another team" in match.reason:
            return
        if any((name.kind, name.key) == mention.question for _, name in around.learned):
            return
        alias = PlayerAlias(
            organization=around.club.organization,
            kind=mention.kind,
            text=mention.raw_text,
            key=mention.key,
            created_at=choice.chosen_at,
            created_by=choice.chosen_by,
            **{f"{target[0]}_id": target[1]},
        )
        self.aliases.append(alias)
        choice.alias = alias
        learned = LearnedName(len(self.aliases), mention.kind, mention.raw_text, mention.key, target[1])
        around.learned.append((choice.chosen_at, learned))


def _is_question(match: Match) -> bool:
    return match.status == EntityResolution.Status.NEEDS_DISAMBIGUATION


def _plain(row: NameChoice) -> Choice:
    targets = {"player": row.player_id, "team": row.team_id, "coach_meant": row.coach_meant_id}
    target = next(((name, pk) for name, pk in targets.items() if pk is not None), None)
    return Choice(row.kind, row.name_key, row.claim_key, target, row.chosen_by_id, row.chosen_at)
