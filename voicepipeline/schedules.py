"""What this app does by the clock, and who keeps the clock's table right."""

from datetime import timedelta
from typing import Any

from voicepipeline.registry import Schedule, Tick, registry


def write_schedules(**kwargs: Any) -> None:
    # Imported late: apps are told of their schedules before their models are there.
    from voicepipeline.operations import schedules

    schedules.write_schedules()


def ring_quiet_bulk_work() -> None:
    from voicepipeline.operations import bulk_work

    bulk_work.ring_quiet_work()


def register() -> None:
    registry.add_schedule(
        Schedule(
            name="Tidy up",
            func="voicepipeline.tasks.tidy_up",
            cron="20 3 * * *",
            purpose=(
                "Deletes sign-ins that are over, lists of players not applied for a day, clusters not heard from for a "
                "week, and queue failures and lost log entries older than 30 days."
            ),
        )
    )
    registry.add_schedule(
        Schedule(
            name="Check AI models",
            func="voicepipeline.tasks.check_models",
            cron="40 4 * * *",
            purpose=(
                "Asks the AI provider whether it still has the models in use, and until when. "
                "Fails when the provider cannot be asked; what it told before is kept."
            ),
        )
    )
    registry.add_schedule(
        Schedule(
            name="Sweep recordings",
            func="voicepipeline.tasks.sweep_recordings",
            cron="40 3 * * *",
            purpose=(
                "Deletes recordings that no voice note names and uploads that never ended, each older than an hour: "
                "what a crash left behind."
            ),
        )
    )
    registry.add_schedule(
        Schedule(
            name="Expire entries",
            func="voicepipeline.tasks.expire_entries",
            cron="10 * * * *",
            purpose="Closes suggested entries that nobody has decided about within 7 days.",
        )
    )
    # Somebody who edits the queue's table by hand stops all jobs with one bad row.
    registry.add_tick(Tick(name="schedules", every=timedelta(seconds=60), run=write_schedules))
    registry.add_tick(Tick(name="bulk actions", every=timedelta(seconds=10), run=ring_quiet_bulk_work))
