"""Keys of the HTTP API: made, changed and revoked by people, and asked about at every request."""

import hashlib
import math
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.db import connection
from django.db.models import QuerySet

from voicepipeline.access import may_read_content, verify_platform_staff
from voicepipeline.engine.transactions import database_now, engine_transaction
from voicepipeline.models import ApiKey, ApiScope, Organization, User
from voicepipeline.models.api import MOST_PER_MINUTE
from voicepipeline.operations.outcome import Outcome
from voicepipeline.text import safe_text

ADD_PERMISSION, CHANGE_PERMISSION = "voicepipeline.add_apikey", "voicepipeline.change_apikey"
SECRET_BYTES = 32
PREFIX_BYTES = 4
MAX_NAME = 80
FORM = re.compile(r"vp_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", re.ASCII)
UNKNOWN = "There is no API key like this any more."


# --- At every request ------------------------------------------------------------------------------------------

# A bucket that holds a minute's requests and is filled evenly by the database's clock. Below zero it tells that the
# last request was refused and took nothing: what stands there is by how much it was short. One statement, so that
# requests at the same instant take one after the other; one that waited for its turn looks at a clock that has
# stopped, and what it does not add then, the next one adds.
ADMIT = """
WITH known AS MATERIALIZED (
    SELECT key.id, key.organization_id, key.scopes, key.requests_per_minute::float8 AS rate, clock_timestamp() AS now
    FROM voicepipeline_apikey AS key
    JOIN voicepipeline_organization AS club ON club.id = key.organization_id
    WHERE key.digest = %s AND key.revoked_at IS NULL AND club.is_active
), counted AS (
    INSERT INTO voicepipeline_apikeyuse AS bucket (key_id, tokens, last_used_at)
    SELECT id, rate - 1, now FROM known
    ON CONFLICT (key_id) DO UPDATE SET
        tokens = least(
            (SELECT rate FROM known),
            CASE WHEN bucket.tokens < 0 THEN bucket.tokens + 1 ELSE bucket.tokens END
            + greatest(extract(epoch FROM excluded.last_used_at - bucket.last_used_at)::float8, 0)
            * (SELECT rate FROM known) / 60
        ) - 1,
        last_used_at = greatest(bucket.last_used_at, excluded.last_used_at)
    RETURNING tokens
)
SELECT known.id, known.organization_id, known.scopes, known.rate, counted.tokens FROM known CROSS JOIN counted
"""


@dataclass(frozen=True)
class Caller:
    """Who asks: one club's key, and what it may do."""

    key_id: int
    club_id: int
    scopes: frozenset[str]

    @property
    def reads_content(self) -> bool:
        return ApiScope.READ_CONTENT in self.scopes


@dataclass(frozen=True)
class Admission:
    caller: Caller
    wait_seconds: int | None  # None: go ahead; else the key has no request left for so long


