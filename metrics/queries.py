"""What pages and commands ask of live figures and history; nothing here reads events."""

from collections.abc import Sequence
from datetime import datetime

from metrics.figures import ClubFigures, History, LiveMetrics, PromptFigures, SourceFigures, StageFigures
from metrics.models import PeriodType
from voicepipeline.models import Organization


def get_real_time_metrics(organization: Organization | None = None, *, now: datetime | None = None) -> LiveMetrics:
    """The last 60 whole minutes of the platform or of one club, from live figures alone."""
    raise NotImplementedError


def get_historical_metrics(
    period_type: PeriodType | None, start: datetime, end: datetime, organization: Organization | None = None
) -> History:
    """The hours or days of this span; without a period type hours up to 7 days, and days beyond."""
    raise NotImplementedError


def get_stage_breakdown(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[StageFigures]:
    """The four stages in order, then the whole way."""
    raise NotImplementedError


def get_org_breakdown(start: datetime, end: datetime) -> Sequence[ClubFigures]:
    """Every club by volume, and last what belongs to none."""
    raise NotImplementedError


def get_source_breakdown(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[SourceFigures]:
    """Every source channel that notes came by, by volume."""
    raise NotImplementedError


def get_prompt_breakdown(
    start: datetime, end: datetime, organization: Organization | None = None
) -> Sequence[PromptFigures]:
    """Every version of the prompt that was in use, the newest name first."""
    raise NotImplementedError
