import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.metrics.reference import nearest_rank

LONGEST = 10**9
READ = """
WITH buckets AS (
    SELECT metrics_bucket(ms) AS bucket, count(*) AS n FROM unnest(%(durations)s::bigint[]) AS given (ms) GROUP BY 1
), histogram AS (
    SELECT array_agg(bucket ORDER BY bucket) AS buckets, array_agg(n ORDER BY bucket) AS counts FROM buckets
)
SELECT metrics_percentile(buckets, counts, 0.5), metrics_percentile(buckets, counts, 0.95) FROM histogram
"""


def ask(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, *values)
        return cursor.fetchone()


def percentile(buckets, counts, share):
    return ask("SELECT metrics_percentile(%s::smallint[], %s::bigint[], %s::numeric)", [buckets, counts, share])[0]


class TestAnyDurations(TestCase):
    @settings(max_examples=150)
    @given(st.lists(st.integers(0, LONGEST) | st.integers(0, 200), min_size=1, max_size=60))
    def test_percentiles_are_less_than_one_percent_off_the_nearest_rank(self, durations):
        for percent, read in zip((50, 95), ask(READ, {"durations": durations}), strict=True):
            exact = nearest_rank(durations, percent)
            assert abs(read - exact) <= 0.01 * exact

    @settings(max_examples=50)
    @given(st.integers(1, LONGEST))
    def test_a_duration_is_in_the_bucket_that_says_so(self, ms):
        low, high = ask(
            "SELECT power(1.02::float8, metrics_bucket(%(ms)s) - 1), power(1.02::float8, metrics_bucket(%(ms)s))",
            {"ms": ms},
        )
        assert low * (1 - 1e-12) < ms <= high * (1 + 1e-12)


@pytest.mark.django_db
def test_no_time_at_all_has_a_bucket_of_its_own_and_is_exact():
    assert ask("SELECT metrics_bucket(0), metrics_bucket_value(-1)") == (-1, 0.0)


@pytest.mark.django_db
def test_the_longest_duration_that_fits_has_a_bucket():
    assert 0 < ask("SELECT metrics_bucket(9223372036854775807)")[0] < 2**15


@pytest.mark.django_db
def test_a_percentile_of_nothing_is_not_known():
    assert percentile([], [], 0.95) is None
    assert percentile(None, None, 0.95) is None
    assert percentile([3], [0], 0.5) is None


@pytest.mark.django_db
def test_the_rank_is_the_nearest_one():
    assert percentile([-1, 100], [1, 1], 0.5) == 0
    assert percentile([-1, 100], [95, 5], 0.95) == 0
    assert percentile([-1, 100], [94, 6], 0.95) > 0


@pytest.mark.django_db
def test_a_bucket_may_be_there_twice_or_hold_nothing():
    assert percentile([100, 100, 200, 300, 300], [1, 4, 0, 3, 2], 0.5) == percentile([100, 300], [5, 5], 0.5)
    assert percentile([100, 100, 200, 300, 300], [1, 4, 0, 3, 2], 0.6) == percentile([100, 300], [5, 5], 0.6)