def admit(secret: str) -> Admission | None:
    """Count one request of this key; None when there is none that is in use, whatever the reason."""
    if not FORM.fullmatch(secret):
        return None
    with connection.cursor() as cursor:
        cursor.execute(ADMIT, [digest_of(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    key_id, club_id, scopes, rate, tokens = row
    wait = None if tokens >= 0 else max(math.ceil(-tokens * 60 / rate), 1)
    return Admission(Caller(key_id, club_id, frozenset(scopes)), wait)


def digest_of(secret: str) -> str:
    """What is kept of a key; a random one of 256 bits needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


# --- By people -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewKey:
    """A key that was made: its secret is known here and nowhere else."""

    outcome: Outcome
    key: ApiKey | None = None
    secret: str = field(default="", repr=False)


def refusal_of(by: User, *, name: str, scopes: Collection[str], rate: int, before: Collection[str] = ()) -> str:
    """Why a key cannot be like this, in one sentence; empty when it can."""
    if not name.strip() or len(name) > MAX_NAME:
        return f"Give the key a name of at most {MAX_NAME} characters, such as: the club's app."
    if not scopes or not set(scopes) <= set(ApiScope.values):
        return "Choose at least one thing that the key may do."
    if ApiScope.READ_CONTENT in scopes and ApiScope.READ_NOTES not in scopes:
        return "Who is to read what entries say must see the voice notes: choose that as well."
    # Nobody gets at what notes say by giving a key the right that they do not have.
    if ApiScope.READ_CONTENT in scopes and ApiScope.READ_CONTENT not in before and not may_read_content(by):
        return "Only somebody who may read content can let a key read it. Ask a colleague who may."
    if not 1 <= rate <= MOST_PER_MINUTE:
        return f"A key may be used 1 to {MOST_PER_MINUTE:,} times a minute."
    return ""


@engine_transaction
def make_api_key(*, by: User, organization_id: int, name: str, scopes: Collection[str], rate: int) -> NewKey:
    """Make a key for an active club; what is returned is the only place where it can be seen."""
    verify_platform_staff(by, ADD_PERMISSION)
    name = safe_text(name.strip(), len(name))
    refusal = refusal_of(by, name=name, scopes=scopes, rate=rate)
    if refusal:
        return NewKey(Outcome(False, refusal))
    if not Organization.objects.filter(pk=organization_id, is_active=True).exists():
        return NewKey(Outcome(False, "This club is switched off or not there any more. Choose another one."))
    prefix = f"vp_{secrets.token_hex(PREFIX_BYTES)}"
    secret = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = ApiKey.objects.create(
        organization_id=organization_id,
        name=name,
        prefix=prefix,
        digest=digest_of(secret),
        scopes=_ordered(scopes),
        requests_per_minute=rate,
        created_by=by,
        created_at=database_now(),
    )
    _remember(by, key, ADDITION, f"Made for {key.organization}: {_terms(key)}.")
    return NewKey(Outcome(True, "Made."), key, secret)


@engine_transaction
def change_api_key(pk: int, *, by: User, name: str, scopes: Collection[str], rate: int) -> Outcome:
    """Give a key another name, other scopes or another rate; it holds from the next request on."""
    verify_platform_staff(by, CHANGE_PERMISSION)
    key = _locked(pk).first()
    if key is None:
        return Outcome(False, UNKNOWN)
    if key.revoked_at is not None:
        return Outcome(False, "It is revoked, so there is nothing to change. Make another one.")
    name = safe_text(name.strip(), len(name))
    refusal = refusal_of(by, name=name, scopes=scopes, rate=rate, before=key.scopes)
    if refusal:
        return Outcome(False, refusal)
    before = f"“{key.name}”, {_terms(key)}"
    key.name, key.scopes, key.requests_per_minute = name, _ordered(scopes), rate
    after = f"“{key.name}”, {_terms(key)}"
    if after == before:
        return Outcome(True, "Nothing was changed.")
    key.save(update_fields=["name", "scopes", "requests_per_minute"])
    _remember(by, key, CHANGE, f"Before: {before}. Now: {after}.")
    return Outcome(True, "Changed. It holds from the next request on.")


@engine_transaction
def revoke_api_key(pk: int, *, by: User) -> Outcome:
    """Refuse a key from now on, for good."""
    verify_platform_staff(by, CHANGE_PERMISSION)
    revoked = ApiKey.objects.filter(pk=pk, revoked_at__isnull=True).update(revoked_at=database_now(), revoked_by=by)
    key = ApiKey.objects.select_related("revoked_by").filter(pk=pk).first()
    if key is None:
        return Outcome(False, UNKNOWN)
    if not revoked:
        return Outcome(False, f"Already revoked by {key.revoked_by}.")
    _remember(by, key, CHANGE, "Revoked.")
    return Outcome(True, f"Revoked: whoever uses the key {key.prefix}… is refused from now on.")


def _locked(pk: int) -> QuerySet[ApiKey]:
    return ApiKey.objects.select_for_update(no_key=True).filter(pk=pk)


def _ordered(scopes: Collection[str]) -> list[str]:
    return [scope for scope in ApiScope.values if scope in scopes]


def _terms(key: ApiKey) -> str:
    return f"{', '.join(key.scopes)}, {key.requests_per_minute} a minute"


def _remember(by: User, key: ApiKey, flag: int, message: str) -> None:
    """On the key's history page."""
    LogEntry.objects.log_actions(by.pk, [key], flag, change_message=message, single_object=True)
