"""Problems: what fails alike, whom it touches, and what is decided about it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    QueryDict,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from retry.admin.problem_forms import DEEDS, Deed
from retry.admin.problem_rows import affected_rows, mark_rows, minute, row_of
from retry.bulk.previews import make_preview
from retry.group_queries import (
    MOST_AFFECTED,
    Affected,
    Asked,
    Problem,
    Tab,
    affected_clubs,
    affected_coaches,
    failed_now,
    get_problem,
    list_problems,
    marks_of,
)
from retry.group_queries import affected_rows as affected_lines
from retry.groups import MARK_PROBLEM
from retry.kinds import FAILED_STAGE, RETRY_ARTIFACT
from retry.limits import limits
from retry.models import FailureGroup
from retry.problem_words import words_of
from voicepipeline.access import verify_platform_staff
from voicepipeline.admin import shell
from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.admin.live import live_answer, live_part, live_parts
from voicepipeline.errors import InvalidTransition
from voicepipeline.masking import eyes_of
from voicepipeline.models import StageName
from voicepipeline.spreadsheets import csv_lines
from voicepipeline.text import row_number

LIST_BODY = "retry/problems_body.html"
HEAD, BESIDE = "retry/problem_head.html", "retry/problem_beside.html"
URL_NAME = "retry_failuregroup"
LONGEST_CODE = 60
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
HEADER = ("Club", "Coach", "Voice notes", "First failed (UTC)", "Last failed (UTC)")


class TabWords(NamedTuple):
    words: str
    heading: str
    empty: str


TABS = {
    Tab.OPEN: TabWords("Open", "Open problems, those of most clubs first", "No problem is open."),
    Tab.CAME_BACK: TabWords("Came back", "Problems that came back after they were marked as fixed", "None came back."),
    Tab.ASIDE: TabWords("Put aside", "Problems that are put aside", "None is put aside."),
    Tab.FIXED: TabWords("Fixed", "Problems that are marked as fixed", "None is marked as fixed."),
    Tab.ALL: TabWords("All", "All problems, those of most clubs first", ""),
}

shell.add(
    shell.Entry(
        shell.Group.VOICE_NOTES,
        "Problems",
        "troubleshoot",
        f"admin:{URL_NAME}_changelist",
        "retry.view_failuregroup",
        "What fails alike and for which clubs; retry it together, or say that it is fixed.",
    )
)


@admin.register(FailureGroup)
class ProblemAdmin(HistoryAdmin):
    """The list, one problem's page, and what can be done there: each by POST, and by the operation that checks."""

    def get_urls(self) -> list[URLPattern]:
        wrap, one = self.admin_site.admin_view, "<slug:fingerprint>/"
        return [
            path("", wrap(self.list_view), name=f"{URL_NAME}_changelist"),
            path("live/", wrap(self.list_live_view), name=f"{URL_NAME}_live"),
            path(one, wrap(self.problem_view), name=f"{URL_NAME}_change"),
            path(f"{one}live/", wrap(self.problem_live_view), name=f"{URL_NAME}_change_live"),
            path(f"{one}mark/<slug:decision>/", wrap(self.mark_view), name=f"{URL_NAME}_mark"),
            path(f"{one}retry/", wrap(self.retry_view), name=f"{URL_NAME}_retry"),
            path(f"{one}affected/", wrap(self.export_view), name=f"{URL_NAME}_export"),
        ]

    # --- The list --------------------------------------------------------------------------------------------------
    def list_view(self, request: HttpRequest) -> HttpResponse:
        self._verify_viewer(request)
        asked = asked_in(request.GET)
        live_url = f"{reverse(f'admin:{URL_NAME}_live')}?{request.GET.urlencode()}"
        context = {
            **self.admin_site.each_context(request),
            "title": "Problems",
            "asked": asked,
            "stages": StageName.choices,
            "live": live_part(request, LIST_BODY, self._list_body(request, asked), url=live_url),
        }
        return TemplateResponse(request, "retry/problems.html", context)

    def list_live_view(self, request: HttpRequest) -> HttpResponse:
        self._verify_viewer(request)
        live_url = f"{reverse(f'admin:{URL_NAME}_live')}?{request.GET.urlencode()}"
        return live_answer(request, LIST_BODY, self._list_body(request, asked_in(request.GET)), url=live_url)

    def _list_body(self, request: HttpRequest, asked: Asked) -> dict[str, Any]:
        now = timezone.now()
        found = list_problems(asked, now=now)
        return {
            "asked": asked,
            "tabs": [
                {
                    "words": words.words,
                    "url": _list_url(request, tab=tab.value, page=""),
                    "count": f"{found.counts[tab]:,}",
                    "chosen": tab == asked.tab,
                }
                for tab, words in TABS.items()
            ],
            "chosen": TABS[asked.tab],
            "rows": [row_of(problem, now) for problem in found.shown],
            "page": found.page,
            "pages": found.pages,
            "before_url": _list_url(request, page=str(found.page - 1)) if found.page > 1 else "",
            "after_url": _list_url(request, page=str(found.page + 1)) if found.page < found.pages else "",
            "is_narrowed": bool(asked.stage or asked.code),
            "nothing_known": not found.counts[Tab.ALL],
            "plain_url": f"{reverse(f'admin:{URL_NAME}_changelist')}?tab={asked.tab.value}",
        }

    # --- One problem -----------------------------------------------------------------------------------------------
    def problem_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        self._verify_viewer(request)
        return self._page(request, self._problem(fingerprint))

    def problem_live_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        self._verify_viewer(request)
        problem = self._problem(fingerprint)
        return live_answer(request, HEAD, self._body(request, problem), url=_live_url(problem), beside=BESIDE)

    def _page(self, request: HttpRequest, problem: Problem, refused: tuple[Deed, Any] | None = None) -> HttpResponse:
        """The page; with a form that was refused, open and as it was filled in."""
        user: Any = request.user
        title = f"{problem.group.get_stage_display()}: {words_of(problem.group.error_code).title}"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": title,
            "title": title,
            "problem": problem.group,
            "parts": live_parts(request, HEAD, self._body(request, problem), url=_live_url(problem), beside=BESIDE),
            "may_mark": user.has_perm(MARK_PROBLEM),
            "may_retry": user.has_perm(RETRY_ARTIFACT),
            "deeds": [
                (deed, refused[1], True) if refused and refused[0] == deed else (deed, deed.bound(), False)
                for deed in DEEDS.values()
            ],
        }
        return TemplateResponse(request, "retry/problem.html", context)

    def _body(self, request: HttpRequest, problem: Problem) -> dict[str, Any]:
        user: Any = request.user
        fingerprint, now = problem.group.fingerprint, timezone.now()
        clubs = affected_clubs(fingerprint, most=MOST_AFFECTED + 1)
        coaches = affected_coaches(fingerprint, most=MOST_AFFECTED + 1)
        return {
            "row": row_of(problem, now),
            "may_retry": user.has_perm(RETRY_ARTIFACT),
            "came_back": minute(problem.group.came_back_at) if problem.group.came_back_at else "",
            "tables": [
                _table("clubs", "Clubs", "Club", clubs, affected_rows(clubs[:MOST_AFFECTED], fingerprint, "club")),
                _table(
                    "coaches", "Coaches", "Coach", coaches, affected_rows(coaches[:MOST_AFFECTED], fingerprint, "coach")
                ),
            ],
            "marks": mark_rows(marks_of(problem.group), eyes_of(request.user)),
            "export_url": reverse(f"admin:{URL_NAME}_export", args=[fingerprint]),
        }

    # --- What is done ----------------------------------------------------------------------------------------------
    def mark_view(self, request: HttpRequest, fingerprint: str, decision: str) -> HttpResponse:
        """One of the small forms; what does not fit in it is told beside it."""
        verify_platform_staff(request.user, MARK_PROBLEM)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        chosen = DEEDS.get(decision)
        if chosen is None:
            raise Http404
        problem = self._problem(fingerprint)
        form = chosen.bound(request.POST)
        if not form.is_valid():
            return self._page(request, problem, (chosen, form))
        user: Any = request.user
        outcome = chosen.act(fingerprint, user, form.cleaned_data)
        messages.add_message(request, messages.SUCCESS if outcome.done else messages.WARNING, outcome.message)
        return redirect(f"admin:{URL_NAME}_change", fingerprint)

    def retry_view(self, request: HttpRequest, fingerprint: str) -> HttpResponse:
        """Freeze the notes that fail with it now in a preview, and go there; nothing else is written."""
        verify_platform_staff(request.user, RETRY_ARTIFACT)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user: Any = request.user
        problem, most = self._problem(fingerprint), limits().most_in_bulk
        notes = failed_now(fingerprint).order_by("received_at", "pk").values_list("pk", flat=True)[:most]
        try:
            bulk = make_preview(list(notes), FAILED_STAGE, by=user, chosen_by=_chosen_by(problem, most))
        except InvalidTransition as refusal:
            messages.warning(request, str(refusal))
            return redirect(f"admin:{URL_NAME}_change", fingerprint)
        return redirect("admin:retry_bulkretry_change", bulk.bulk_id)

    def export_view(self, request: HttpRequest, fingerprint: str) -> HttpResponseBase:
        """Clubs and coaches that are affected now, as CSV."""
        self._verify_viewer(request)
        self._problem(fingerprint)
        name = f"problem-{fingerprint[:8]}-{timezone.now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(_lines(fingerprint), content_type="text/csv; charset=utf-8", headers=headers)

    def _verify_viewer(self, request: HttpRequest) -> None:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied

    def _problem(self, fingerprint: str) -> Problem:
        problem = get_problem(fingerprint, now=timezone.now())
        if problem is None:
            raise Http404
        return problem


