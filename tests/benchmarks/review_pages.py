"""What staff open to review, and what a club's own program asks, over the rows of `reviewing`."""

from collections.abc import Iterator
from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_user
from voicepipeline.admin.name_queue import Question
from voicepipeline.admin.note_filters import HOMES, list_of_home
from voicepipeline.models import (
    ApiKey,
    Artifact,
    Coach,
    ContentReading,
    EntityResolution,
    InsightDraft,
    NameChoice,
    Organization,
    Player,
)
from voicepipeline.models.api import MOST_PER_MINUTE, ApiScope
from voicepipeline.operations.api_keys import make_api_key

Address = tuple[str, str]


def list_of(model: str) -> str:
    return reverse(f"admin:voicepipeline_{model}_changelist")


def review_addresses() -> Iterator[Address]:
    club = Organization.objects.order_by("id").first()
    assert club is not None
    coach = Coach.objects.filter(organization=club).order_by("id").first()
    assert coach is not None
    yield from names(club, coach)
    yield from entries(club, coach)
    yield from rosters(club)
    yield from notes_and_readings()


def names(club: Organization, coach: Coach) -> Iterator[Address]:
    queue = list_of("entityresolution")
    asked = EntityResolution.objects.filter(status="needs_disambiguation").order_by("artifact_id")
    deep, of_club = asked[60_000:].first(), asked.filter(organization=club).first()
    answered = NameChoice.objects.order_by("-chosen_at").first()
    assert deep is not None
    assert of_club is not None
    assert answered is not None
    yield "names to check", queue
    yield "names to check, of a club", f"{queue}?club={club.pk}"
    yield "names to check, of a coach", f"{queue}?club={club.pk}&coach={coach.pk}"
    yield "names to check, far down", f"{queue}?after={deep.artifact_id}"
    yield "one question", question(deep)
    yield "one question, going on within a club", f"{question(of_club)}?club={club.pk}"
    yield "one question, roster searched", f"{question(of_club)}?q=Murphy"
    yield "answered lately", f"{queue}?tab=answered"
    yield "answered lately, of a club", f"{queue}?tab=answered&club={club.pk}"
    yield "answered lately, of a coach", f"{queue}?tab=answered&club={club.pk}&coach={coach.pk}"
    yield "answered lately, page 100", f"{queue}?tab=answered&page=100"
    yield "one answer", question(answered)


def question(row: EntityResolution | NameChoice) -> str:
    asked = Question.of(row)
    arguments = [row.artifact.artifact_id, asked.kind, asked.mark]
    return reverse("admin:voicepipeline_entityresolution_question", args=arguments)


def entries(club: Organization, coach: Coach) -> Iterator[Address]:
    plain = list_of("insightdraft")
    bulk = reverse("admin:voicepipeline_insightdraft_bulk")
    pending = InsightDraft.objects.filter(status="pending").order_by("id")
    deep, prompt = pending[50_000:].first(), pending.values_list("prompt_version", flat=True).first()
    assert deep is not None
    today = timezone.now().date()
    for tab in ("pending", "on_hold", "confirmed", "automatic", "rejected", "expired"):
        yield f"entries, {tab}", f"{plain}?tab={tab}"
        yield f"entries, {tab}, of a club", f"{plain}?tab={tab}&club={club.pk}"
        yield f"entries, {tab}, of a coach", f"{plain}?tab={tab}&club={club.pk}&coach={coach.pk}"
    yield "entries, pending, far down", f"{plain}?after={deep.pk}"
    yield "entries, pending, of a prompt version", f"{plain}?prompt={prompt}"
    yield "entries, pending, of a prompt version that none has", f"{plain}?prompt=none"
    yield "entries, pending, of a category", f"{plain}?topic=injury"
    yield "entries, confirmed, of a prompt version", f"{plain}?tab=confirmed&prompt={prompt}"
    yield "entries, pending, since yesterday", f"{plain}?since={today - timedelta(days=1)}"
    yield "entries of a note", reverse("admin:voicepipeline_insightdraft_note", args=[deep.artifact.artifact_id])
    yield "many entries, of a club", f"{bulk}?kind=confirm_entries&club={club.pk}"
    yield "many entries, all of them", f"{bulk}?kind=reject_entries"
    yield "many entries, of a prompt version", f"{bulk}?kind=hold_entries&prompt={prompt}"
    yield "bulk actions", list_of("bulkwork")


def rosters(club: Organization) -> Iterator[Address]:
    learned, players = list_of("playeralias"), list_of("player")
    remove = reverse("admin:voicepipeline_playeralias_remove_many")
    player = Player.objects.filter(organization=club).order_by("id").first()
    assert player is not None
    month = timezone.now() - timedelta(days=30)
    yield "clubs, with how unclear their names are", list_of("organization")
    yield "one club", reverse("admin:voicepipeline_organization_change", args=[club.pk])
    yield "match again for this club", reverse("admin:voicepipeline_organization_match_again", args=[club.pk])
    yield "players", players
    yield "players of a club", f"{players}?club={club.pk}"
    yield "players, found by name", f"{players}?q=murphy"
    yield "one player", reverse("admin:voicepipeline_player_change", args=[player.pk])
    yield "whom to merge a player with", reverse("admin:voicepipeline_player_merge", args=[player.pk])
    yield "coaches", list_of("coach")
    yield "learned names", learned
    yield "learned names of a club", f"{learned}?club={club.pk}"
    yield "learned names, found by text", f"{learned}?q=name 77"
    yield "learned names to remove", f"{remove}?since={month:%Y-%m-%dT%H:%M}&until={timezone.now():%Y-%m-%dT%H:%M}"
    yield "roster changes", list_of("rosterchange")


def notes_and_readings() -> Iterator[Address]:
    readings = list_of("contentreading")
    reading = ContentReading.objects.order_by("-id").first()
    note = Artifact.objects.filter(resolutions__status="needs_disambiguation").order_by("id").first()
    assert reading is not None
    assert note is not None
    yield "one voice note with everything", reverse("admin:voicepipeline_artifact_change", args=[note.pk])
    yield "voice notes to sort out", reverse("admin:voicepipeline_artifact_placing")
    for home in HOMES:
        yield f"voice notes that need: {home}", list_of_home(home)
    yield "who read what", readings
    yield "who read what, one person", f"{readings}?who={reading.user_id}"
    yield "who read what, the recordings", f"{readings}?place__exact=audio"
    yield "who read what, last hour", f"{readings}?read=1h"
    yield "who read what, last 30 days", f"{readings}?read=30d"
    yield "who read what, one voice note", f"{readings}?q={reading.artifact.artifact_id}"
    yield "who read what, page 90", f"{readings}?p=90"


class KeyedClient(Client):
    """Asks as a club's own program does."""

    def __init__(self, club: Organization) -> None:
        made = make_api_key(
            by=make_user("Administrator", username="keeper of keys"),
            organization_id=club.pk,
            name="Benchmark",
            scopes=list(ApiScope.values),
            rate=MOST_PER_MINUTE,
        )
        assert isinstance(made.key, ApiKey)
        super().__init__(headers={"authorization": f"Bearer {made.secret}"})


def api_addresses(club: Organization) -> Iterator[Address]:
    notes = Artifact.objects.filter(organization=club, drafts__isnull=False).order_by("id")
    note = notes.first()
    assert note is not None
    yield "API: a club's notes", reverse("api:voice_note_list")
    yield "API: a club's notes, those that failed", f"{reverse('api:voice_note_list')}?status=failed"
    yield "API: one note and its entries", reverse("api:voice_note", args=[note.artifact_id])
