"""What staff do about failures, and what came of it."""

from retry.models.attempts import RetryAttempt, RetryKind
from retry.models.bulk import BulkRetry, BulkRetryItem
from retry.models.groups import FailureGroup, FailureMark

__all__ = ["BulkRetry", "BulkRetryItem", "FailureGroup", "FailureMark", "RetryAttempt", "RetryKind"]
