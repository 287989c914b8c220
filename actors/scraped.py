"""What `/metrics` reads of the parts at each scrape."""

from actors.metrics import Sources
from actors.wiring import Parts


def sources_of(parts: Parts) -> Sources:
    """Every part that counts something."""
    return Sources(
        board=parts.board,
        store_writer=parts.store_writer,
        fleet=parts.fleet,
        dead_letters=parts.dead_letters,
        quality=parts.quality,
        events_missed=lambda: parts.webhooks.events_missed,
        learned=parts.learning.learner.statistics,
        more={
            "directory": parts.device_discovery.statistics,
            "dispatcher": parts.dispatcher.statistics,
            "inquirer": parts.inquirer.statistics,
            "watcher": parts.watcher.statistics,
            "sweeper": parts.sweeper.statistics,
            "alerter": parts.alerter.statistics,
            "quality": parts.quality.statistics,
            "timers": parts.timeouts.statistics,
            "clock": parts.timekeeper.statistics,
            "webhooks": parts.webhooks.statistics,
        },
    )
