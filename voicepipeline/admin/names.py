"""Names to check: the open questions, and the page that settles them."""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from voicepipeline.access import may_read_content, verify_platform_staff
from voicepipeline.admin import name_question
from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.admin.name_queue import (
    MOST_COUNTED,
    MOST_PAGES_OF_ANSWERS,
    Filters,
    Question,
    answer_of,
    choices_of,
    count_open,
    filters_of,
    load_answers,
    load_page,
    next_question,
    number_in,
    question_before,
    question_url,
    url_of,
    without_strangers,
)
from voicepipeline.admin.note_page import audio_url
from voicepipeline.admin.placing import ASSIGN_CLUB
from voicepipeline.masking import NAMES_NOTICE, NOTICE, eyes_of
from voicepipeline.models import Artifact, ContentReading, EntityResolution, MentionKind, NameChoice
from voicepipeline.operations.name_entries import decided_for_others
from voicepipeline.operations.names import Settled, mentions_of, settle_name, undo_choice
from voicepipeline.operations.readings import record_reading

PERMISSION = "voicepipeline.settle_name"
NOBODY = "nobody"
LONGEST_CLAIM_KEY = 64
GONE = "The voice note does not say this name any more: its statements were read anew."


@admin.register(EntityResolution)
class NamesAdmin(HistoryAdmin):
    """A queue in place of the list of matches, and a page for each question."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        base = "voicepipeline_entityresolution"
        return [
            path("", wrap(self.queue_view), name=f"{base}_changelist"),
            path("answers/<int:choice_id>/undo/", wrap(self.undo_view), name=f"{base}_undo"),
            path("<uuid:note>/<slug:kind>/<slug:mark>/", wrap(self.question_view), name=f"{base}_question"),
        ]

    # --- The queue -------------------------------------------------------------------------------------------------
    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """The open questions in the order of arrival, or the answers that were given lately."""
        self._verify(request)
        filters, remark = without_strangers(filters_of(request.GET))
        eyes = eyes_of(request.user)
        count = count_open(filters)
        context: dict[str, Any] = {
            "title": "Names to check",
            "filters": filters,
            "filters_remark": remark,
            **choices_of(filters),
            "count": f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}",
            "one": count == 1,
            "base": self._queue_url(),
            "open_url": self._queue_url(filters),
            "answered_url": self._queue_url(filters, tab="answered"),
        }
        if request.GET.get("tab") == "answered":
            number = min(max(1, number_in(request.GET.get("page")) or 1), MOST_PAGES_OF_ANSWERS)
            answers, more = load_answers(filters, number, eyes)
            notes = {each.choice.artifact_id for each in answers}
            older = self._queue_url(filters, tab="answered", page=number + 1) if more else ""
            context |= {"answered": True, "answers": answers, "next_url": older, "first": number == 1}
        else:
            after = number_in(request.GET.get("after"))
            page = load_page(filters, after, eyes)
            notes = set(page.notes)
            following = self._queue_url(filters, after=page.after) if page.after else ""
            context |= {"page": page, "next_url": following, "first": not after}
        self._record(request, notes)
        return self._render(request, "voicepipeline/names.html", context, filters, NAMES_NOTICE)

    # --- One question ----------------------------------------------------------------------------------------------
    def question_view(self, request: HttpRequest, note: uuid.UUID, kind: str, mark: str) -> HttpResponse:
        """GET shows the question, POST answers it and goes on to the next one."""
        self._verify(request)
        artifact = self._note_or_404(note)
        if kind not in MentionKind.values:
            raise Http404
        question = name_question.find(artifact, kind, mark)
        if question is None:
            messages.warning(request, GONE)
            return redirect(reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id]))
        if request.method == "POST":
            return self._answer(request, artifact, question)
        return self._show(request, artifact, question)

    def _show(self, request: HttpRequest, artifact: Artifact, question: Question) -> HttpResponse:
        filters, eyes = filters_of(request.GET), eyes_of(request.user)
        asked = name_question.load(artifact, question, eyes)
        may_settle = self._may_settle(request)
        searched = request.GET.get("q", "").strip()[:100] if may_settle else ""
        found, more_found = name_question.search(artifact, question.kind, searched) if searched else ([], False)
        said_in = {place.claim_key for place in asked.places}
        note_url = reverse("admin:voicepipeline_artifact_change", args=[artifact.artifact_id])
        context = {
            "title": f"Who is “{asked.spoken}”?",
            "artifact": artifact,
            "asked": asked,
            "only": _only(request.GET.get("only", ""), said_in),
            "eyes": eyes,
            "may_settle": may_settle and artifact.organization_id is not None and not asked.is_group,
            "answers": [answer_of(each, filters, eyes) for each in asked.answers],
            "for_others": decided_for_others(artifact, said_in) if asked.answers and eyes.read else [],
            "searched": searched,
            "found": found,
            "more_found": more_found,
            "audio_url": audio_url(artifact) if eyes.read else "",
            "note_url": note_url,
            "club_url": _club_url(artifact, request.user) or note_url,
            "entries_url": _entries_url(artifact),
            "next_url": url_of(next_question(filters, question), filters) or self._queue_url(filters),
            "previous_url": url_of(question_before(filters, question), filters),
            "queue_url": self._queue_url(filters),
            "filters": filters,
        }
        self._record(request, {artifact.pk})
        return self._render(request, "voicepipeline/names_question.html", context, filters, NOTICE)

    def _answer(self, request: HttpRequest, artifact: Artifact, question: Question) -> HttpResponse:
        filters, given = filters_of(request.POST), str(request.POST.get("target", ""))
        field, _, number = given.partition(":")
        pk, only = number_in(number), str(request.POST.get("only", ""))[:LONGEST_CLAIM_KEY]
        if given != NOBODY and pk is None:
            messages.warning(request, "Choose whom the name means, or say that it is nobody on the roster.")
            return redirect(question_url(question, artifact.artifact_id, filters, only=only))
        user: Any = request.user
        settled = settle_name(
            artifact.artifact_id,
            kind=question.kind,
            name_key=question.key,
            claim_key=only,
            target=None if given == NOBODY or pk is None else (field, pk),
            by=user,
            seen=number_in(request.POST.get("seen")),
        )
        self._tell(request, settled)
        if not settled.done:
            return redirect(question_url(question, artifact.artifact_id, filters, only=only))
        following = url_of(next_question(filters, question), filters, done=settled.choice_id)
        return redirect(following or self._queue_url(filters, done=settled.choice_id))

    def undo_view(self, request: HttpRequest, choice_id: int) -> HttpResponse:
        """Take an answer back, and go to the question that it had settled."""
        verify_platform_staff(request.user, PERMISSION)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user: Any = request.user
        self._tell(request, undo_choice(choice_id, by=user))
        filters = filters_of(request.POST)
        choice = NameChoice.objects.select_related("artifact").filter(pk=choice_id).first()
        if choice is None or request.POST.get("tab") == "answered":
            return redirect(self._queue_url(filters, tab="answered"))
        question = Question.of(choice)
        if not mentions_of(choice.artifact, choice.kind, choice.name_key):
            return redirect(self._queue_url(filters))
        return redirect(question_url(question, choice.artifact.artifact_id, filters))

    # --- What both pages share -------------------------------------------------------------------------------------
    def _render(
        self, request: HttpRequest, template: str, context: dict[str, Any], filters: Filters, notice: str
    ) -> HttpResponse:
        page = {
            **self.admin_site.each_context(request),
            "may_undo": self._may_settle(request),
            "private_notice": "" if may_read_content(request.user) else notice,
            "done": self._done(request, filters),
            **context,
        }
        return TemplateResponse(request, template, page)

    def _done(self, request: HttpRequest, filters: Filters) -> dict[str, Any] | None:
        """The answer that led here, to be taken back if it was a slip."""
        pk = number_in(request.GET.get("done"))
        if pk is None or not self._may_settle(request):
            return None
        related = ("artifact__organization", "artifact__sender", "player", "team", "coach_meant", "chosen_by")
        mine = NameChoice.objects.filter(pk=pk, chosen_by=request.user.pk, undone_at__isnull=True)
        choice = mine.select_related(*related, "undone_by").first()
        if choice is None:
            return None
        self._record(request, {choice.artifact_id})
        said_in = {key for key, _ in mentions_of(choice.artifact, choice.kind, choice.name_key)}
        return {
            "answer": answer_of(choice, filters, eyes_of(request.user)),
            "for_others": decided_for_others(choice.artifact, said_in),
            "entries_url": _entries_url(choice.artifact),
        }

    def _queue_url(self, filters: Filters | None = None, **more: object) -> str:
        return reverse("admin:voicepipeline_entityresolution_changelist") + (filters or Filters()).query(**more)

    def _tell(self, request: HttpRequest, settled: Settled) -> None:
        messages.add_message(request, messages.SUCCESS if settled.done else messages.WARNING, settled.message)

    def _record(self, request: HttpRequest, notes: set[int]) -> None:
        if notes and may_read_content(request.user):
            user: Any = request.user
            record_reading(user, notes, ContentReading.Place.NAMES)

    def _may_settle(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION) and may_read_content(request.user)

    def _verify(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _note_or_404(self, note: uuid.UUID) -> Artifact:
        notes = Artifact.objects.select_related("voice_note", "organization", "sender")
        artifact: Artifact | None = notes.filter(artifact_id=note).first()
        if artifact is None:
            raise Http404
        return artifact


def _only(given: str, said_in: Collection[str]) -> str:
    """The statement to which the answer was narrowed before the page was left for a search, if it is on the page."""
    return given if given in said_in else ""


def _club_url(artifact: Artifact, user: Any) -> str:
    """Where the note is given a club, for those who may."""
    action = "admin:voicepipeline_artifact_action"
    return reverse(action, args=[artifact.artifact_id, ASSIGN_CLUB.key]) if ASSIGN_CLUB.may(user) else ""


def _entries_url(artifact: Artifact) -> str:
    return reverse("admin:voicepipeline_insightdraft_note", args=[artifact.artifact_id])
