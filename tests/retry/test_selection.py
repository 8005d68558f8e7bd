import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from retry.kinds import FAILED_STAGE
from retry.models import RetryKind
from retry.selection import Selection, Unusable, choose, find_club, read_id, read_since
from tests.factories import make_club
from tests.retry.factories import NAMES, STATEMENTS, make_closed, make_failed, make_ready, make_sent, make_stalled

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
FULL = RetryKind.FULL


def chosen(asked_for=FULL, **given):
    return choose(Selection(**given), asked_for)


def ago(**long):
    return timezone.now() - timedelta(**long)


def test_without_a_choice_nothing_is_chosen(db):
    make_failed()
    with pytest.raises(Unusable, match="Say which voice notes"):
        chosen(limit=5)


def test_ids_keep_their_order_and_count_once(db):
    first, second = make_failed(), make_failed()
    assert chosen(ids=(second.artifact_id, first.artifact_id, second.artifact_id)) == [second.pk, first.pk]


def test_an_unknown_id_chooses_nothing_at_all(db):
    with pytest.raises(Unusable, match=r"There is no voice note with the id 0{8}-"):
        chosen(ids=(make_failed().artifact_id, uuid.UUID(int=0)))


def test_filters_narrow_each_other(db):
    club = make_club()
    wanted = make_failed(NAMES, organization=club)
    make_failed(STATEMENTS, organization=club)
    make_failed(NAMES)
    assert chosen(organization=club, stage=NAMES) == [wanted.pk]


def test_filters_narrow_ids(db):
    failed, ready = make_failed(), make_ready()
    assert chosen(ids=(ready.artifact_id, failed.artifact_id), status="failed") == [failed.pk]


def test_only_exactly_this_code(db):
    wanted = make_failed(code="model_refused")
    make_failed(code="model_refused_it")
    assert chosen(error_code="model_refused") == [wanted.pk]


def test_received_since(db):
    make_failed(received_at=ago(hours=3))
    wanted = make_failed(received_at=ago(hours=1))
    assert chosen(since=ago(hours=2)) == [wanted.pk]


def test_the_oldest_come_first_and_are_those_within_a_limit(db):
    newer, older = make_failed(received_at=ago(hours=1)), make_failed(received_at=ago(hours=2))
    assert chosen(status="failed") == [older.pk, newer.pk]
    assert chosen(status="failed", limit=1) == [older.pk]


def test_a_limit_of_any_length_is_a_limit(db):
    note = make_failed()
    assert chosen(status="failed", limit=10**20) == [note.pk]


def test_the_stage_that_failed_means_notes_that_failed(db):
    club = make_club()
    failed = make_failed(organization=club)
    make_ready(organization=club)
    assert chosen(FAILED_STAGE, organization=club) == [failed.pk]


def test_what_somebody_has_closed_is_left_out_unless_it_is_meant(db):
    closed = make_closed()
    assert chosen(status="failed") == []
    assert chosen(status="closed") == chosen(ids=(closed.artifact_id,)) == [closed.pk]


def test_what_stands_still_can_be_chosen(db):
    make_sent()
    stalled = make_stalled()
    assert chosen(status="stalled") == [stalled.pk]


def test_more_than_a_bulk_retry_takes_are_too_many(db):
    make_failed(), make_failed()
    with override_settings(RETRY={"most_in_bulk": 1}), pytest.raises(Unusable, match="More than 1 voice notes"):
        chosen(status="failed")


def test_a_choice_is_told_in_words(db):
    club = make_club(name="Na Fianna")
    told = Selection(status="failed", stage=NAMES, organization=club, error_code="x", since=NOW, limit=1_500).words
    assert told == (
        "Status: Failed; Stage: Matching names; Club: Na Fianna; Code: x; Received since 2026-03-31 12:00 UTC; "
        "The oldest 1,500"
    )


# --- Clubs, times and ids as people write them ------------------------------------------------------------------------
def test_a_club_is_found_by_its_id_or_its_exact_name(db):
    club = make_club(name="Na Fianna")
    assert find_club(str(club.pk)) == find_club(" Na Fianna ") == club


@pytest.mark.parametrize("name", ["na fianna", "Fianna", "0", "99999999999999999999", "\x00"])
def test_another_name_finds_no_club(db, name):
    make_club(name="Na Fianna")
    with pytest.raises(Unusable, match="There is no club"):
        find_club(name)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("2026-03-31", NOW - timedelta(hours=12)),
        ("2026-03-31T10:00", NOW - timedelta(hours=2)),
        ("2026-03-31T12:00+02:00", NOW - timedelta(hours=2)),
    ],
)
def test_times_are_read_as_moments_in_utc_or_as_so_long_ago(text, since):
    assert read_since(text, NOW) == since


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2w", "-2h", "2", "2026-13-01", "9999d" * 3, "0001-01-01T00:00+05:00"]
)
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(Unusable, match="Write it as 2026-03-31T14:00"):
        read_since(text, NOW)


def test_a_time_to_come_is_refused():
    with pytest.raises(Unusable, match="in the future"):
        read_since("2026-04-01", NOW)


def test_what_is_no_id_is_refused():
    with pytest.raises(Unusable, match=r"'7\?' is no id"):
        read_id("7?")
