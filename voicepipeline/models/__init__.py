from voicepipeline.models.ai import AIService, AIServiceHealth, ModelPrice, Pause, ProviderCall, ProviderModel
from voicepipeline.models.decisions import NoteDecision
from voicepipeline.models.derived import (
    Claim,
    EntityResolution,
    InsightDraft,
    NameChoice,
    Sentiment,
    Severity,
    Topic,
    Transcript,
)
from voicepipeline.models.events import DroppedEvent, EventType, PipelineEvent
from voicepipeline.models.jobs import ScheduledJob
from voicepipeline.models.notes import Artifact, SourceChannel, StageName, VoiceNote
from voicepipeline.models.people import Coach, MentionKind, Organization, Player, PlayerAlias, Team, User
from voicepipeline.models.runs import ClusterBeat, StageRun

__all__ = [
    "AIService",
    "AIServiceHealth",
    "Artifact",
    "Claim",
    "ClusterBeat",
    "Coach",
    "DroppedEvent",
    "EntityResolution",
    "EventType",
    "InsightDraft",
    "MentionKind",
    "ModelPrice",
    "NameChoice",
    "NoteDecision",
    "Organization",
    "Pause",
    "PipelineEvent",
    "Player",
    "PlayerAlias",
    "ProviderCall",
    "ProviderModel",
    "ScheduledJob",
    "Sentiment",
    "Severity",
    "SourceChannel",
    "StageName",
    "StageRun",
    "Team",
    "Topic",
    "Transcript",
    "User",
    "VoiceNote",
]
