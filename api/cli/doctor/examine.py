"""Look at everything, within a minute, in the order in which one thing needs the other.

The rule it keeps: what could not be looked at in time is said, never passed over.
"""

from collections.abc import Callable, Sequence

import trio

from api.cli.doctor import judge, surroundings
from api.cli.doctor.finding import Finding, ok, unknown
from api.service import region_of
from api.settings import ApiSettings
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.inspection import ProfileInfo
from lorawan.events.model import Modulation, TxAck
from lorawan.network import DeviceState, HttpIntegration, ListedDevice, NetworkError

WHOLE_S = 50.0
LOOKED_AT_MOST = 200
"""Lights that are asked for one by one: 16 at a time, some 5 ms each, take well under a second."""
TOGETHER = 16
REPLAYED = 3
"""Lights whose kept events are read, about 2 s each, all at once."""


async def examine(settings: ApiSettings, now: Callable[[], float]) -> list[Finding]:
    """Every finding, in order."""
    found: list[Finding] = []
    with trio.move_on_after(WHOLE_S) as whole:
        found += await surroundings.store(settings)
        found.append(await surroundings.service(settings))
        await _chirpstack(settings, now, found)
    if whole.cancelled_caught:
        found.append(unknown("time", f"not all could be looked at within {WHOLE_S:g} s"))
    return found


async def _chirpstack(
    settings: ApiSettings, now: Callable[[], float], found: list[Finding]
) -> None:
    """What only ChirpStack can tell; `found` grows, so that what was seen in time is kept."""
    chirpstack = settings.chirpstack
    try:
        connection = chirpstack.connection()
        async with ChirpStackClient(connection) as client:
            try:
                gateways = await client.gateways()
                devices = await client.devices(chirpstack.profile_contains)
            except NetworkError as error:
                target, tenant_id = chirpstack.target, chirpstack.tenant_id
                found.append(
                    judge.unreached(error, target, tls=chirpstack.tls, tenant_id=tenant_id)
                )
                return
            found.append(ok("ChirpStack", f"{chirpstack.target} answers"))
            found += await _key_and_version(client, devices)
            found += judge.profiles(await _profiles(client, devices, found), settings.radio.region)
            states = await _states(client, devices)
            found += judge.lights(
                len(devices),
                states,
                now(),
                settings.policy.silent_after_s,
                chirpstack.profile_contains,
            )
            region = region_of(settings)
            heard = sorted(states, key=lambda each: -(each.last_seen_at or 0.0))[:REPLAYED]
            used = await _downlinks(client, heard, region.rx2_frequency_hz)
            found += judge.rx2(region, settings.radio.rx2_dr, judge.count(used))
            found.append(judge.gateways(gateways, now(), settings.gateways.offline_after_s))
            found.append(judge.clock(gateways, states, now()))
            found += await _integrations(client, devices)
    except (NetworkError, OSError) as error:
        found.append(unknown("ChirpStack", f"the examination broke off: {error}"))


async def _key_and_version(
    client: ChirpStackClient, devices: Sequence[ListedDevice]
) -> list[Finding]:
    if not devices:
        return [judge.rights(None), judge.version(None)]
    inspection = client.inspection
    return [
        judge.rights(await inspection.may_enqueue(devices[0].dev_eui)),
        judge.version(await inspection.lists_profiles(devices[0].application_id)),
    ]


async def _profiles(
    client: ChirpStackClient, devices: Sequence[ListedDevice], found: list[Finding]
) -> list[ProfileInfo]:
    profiles: list[ProfileInfo] = []
    for profile_id in sorted({each.device_profile_id for each in devices}):
        try:
            profiles.append(await client.inspection.profile(profile_id))
        except NetworkError as error:
            found.append(unknown("profile", f"{profile_id} cannot be read: {error}"))
    return profiles


async def _states(client: ChirpStackClient, devices: Sequence[ListedDevice]) -> list[DeviceState]:
    states: list[DeviceState] = []
    limiter = trio.CapacityLimiter(TOGETHER)

    async def look(dev_eui: str) -> None:
        async with limiter:
            try:
                states.append(await client.inspection.device(dev_eui))
            except NetworkError:
                return  # deleted meanwhile, or the server hangs: counted by its absence

    async with trio.open_nursery() as nursery:
        for each in devices[:LOOKED_AT_MOST]:
            nursery.start_soon(look, each.dev_eui)
    return states


async def _downlinks(
    client: ChirpStackClient, states: list[DeviceState], frequency_hz: int
) -> list[Modulation]:
    used: list[Modulation] = []

    async def read(dev_eui: str) -> None:
        try:
            events = await client.replay(dev_eui)
        except NetworkError:
            return  # then there is nothing to compare with, which is said
        used.extend(
            event.modulation
            for event in events
            if isinstance(event, TxAck) and event.modulation and event.frequency_hz == frequency_hz
        )

    async with trio.open_nursery() as nursery:
        for state in states:
            nursery.start_soon(read, state.dev_eui)
    return used


async def _integrations(client: ChirpStackClient, devices: Sequence[ListedDevice]) -> list[Finding]:
    names = {each.application_id: each.application_name for each in devices}
    found: dict[str, HttpIntegration | None] = {}
    for application_id, name in sorted(names.items()):
        found[name] = await client.http_integration(application_id)
    findings = list(judge.integrations(found))
    probed: set[str] = set()
    for integration in found.values():
        for url in judge.our_urls(integration) if integration is not None else ():
            if integration is not None and url not in probed:
                probed.add(url)
                findings.append(
                    judge.webhook(url, *await surroundings.probe(url, integration.headers))
                )
    return findings
