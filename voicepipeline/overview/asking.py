"""Several small questions in one statement, each of them a queryset that is used elsewhere as well."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, F, Func, QuerySet


@dataclass(frozen=True)
class Question:
    """An expression that gives one value."""

    sql: str
    values: tuple[Any, ...] = ()


# The same in every question that is asked with it.
NOW = Question("statement_timestamp()")


class AmongThese(Func):
    """Whether a key is in an array, which the database looks up key by key; a join it may begin with another table."""

    arg_joiner = " = ANY ("
    template = "%(expressions)s)"
    output_field = BooleanField()


def newest_of(rows: QuerySet[Any], most: int) -> QuerySet[Any]:
    """No more than so many of them, by their key: whatever they are narrowed to afterwards, no others are read."""
    keys = ArraySubquery(rows.order_by("-pk").values("pk")[:most])
    return rows.filter(AmongThese(F("pk"), keys)).order_by("-pk")


def count_of(rows: QuerySet[Any], most: int | None = None, *, alike: Sequence[str] = ()) -> Question:
    """How many there are; counting stops one beyond `most`, where nobody needs to know how many more.

    Those that are alike in some columns count as one; in their order, so that an index can tell them.
    """
    found = rows.order_by(*alike).values(*alike).distinct() if alike else rows.order_by().values("pk")
    try:
        sql, values = found[: None if most is None else most + 1].query.sql_with_params()
    except EmptyResultSet:
        return Question("0")
    return Question(f"(SELECT count(*) FROM ({sql}) counted)", tuple(values))  # noqa: S608 — what Django compiled


def sum_of(rows: QuerySet[Any], column: str) -> Question:
    """This column of all of them together."""
    try:
        sql, values = rows.order_by().values_list(column).query.sql_with_params()
    except EmptyResultSet:
        return Question("0")
    summed = f"(SELECT coalesce(sum(number), 0) FROM ({sql}) summed (number))"  # noqa: S608 — what Django compiled
    return Question(summed, tuple(values))


def first_of(rows: QuerySet[Any], column: str) -> Question:
    """This column of the first row, or None."""
    try:
        sql, values = rows.values(column)[:1].query.sql_with_params()
    except EmptyResultSet:
        return Question("NULL")
    return Question(f"({sql})", tuple(values))


def least_of(rows: QuerySet[Any], column: str) -> Question:
    """The least of this column, or None."""
    try:
        sql, values = rows.values(column).query.sql_with_params()
    except EmptyResultSet:
        return Question("NULL")
    name = connection.ops.quote_name(column)
    return Question(f"(SELECT min({name}) FROM ({sql}) found)", tuple(values))  # noqa: S608 — what Django compiled


def rows_of(rows: QuerySet[Any]) -> Question:
    """The rows themselves, each a table of its columns; moments come as text."""
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return Question("'[]'::json")
    found = f"(SELECT coalesce(json_agg(found), '[]'::json) FROM ({sql}) found)"  # noqa: S608 — what Django compiled
    return Question(found, tuple(values))


def ask(**questions: Question) -> dict[str, Any]:
    """The answers by their names, as of one moment."""
    told = [f"{question.sql} AS {connection.ops.quote_name(name)}" for name, question in questions.items()]
    values = [value for question in questions.values() for value in question.values]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(told)}", values)
        return dict(zip(questions, cursor.fetchone(), strict=True))
