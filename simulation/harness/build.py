"""The pretend world of a scenario, and the quiet in which it is run."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from simulation.harness.scenario import Scenario
from simulation.world.device import ServerSettings
from simulation.world.layout import FIRMWARE_MIX, OLD_FIRMWARE_MIX
from simulation.world.region import EU868, EU868_SF9
from simulation.world.world import World


def build_world(scenario: Scenario) -> World:
    """The pretend world of a scenario."""
    return World.build(
        scenario.seed,
        lights=scenario.devices,
        gateways=scenario.gateways,
        profile=scenario.world,
        region=EU868 if scenario.sf12 else EU868_SF9,
        settings=ServerSettings(
            scheduler_interval_s=scenario.scheduler_interval_s,
            mac_downlinks=scenario.world.mac_downlinks,
        ),
        firmware=OLD_FIRMWARE_MIX if scenario.old_firmware else FIRMWARE_MIX,
        power_on_spread_s=20.0,
    )


@contextmanager
def without_logs() -> Iterator[None]:
    """The actors' log lines would be millions."""
    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.ReturnLoggerFactory(),
        processors=[lambda _logger, _name, _event: ""],
    )
    try:
        yield
    finally:
        structlog.configure(**before)
