"""Who asks: the key is checked before anything of a request's body is read."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from voicepipeline.api.bodies import hear_out
from voicepipeline.api.problems import ApiProblem
from voicepipeline.models import ApiScope
from voicepipeline.operations.api_keys import Caller, admit


class ApiKeyAuth(HttpBearer):
    """`Authorization: Bearer vp_…`, for one of the things that a key may do."""

    def __init__(self, scope: ApiScope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, secret.strip() if scheme.lower() == "bearer" else "")

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        admission = admit(token)
        if admission is None:
            raise ApiProblem(
                401,
                "key_refused",
                "No valid API key",
                "Send a key that is in use as “Authorization: Bearer vp_…”. The people who run this service make keys.",
                headers={"WWW-Authenticate": 'Bearer realm="voice notes"'},
            )
        if admission.wait_seconds is not None:
            hear_out(request)
            raise ApiProblem(
                429,
                "too_many_requests",
                "Too many requests",
                f"This key has used up its requests for now. Try again in {admission.wait_seconds} s.",
                headers={"Retry-After": str(admission.wait_seconds)},
            )
        if self.scope not in admission.caller.scopes:
            hear_out(request)
            raise ApiProblem(
                403,
                "scope_missing",
                "The key may not do this",
                f"This takes a key with the scope {self.scope}. Ask the people who run this service for one.",
                headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{self.scope}"'},
            )
        return admission.caller
