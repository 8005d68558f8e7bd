"""Signed in without a password: `python -m tests.faults.looking Viewer` prints the cookie of a session of this role."""

import sys

import django


def session_of(role: str) -> str:
    from django.conf import settings
    from django.test import Client

    from tests.factories import make_user

    client = Client()
    client.force_login(make_user(role))
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


if __name__ == "__main__":
    django.setup()
    for role in sys.argv[1:]:
        print(session_of(role))  # noqa: T201 — what the test that called it reads