def asked_in(given: QueryDict) -> Asked:
    """What an address asks for; what makes no sense is left out."""
    tab, stage = given.get("tab", ""), given.get("stage", "")
    return Asked(
        tab=Tab(tab) if tab in list(Tab) else Tab.OPEN,
        stage=stage if stage in StageName.values else "",
        code=given.get("code", "").replace("\x00", "").strip()[:LONGEST_CODE],
        page=row_number(given.get("page", "")) or 1,
    )


def _table(key: str, title: str, first: str, found: list[Affected], rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"key": key, "title": title, "first": first, "rows": rows, "has_more": len(found) > len(rows)}


def _chosen_by(problem: Problem, most: int) -> str:
    """How the notes were chosen, for whoever looks at the bulk retry."""
    which = f"the {most:,} oldest of {problem.notes:,} voice notes" if problem.notes > most else "all voice notes"
    words = words_of(problem.group.error_code).title
    return f"Problem “{problem.group.get_stage_display()}: {words}”, {which} that failed with it then"


def _lines(fingerprint: str) -> Iterator[str]:
    yield BYTE_ORDER_MARK
    rows = (
        (
            row.club,
            row.coach,
            row.notes,
            f"{row.first_failed_at:%Y-%m-%d %H:%M:%S}",
            f"{row.last_failed_at:%Y-%m-%d %H:%M:%S}",
        )
        for row in affected_lines(fingerprint)
    )
    yield from csv_lines(HEADER, rows)


def _live_url(problem: Problem) -> str:
    return reverse(f"admin:{URL_NAME}_change_live", args=[problem.group.fingerprint])


def _list_url(request: HttpRequest, **changes: str) -> str:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in {**request.GET.dict(), **changes}.items() if value})
    return f"{reverse(f'admin:{URL_NAME}_changelist')}?{query.urlencode()}"
