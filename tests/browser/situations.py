"""The first screen as a note comes in, and at its worst: nothing works, and every name and number is long."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from retry.models import BulkRetry, RetryKind
from tests.factories import make_club, make_coach, make_event, make_note, make_user
from tests.retry.factories import (
    ENTRIES,
    NAMES,
    STATEMENTS,
    TRANSCRIPTION,
    make_attempt,
    make_moving,
    make_ready,
    make_sent,
)
from tests.retry.problems import fail
from voicepipeline import roles
from voicepipeline.models import (
    AIService,
    AIServiceHealth,
    ClusterBeat,
    EventType,
    Pause,
    WatchdogBeat,
)
from voicepipeline.overview.pulse import MOST_COUNTED

# One more than is counted.
MANY = MOST_COUNTED + 1
LONG_CLUB = (
    "Cumann Lúthchleas Gael Naomh Bríd agus Naomh Pádraig, Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"
)
LONG_COACH = {"first_name": "Maximilian-Alexander Ferdinand", "last_name": "von Hohenstaufen-Württemberg-Sonderburg"}
LONG_MESSAGE = (
    "The AI service refuses this note: Unsupported_parameter 'response_format.json_schema.strict.additionalProperties'"
    " is not one of [text, json_object] for the model, see the documentation of the provider, and ask its owner."
)
PROBLEMS = (
    ("model_refused", STATEMENTS),
    ("unsupported_audio", TRANSCRIPTION),
    ("provider_timeout", TRANSCRIPTION),
    ("invalid_model_output", STATEMENTS),
    ("content_filtered", STATEMENTS),
    ("internal_error", NAMES),
    ("worker_died", ENTRIES),
)


def arrive(coach, **options):
    """A note of this coach, just received."""
    note = make_note(organization=coach.organization, sender=coach)
    make_event(note, EventType.ARTIFACT_RECEIVED, metadata={"source_channel": "voicemail"}, **options)
    return note


def set_on_fire():
    """All that can be wrong at once."""
    ago = timezone.now() - timedelta(minutes=47)
    club = make_club(name=LONG_CLUB)
    coach = make_coach(organization=club, **LONG_COACH)
    colleague = make_user(roles.OPERATOR, **LONG_COACH)
    stop_everything(ago, colleague)
    for code, stage in PROBLEMS:
        note = fail(stage, code=code, message=LONG_MESSAGE, organization=club, sender=coach)
        fail(stage, code=code, message=LONG_MESSAGE)
    make_attempt(note, colleague, outcome="failed")
    BulkRetry.objects.create(
        kind=RetryKind.CLAIMS_EXTRACTION, requested_by=colleague, reason="A test.", state="halted", started_at=ago
    )
    for stage in (TRANSCRIPTION, STATEMENTS, NAMES, ENTRIES):
        make_moving(stage, "running", organization=club, sender=coach, since=ago)
    homeless = make_sent(organization=None)
    make_event(homeless, EventType.ARTIFACT_RECEIVED, metadata={"source_channel": "whatsapp_audio"})
    make_event(note, EventType.RETRY_INITIATED, actor_id=colleague.pk)
    _heap_up(club, coach, ago)


def stop_everything(ago, colleague):
    """Nobody works, nobody watches, no service answers, and somebody has paused what is left."""
    for model in (AIServiceHealth, ClusterBeat, WatchdogBeat):
        model.objects.all().delete()
    for service, reason in ((AIService.TRANSCRIPTION, "provider_unreachable"), (AIService.CHAT, "provider_no_credit")):
        AIServiceHealth.objects.create(
            service=service, state="open", reason=reason, needs_person=service == AIService.CHAT, trouble_since=ago
        )
    Pause.objects.create(subject=Pause.Subject.AUTOMATIC_CONFIRMATION, reason="A test.", paused_by=colleague)
    seen = {"host": "h", "last_seen_at": ago}
    ClusterBeat.objects.create(parent_pid=1, parent_started_at=ago, sentinel_pid=1, workers=8, **seen)
    WatchdogBeat.objects.create(pid=1, **seen)


def _heap_up(club, coach, ago):
    """More notes on hold, names to check and entries to confirm than are counted."""
    held = make_moving(TRANSCRIPTION, "on hold", organization=club, sender=coach, since=ago)
    _multiply(held, f"generate_series(1, {MANY}) AS other", artifact_id="gen_random_uuid()", voice_note_id="NULL")
    others = f"(SELECT id FROM voicepipeline_artifact WHERE id > {held.pk}) AS other"
    _multiply(held.runs.get(), others, artifact_id="other.id")
    ready = make_ready(organization=club, sender=coach, unclear=True)
    numbers = f"generate_series(2, {MANY + 1}) AS other"
    _multiply(ready.resolutions.get(), numbers, mention_number="other", name_key="'niamh' || other")
    _multiply(ready.drafts.get(), numbers, key="'more' || other")


def _multiply(row, others, **varied):
    """Many more rows like this one, which differ in these columns."""
    table, names = row._meta.db_table, [field.column for field in row._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(varied.get(name, f'kept."{name}"') for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} kept, {others} WHERE kept.id = %s", [row.pk]
        )
