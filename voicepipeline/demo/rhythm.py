"""When coaches speak: after training in the evening, and around the matches of the weekend."""

from datetime import datetime, timedelta
from random import Random

# How busy each hour of the day is (UTC), beginning at midnight.
WEEKDAY = (0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 1, 1, 2, 2, 1, 2, 3, 5, 9, 14, 16, 11, 5, 1)
WEEKEND = (0, 0, 0, 0, 0, 0, 0, 0, 2, 6, 12, 13, 9, 6, 8, 10, 9, 6, 4, 3, 3, 2, 1, 1)
SATURDAY = 5
# Nothing is quite regular: a quiet hour may have a note all the same.
FLOOR = 0.15
HOUR = timedelta(hours=1)


def moments(choose: Random, *, since: datetime, until: datetime, count: int) -> list[datetime]:
    """So many moments between these two, in order, more of them when coaches are about."""
    hours = [since + number * HOUR for number in range(max(1, int((until - since) / HOUR)))]
    picked = choose.choices(hours, [_weight(hour) for hour in hours], k=count)
    return sorted(hour + min(HOUR, until - hour) * choose.random() for hour in picked)


def _weight(moment: datetime) -> float:
    day = WEEKEND if moment.weekday() >= SATURDAY else WEEKDAY
    return day[moment.hour] + FLOOR
