"""Histograms of durations whose buckets are 2 % wide: a percentile read from them is less than 1 % off.

Bucket b holds what is longer than 1.02^(b-1) and at most 1.02^b milliseconds, bucket -1 what took none. Buckets of
hours are added up to those of days and weeks, so that a percentile is always that of all durations together.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION metrics_bucket(ms bigint) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN ms < 1 THEN -1 ELSE ceil(ln(ms::float8) / ln(1.02::float8)) END::smallint
$$;

-- The middle of a bucket, by which every duration in it is missed by the same share at most.
CREATE FUNCTION metrics_bucket_value(bucket integer) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN bucket < 0 THEN 0 ELSE 2 * power(1.02::float8, bucket) / 2.02 END
$$;

-- Nearest rank: the smallest duration such that at least this share of all is no longer. NULL of nothing.
CREATE FUNCTION metrics_percentile(buckets smallint[], counts bigint[], share numeric) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT metrics_bucket_value(bucket) FROM (
        SELECT bucket, sum(n) OVER (ORDER BY bucket) AS so_far, sum(n) OVER () AS everything
        FROM unnest(buckets, counts) AS histogram (bucket, n)
    ) ranked
    WHERE so_far >= ceil(share * everything) AND everything > 0
    ORDER BY bucket LIMIT 1
$$;
"""

BACKWARD = """
DROP FUNCTION metrics_percentile(smallint[], bigint[], numeric);
DROP FUNCTION metrics_bucket_value(integer);
DROP FUNCTION metrics_bucket(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0002_counting")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
