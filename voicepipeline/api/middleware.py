"""Every answer below /api/ is one of the API: refusals that it did not word itself are problems, too."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from voicepipeline.api.problems import CONTENT_TYPE, answer, unsaid

BELOW = "/api/"
KEPT = ("Allow", "WWW-Authenticate", "Retry-After")


class ApiAnswersMiddleware:
    """Django answers with pages where a program asked: puts a problem in their place, and keeps answers unstored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path_info.startswith(BELOW):
            return response
        if response.status_code >= 400 and not response.get("Content-Type", "").startswith(CONTENT_TYPE):
            problem = answer(unsaid(response.status_code))
            for name in KEPT:
                if name in response:
                    problem[name] = response[name]
            response = problem
        response.headers.setdefault("Cache-Control", "no-store")
        return response
