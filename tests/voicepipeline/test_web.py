"""What every answer carries, what machines ask for, and what follows from SITE_URL."""

import json
import os
import re
import subprocess
import sys

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse

from tests.environment import CHECKOUT
from tests.factories import make_user
from voicepipeline import roles, views

FOLLOWING = (
    "SECURE_SSL_REDIRECT",
    "SECURE_HSTS_SECONDS",
    "SESSION_COOKIE_SECURE",
    "CSRF_COOKIE_SECURE",
    "CSRF_TRUSTED_ORIGINS",
)


def settings_with(**variables):
    """These settings as another installation's environment makes them."""
    code = (
        f"import json; from voicepipeline import settings as s; print(json.dumps([getattr(s, n) for n in {FOLLOWING}]))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={**os.environ, **variables},
        capture_output=True,
        check=True,
        text=True,
    )
    return dict(zip(FOLLOWING, json.loads(answer.stdout), strict=True))


def test_an_https_address_makes_everything_https():
    assert settings_with(SITE_URL="https://office.example") == {
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "CSRF_TRUSTED_ORIGINS": ["https://office.example"],
    }


def test_an_http_address_works_without_https():
    assert settings_with(SITE_URL="http://localhost:9000") == {
        "SECURE_SSL_REDIRECT": False,
        "SECURE_HSTS_SECONDS": 0,
        "SESSION_COOKIE_SECURE": False,
        "CSRF_COOKIE_SECURE": False,
        "CSRF_TRUSTED_ORIGINS": ["http://localhost:9000"],
    }


def test_healthz_answers_without_a_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_health_is_not_redirected_to_https(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_readyz_is_ready_when_the_database_has_every_migration(client):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "clusters": "none seen yet"},
    }


@pytest.mark.django_db
def test_readyz_is_not_ready_before_the_last_migration(client):
    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "checks": {"database": "ok", "migrations": "not all applied"}}


@pytest.mark.django_db
def test_readyz_says_when_the_database_does_not_answer(client):
    def down(execute, sql, params, many, context):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(down):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "not reachable"


@pytest.mark.parametrize("path", ["/healthz", "/nowhere/", "/"])
@pytest.mark.django_db
def test_every_answer_carries_the_protective_headers(client, path):
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-ID"])


@pytest.mark.django_db
def test_pages_may_run_scripts_of_their_own_host_alone(client):
    client.force_login(make_user(roles.VIEWER))
    policy = client.get(reverse("admin:index")).headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["script-src"] == "'self' 'unsafe-eval'"
    assert directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == "'none'"


@pytest.mark.django_db
def test_no_page_has_a_script_inside(client):
    client.force_login(make_user(roles.ADMINISTRATOR))
    for page in ("index", "voicepipeline_user_changelist", "voicepipeline_user_add", "password_change"):
        html = client.get(reverse(f"admin:{page}")).content.decode()
        scripts = re.findall(r"<script([^>]*)>", html)
        assert scripts
        assert all("src=" in attributes for attributes in scripts)
        assert not re.search(r"\son\w+=", html)


def test_the_id_that_a_proxy_gave_is_kept(client):
    assert client.get("/healthz", headers={"X-Request-ID": "edge-17.b"}).headers["X-Request-ID"] == "edge-17.b"


@pytest.mark.parametrize("odd", ["a b", "x" * 65, "é", "<script>", "a\tb"])
def test_an_odd_id_is_replaced(client, odd):
    assert client.get("/healthz", headers={"X-Request-ID": odd}).headers["X-Request-ID"] != odd


def test_the_500_page_needs_neither_a_user_nor_a_database(rf):
    response = views.server_error(rf.get("/"))
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()


@pytest.mark.django_db
def test_the_500_page_tells_the_request_id(client):
    def down(execute, sql, params, many, context):
        raise OperationalError("connection refused")

    client.force_login(make_user())
    client.raise_request_exception = False
    with connection.execute_wrapper(down):
        response = client.get(reverse("admin:index"))
    assert response.status_code == 500
    assert response.headers["X-Request-ID"] in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("charset", ["base64", "rot13", "undefined", "idna", "latin-1", "none-such"])
def test_a_charset_that_is_none_of_text_breaks_no_page(rf, charset):
    from voicepipeline.wsgi import application  # loads the middleware, which wants the fixtures' folders

    asked = rf.get("/admin/login/", {"next": "/admin/Ní"}).environ
    answered = []
    given = {**asked, "CONTENT_TYPE": f"text/plain; charset={charset}"}
    application(given, lambda status, headers: answered.append(status)).close()
    assert answered == ["200 OK"]
