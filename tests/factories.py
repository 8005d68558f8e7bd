"""Minimal valid objects. What a test cares about, it passes; the rest is made up."""

import hashlib
import itertools
from datetime import timedelta

from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.utils import timezone

from voicepipeline import roles
from voicepipeline.events import log_event
from voicepipeline.matching.keys import name_key
from voicepipeline.models import (
    ApiKey,
    ApiScope,
    Artifact,
    BulkWork,
    Claim,
    Coach,
    ContentReading,
    EntityResolution,
    EventType,
    InsightDraft,
    MentionKind,
    Organization,
    PipelineEvent,
    Player,
    PlayerAlias,
    RosterImport,
    SourceChannel,
    Team,
    Topic,
    Transcript,
    User,
    VoiceNote,
)

_numbers = itertools.count(1)


def make_user(role=None, *, password=None, reads_content=None, **fields):
    """Platform staff with this role, or with none; `is_platform_staff=False` makes a coach's kind of account.

    Those who act on notes may read what they say, unless told otherwise; who only looks may not.
    """
    fields.setdefault("username", f"person{next(_numbers)}")
    fields.setdefault("is_platform_staff", True)
    user = User.objects.create_user(password=password, **fields)
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    if role in (roles.OPERATOR, roles.ADMINISTRATOR) if reads_content is None else reads_content:
        roles.let_read_content(user, True)
    return user


def make_club(**fields):
    number = next(_numbers)
    return Organization.objects.create(**{"name": f"Club {number}", "slug": f"club-{number}", **fields})


def make_team(**fields):
    club = fields.pop("organization", None) or make_club()
    return Team.objects.create(organization=club, **{"name": "Under 14", **fields})


def make_coach(**fields):
    club = fields.pop("organization", None) or make_club()
    return Coach.objects.create(organization=club, **{"first_name": "Niamh", "last_name": "Byrne", **fields})


def make_player(**fields):
    club = fields.pop("organization", None) or make_club()
    return Player.objects.create(organization=club, **{"first_name": "Caoimhe", "last_name": "Kelly", **fields})


def make_roster_import(**fields):
    """A list of one new player that nobody has applied yet."""
    club = fields.pop("organization", None) or make_club()
    minimal = {"uploaded_by": make_user(), "rows": [[2, "Caoimhe", "Kelly", None, None, None, False, ""]]}
    return RosterImport.objects.create(organization=club, **{**minimal, **fields})


def make_event(artifact=None, event_type=EventType.ARTIFACT_RECEIVED, **fields):
    log_event(event_type, artifact, **fields)
    return PipelineEvent.objects.latest("id")


def make_note(*, text="Niamh was sharp in training today.", audio=None, **fields):
    """A received note: what was typed, or the bytes of a recording; other fields are the artifact's.

    Its club is the sender's, or one of its own; `organization=None` makes a note of no known club.
    """
    sender = fields.get("sender")
    club = fields.pop("organization", sender.organization if sender else ...)
    club = make_club() if club is ... else club
    channel = fields.setdefault("source_channel", SourceChannel.APP_RECORDED if audio else SourceChannel.APP_TYPED)
    note = VoiceNote(source_channel=channel, text="" if audio else text)
    if audio:
        note.sha256, note.size_bytes = hashlib.sha256(audio).hexdigest(), len(audio)
        note.audio.save("note.wav", ContentFile(audio), save=False)
    note.save()
    candidates = [{"organization_id": club.pk, "confidence": 1.0}] if club else []
    fields.setdefault("org_context_candidates", candidates)
    return Artifact.objects.create(voice_note=note, organization=club, **fields)


def make_transcript(artifact=None, **fields):
    artifact = artifact or make_note()
    fields.setdefault("text", artifact.voice_note.text or "Niamh was sharp in training today.")
    return Transcript.objects.create(artifact=artifact, **{"verdict": Transcript.Verdict.GOOD, **fields})


def mention(raw_text, kind=MentionKind.PLAYER_NAME, *, position=None, player_id=None):
    """One entry of a claim's mentions."""
    return {"kind": str(kind), "raw_text": raw_text, "position": position, "player_id": player_id}


