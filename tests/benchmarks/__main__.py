"""Run the measurements: all of them, or those that are named."""

import argparse
from importlib import import_module

from tests.benchmarks.surroundings import Table, measuring_database

MEASUREMENTS = (
    "event_log",
    "aggregation",
    "days",
    "cluster",
    "throughput",
    "pages",
    "history",
    "metrics_page",
    "retry",
    "overview",
    "crowd",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(MEASUREMENTS))
    names = parser.parse_args().names or MEASUREMENTS
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"there is no measurement called {', '.join(sorted(unknown))}")
    table = Table()
    with measuring_database():
        for name in names:
            import_module(f"tests.benchmarks.{name}").measure(table)


if __name__ == "__main__":
    main()
