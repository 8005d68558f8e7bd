"""Who is let in: keys, scopes, revocation, and how many requests a key has."""

import logging
import threading

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from tests.api.helpers import make_key, problem
from tests.factories import make_club, make_user
from tests.intake.helpers import nothing_left, recording
from tests.pipeline.canaries import Lines
from tests.threads import at_once
from voicepipeline import logs, roles
from voicepipeline.models import ApiKey, ApiKeyUse, ApiScope
from voicepipeline.operations import api_keys
from voicepipeline.operations.api_keys import admit, change_api_key, make_api_key, revoke_api_key

pytestmark = pytest.mark.django_db

URL = "/api/v1/voice-notes"
SCOPES = list(ApiScope.values)


def make(by, club, scopes=(ApiScope.SEND_NOTES,), rate=60, name="The club's app"):
    return make_api_key(by=by, organization_id=club.pk, name=name, scopes=scopes, rate=rate)


# --- Made, changed, revoked ------------------------------------------------------------------------------------


def test_a_key_is_kept_as_its_hash_alone(club):
    made = make_key(club, *SCOPES)
    kept = ApiKey.objects.values().get()
    assert api_keys.FORM.fullmatch(made.secret)
    assert made.secret.startswith(kept["prefix"])
    assert made.secret.removeprefix(kept["prefix"]).strip("_") not in str(kept)
    assert made.secret not in repr(made)


def test_no_two_keys_are_alike(club):
    assert len({make_key(club, *SCOPES).secret for _ in range(20)}) == 20


@pytest.mark.parametrize("role", [roles.VIEWER, roles.OPERATOR])
def test_only_administrators_make_change_and_revoke(club, key, role):
    by = make_user(role)
    for deed in (
        lambda: make(by, club),
        lambda: change_api_key(key.key.pk, by=by, name="x", scopes=SCOPES, rate=1),
        lambda: revoke_api_key(key.key.pk, by=by),
    ):
        with pytest.raises(PermissionDenied):
            deed()


@pytest.mark.parametrize(
    "given",
    [
        {"name": " "},
        {"name": "x" * 81},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": [ApiScope.READ_CONTENT]},
        {"rate": 0},
        {"rate": 6_001},
    ],
    ids=str,
)
def test_a_key_that_cannot_be_is_refused_in_a_sentence(club, given):
    made = make(make_user(roles.ADMINISTRATOR), club, **given)
    assert (made.outcome.done, made.outcome.message[-1]) == (False, ".")
    assert not ApiKey.objects.exists()


def test_a_switched_off_club_gets_no_key():
    assert not make(make_user(roles.ADMINISTRATOR), make_club(is_active=False)).outcome.done


def test_who_may_not_read_content_lets_no_key_read_it(club, key):
    by = make_user(roles.ADMINISTRATOR, reads_content=False)
    assert not make(by, club, SCOPES).outcome.done
    narrow = make_key(club, ApiScope.READ_NOTES)
    assert not change_api_key(narrow.key.pk, by=by, name="x", scopes=SCOPES, rate=1).done
    assert change_api_key(key.key.pk, by=by, name="Still may", scopes=SCOPES, rate=1).done


def test_a_change_holds_from_the_next_request_on(key, get):
    assert get().status_code == 200
    by = make_user(roles.ADMINISTRATOR)
    assert change_api_key(key.key.pk, by=by, name="New", scopes=[ApiScope.SEND_NOTES], rate=60).done
    assert problem(get()) == (403, "scope_missing")


def test_a_revoked_key_is_refused_and_stays_revoked(key, get):
    by = make_user(roles.ADMINISTRATOR)
    assert revoke_api_key(key.key.pk, by=by).done
    assert problem(get()) == (401, "key_refused")
    assert not revoke_api_key(key.key.pk, by=by).done
    assert not change_api_key(key.key.pk, by=by, name="x", scopes=SCOPES, rate=1).done
    kept = ApiKey.objects.get(pk=key.key.pk)
    assert (kept.revoked_by, kept.name) == (by, key.key.name)


def test_a_key_that_is_gone_is_told():
    by = make_user(roles.ADMINISTRATOR)
    assert not revoke_api_key(4711, by=by).done
    assert not change_api_key(4711, by=by, name="x", scopes=SCOPES, rate=1).done


# --- Let in or not ---------------------------------------------------------------------------------------------


def test_no_key_a_wrong_one_and_one_of_a_switched_off_club_are_answered_alike(client, key, club):
    other = make_key(make_club(), *SCOPES)
    other.key.organization.is_active = False
    other.key.organization.save()
    revoked = make_key(club, *SCOPES)
    revoke_api_key(revoked.key.pk, by=make_user(roles.ADMINISTRATOR))
    almost = key.secret[:-1] + ("A" if key.secret[-1] != "A" else "B")
    words = (almost, other.secret, revoked.secret, key.secret[:-1], f"{key.secret} x", "é\x00")
    told = {
        client.get(URL, headers={"Authorization": sent}).content
        for sent in ("", "Bearer", f"Basic {key.secret}", *(f"Bearer {word}" for word in words))
    }
    refused = client.get(URL)
    assert problem(refused) == (401, "key_refused")
    assert refused["WWW-Authenticate"].startswith("Bearer")
    assert told == {refused.content}


