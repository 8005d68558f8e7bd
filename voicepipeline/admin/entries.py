"""Suggested entries: confirmed, rejected, put on hold, taken back; one by one, by note, or in bulk."""

import uuid
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from voicepipeline.access import may_read_content
from voicepipeline.admin import entry_bulk, entry_deeds
from voicepipeline.admin.entry_filters import TABS, FilterForm, Page, Tab, count_of, page_of
from voicepipeline.admin.entry_note import note_context
from voicepipeline.admin.entry_rows import VERBS, rows_of
from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.masking import NOTICE, eyes_of
from voicepipeline.models import Artifact, ContentReading, InsightDraft
from voicepipeline.operations.entry_selection import Filters
from voicepipeline.operations.entry_steps import PERMISSION
from voicepipeline.operations.readings import record_reading

PLACE = ContentReading.Place.ENTRIES
LIST = "admin:voicepipeline_insightdraft_changelist"
BULK = "admin:voicepipeline_insightdraft_bulk"
URL_NAME = "voicepipeline_insightdraft"


def may_decide(user: Any) -> bool:
    """Whether buttons make sense for this person; the operations ask again."""
    return may_read_content(user) and user.has_perm(PERMISSION)


@admin.register(InsightDraft)
class EntryAdmin(HistoryAdmin):
    """The list, each note's entries, the pages that ask before they act, and the one for many notes."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        note = "note/<uuid:note_id>/"
        return [
            path("", wrap(self.list_view), name=f"{URL_NAME}_changelist"),
            path("bulk/", wrap(self.bulk_view), name=f"{URL_NAME}_bulk"),
            path(note, wrap(self.note_view), name=f"{URL_NAME}_note"),
            path(f"{note}all/<slug:verb>/", wrap(self.all_view), name=f"{URL_NAME}_all"),
            path(f"{note}<int:draft_id>/<slug:verb>/", wrap(self.deed_view), name=f"{URL_NAME}_deed"),
        ]

    def list_view(self, request: HttpRequest) -> HttpResponse:
        """One tab of the list, filtered, a page at a time."""
        self._verify_viewer(request)
        tab = next((each for each in TABS if each.key == request.GET.get("tab")), TABS[0])
        form = FilterForm(request.GET)
        filters = form.chosen if form.is_valid() else None
        page = page_of(tab, filters, request.GET.get("after", "")) if filters else Page([], "")
        self._record(request, {entry.artifact_id for entry in page.entries})
        context = {
            **self._surroundings(request, "Suggested entries"),
            "tabs": [_tab(request, each, tab, filters) for each in TABS],
            "tab": tab,
            "form": form,
            "rows": rows_of(page.entries, eyes_of(request.user), may_decide=may_decide(request.user)),
            "next_url": _address(request, after=page.following) if page.following else "",
            "first_url": _address(request, after="") if request.GET.get("after") else "",
            "bulk_url": f"{reverse(BULK)}?{_query(request, tab='', after='')}" if tab.key == "pending" else "",
            "plain_url": f"{reverse(LIST)}?tab={tab.key}",
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "voicepipeline/entries.html", context)

    def note_view(self, request: HttpRequest, note_id: uuid.UUID) -> HttpResponse:
        """All entries of one note, each with its quote and what was decided about it."""
        self._verify_viewer(request)
        artifact = self._note(note_id)
        self._record(request, {artifact.pk})
        page = note_context(artifact, eyes_of(request.user), may_decide=may_decide(request.user))
        context = {**self._surroundings(request, f"Entries of {str(artifact).lower()}"), **page}
        return TemplateResponse(request, "voicepipeline/entries_note.html", context)

    def deed_view(self, request: HttpRequest, note_id: uuid.UUID, draft_id: int, verb: str) -> HttpResponse:
        """GET shows what it is about and asks, POST does it; the operation makes its own transaction."""
        entry_deeds.verify(request)
        if verb not in VERBS:
            raise Http404
        artifact = self._note(note_id)
        self._record(request, {artifact.pk})
        surroundings = self._surroundings(request, entry_deeds.title_of(VERBS[verb]))
        return entry_deeds.answer(request, surroundings, artifact, draft_id, VERBS[verb])

    def all_view(self, request: HttpRequest, note_id: uuid.UUID, verb: str) -> HttpResponse:
        """The same for all entries of a note that wait."""
        entry_deeds.verify(request)
        if verb not in entry_deeds.FOR_ALL:
            raise Http404
        artifact = self._note(note_id)
        self._record(request, {artifact.pk})
        surroundings = self._surroundings(request, entry_deeds.FOR_ALL[verb].title)
        return entry_deeds.answer_for_all(request, surroundings, artifact, verb)

    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """Choose, see what it comes to, then have it done in the background."""
        entry_deeds.verify(request)
        return entry_bulk.answer(request, self._surroundings(request, "Decide about many entries"), self._record)

    def _surroundings(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "private_notice": "" if may_read_content(request.user) else NOTICE,
            "may_read": may_read_content(request.user),
            "may_decide": may_decide(request.user),
        }

    def _record(self, request: HttpRequest, artifact_pks: set[int]) -> None:
        user: Any = request.user
        if artifact_pks and may_read_content(user):
            record_reading(user, artifact_pks, PLACE)

    def _verify_viewer(self, request: HttpRequest) -> None:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied

    def _note(self, note_id: uuid.UUID) -> Artifact:
        notes = Artifact.objects.select_related("voice_note", "organization", "sender")
        artifact: Artifact | None = notes.filter(artifact_id=note_id).first()
        if artifact is None:
            raise Http404
        return artifact


def _tab(request: HttpRequest, tab: Tab, chosen: Tab, filters: Filters | None) -> dict[str, Any]:
    """Counted where somebody has work to do, and where they are."""
    counted = filters is not None and (tab.is_open or tab == chosen)
    return {
        "key": tab.key,
        "words": tab.words,
        "url": _address(request, tab=tab.key, after=""),
        "chosen": tab == chosen,
        "count": count_of(tab, filters) if counted and filters is not None else "",
    }


def _address(request: HttpRequest, **changes: str) -> str:
    return f"{reverse(LIST)}?{_query(request, **changes)}"


def _query(request: HttpRequest, **changes: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {**request.GET.dict(), **changes}.items() if value})
    return query.urlencode()
