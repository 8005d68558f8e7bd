"""What the API answers when something is wrong: problem details (RFC 9457) that say what to do."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from pydantic import Field

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
TYPE = "urn:voice-pipeline:problem:"
MOST_ERRORS = 20
MOST_SHOWN = 60


class FieldError(Schema):
    field: str = Field(description="The field, parameter or header that is wrong.")
    message: str


class Problem(Schema):
    """Why a request was refused, and what to do."""

    type: str = Field(description="What kind of problem it is, for programs.", examples=[f"{TYPE}too_large"])
    title: str
    status: int
    detail: str = Field(description="What to do, for people.")
    errors: list[FieldError] = Field(default=[], description="What is wrong with single fields.")


class ApiProblem(Exception):
    """Raised anywhere below the API, answered as problem details."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str,
        *,
        errors: Iterable[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.errors = [{"field": field[:MOST_SHOWN], "message": message} for field, message in errors]
        self.headers = dict(headers or {})


def answer(problem: ApiProblem) -> HttpResponse:
    content: dict[str, Any] = {
        "type": f"{TYPE}{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        content["errors"] = problem.errors[:MOST_ERRORS]
    return JsonResponse(content, status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers)


def no_such_note() -> ApiProblem:
    return ApiProblem(404, "not_found", "No such voice note", "Your club has no voice note with this id. Check the id.")


def wrong_fields(errors: Iterable[tuple[str, str]]) -> ApiProblem:
    return ApiProblem(
        422,
        "invalid",
        "Not understood",
        "Something that was sent is missing or not as it should be: see errors. Put it right and send it again.",
        errors=errors,
    )


def refuse_others(request: HttpRequest, *known: str) -> None:
    """A parameter that is misspelt would be passed over in silence, and what is found would not be what was asked."""
    others = [name for name in request.GET if name not in known]
    if others:
        raise wrong_fields((name, "There is no such parameter.") for name in others)


def not_available() -> ApiProblem:
    return ApiProblem(
        503,
        "not_available",
        "Not available",
        "The service cannot be reached for a moment. Send the same request again in a minute.",
        headers={"Retry-After": "60"},
    )


UNSAID = {
    400: ("malformed", "Not understood", "The request is malformed. Compare it with /api/docs."),
    404: ("not_found", "Nothing here", "There is nothing at this address. The addresses are listed in /api/docs."),
    405: ("method_not_allowed", "Method not allowed", "This address does not take this method: see the Allow header."),
    413: ("too_large", "Too large", "The request is too large. Send less at a time."),
    500: (
        "unexpected",
        "Something broke",
        "It is not your fault, and it has been logged. Send the same request again later; if it goes on, "
        "tell us the X-Request-ID of this answer.",
    ),
}
"""What is answered where only a status is known."""


def unsaid(status: int) -> ApiProblem:
    code, title, detail = UNSAID.get(status, UNSAID[500 if status >= 500 else 400])
    return ApiProblem(status, code, title, detail)


def install(api: NinjaAPI) -> None:
    """Have the API answer with problems, whatever raised them; what nobody foresaw goes on to Django, which logs it."""

    def of_problem(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(error)

    def of_validation(request: HttpRequest, error: Any) -> HttpResponse:
        found: list[dict[str, Any]] = error.errors
        if any(each["loc"][0] == "path" for each in found):
            return answer(no_such_note())
        return answer(wrong_fields((".".join(map(str, each["loc"][1:])), told(each)) for each in found))

    def of_status(request: HttpRequest, error: Any) -> HttpResponse:
        return answer(unsaid(error.status_code))

    def of_database(request: HttpRequest, error: Any) -> HttpResponse:
        logger.error("the database failed during a request of the API", exc_info=error)
        return answer(not_available())

    def unforeseen(request: HttpRequest, error: Any) -> HttpResponse:
        raise error

    api.add_exception_handler(ApiProblem, of_problem)
    api.add_exception_handler(ValidationError, of_validation)
    api.add_exception_handler(HttpError, of_status)
    for failure in (OperationalError, InterfaceError):
        api.add_exception_handler(failure, of_database)
    api.add_exception_handler(Exception, unforeseen)


MESSAGES = {
    "missing": "It is missing.",
    "extra_forbidden": "There is no such field.",
    "timezone_aware": "Give the time with its offset from UTC, such as 2026-05-04T18:30:00Z.",
}


def told(error: Mapping[str, Any]) -> str:
    """pydantic's own words, which hold nothing of what was sent, unless we have better ones."""
    return MESSAGES.get(str(error["type"])) or f"{error['msg']}."
