"""`make chaos`: python -m tests.faults [--seed N] [--times M] [--notes N]."""

import argparse
import os
import random
import shutil
import signal
import sys
from pathlib import Path

from tests.faults.surroundings import environment

VAR = Path(__file__).resolve().parent.parent.parent / "var"
WORKERS = 7
# Everything a twentieth or so of its default, so that what takes minutes in earnest takes seconds here.
ENGINE: dict[str, float] = {
    "lease": 3,
    "provider_pause": 1,
    "probe_pause": 2,
    "longest_probe_pause": 8,
    "first_pause": 0.5,
    "longest_pause": 4,
    "ring_again_first": 2,
    "ring_again_longest": 8,
    "watchdog_pause": 0.5,
    "forgotten_after": 3,
    "beat_every": 1,
    "cluster_lost_after": 6,
    "self_test_after": 5,
    # More than the 10 s for which django-q's pusher sleeps when the database has gone.
    "wedged_after": 15,
    "stopping_grace": 2,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description="Kill everything, again and again.")
    parser.add_argument("--seed", type=int, help="repeats a run; by default a new one, printed")
    parser.add_argument("--times", type=int, default=1, help="this many runs, each with the next seed")
    parser.add_argument("--notes", type=int, default=200)
    options = parser.parse_args()
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10_000)
    var_dir = VAR / f"chaos-{os.getpid()}"
    # So that whatever stops this run lets it clean up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    os.environ.update(environment(var_dir, workers=WORKERS, engine=ENGINE))

    import django

    django.setup()
    from tests.faults import chaos

    try:
        results = [chaos.run(seed, var_dir, options.notes) for seed in range(first, first + options.times)]
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)
    chaos.show(results)
    return 0 if all(result.holds for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
