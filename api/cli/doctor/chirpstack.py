"""What only ChirpStack can tell: the facts are asked for here and judged in `judge`.

A question that ChirpStack does not answer costs only its own finding.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from api.cli.doctor import judge, surroundings
from api.cli.doctor.finding import Diagnosis, ok, unknown
from api.service import region_of
from api.settings.model import ApiSettings
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.inspection import ProfileInfo
from lorawan.events.model import Modulation, TxAck
from lorawan.network import DeviceState, HttpIntegration, ListedDevice, NetworkError

LOOKED_AT_MOST = 200
"""Lights that are asked for one by one: 16 at a time, some 5 ms each, take well under a second."""
TOGETHER = 16
REPLAYED = 3
"""Lights whose kept events are read, about 2 s each, all at once."""

Guarded = Callable[..., Awaitable[None]]
"""`examine.guarded`."""


async def chirpstack(
    settings: ApiSettings, now: Callable[[], float], found: list[Diagnosis], guarded: Guarded
) -> list[Diagnosis]:
    """All checks; `found` grows while they are made, so that what was seen in time is kept."""
    told = settings.chirpstack
    async with ChirpStackClient(told.connection()) as client:
        try:
            gateways = await client.gateways()
            devices = await client.devices(told.profile_contains)
        except NetworkError as error:
            return [
                judge.unreached(error, told.target, tls=told.tls, tenant_id=told.tenant_id),
            ]
        found.append(ok("ChirpStack", f"{told.target} answers"))
        await guarded(found, "API key", _rights, client, devices)
        await guarded(found, "version", _version, client, devices)
        await guarded(found, "profile", _profiles, client, devices, settings.radio.region)
        states: list[DeviceState] = []
        await guarded(found, "lights", _lights, client, devices, states, settings, now())
        await guarded(found, "RX2", _rx2, client, states, settings)
        await guarded(found, "gateways", _gateways, gateways, settings, now())
        await guarded(found, "clock", _clock, gateways, states, now())
        await guarded(found, "integration", _integrations, client, devices, found, guarded)
    return []


async def _rights(client: ChirpStackClient, devices: Sequence[ListedDevice]) -> list[Diagnosis]:
    if not devices:
        return [judge.rights(None)]
    return [judge.rights(await client.inspection.may_enqueue(devices[0].dev_eui))]


async def _version(client: ChirpStackClient, devices: Sequence[ListedDevice]) -> list[Diagnosis]:
    if not devices:
        return [judge.version(None)]
    return [judge.version(await client.inspection.lists_profiles(devices[0].application_id))]


async def _profiles(
    client: ChirpStackClient, devices: Sequence[ListedDevice], region: str
) -> list[Diagnosis]:
    profiles: list[ProfileInfo] = []
    found: list[Diagnosis] = []
    for profile_id in sorted({each.device_profile_id for each in devices}):
        try:
            profiles.append(await client.inspection.profile(profile_id))
        except NetworkError as error:
            found.append(unknown("profile", f"{profile_id} cannot be read: {error}"))
    return [*found, *judge.profiles(profiles, region)]


async def _lights(
    client: ChirpStackClient,
    devices: Sequence[ListedDevice],
    states: list[DeviceState],
    settings: ApiSettings,
    now: float,
) -> list[Diagnosis]:
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
    contains = settings.chirpstack.profile_contains
    silent_s = settings.policy.silent_after_s
    return list(judge.lights(len(devices), states, now, silent_s, contains))


async def _rx2(
    client: ChirpStackClient, states: Sequence[DeviceState], settings: ApiSettings
) -> list[Diagnosis]:
    region = region_of(settings)
    heard = sorted(states, key=lambda each: -(each.last_seen_at or 0.0))[:REPLAYED]
    used: Counter[Modulation] = Counter()
    elsewhere: Counter[int] = Counter()

    async def read(dev_eui: str) -> None:
        try:
            events = await client.replay(dev_eui)
        except NetworkError:
            return  # then there is nothing to compare with, which is said
        for event in events:
            if not isinstance(event, TxAck) or event.modulation is None:
                continue
            if event.frequency_hz == region.rx2_frequency_hz:
                used[event.modulation] += 1
            else:
                elsewhere[event.frequency_hz] += 1

    async with trio.open_nursery() as nursery:
        for state in heard:
            nursery.start_soon(read, state.dev_eui)
    return list(judge.rx2(region, settings.radio.rx2_dr, used, elsewhere))


async def _gateways(gateways: Any, settings: ApiSettings, now: float) -> list[Diagnosis]:
    return [judge.gateways(gateways, now, settings.gateways.offline_after_s)]


async def _clock(gateways: Any, states: Sequence[DeviceState], now: float) -> list[Diagnosis]:
    return [judge.clock(gateways, states, now)]


async def _integrations(
    client: ChirpStackClient,
    devices: Sequence[ListedDevice],
    found: list[Diagnosis],
    guarded: Guarded,
) -> list[Diagnosis]:
    names = _labels({each.application_id: each.application_name for each in devices})
    present: dict[str, HttpIntegration | None] = {}
    for application_id, label in sorted(names.items()):
        try:
            present[label] = await client.http_integration(application_id)
        except NetworkError as error:
            found.append(unknown("integration", f"of application {label}: {error}"))
    found += judge.integrations(present)
    probed: set[tuple[str, str]] = set()
    for integration in present.values():
        for url in judge.our_urls(integration) if integration is not None else ():
            headers = {} if integration is None else integration.headers
            key = (url, repr(sorted(headers.items())))
            if key not in probed:
                probed.add(key)
                await guarded(found, "webhook", _webhook, url, headers)
    return []


async def _webhook(url: str, headers: dict[str, str]) -> list[Diagnosis]:
    answer = await surroundings.probe(url, headers)
    return [judge.webhook(url, answer.status, answer.said, ours=answer.problem)]


def _labels(names: dict[str, str]) -> dict[str, str]:
    """By id, the name; with the id where two applications have one name."""
    twice = {name for name, count in Counter(names.values()).items() if count > 1}
    return {
        application_id: f"{name} ({application_id})" if name in twice else name
        for application_id, name in names.items()
    }
