from voicepipeline.models.decisions import NoteDecision
from voicepipeline.models.events import DroppedEvent, EventType, PipelineEvent
from voicepipeline.models.jobs import ScheduledJob
from voicepipeline.models.notes import Artifact, SourceChannel, StageName, VoiceNote
from voicepipeline.models.people import Coach, Organization, Player, Team, User
from voicepipeline.models.runs import ClusterBeat, StageRun

__all__ = [
    "Artifact",
    "ClusterBeat",
    "Coach",
    "DroppedEvent",
    "EventType",
    "NoteDecision",
    "Organization",
    "PipelineEvent",
    "Player",
    "ScheduledJob",
    "SourceChannel",
    "StageName",
    "StageRun",
    "Team",
    "User",
    "VoiceNote",
]
