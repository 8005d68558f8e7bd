from voicepipeline.models.ai import AIService, AIServiceHealth, ModelPrice, Pause, ProviderCall, ProviderModel
from voicepipeline.models.api import ApiKey, ApiKeyUse, ApiRequest, ApiScope
from voicepipeline.models.bulk import BulkWork
from voicepipeline.models.decisions import EntryDecision, NameChoice, NoteDecision
from voicepipeline.models.derived import Claim, EntityResolution, Sentiment, Severity, Topic, Transcript
from voicepipeline.models.entries import InsightDraft
from voicepipeline.models.events import DroppedEvent, EventType, PipelineEvent
from voicepipeline.models.jobs import ScheduledJob
from voicepipeline.models.notes import Artifact, SourceChannel, StageName, VoiceNote
from voicepipeline.models.people import Coach, MentionKind, Organization, Player, PlayerAlias, Team, User
from voicepipeline.models.readings import ContentReading
from voicepipeline.models.rosters import RosterChange, RosterImport
from voicepipeline.models.runs import ClusterBeat, StageRun, WatchdogBeat

__all__ = [
    "AIService",
    "AIServiceHealth",
    "ApiKey",
    "ApiKeyUse",
    "ApiRequest",
    "ApiScope",
    "Artifact",
    "BulkWork",
    "Claim",
    "ClusterBeat",
    "Coach",
    "ContentReading",
    "DroppedEvent",
    "EntityResolution",
    "EntryDecision",
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
    "RosterChange",
    "RosterImport",
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
    "WatchdogBeat",
]
