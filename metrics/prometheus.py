"""/metrics: how the platform fares now, in Prometheus' text format.

There is nothing by club: 500 clubs times ten figures would be thousands of series that nobody looks at, and
a club's name in a label would leave this installation. The page Metrics has the clubs.
"""

import hmac
import logging

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from metrics.gauges import PlatformCollector

logger = logging.getLogger(__name__)
SCHEME = "bearer"


@require_safe
@never_cache
def scrape(request: HttpRequest) -> HttpResponse:
    """Everything of this moment, for whoever shows the token; without a token in the settings there is no such page."""
    if not settings.METRICS_TOKEN:
        return HttpResponseNotFound("Not found.\n", content_type="text/plain")
    if not is_allowed(request.headers.get("Authorization", "")):
        response = HttpResponse("Unauthorized.\n", status=401, content_type="text/plain")
        response["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return response
    registry = CollectorRegistry(auto_describe=False)
    try:
        # What has been gathered belongs to this answer alone: no process keeps figures of its own.
        registry.register(PlatformCollector.gather())
    except (DatabaseError, InterfaceError) as error:
        logger.error("the figures could not be gathered", extra={"reason": type(error).__name__})
        return HttpResponse("The database is not reachable.\n", status=503, content_type="text/plain")
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def is_allowed(authorization: str) -> bool:
    """Whether this header holds the token, in the same time whatever it holds."""
    scheme, _, given = authorization.partition(" ")
    shown = given.strip().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(shown, settings.METRICS_TOKEN.encode()) and scheme.lower() == SCHEME
