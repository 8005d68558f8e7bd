"""What broke at one hour or day, so that the next one can be seen to."""

from django.db import connection

from voicepipeline.tracebacks import causes, what


def overcome(error: BaseException) -> str:
    """Its first cause, without its words; a connection that was lost is given up, whoever comes next gets another."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    return what([*causes(error)][-1])
