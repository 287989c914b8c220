"""Run all checks within a minute, each after those whose result it needs.

A check that did not end in time is reported as such; a check that crashes is a finding of its own,
and the next one is run.
"""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypeVarTuple

import structlog
import trio

from api.cli.doctor import (
    calibration,
    chirpstack,
    cluster,
    events,
    mqtt,
    own_service,
    store,
    surroundings,
)
from api.cli.doctor.finding import Diagnosis, broken, leaves, unknown
from api.settings.model import ApiSettings
from lorawan.network import NetworkError

log = structlog.get_logger()

WHOLE_S = 50.0

Ts = TypeVarTuple("Ts")


async def examine(
    settings: ApiSettings,
    now: Callable[[], float],
    config: Path | None = None,
    token: str | None = None,
) -> list[Diagnosis]:
    """Every finding, in order. `config` is the file that the settings came from; `token` is shown
    to our own service where the settings hold none in clear."""
    found: list[Diagnosis] = []
    with trio.move_on_after(WHOLE_S) as whole:
        await guarded(found, "settings", surroundings.times, settings)
        await guarded(found, "secrets", surroundings.secrets, settings, config)
        await guarded(found, "tokens", surroundings.tokens, settings)
        await guarded(found, "store", store.store, settings)
        await guarded(found, "service", own_service.service, settings, token)
        await guarded(found, "cluster", cluster.cluster, settings, token)
        await guarded(found, "events", events.events, settings)
        await guarded(found, "MQTT", mqtt.mqtt, settings)
        await guarded(found, "calibration", calibration.calibration, settings, token)
        await guarded(found, "ChirpStack", chirpstack.chirpstack, settings, now, found, guarded)
    if whole.cancelled_caught:
        found.append(unknown("time", f"not all could be looked at within {WHOLE_S:g} s"))
    return found


async def guarded(
    found: list[Diagnosis],
    check: str,
    look: Callable[[*Ts], Awaitable[Iterable[Diagnosis]]],
    *args: *Ts,
) -> None:
    """Make one check; whatever it raises is told and ends this check alone."""
    try:
        found += await look(*args)
    except NetworkError as error:
        found.append(unknown(check, f"ChirpStack did not tell: {error}"))
    except Exception as error:  # noqa: BLE001 a check must not take the others with it
        told = [each for each in leaves(error) if isinstance(each, NetworkError)]
        if len(told) == len(leaves(error)):
            found.append(unknown(check, f"ChirpStack did not tell: {told[0]}"))
        else:
            found.append(broken(check, error))
