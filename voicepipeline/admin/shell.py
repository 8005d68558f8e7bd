"""What surrounds every page: the sidebar and the stylesheet."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static


def stylesheet(request: HttpRequest) -> str:
    return static("voicepipeline/shell.css")


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    return []
