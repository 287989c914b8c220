"""What `/metrics` reads of the parts at each scrape."""

from collections.abc import Callable
from typing import Any

from actors.cluster.release import installed_version
from actors.metrics import Sources
from actors.wiring import ProcessParts


def sources_of(parts: ProcessParts, ready: Callable[[], bool]) -> Sources:
    """Every part that counts something; what runs once for the fleet only where it runs."""
    here, stream = parts.if_here, parts.events.stream
    return Sources(
        board=parts.board,
        store_writer=parts.store_writer,
        fleet=parts.fleet,
        dead_letters=parts.dead_letters,
        quality=here(lambda its: its.quality),
        events=None if stream is None else stream.statistics,
        events_missed=lambda: parts.webhooks.events_missed,
        learned=here(lambda its: its.learning.learner.statistics()),
        version=installed_version(),
        ready=ready,
        clock=parts.environment.clock,
        tells_fleet=lambda: parts.fleetwide_here is not None,
        network_answers=here(
            lambda its: its.watcher.problem is None if its.watcher.asked else None
        ),
        also=parts.sight.metrics,
        more={
            "directory": here(lambda its: its.device_discovery.statistics()),
            "dispatcher": here(lambda its: its.dispatcher.statistics()),
            "inquirer": parts.inquirer.statistics,
            "watcher": here(lambda its: its.watcher.statistics()),
            "sweeper": here(lambda its: its.sweeper.statistics()),
            "alerter": here(lambda its: its.alerter.statistics()),
            "hooks": here(lambda its: its.outgoing.statistics()),
            "quality": here(lambda its: its.quality.statistics()),
            "timers": parts.timeouts.statistics,
            "clock": parts.timekeeper.statistics,
            "webhooks": parts.webhooks.statistics,
            **{name: _integration(parts, name) for name in parts.environment.integrations},
        },
    )


def _integration(parts: ProcessParts, name: str) -> Callable[[], Any]:
    return parts.if_here(lambda its: its.integrations[name].statistics())
