"""A page of the admin that is no list and no form, with a model for its permission."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from voicepipeline.admin.lists import HistoryAdmin
from voicepipeline.admin.live import live_answer, live_part


class PageAdmin(HistoryAdmin):
    """One page in place of a model's list, and the part of it that refreshes itself."""

    title = ""
    page_template = "voicepipeline/page.html"
    body_template = ""
    url_name = ""

    def body(self, request: HttpRequest) -> dict[str, Any]:
        """What the part that refreshes itself shows."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.page_view), name=f"{self.url_name}_changelist"),
            path("live/", wrap(self.live_view), name=f"{self.url_name}_live"),
        ]

    def page_view(self, request: HttpRequest) -> HttpResponse:
        self._verify(request)
        context = {
            **self.admin_site.each_context(request),
            "title": self.title,
            "live": live_part(request, self.body_template, self.body(request), url="live/"),
        }
        return TemplateResponse(request, self.page_template, context)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        self._verify(request)
        return live_answer(request, self.body_template, self.body(request), url="live/")

    def _verify(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