def make_claim(artifact=None, *names, **fields):
    """A supported statement about these players, or with `mentions` of any kind."""
    artifact = artifact or make_note()
    number = fields.setdefault("number", artifact.claims.count() + 1)
    quote = fields.setdefault("quote", f"{' and '.join(names) or 'They'} did well, {number}")
    minimal = {
        "key": f"claim{number}",
        "topic": Topic.PERFORMANCE,
        "title": f"Did well, {number}",
        "description": f"{' and '.join(names) or 'They'} did well.",
        "mentions": [mention(name) for name in names],
        "quote_start": 0,
        "quote_end": len(quote),
        "confidence": 0.9,
    }
    return Claim.objects.create(artifact=artifact, **{**minimal, **fields})


def make_resolution(claim=None, **fields):
    """Who is meant by a mention of the claim: an open question, unless a target or a status is given."""
    claim = claim or make_claim(None, "Niamh")
    number = fields.setdefault("mention_number", claim.resolutions.count() + 1)
    given = claim.mentions[number - 1] if number <= len(claim.mentions) else mention("Niamh")
    settled = any(fields.get(target) for target in ("player", "team", "coach_meant"))
    statuses = EntityResolution.Status
    minimal = {
        "artifact": claim.artifact,
        "organization": claim.artifact.organization,
        "sender": claim.artifact.sender,
        "kind": given["kind"],
        "raw_text": given["raw_text"],
        "name_key": name_key(given["kind"], given["raw_text"]),
        "status": statuses.AUTO_RESOLVED if settled else statuses.NEEDS_DISAMBIGUATION,
        "score": 100.0 if settled else None,
    }
    return EntityResolution.objects.create(claim=claim, **{**minimal, **fields})


def make_draft(claim=None, **fields):
    """An entry to be confirmed; one in another status says who decided, or that it was automatic."""
    claim = claim or make_claim(fields.get("artifact"), "Niamh")
    number = next(_numbers)
    minimal = {
        "artifact": claim.artifact,
        "organization": claim.artifact.organization,
        "sender": claim.artifact.sender,
        "key": f"draft{number}",
        "claim_key": claim.key,
        "topic": claim.topic,
        "title": claim.title,
        "description": claim.description,
        "quote": claim.quote,
        "expires_at": timezone.now() + timedelta(days=7),
    }
    if fields.get("status", "pending") != "pending":
        minimal["decided_at"] = timezone.now()
    return InsightDraft.objects.create(claim=claim, **{**minimal, **fields})


def make_alias(text="Neevo", **fields):
    """A learned name for a player of the club, unless another target is given."""
    targets = {"player": MentionKind.PLAYER_NAME, "team": MentionKind.TEAM_NAME, "coach_meant": MentionKind.COACH_NAME}
    meant = next((name for name in targets if fields.get(name)), None)
    club = fields.pop("organization", None) or (fields[meant].organization if meant else make_club())
    if meant is None:
        meant, fields["player"] = "player", make_player(organization=club)
    kind = fields.setdefault("kind", targets[meant])
    return PlayerAlias.objects.create(organization=club, **{"text": text, "key": name_key(kind, text), **fields})


def make_reading(artifact=None, user=None, **fields):
    """Somebody, or the program with this `api_key`, has opened a note's page, now unless `read_at` is given."""
    at = fields.setdefault("read_at", timezone.now())
    minimal = {"place": ContentReading.Place.NOTE_PAGE, "quarter": at}
    if "api_key" not in fields:
        fields["user"] = user or make_user(roles.OPERATOR)
    return ContentReading.objects.create(artifact=artifact or make_note(), **{**minimal, **fields})


def make_api_key(secret="", **fields):
    """A key that may do everything; with its secret it can be used."""
    number = next(_numbers)
    minimal = {
        "name": f"Program {number}",
        "prefix": secret[:11] or f"vp_{number:08x}",
        "digest": hashlib.sha256((secret or str(number)).encode()).hexdigest(),
        "scopes": ApiScope.values,
    }
    club, by = fields.pop("organization", None) or make_club(), fields.pop("created_by", None) or make_user()
    return ApiKey.objects.create(organization=club, created_by=by, **{**minimal, **fields})


def make_bulk_work(**fields):
    """A request to match a club's names again, at which nobody has worked yet."""
    club = fields.pop("organization", None) or make_club()
    minimal = {"kind": BulkWork.Kind.MATCH_AGAIN, "selection": {"newest_note": 0}, "requested_by": make_user()}
    return BulkWork.objects.create(organization=club, **{**minimal, **fields})
