"""Voice notes: the list, and each note's own page."""

import uuid
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from voicepipeline.admin import note_actions, note_readings, placing, recordings
from voicepipeline.admin.lists import BoundedList, ClubOrNoneFilter, HistoryAdmin, uuid_range
from voicepipeline.admin.live import NO_CONTENT, digest_of, is_seen, live_answer, live_parts
from voicepipeline.admin.note_actions import NoteAction
from voicepipeline.admin.note_filters import (
    FailedFilter,
    NeedsFilter,
    ReadyInFilter,
    ReceivedFilter,
    ReceivedInFilter,
    StageFilter,
    StatusFilter,
)
from voicepipeline.admin.note_page import page_context
from voicepipeline.admin.words import NOTHING, TO_BE_REVIEWED, State, moment
from voicepipeline.durations import in_words
from voicepipeline.models import Artifact, StageRun, Transcript, VoiceNote
from voicepipeline.note_states import state_of_row, with_standing
from voicepipeline.queries import transcripts_to_review
from voicepipeline.text import row_number

MOST_SAME_MESSAGE = 20
NOTE_HEAD, NOTE_CONTENT = "voicepipeline/note_head.html", "voicepipeline/note_content.html"


class NoteList(BoundedList):
    """Addresses of notes carry the id that people and the API use."""

    def url_for_result(self, result: Any) -> str:
        return note_url(result)


def note_url(artifact: Artifact, page: str = "change") -> str:
    return reverse(f"admin:voicepipeline_artifact_{page}", args=[artifact.artifact_id])


@admin.register(Artifact)
class ArtifactAdmin(HistoryAdmin):
    list_display = ("short_id", "state", "stage", "source_channel", "coach", "club", "tries", "age", "received")
    list_filter = (
        ReceivedInFilter,
        ReadyInFilter,
        NeedsFilter,
        StatusFilter,
        StageFilter,
        FailedFilter,
        "source_channel",
        ClubOrNoneFilter,
        ReceivedFilter,
    )
    list_select_related = ("organization", "sender")
    search_fields = ("artifact_id",)
    search_help_text = "Voice note id, or message id"
    empty_hint = "Each appears here as soon as a coach has sent it."
    change_list_template = "voicepipeline/note_list.html"
    note_template = "voicepipeline/note.html"

    # --- The list --------------------------------------------------------------------------------------------------
    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NoteList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        this_round = StageRun.objects.filter(artifact=OuterRef("pk"), generation=OuterRef("generation"))
        tries = this_round.order_by().values("artifact").annotate(most=Max("attempt"))
        notes: QuerySet[Any] = super().get_queryset(request)
        with_run: QuerySet[Any] = with_standing(notes).annotate(
            most_tries=Subquery(tries.values("most")[:1]),
            to_review=Exists(transcripts_to_review(Transcript.Verdict.FLAGGED).filter(artifact=OuterRef("pk"))),
        )
        return with_run

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), *placing.column_for(request)]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By the beginning of the id or by the whole message id, each through its index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        recordings = VoiceNote.objects.filter(channel_message_id=term).exclude(channel_message_id="")
        found = list(recordings.values_list("pk", flat=True)[:MOST_SAME_MESSAGE])
        if found:
            return queryset.filter(voice_note__in=found), False
        ids = uuid_range(term)
        return queryset.filter(artifact_id__range=ids) if ids else queryset.none(), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; asked for again by the page itself, it answers only when a row has changed."""
        response: HttpResponse = super().changelist_view(request, {"title": "Voice notes", **(extra_context or {})})
        if not isinstance(response, TemplateResponse) or response.context_data is None:
            return response
        rows = response.context_data["cl"].result_list
        digest = digest_of([[getattr(self, column)(row) for column in LIVE_COLUMNS] for row in rows])
        if is_seen(request, digest):
            return HttpResponse(status=NO_CONTENT)
        response.context_data["digest"] = digest
        return response

    @display(description="Id")
    def short_id(self, artifact: Artifact) -> str:
        return str(artifact.artifact_id)[:8]

    @display(description="Status")
    def state(self, artifact: Any) -> str:
        state = State(*state_of_row(artifact, timezone.now()))
        return format_html("{} {}", state.label, TO_BE_REVIEWED.label) if artifact.to_review else state.label

    @display(description="Stage")
    def stage(self, artifact: Artifact) -> str:
        return artifact.get_current_stage_display() if artifact.current_stage else NOTHING

    @display(description="Coach", empty_value=NOTHING)
    def coach(self, artifact: Artifact) -> Any:
        return artifact.sender

    @display(description="Club", empty_value=NOTHING)
    def club(self, artifact: Artifact) -> Any:
        return artifact.organization

    @display(description="Tries")
    def tries(self, artifact: Any) -> int:
        return artifact.most_tries or 0

    @display(description="Age")
    def age(self, artifact: Artifact) -> str:
        return in_words(max(timezone.now() - artifact.received_at, timedelta(seconds=1)))

    @display(description="Received (UTC)")
    def received(self, artifact: Artifact) -> str:
        return moment(artifact.received_at)

    # --- The note's own pages --------------------------------------------------------------------------------------
    def page_actions(self) -> tuple[NoteAction, ...]:
        """What staff can do to a note; each has a page that shows the consequences first."""
        return (*note_actions.ACTIONS, *placing.ACTIONS)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:artifact_id>/live/", wrap(self.live_view), name="voicepipeline_artifact_live"),
            path("<uuid:artifact_id>/audio/", wrap(recordings.audio), name="voicepipeline_artifact_audio"),
            path("<uuid:artifact_id>/do/<slug:action>/", wrap(self.action_view), name="voicepipeline_artifact_action"),
        ]
        return [*own, *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The note by its public id, or by its row as the admin's own links have it."""
        notes = Artifact.objects.select_related("voice_note", "organization", "sender", "closed_by")
        try:
            return notes.filter(artifact_id=uuid.UUID(object_id)).first()
        except ValueError:
            return notes.filter(pk=row_number(object_id) or 0).first()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        artifact = self._get_or_404(request, object_id)
        note_readings.opened(request, artifact)
        context = page_context(request, artifact, self.page_actions())
        url = note_url(artifact, "live")
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": artifact,
            "title": str(artifact),
            "parts": live_parts(request, NOTE_HEAD, context, url=url, beside=NOTE_CONTENT),
            "audio_url": context["audio_url"],
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.note_template, page)

    def live_view(self, request: HttpRequest, artifact_id: uuid.UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        artifact = self._get_or_404(request, str(artifact_id))
        note_readings.still_open(request, artifact)
        context = page_context(request, artifact, self.page_actions())
        return live_answer(request, NOTE_HEAD, context, url=note_url(artifact, "live"), beside=NOTE_CONTENT)

    def action_view(self, request: HttpRequest, artifact_id: uuid.UUID, action: str) -> HttpResponse:
        """GET shows what it would do, POST does it; outside any transaction, for the operation makes its own."""
        chosen = next((each for each in self.page_actions() if each.key == action), None)
        if chosen is None:
            raise Http404
        return note_actions.answer(self, request, self._get_or_404(request, str(artifact_id)), chosen)

    def _get_or_404(self, request: HttpRequest, object_id: str) -> Artifact:
        artifact: Artifact | None = self.get_object(request, object_id)
        if artifact is None:
            raise Http404
        return artifact


LIVE_COLUMNS = ("short_id", "state", "stage", "tries", "age")
