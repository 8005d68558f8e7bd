"""A word of its own in every field that holds what was said, or whose name: wherever it turns up, it is known."""

from datetime import timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from retry.models import FailureMark
from tests.engine.helpers import scheduled
from tests.factories import (
    make_alias,
    make_bulk_work,
    make_claim,
    make_club,
    make_coach,
    make_draft,
    make_event,
    make_note,
    make_player,
    make_reading,
    make_resolution,
    make_roster_import,
    make_team,
    make_transcript,
    make_user,
    mention,
)
from tests.retry.admin.rows import make_bulk
from tests.retry.factories import make_attempt
from tests.retry.problems import fail, group_of
from voicepipeline import roles
from voicepipeline.models import EntryDecision, MentionKind, NameChoice, NoteDecision, RosterChange, VoiceNote

PHONE = "+353877160934"
ADDRESS = "+353868852417"
WORDS = ("title", "description", "quote", "recommended_action", "time_reference", "skill_name")


def word(name):
    """No other word of any page or name holds it; its first letter alone is what initials keep."""
    return f"qx{name.replace('_', '')}xq"


def words(owner):
    return {field: word(f"{owner}_{field}") for field in WORDS}


# Who may not read finds none of these, whatever they open.
SAID = (
    *(word(f"{owner}_{field}") for owner in ("claim", "entry", "confirmed", "held") for field in WORDS),
    *map(word, ("transcript", "segment", "typed", "audio", "mention", "unmatched", "group", "reason")),
    *map(word, ("candidate", "candidate_reason", "choice", "edited", "suggested", "learned", "listed")),
    # Reasons that people type.
    *map(word, ("why_done", "why_closed", "why_decided", "why_then", "why_held", "why_roster", "why_bulk")),
    *map(word, ("why_retries", "why_retried", "why_asked", "why_fixed")),
)
# Who is told one of these has read a note.
OF_OTHERS = ("learned", "listed", "why_roster", "why_bulk", "why_retries", "why_retried", "why_fixed")
OF_NOTES = {*SAID} - {*map(word, OF_OTHERS)}
NAMES = tuple(word(f"{who}_{which}") for who in ("player", "ai", "left", "for") for which in ("first", "last"))
PHONES = (PHONE, PHONE[1:], PHONE[-6:], ADDRESS, ADDRESS[1:], ADDRESS[-6:])
# A coach who is named in a note is hidden there; lists of coaches name every coach.
COACH_NAMED = (word("named_first"), word("named_last"))
EVERYTHING = (*SAID, *NAMES, *PHONES, *COACH_NAMED)


