"""The page Metrics over 90 days of 500 clubs: how many queries it makes, and how long the server takes."""

from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from tests.benchmarks.history_loader import CLUBS, DAYS, load_history
from tests.benchmarks.pages import PLAIN_STATIC_FILES, ROUNDS, ask
from tests.benchmarks.surroundings import Table
from tests.factories import make_user
from voicepipeline.models import Organization

# The same for one club as for all, with a comparison and without.
MOST_QUERIES = 16
TARGET_MS = 500


def measure(table: Table) -> None:
    table.heading(
        f"Metrics page: {DAYS} days of {CLUBS} clubs, p50 / slowest of {ROUNDS} (target {TARGET_MS} ms without clubs)"
    )
    if not Organization.objects.filter(slug__startswith="club-of-history").exists():
        table.row("made by the loader in", f"{load_history(timezone.now()):.0f} s")
    client = Client()
    client.force_login(make_user("Administrator"))
    page, clubs = reverse("admin:metrics_dashboard"), reverse("admin:metrics_dashboard_clubs")
    club = Organization.objects.filter(slug__startswith="club-of-history").first()
    assert club is not None
    addresses = {
        "the last hour": f"{page}?range=1h&compare=1",
        "24 hours": page,
        "7 days, compared": f"{page}?range=7d&compare=1",
        "90 days": f"{page}?range=90d",
        "30 days of a club, compared": f"{page}?range=30d&compare=1&club={club.pk}",
        "90 days of a club": f"{page}?range=90d&club={club.pk}",
        "table of clubs, 24 hours": f"{clubs}?range=24h",
        "table of clubs, 90 days": f"{clubs}?range=90d",
        "table of clubs, 90 days, every club": f"{clubs}?range=90d&clubs=all&sort=-cost",
    }
    too_many = []
    with override_settings(STORAGES=PLAIN_STATIC_FILES, ALLOWED_HOSTS=["*"]):
        for name, address in addresses.items():
            queries, times = ask(client, address)
            table.row(name, f"{sorted(times)[len(times) // 2]:.0f} / {max(times):.0f} ms", f"{queries} queries")
            too_many += [f"{name} makes {queries}"] if queries > MOST_QUERIES else []
    assert not too_many, f"At most {MOST_QUERIES} queries: {'; '.join(too_many)}"
