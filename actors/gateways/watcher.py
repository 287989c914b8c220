"""The gateway watcher: asks ChirpStack for the gateways, and tells what changed.

While ChirpStack does not answer, every gateway keeps the state it had; only an uplink through it or
its acknowledgement of a downlink can still change that.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog
import trio

from actors.board.changes import GatewayView, GradeTold, PaceTold
from actors.clocks.clock import Clock, Steps
from actors.failure_texts import KEY_REFUSED, NO_ANSWER, brief, listing_trouble
from actors.gateways import health
from actors.gateways.announcer import Airtime, GatewayAnnouncer, no_airtime, no_grade, no_pace
from actors.gateways.health import Health
from actors.gateways.policy import WatchPolicy
from actors.replace import replace
from lorawan.network import GatewayInfo, NetworkError, NetworkServer

log = structlog.get_logger()

SLEPT_POLLS = 3.0
"""So many intervals without a poll, though ChirpStack was not away: this host slept."""


@dataclass(frozen=True, slots=True)
class WatcherStatistics:
    """Counters, and since when (Unix seconds) ChirpStack gave no list, and why."""

    gateways: int
    online: int
    unlisted: int
    polls: int
    failed_polls: int
    polled_at: float | None
    network_unreachable_since: float | None
    problem: str | None


class GatewayWatcher:
    """The actor. `publish` takes views, each of `on_change` a gateway and whether it is online,
    `on_return` one that ended a silence, `on_network` why ChirpStack gives no list, or None once it
    does again, and `on_list` at every poll whether it gave one. `shown` are the gateways that are
    shown, those of an earlier run among them. None of them may wait or raise.
    """

    def __init__(
        self,
        network: NetworkServer,
        publish: Callable[[GatewayView], None],
        clock: Clock,
        policy: WatchPolicy | None = None,
        *,
        on_change: Sequence[Callable[[str, bool], None]] = (),
        on_return: Callable[[str], None] = lambda gateway_id: None,
        airtime: Airtime = no_airtime,
        on_network: Callable[[str | None], None] = lambda problem: None,
        on_list: Callable[[bool], None] = lambda listed: None,
        shown: Callable[[], Iterable[GatewayView]] = tuple,
        lights_heard: Callable[[str], int] = lambda gateway_id: 0,
        takes_nothing_since: Callable[[str], float | None] = lambda gateway_id: None,
        grade: Callable[[str], GradeTold] = no_grade,
        pace: Callable[[str], PaceTold | None] = no_pace,
    ) -> None:
        self._network = network
        self._clock = clock
        self._steps = Steps(clock)
        self._policy = policy if policy is not None else WatchPolicy()
        self._announcer = GatewayAnnouncer(
            publish,
            clock,
            self._policy,
            on_change=on_change,
            on_return=on_return,
            airtime=airtime,
            lights_heard=lights_heard,
            takes_nothing_since=takes_nothing_since,
            grade=grade,
            pace=pace,
        )
        self._on_network = on_network
        self._on_list = on_list
        self._publish = publish
        self._shown = shown
        # Bound: the gateways that the server lists, and `unlisted_most` others.
        self._known: dict[str, Health] = {}
        self._polled_at: float | None = None
        self._unreachable_since: float | None = None
        self._problem: str | None = None
        self._polls = self._failed_polls = 0

    # ---------------------------------------------------------------- what it is told

    def heard(self, gateway_id: str, at: float) -> None:
        """An uplink came through this gateway at `at` (Unix seconds)."""
        self._follow_clock()
        before = self._known.get(gateway_id)
        if before is None and self._unlisted() >= self._policy.unlisted_most:
            return
        now = self._clock.now()
        self._alive(before, health.heard(before, gateway_id, at, now), now)

    def acknowledged(self, gateway_id: str, at: float) -> None:
        """A txack came from this gateway, of `at` (Unix seconds)."""
        self._follow_clock()
        before, now = self._known.get(gateway_id), self._clock.now()
        if before is not None:
            self._alive(before, health.acknowledged(before, at, now), now)

    def suspected(self, gateway_id: str) -> None:
        """The dispatcher changed its judgement of whether this gateway takes frames."""
        known = self._known.get(gateway_id)
        if known is not None:
            self._announcer.show(known)

    # ---------------------------------------------------------------- what it knows

    @property
    def asked(self) -> bool:
        """Whether ChirpStack was asked for its gateways at all, with whatever result."""
        return self._polled_at is not None or self._unreachable_since is not None

    @property
    def problem(self) -> str | None:
        """Why ChirpStack gives no list, in words; None while it does."""
        return self._problem

    @property
    def key_refused(self) -> bool:
        """Whether ChirpStack refused our API key at the newest list."""
        return self._problem is not None and self._problem.startswith(KEY_REFUSED)

    def is_online(self, gateway_id: str) -> bool | None:
        """Whether it is; None for a gateway that was never listed nor heard."""
        known = self._known.get(gateway_id)
        return None if known is None else known.online

    def name_of(self, gateway_id: str) -> str:
        """The gateway's name, or its id where it has none."""
        known = self._known.get(gateway_id)
        return gateway_id if known is None or known.info is None else known.info.name or gateway_id

    def statistics(self) -> WatcherStatistics:
        """Counters, now."""
        return WatcherStatistics(
            gateways=len(self._known),
            online=sum(known.online for known in self._known.values()),
            unlisted=self._unlisted(),
            polls=self._polls,
            failed_polls=self._failed_polls,
            polled_at=self._polled_at,
            network_unreachable_since=self._unreachable_since,
            problem=self._problem,
        )

    # ---------------------------------------------------------------- polling

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Poll until cancelled; the first list, or its deadline, comes before `started`."""
        await self._poll(self._policy.first_poll_timeout_s)
        task_status.started()
        next_at = trio.current_time()
        while True:
            # The server tells nothing by itself: this is the one place where we have to ask.
            next_at = max(next_at + self._pause_s(), trio.current_time())
            await trio.sleep_until(next_at)
            await self._poll(self._policy.poll_timeout_s)

    def _follow_clock(self) -> None:
        """The machine's clock was set: every date moves by as much, so that ages stay the same."""
        by_s = self._steps.take()
        if not by_s:
            return
        self._known = {one: health.moved(of, by_s) for one, of in self._known.items()}
        if self._polled_at is not None:
            self._polled_at += by_s
        if self._unreachable_since is not None:
            self._unreachable_since += by_s

    def _pause_s(self) -> float:
        self._follow_clock()
        policy, now = self._policy, self._clock.now()
        if self._unreachable_since is not None:
            return min(policy.poll_s, policy.unreachable_poll_s)
        looks = (health.look_again_s(one, policy, now) for one in self._known.values())
        return min(looks, default=policy.poll_s)

    async def _poll(self, timeout_s: float) -> None:
        began_at = self._clock.now()
        self._polls += 1
        try:
            with trio.fail_after(timeout_s):
                gateways = await self._network.gateways()
        except NetworkError as error:
            self._failed(began_at, listing_trouble(error))
        except trio.TooSlowError:
            self._failed(began_at, f"{NO_ANSWER}: no list of gateways within {timeout_s:g} s")
        else:
            self._listed(gateways)

    def _failed(self, began_at: float, problem: str) -> None:
        self._failed_polls += 1
        self._on_list(False)
        before, self._problem = self._problem, problem
        if self._unreachable_since is None:
            self._unreachable_since = began_at
        if before is None or brief(before) != brief(problem):
            log.warning("gateways not listed", problem=problem)
            self._on_network(problem)

    def _listed(self, gateways: Sequence[GatewayInfo]) -> None:
        self._follow_clock()
        now = self._clock.now()
        before_at = self._polled_at if self._polled_at is not None else now
        known = dict(self._known)
        if self._unreachable_since is not None:
            log.info("gateways listed again", away_s=round(now - self._unreachable_since))
            self._on_network(None)
        if (
            self._unreachable_since is not None
            or now - before_at > SLEPT_POLLS * self._policy.poll_s
        ):
            # ChirpStack could not take their stats, or this host slept and asked for no list.
            known = {one: health.excused(of, now - before_at, now) for one, of in known.items()}
        self._unreachable_since = self._problem = None
        self._polled_at = now
        self._on_list(True)
        infos = {info.gateway_id: info for info in gateways}
        for gateway_id, info in infos.items():
            known[gateway_id] = health.listed(known.get(gateway_id), info, before_at, now)
        for gateway_id in known.keys() - infos.keys():
            known[gateway_id] = replace(known[gateway_id], info=None)
        before = self._known
        self._known = {one: health.judged(of, self._policy, now) for one, of in known.items()}
        for each in list(self._known.values()):
            self._announcer.show(each)
            self._announcer.tell_health(each)
            self._announcer.tell_return(before.get(each.gateway_id), each, now)
        self._forget_unlisted(now)

    def _alive(self, before: Health | None, after: Health, now: float) -> None:
        """A sign of life that did not come by the list."""
        after = health.judged(after, self._policy, now)
        self._known[after.gateway_id] = after
        if before is None or after.online is not before.online:
            self._announcer.show(after)
        self._announcer.tell_health(after)
        self._announcer.tell_return(before, after, now)

    def _forget_unlisted(self, now: float) -> None:
        for one in [one for one in self._known.values() if one.info is None]:
            if one.heard_at is None or now - one.heard_at > self._policy.unlisted_kept_s:
                del self._known[one.gateway_id]
                self._announcer.forget(one.gateway_id)
        for view in list(self._shown()):  # it may have been deleted while nobody watched
            if view.gateway_id not in self._known and view != view.forgotten():
                self._publish(view.forgotten())

    def _unlisted(self) -> int:
        return sum(known.info is None for known in self._known.values())