def test_what_cannot_be_a_key_is_not_even_looked_up(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get(URL, headers={"Authorization": "Bearer vp_guessed"})


class Unheard:
    """A body that is not to be read."""

    def read(self, *_):
        raise AssertionError("read before it was known who sends it")

    readline = read


@pytest.mark.parametrize("secret", ["", f"vp_00000000_{'x' * 43}"], ids=["none", "unknown"])
def test_nothing_is_read_of_what_a_stranger_sends(client, secret):
    sent = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": "1000", "wsgi.input": Unheard()}
    response = client.generic("POST", URL, headers={"Authorization": f"Bearer {secret}"}, **sent)
    assert problem(response) == (401, "key_refused")


def test_a_stranger_leaves_nothing(post, media):
    assert problem(post(recording(), secret=f"vp_00000000_{'x' * 43}", sender_phone="+353861234567"))[0] == 401
    assert nothing_left(media)


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        (ApiScope.SEND_NOTES, "get", ""),
        (ApiScope.SEND_NOTES, "get", "/3f1e0c52-6f0e-4d3a-9b1b-0c2d4e5f6a7b"),
        (ApiScope.READ_NOTES, "post", ""),
    ],
)
def test_a_key_does_what_its_scopes_say_and_no_more(client, club, scope, method, path):
    secret = make_key(club, scope).secret
    response = getattr(client, method)(URL + path, headers={"Authorization": f"Bearer {secret}"})
    assert problem(response) == (403, "scope_missing")
    assert "scope" in response["WWW-Authenticate"]


def test_being_let_in_takes_one_query_and_tells_when(key, django_assert_num_queries):
    with django_assert_num_queries(1):
        admission = admit(key.secret)
    assert (admission.caller.club_id, admission.wait_seconds) == (key.key.organization_id, None)
    assert ApiKeyUse.objects.get().key == key.key


# --- How many requests -----------------------------------------------------------------------------------------


def test_a_key_that_is_used_up_says_when_to_come_back(club, get):
    secret = make_key(club, *SCOPES, rate=2).secret
    assert [get(secret=secret).status_code for _ in range(3)] == [200, 200, 429]
    refused = get(secret=secret)
    assert problem(refused) == (429, "too_many_requests")
    assert 25 <= int(refused["Retry-After"]) <= 30


def test_requests_that_the_scopes_forbid_are_counted_too(club, get):
    secret = make_key(club, ApiScope.SEND_NOTES, rate=2).secret
    assert [get(secret=secret).status_code for _ in range(3)] == [403, 403, 429]


def long_ago(key, seconds):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE voicepipeline_apikeyuse SET last_used_at = last_used_at - %s * interval '1 s' WHERE key_id = %s",
            [seconds, key.key.pk],
        )


@pytest.mark.parametrize(("seconds", "let_in"), [(29, 0), (31, 1), (3_600, 2)])
def test_requests_come_back_evenly_and_never_more_than_a_minutes_worth(club, seconds, let_in):
    key = make_key(club, *SCOPES, rate=2)
    while admit(key.secret).wait_seconds is None:
        pass
    long_ago(key, seconds)
    assert sum(admit(key.secret).wait_seconds is None for _ in range(5)) == let_in


def test_asking_in_vain_puts_nothing_off(club):
    key = make_key(club, *SCOPES, rate=2)
    for _ in range(2):
        admit(key.secret)
    for _ in range(28):
        assert admit(key.secret).wait_seconds is not None
        long_ago(key, 1)
    long_ago(key, 2)
    assert admit(key.secret).wait_seconds is None


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_the_same_instant_exactly_as_many_are_let_in_as_are_left(club):
    key = make_key(club, *SCOPES, rate=7)
    outcomes = at_once(*[lambda: admit(key.secret).wait_seconds] * 20)
    assert sum(wait is None for wait in outcomes) == 7
    assert all(wait is None or 1 <= wait <= 9 for wait in outcomes)


@pytest.mark.trial
@pytest.mark.django_db(transaction=True)
def test_no_more_than_the_rate_is_let_in_however_hard_twenty_try(club):
    key, rate = make_key(club, *SCOPES, rate=600), 600

    def hammer():
        return sum(admit(key.secret).wait_seconds is None for _ in range(150))

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (begun,) = cursor.fetchone()
        outcomes = at_once(*[hammer] * 20)
        cursor.execute("SELECT clock_timestamp()")
        (ended,) = cursor.fetchone()
    refilled = (ended - begun).total_seconds() * rate / 60
    assert rate <= sum(outcomes) <= rate + refilled
    assert threading.active_count() < 20


# --- Never told ------------------------------------------------------------------------------------------------


def test_a_key_is_taken_out_of_whatever_is_logged(key):
    with Lines().listening(logging.DEBUG) as lines:
        logging.getLogger("library").warning("sent %s", key.secret, extra={"headers": {"X": f"Bearer {key.secret}"}})
    assert key.secret[-20:] not in lines.text()
    assert key.key.prefix in logs.clean(f"it was {key.secret}")