class Planted:
    """One note with everything, its people, and what people did to them."""

    def __init__(self):
        self.club = make_club(name="Na Fianna")
        self.team = make_team(organization=self.club)
        self.coach = make_coach(organization=self.club, phone=PHONE)
        self.coach.teams.add(self.team)
        self.named = make_coach(organization=self.club, first_name=word("named_first"), last_name=word("named_last"))
        self.player = self._player("player")
        self.meant_by_ai = self._player("ai")
        self.entry_for = self._player("for")
        self.left = self._player("left", merged_into=self.player, is_active=False)
        self.list = make_roster_import(
            organization=self.club, rows=[[2, word("listed"), "Kelly", None, None, None, False, ""]]
        )
        self.operator = make_user(roles.OPERATOR, first_name="Ana", last_name="Nowak")
        self.note = self._note()
        self.typed = make_note(text=word("typed"), sender=self.coach)
        self.orphan = make_note(text=word("typed"), organization=None)
        VoiceNote.objects.filter(pk=self.orphan.voice_note_id).update(sender_address=ADDRESS)
        now = timezone.now()
        failed = {"status": "failed", "error_code": "no_audio", "failed_stage": "transcription"}
        closed = {"closed_at": now, "closed_by": self.operator, "closed_reason": word("why_closed")}
        self.closed = make_note(sender=self.coach, current_stage="transcription", **failed, **closed)
        self._statements()
        self._entries()
        self._history()

    def _player(self, who, **fields):
        names = {"first_name": word(f"{who}_first"), "last_name": word(f"{who}_last")}
        return make_player(organization=self.club, team=self.team, **names, **fields)

    def _note(self):
        now = timezone.now()
        ready = {"status": "completed", "completed_at": now, "first_completed_at": now}
        note = make_note(audio=word("audio").encode(), sender=self.coach, current_stage="draft_generation", **ready)
        VoiceNote.objects.filter(pk=note.voice_note_id).update(sender_address=ADDRESS, mime_type="audio/wav")
        said = f"{word('transcript')} {word('segment')}."
        segments = [{"start_seconds": 0, "end_seconds": 3, "text": f"{word('segment')}."}]
        make_transcript(note, text=said, segments=segments, languages=["en"], verdict="flagged")
        scheduled(make_note(sender=self.coach))
        make_event(note, "entity_resolved_by_person", actor_id=self.operator.pk)
        return note

    def _claim(self, *names, **fields):
        """Its quote is the first word of the transcript: a mark that ends in a word would cut it in two."""
        return make_claim(self.note, *names, **{"quote_end": len(word("transcript")), **fields})

    def _statements(self):
        self.claim = self._claim(word("mention"), mentions=[mention(word("mention"))], **words("claim"))
        candidates = [
            {"id": self.player.pk, "name": f"{word('candidate')} X", "score": 88.0, "reason": word("candidate_reason")}
        ]
        self.question = make_resolution(
            self.claim, reason=word("reason"), candidates=candidates, model_player=self.meant_by_ai, model_agrees=False
        )
        self.settled = make_resolution(
            self._claim(word("choice")),
            player=self.player,
            status="user_resolved",
            resolved_by=self.operator,
            resolved_at=timezone.now(),
        )
        make_resolution(
            self._claim("Ciara", mentions=[mention("Ciara", MentionKind.COACH_NAME)]), coach_meant=self.named
        )
        group = [mention(word("group"), MentionKind.GROUP_REFERENCE)]
        make_resolution(self._claim(mentions=group), status="auto_resolved")
        self._claim(word("unmatched"))

    def _entries(self):
        self.entry = make_draft(self.claim, player=self.entry_for, **words("entry"))
        self.confirmed = make_draft(
            self.claim,
            player=self.entry_for,
            status="confirmed",
            decided_by=self.operator,
            decision_reason=word("why_decided"),
            suggested={"title": word("suggested")},
            **words("confirmed"),
        )
        EntryDecision.objects.create(
            artifact=self.note,
            draft_key=self.confirmed.key,
            kind="edited",
            by=self.operator,
            reason=word("why_then"),
            edited={"title": word("edited")},
        )
        held = {"held_at": timezone.now(), "held_by": self.operator, "held_reason": word("why_held")}
        make_draft(self.claim, team=self.team, **held, **words("held"))

    def _history(self):
        self.alias = make_alias(word("learned"), player=self.player)
        self.choice = NameChoice.objects.create(
            artifact=self.note,
            kind=MentionKind.PLAYER_NAME,
            raw_text=word("choice"),
            name_key=word("choice"),
            player=self.player,
            alias=self.alias,
            chosen_by=self.operator,
        )
        NoteDecision.objects.create(artifact=self.note, kind="released", by=self.operator, reason=word("why_done"))
        self.work = make_bulk_work(organization=self.club, reason=word("why_bulk"), requested_by=self.operator)
        self.attempt = make_attempt(self.note, self.operator, reason=word("why_retried"), outcome="succeeded")
        # Of what events carry the one thing that people typed.
        asked = {"retry_attempt": 1, "kind": "full", "given_reason": word("why_asked")}
        self.event = make_event(self.note, "retry_initiated", actor_id=self.operator.pk, metadata=asked)
        self.retries = make_bulk(state="running", by=self.operator, reason=word("why_retries"), club=self.club)
        self.problem = group_of(fail())
        self.problem.marks.create(
            kind=FailureMark.Kind.FIXED, by=self.operator, note=word("why_fixed"), marked_at=timezone.now()
        )
        RosterChange.objects.create(
            organization=self.club,
            kind="merged",
            by=self.operator,
            reason=word("why_roster"),
            details={"stays": self.player.pk, "goes": self.left.pk},
        )
        for row in (self.player, self.alias):
            LogEntry.objects.create(
                user=self.operator,
                content_type=ContentType.objects.get_for_model(row),
                object_id=row.pk,
                object_repr=str(row),
                action_flag=CHANGE,
                change_message="[]",
            )
        self.reading = make_reading(self.note, self.operator, read_at=timezone.now() - timedelta(hours=1))

    def row_like(self, row):
        """The planted row of this one's kind, in whose place it was made."""
        return next((each for each in vars(self).values() if type(each) is type(row)), row)
