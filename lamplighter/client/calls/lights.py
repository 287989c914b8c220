"""Lights: which there are, what each shows, its history, and what can be done to one."""

from collections.abc import Mapping, Sequence

from lamplighter.client.ask import Ask, Repeat
from lamplighter.client.models import (
    DevicePage,
    DeviceSummary,
    DeviceView,
    HistoryPage,
    InitializationView,
    Phase,
    Reach,
    RiskList,
    SignalView,
    StatusAsked,
)
from lamplighter.client.paths import path
from lamplighter.client.steps import Call, Kit, Steps, Whole

PAGE = 1_000
"""Lights a page, the most that the service gives."""
PAGES_MOST = 100
"""100,000 lights, twice what a service is built for."""


def devices(
    *,
    phase: Sequence[Phase | str] = (),
    reachability: Sequence[Reach | str] = (),
    gateway: str | None = None,
    application: str | None = None,
    tag: str | None = None,
    search: str | None = None,
    as_wanted: bool | None = None,
) -> Call[list[DeviceSummary]]:
    """Every light that fits, by DevEUI. Filters are combined: of `phase` and `reachability` any of
    several, heard by a `gateway`, of an `application` (id or name), with a `tag` (`key` or
    `key=value`), with `search` in its DevEUI or name, showing what is wanted or not."""
    query = {
        "phase": list(phase),
        "reachability": list(reachability),
        "gateway": gateway,
        "application": application,
        "tag": tag,
        "search": search,
        "as_wanted": as_wanted,
    }
    return Whole(lambda kit: _pages(kit, query))


def device(dev_eui: str) -> Call[DeviceView]:
    """One light with all that is known of it."""
    return Ask(model=DeviceView, path=path("devices", dev_eui))


def history(
    dev_eui: str, *, since: float | None = None, until: float | None = None, limit: int = 200
) -> Call[HistoryPage]:
    """What happened to a light, newest first: since <= at < until in Unix seconds, by default the
    last 24 h. `next_until` of the page is the `until` of the next one."""
    query = {"since": since, "until": until, "limit": limit}
    return Ask(model=HistoryPage, path=path("devices", dev_eui, "events"), query=query)


def signal(dev_eui: str, *, hours: float = 24.0) -> Call[SignalView]:
    """How well a light was heard, over 168 hours at most."""
    return Ask(model=SignalView, path=path("devices", dev_eui, "signal"), query={"hours": hours})


def ask_status(dev_eui: str) -> Call[StatusAsked]:
    """Have a light say what it shows; it changes nothing."""
    return Ask(model=StatusAsked, method="POST", path=path("devices", dev_eui, "status"))


def initialize(dev_eui: str, *, force: bool = False) -> Call[InitializationView]:
    """Give a light its settings; with `force` also where its session has them already."""
    return _initialize(path("devices", dev_eui, "initialize"), force)


def initialize_all(*, force: bool = False) -> Call[InitializationView]:
    """The same for every light of the profile that the service is set to."""
    return _initialize("/devices/initialize", force)


def initialization(run_id: str | None = None) -> Call[InitializationView]:
    """How far it is; without an id the newest one."""
    parts = () if run_id is None else (run_id,)
    return Ask(model=InitializationView, path=path("devices", "initialize", *parts))


def flush_queue(dev_eui: str) -> Call[None]:
    """Empty the queue that ChirpStack holds for a light."""
    return Ask(model=type(None), method="DELETE", path=path("devices", dev_eui, "queue"))


def remove_device(dev_eui: str) -> Call[None]:
    """Forget a light that ChirpStack does not have any more."""
    return Ask(model=type(None), method="DELETE", path=path("devices", dev_eui), repeat=Repeat.GONE)


def risks(*, warned: bool | None = None, limit: int = 100, offset: int = 0) -> Call[RiskList]:
    """What is to be expected of each light; of those that a rule warns of, or does not."""
    query = {"warned": warned, "limit": limit, "offset": offset}
    return Ask(model=RiskList, path="/risks", query=query)


def _initialize(at: str, force: bool) -> Call[InitializationView]:
    return Ask(
        model=InitializationView,
        method="POST",
        path=at,
        body={"force": force},
        repeat=Repeat.NEVER,
    )


def _pages(kit: Kit, query: Mapping[str, object]) -> Steps[list[DeviceSummary]]:
    found: dict[str, DeviceSummary] = {}
    for number in range(PAGES_MOST):
        asked = {**query, "limit": PAGE, "offset": number * PAGE}
        page = yield from Ask(model=DevicePage, path="/devices", query=asked).steps(kit)
        found.update((light.dev_eui, light) for light in page.devices)
        if len(page.devices) < PAGE:
            break
    return list(found.values())
