"""Lists of people whose names are private: initials, and no way to ask for a name, for those who may not read."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from voicepipeline.access import may_read_content, verify_reader
from voicepipeline.masking import NAMES_NOTICE


class PrivateNames:
    """For an admin whose rows are called by private names; name the columns that show them in `masked`.

    Who may not read sees initials, searches nothing, and opens no row: its form and its history show the name.
    """

    masked: Mapping[str, str] = {}  # each column with the one that takes its place
    list_before_template = "voicepipeline/private_notice.html"

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        columns: Sequence[Any] = super().get_list_display(request)  # type: ignore[misc]
        return columns if may_read_content(request.user) else [self.masked.get(each, each) for each in columns]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        if not may_read_content(request.user):
            return None
        return super().get_list_display_links(request, list_display)  # type: ignore[misc]

    def get_search_fields(self, request: HttpRequest) -> Sequence[str]:
        if not may_read_content(request.user):
            return ()
        fields: Sequence[str] = super().get_search_fields(request)  # type: ignore[misc]
        return fields

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Where somebody stands in the alphabet tells of their name, too."""
        if not may_read_content(request.user):
            return ("-pk",)
        ordering: Sequence[str] = super().get_ordering(request)  # type: ignore[misc]
        return ordering

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        allowed: bool = super().has_add_permission(request, *args)  # type: ignore[misc]
        return allowed and may_read_content(request.user)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        notice = "" if may_read_content(request.user) else NAMES_NOTICE
        context = {"private_notice": notice, **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return response

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        verify_reader(request.user)
        return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        verify_reader(request.user)
        return super().history_view(request, *args, **kwargs)  # type: ignore[misc]
