"""Which lights ChirpStack knows: who is on the board, who leaves it, and what they are called.

ChirpStack's listing decides, and only a listing that was read to its end. One that cannot be read
removes nothing.

Theory of leaving. A listing may lack a light by mistake: an item moved between two pages, a device
is deleted and created again when it changes its application, a key or a filter of a proxy hides
half of them, a database is being restored. So a light leaves when two listings in a row, a minute
apart, lack it. Where many are lacking at once (more than a tenth of the fleet and more than `FEW`),
or the listing is empty while more than `FEW` lights are known, that is more likely a fault of the
listing than the end of so many lights: then every listing for an hour must lack them, which is time
for a person to see the log and `/readyz`; and where ChirpStack, asked about one of the lacking
lights itself, still knows some of them, nothing leaves for a day. A light that only an event told
of (webhooks are as true as their token) leaves as soon as one listing that began after it lacks it:
nothing is lost by that.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
import trio

from actors.clocks.clock import Clock
from actors.device.events import DeviceEvent, Listed
from actors.device.model import Device
from actors.messaging.reply import ActorError
from actors.supervision import Backoff, SupervisorStopped
from lorawan.network import ListedDevice, NetworkError, NetworkServer, NetworkUnknown
from store.errors import StoreError

log = structlog.get_logger()

PERIOD_S = 900.0
"""New lights register themselves by their first uplink; this is for those that cannot be heard."""
AGAIN = Backoff(first_s=5.0, factor=2.0, most_s=300.0, jitter=0.2)
TIMEOUT_S = 120.0
"""20,000 lights are 200 pages of some 50 ms."""
CHUNK = 100
"""Registered between two checkpoints, some 40 us each: 4 ms."""
AGAIN_S = 60.0
"""The next listing where one lacks a light of ours."""
PROVISIONAL_S = 30.0
"""The pause before a listing that somebody asked for, because an unlisted light was heard."""
FEW = 3
"""So many lights may be lacking of the smallest fleet without a doubt about the listing."""
MANY_S = 3_600.0
MANY_DOUBTED_S = 86_400.0
PROBES = 5
"""Lacking lights that are asked about by themselves where many are lacking."""

NOT_LISTED = "ChirpStack does not list it any more"


@dataclass(frozen=True, slots=True)
class DeviceDiscoveryStatistics:
    """Listings read and failed since the start; lights found in the newest, and registered ever."""

    readings: int
    failures: int
    listed: int
    registered: int
    lacking: int = 0
    """Lights of ours that the newest listing did not have."""


@dataclass(frozen=True, slots=True)
class DeviceDiscoveryPorts:
    """What the directory does to the fleet beside registering. `post` must not wait."""

    remove: Callable[[str, str, bool], Awaitable[bool]]
    """(DevEUI, why, whether it was ever listed); raises ActorError."""
    confirm: Callable[[str], None]
    provisional: Callable[[], Mapping[str, float]]
    """Lights that only their own events told of, and since when."""
    devices: Callable[[], Mapping[str, Device]]
    post: Callable[[str, DeviceEvent], object]


class DeviceDiscovery:
    """One actor. `register` is the fleet's door; without `ports` it only adds."""

    def __init__(
        self,
        network: NetworkServer,
        known: Callable[[], Mapping[str, object]],
        register: Callable[[Device], object | None],
        clock: Clock,
        *,
        profile_contains: str,
        chance: Callable[[], float],
        period_s: float = PERIOD_S,
        ports: DeviceDiscoveryPorts | None = None,
    ) -> None:
        self._network = network
        self._known = known
        self._register = register
        self._clock = clock
        self._profile_contains = profile_contains
        self._chance = chance
        self._period_s = period_s
        self._ports = ports
        self._readings = self._failures = self._listed = self._registered = 0
        # Lights that the newest listings lack: when first, and how many listings in a row.
        self._lacking: dict[str, tuple[float, int]] = {}
        self._tags: dict[str, dict[str, str]] = {}
        """A light's own tags in the listing before: about 300 bytes for each light."""
        self._asked = trio.Event()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Read the listing now and every period, until cancelled."""
        task_status.started()
        in_a_row = 0
        while True:
            in_a_row = 0 if await self._read() else in_a_row + 1
            pause_s = self._period_s
            if in_a_row:
                pause_s = AGAIN.delay_s(in_a_row, self._chance())
            elif self._ports is not None and self._ports.provisional():
                pause_s = min(pause_s, PROVISIONAL_S)
            elif self._lacking:
                pause_s = min(pause_s, AGAIN_S)
            began_s = trio.current_time()
            with trio.move_on_after(pause_s):
                await self._asked.wait()
                pause_s = min(pause_s, PROVISIONAL_S)
            await trio.sleep_until(began_s + pause_s)
            self._asked = trio.Event()

    def look_soon(self) -> None:
        """A light was heard that no listing told of: look within half a minute."""
        self._asked.set()

    def statistics(self) -> DeviceDiscoveryStatistics:
        """Counters, now."""
        return DeviceDiscoveryStatistics(
            self._readings, self._failures, self._listed, self._registered, len(self._lacking)
        )

    async def _read(self) -> bool:
        began_at = self._clock.now()
        try:
            with trio.fail_after(TIMEOUT_S):
                listed = await self._network.devices(self._profile_contains)
        except (NetworkError, trio.TooSlowError) as error:
            self._failures += 1
            log.warning("lights not listed", error=str(error) or "timeout")
            return False
        self._readings += 1
        self._listed = len(listed)
        for count, one in enumerate(listed, start=1):
            self._take_in(one)
            if count % CHUNK == 0:
                await trio.lowlevel.checkpoint()
        if self._ports is not None:
            await self._compare({one.dev_eui for one in listed}, self._ports, began_at)
        return True

    def _take_in(self, one: ListedDevice) -> None:
        if one.dev_eui in self._known():
            self._tell(one)
            return
        self._tags[one.dev_eui] = dict(one.tags)
        device = Device(
            dev_eui=one.dev_eui,
            name=one.name,
            application_id=one.application_id,
            application_name=one.application_name,
            profile_name=one.device_profile_name,
            tags=dict(one.tags),
            since=self._clock.now(),
        )
        try:
            self._registered += self._register(device) is not None
        except SupervisorStopped:
            log.info("lights listed while stopping")

    # Names and tags.

    def _tell(self, one: ListedDevice) -> None:
        """The light's fields as listed, where they differ; an empty one counts like any other.

        An event's tags are those of application, profile and device together, the listing has the
        device's own: so of these only what changed from one listing to the next is carried over.
        """
        ports, dev_eui = self._ports, one.dev_eui
        before, self._tags[dev_eui] = self._tags.get(dev_eui), dict(one.tags)
        if ports is None:
            return
        ports.confirm(dev_eui)
        device = ports.devices().get(dev_eui)
        if device is None:
            return
        tags = dict(device.tags)
        if device.session is None:
            tags = dict(one.tags)  # never heard: nobody else told of tags
        elif before is not None and before != one.tags:
            for key in before.keys() - one.tags.keys():
                if tags.get(key) == before[key]:
                    del tags[key]
            tags.update(one.tags)
        news = Listed(
            name=one.name,
            application_id=one.application_id,
            application_name=one.application_name,
            profile_name=one.device_profile_name,
            tags=tags,
        )
        if not news.told_by(device):
            ports.post(dev_eui, news)

    # Leaving.

    async def _compare(
        self, listed: set[str], ports: DeviceDiscoveryPorts, began_at: float
    ) -> None:
        now, provisional = self._clock.now(), dict(ports.provisional())
        lacking = [dev_eui for dev_eui in self._known() if dev_eui not in listed]
        for dev_eui in [one for one in lacking if provisional.get(one, now) < began_at]:
            await self._remove(dev_eui, ports, listed_once=False)
        settled = [dev_eui for dev_eui in lacking if dev_eui not in provisional]
        self._lacking = {
            dev_eui: (first_at, times + 1)
            for dev_eui in settled
            for first_at, times in [self._lacking.get(dev_eui, (began_at, 0))]
        }
        if not settled:
            return
        known = len(self._known())
        many = len(settled) > FEW and (len(settled) > known / 10 or not listed)
        least_s = AGAIN_S
        if many:
            log.warning("the listing lacks many lights", lacking=len(settled), known=known)
            least_s = MANY_DOUBTED_S if await self._still_there(settled[:PROBES]) else MANY_S
        for dev_eui, (first_at, times) in list(self._lacking.items()):
            if times < 2 or now - first_at < least_s:
                continue
            if await self._remove(dev_eui, ports, listed_once=True):
                del self._lacking[dev_eui]
                self._tags.pop(dev_eui, None)

    async def _still_there(self, dev_euis: list[str]) -> bool:
        """Whether ChirpStack, asked about these by themselves, does not say that all are gone."""
        for dev_eui in dev_euis:
            try:
                with trio.fail_after(TIMEOUT_S):
                    await self._network.device(dev_eui)
            except NetworkUnknown:
                continue
            except (NetworkError, trio.TooSlowError):
                return True
            return True
        return False

    async def _remove(
        self, dev_eui: str, ports: DeviceDiscoveryPorts, *, listed_once: bool
    ) -> bool:
        try:
            return await ports.remove(dev_eui, NOT_LISTED, listed_once)
        except (ActorError, StoreError) as error:
            log.warning("light not removed", dev_eui=dev_eui, error=str(error))
            return False
