"""Importing this module registers every admin page of this app, and takes away those of libraries."""

from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # noqa: F401  registers Group
from django.contrib.auth.models import Group
from django_q import admin as queue_admin  # noqa: F401  registers its four
from django_q.models import Failure, OrmQ, Schedule, Success

from voicepipeline.admin import (  # noqa: F401
    ai_service,
    api_keys,
    bulk_work,
    clubs,
    entries,
    events,
    learned_names,
    names,
    notes,
    overview,
    pipeline,
    prices,
    queue,
    readings,
    roster_imports,
    runs,
    schedules,
    shell,
    upload,
    users,
)
from voicepipeline.admin.shell import Entry
from voicepipeline.admin.shell import Group as Heading

# Roles are code. The queue's own pages can run any function by its dotted name and delete the record of a failure.
for model in (Group, Schedule, Success, Failure, OrmQ):
    admin.site.unregister(model)


def _entry(heading: Heading, title: str, icon: str, model: str, summary: str) -> Entry:
    return Entry(
        heading, title, icon, f"admin:voicepipeline_{model}_changelist", f"voicepipeline.view_{model}", summary
    )


shell.add(
    Entry(
        Heading.OVERVIEW,
        "Pipeline",
        "account_tree",
        "admin:pipeline",
        "voicepipeline.view_artifact",
        "Each stage with what is there now, open problems, and how sources and clubs fare.",
    ),
    _entry(
        Heading.VOICE_NOTES,
        "Voice notes",
        "graphic_eq",
        "artifact",
        "Where every note is, what failed and why, and what to do about it.",
    ),
    Entry(
        Heading.VOICE_NOTES,
        "Upload voice notes",
        "upload_file",
        "admin:voicepipeline_voicenote_add",
        "voicepipeline.add_artifact",
        "Hand in recordings that reached you in another way, or type a note for a coach.",
    ),
    _entry(
        Heading.VOICE_NOTES, "Events", "history", "pipelineevent", "What happened in the last 48 hours, newest first."
    ),
    _entry(
        Heading.VOICE_NOTES,
        "AI service",
        "cloud_sync",
        "aiservicehealth",
        "How the AI provider fares, what is on hold for it, and what people have paused.",
    ),
    _entry(
        Heading.REVIEW,
        "Names to check",
        "person_search",
        "entityresolution",
        "Names that could mean several people, or nobody we know: say who is meant.",
    ),
    _entry(
        Heading.REVIEW,
        "Suggested entries",
        "fact_check",
        "insightdraft",
        "What voice notes say about players and teams, to be confirmed or rejected.",
    ),
    Entry(
        Heading.REVIEW,
        "Notes to sort out",
        "inbox",
        "admin:voicepipeline_artifact_placing",
        "voicepipeline.view_artifact",
        "Voice notes without a club or a coach, and those that somebody should listen to.",
    ),
    _entry(
        Heading.REVIEW,
        "Bulk actions",
        "checklist",
        "bulkwork",
        "What was asked for many voice notes at once, how far it is, and what came of it.",
    ),
    _entry(Heading.METRICS, "Prices", "payments", "modelprice", "What the AI models cost, and from which day."),
    _entry(Heading.CLUBS, "Clubs", "shield", "organization", "The clubs whose coaches send voice notes."),
    _entry(Heading.CLUBS, "Teams", "groups", "team", "The teams of each club."),
    _entry(Heading.CLUBS, "Coaches", "sports", "coach", "Who sends voice notes, and from which phone."),
    _entry(
        Heading.CLUBS, "Players", "directions_run", "player", "The rosters that names in voice notes are matched with."
    ),
    _entry(
        Heading.CLUBS,
        "Learned names",
        "school",
        "playeralias",
        "What players, teams and coaches are called in voice notes, as people have taught it.",
    ),
    Entry(
        Heading.CLUBS,
        "Import a roster",
        "upload",
        "admin:voicepipeline_rosterimport_add",
        "voicepipeline.import_roster",
        "Hand in a club's list of players, see what it would change, and apply it.",
    ),
    _entry(
        Heading.CLUBS,
        "Roster changes",
        "manage_history",
        "rosterchange",
        "Lists that were imported, players that were merged, learned names that were removed: by whom and when.",
    ),
    _entry(
        Heading.TEAM,
        "API keys",
        "key",
        "apikey",
        "Which clubs may send voice notes over HTTP, with which key, and when it was last used.",
    ),
    _entry(
        Heading.TEAM,
        "Who read what",
        "visibility",
        "contentreading",
        "Who opened or heard the content of which voice note, and when.",
    ),
    _entry(
        Heading.ENGINEERING,
        "Queue",
        "stacks",
        "clusterbeat",
        "What waits for a worker, what runs now, and when each cluster was last heard from.",
    ),
    _entry(
        Heading.ENGINEERING,
        "Stage runs",
        "view_timeline",
        "stagerun",
        "Every try at every stage: its worker, its times, its error and its cost.",
    ),
    _entry(
        Heading.ENGINEERING,
        "Schedules",
        "schedule",
        "scheduledjob",
        "The jobs that run by the clock: when they ran, how it went, when they run next.",
    ),
    Entry(
        Heading.ENGINEERING,
        "API docs",
        "api",
        "api:openapi-view",
        "voicepipeline.view_stagerun",
        "How clubs' own programs send voice notes and ask how they fare.",
    ),
)
