"""`AsyncClient`: the API under Trio."""

import random
import ssl
from collections.abc import Awaitable, Callable, Collection
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

import httpx2
import trio

from lamplighter.client import calls, http
from lamplighter.client.errors import LamplighterError
from lamplighter.client.live.asynchronous import AsyncFeed
from lamplighter.client.live.follow import Follower, Following, Lost, Message, Wanted
from lamplighter.client.live.news import News, news
from lamplighter.client.place import DEFAULT_AT, Place
from lamplighter.client.steps import (
    ANSWER_BYTES_MOST,
    Answer,
    Broken,
    Call,
    Kit,
    Patience,
    Pause,
    Send,
)

P = ParamSpec("P")
T = TypeVar("T")

CLOSE_S = 1.0


class Awaited(Generic[P, T]):
    """An async method; its arguments are those of the call."""

    def __init__(self, call: Callable[P, Call[T]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(
        self, client: "AsyncClient | None", owner: type
    ) -> Self | Callable[P, Awaitable[T]]:
        if client is None:
            return self

        async def method(*args: P.args, **named: P.kwargs) -> T:
            return await client.carry_out(self.call(*args, **named))

        method.__doc__ = self.__doc__
        return method


class AsyncClient:
    """One service; an async context manager. Any number of tasks may use it at once.

    `at` is its address (a base path may follow), `token` one of its tokens, `context` a TLS context
    for a certificate of one's own, `chance` spreads what is tried again. Every call raises
    Unanswered, Refused or another LamplighterError, and ends within `patience.whole_s` unless it
    says otherwise.
    """

    def __init__(
        self,
        at: str = DEFAULT_AT,
        token: str | None = None,
        *,
        context: ssl.SSLContext | None = None,
        patience: Patience | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.place = Place.of(at, token)
        self._http = httpx2.AsyncClient(**http.options(self.place, context))
        self._context = context
        self._feeds: list[AsyncFeed[Any]] = []
        self._kit = Kit(
            trio.current_time, chance or random.Random(), http.new_key, patience or Patience()
        )

    order = Awaited(calls.orders.order)
    command = Awaited(calls.orders.command)
    find_command = Awaited(calls.orders.find_command)
    commands = Awaited(calls.orders.commands)
    withdraw = Awaited(calls.orders.withdraw)
    want_nothing = Awaited(calls.orders.want_nothing)

    devices = Awaited(calls.lights.devices)
    device = Awaited(calls.lights.device)
    history = Awaited(calls.lights.history)
    signal = Awaited(calls.lights.signal)
    ask_status = Awaited(calls.lights.ask_status)
    initialize = Awaited(calls.lights.initialize)
    initialize_all = Awaited(calls.lights.initialize_all)
    initialization = Awaited(calls.lights.initialization)
    flush_queue = Awaited(calls.lights.flush_queue)
    remove_device = Awaited(calls.lights.remove_device)
    risks = Awaited(calls.lights.risks)

    rollouts = Awaited(calls.rollouts.rollouts)
    rollout = Awaited(calls.rollouts.rollout)
    start_rollout = Awaited(calls.rollouts.start_rollout)
    wait_rollout = Awaited(calls.rollouts.wait_rollout)
    change_rollout = Awaited(calls.rollouts.change_rollout)
    try_rollout_again = Awaited(calls.rollouts.try_rollout_again)

    scenes = Awaited(calls.scenes.scenes)
    scene = Awaited(calls.scenes.scene)
    create_scene = Awaited(calls.scenes.create_scene)
    replace_scene = Awaited(calls.scenes.replace_scene)
    remove_scene = Awaited(calls.scenes.remove_scene)
    apply_scene = Awaited(calls.scenes.apply_scene)
    schedules = Awaited(calls.scenes.schedules)
    schedule = Awaited(calls.scenes.schedule)
    create_schedule = Awaited(calls.scenes.create_schedule)
    replace_schedule = Awaited(calls.scenes.replace_schedule)
    remove_schedule = Awaited(calls.scenes.remove_schedule)

    plans = Awaited(calls.plans.plans)
    plan = Awaited(calls.plans.plan)
    create_plan = Awaited(calls.plans.create_plan)
    change_plan = Awaited(calls.plans.change_plan)
    remove_plan = Awaited(calls.plans.remove_plan)
    put_picture = Awaited(calls.plans.put_picture)
    picture = Awaited(calls.plans.picture)
    export_plans = Awaited(calls.plans.export_plans)
    import_plans = Awaited(calls.plans.import_plans)

    gateways = Awaited(calls.gateways.gateways)
    gateway_health = Awaited(calls.gateways.gateway_health)
    gateway = Awaited(calls.gateways.gateway)
    gateway_outages = Awaited(calls.gateways.gateway_outages)
    gateway_quality = Awaited(calls.gateways.gateway_quality)

    hooks = Awaited(calls.hooks.hooks)
    hook = Awaited(calls.hooks.hook)
    create_hook = Awaited(calls.hooks.create_hook)
    change_hook = Awaited(calls.hooks.change_hook)
    remove_hook = Awaited(calls.hooks.remove_hook)
    hook_deliveries = Awaited(calls.hooks.hook_deliveries)
    test_hook = Awaited(calls.hooks.test_hook)
    rotate_hook_secret = Awaited(calls.hooks.rotate_hook_secret)
    replay_hook = Awaited(calls.hooks.replay_hook)

    metrics = Awaited(calls.operation.metrics)
    reliability = Awaited(calls.operation.reliability)
    quality_scores = Awaited(calls.operation.quality_scores)
    alerts = Awaited(calls.operation.alerts)
    acknowledge_alert = Awaited(calls.operation.acknowledge_alert)
    audit = Awaited(calls.operation.audit)
    caller = Awaited(calls.operation.caller)
    clock = Awaited(calls.operation.clock)
    cluster = Awaited(calls.operation.cluster)
    supervisor = Awaited(calls.operation.supervisor)
    revive = Awaited(calls.operation.revive)
    restored_store = Awaited(calls.operation.restored_store)
    decide_restored_store = Awaited(calls.operation.decide_restored_store)
    unreadable = Awaited(calls.operation.unreadable)
    calibrations = Awaited(calls.operation.calibrations)
    plan_calibration = Awaited(calls.operation.plan_calibration)
    begin_calibration = Awaited(calls.operation.begin_calibration)
    ready = Awaited(calls.operation.ready)
    prometheus = Awaited(calls.operation.prometheus)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with trio.move_on_after(CLOSE_S, shield=True):
            for feed in self._feeds:
                await feed.aclose()
            await self._http.__aexit__(kind, error, traceback)

    def live(
        self,
        *,
        kinds: Collection[str] = (),
        dev_euis: Collection[str] = (),
        gateways: Collection[str] = (),
    ) -> AsyncFeed[News]:
        """The live feed: first a Snapshot, then every Change; it reconnects by itself for ever.

        `kinds` are those of docs/live.md; lights and gateways are either. Where the connection
        breaks, Lost is told, then Resumed where nothing was missed, or a Snapshot with
        `after_gap`. Raises Unanswered where the first connection fails, Refused and Closed for what
        only a person can mend.
        """
        return self._feed(news(self._follower(kinds, dev_euis, gateways)))

    def live_messages(
        self,
        *,
        kinds: Collection[str] = (),
        dev_euis: Collection[str] = (),
        gateways: Collection[str] = (),
    ) -> AsyncFeed[Message | Lost]:
        """The same as the service says it: hello, snapshot, changes, beat."""
        return self._feed(self._follower(kinds, dev_euis, gateways).messages())

    def _follower(
        self, kinds: Collection[str], dev_euis: Collection[str], gateways: Collection[str]
    ) -> Follower:
        return Follower(self.place, Wanted(kinds, dev_euis, gateways), self._kit)

    def _feed(self, following: Following[T]) -> AsyncFeed[T]:
        if len(self._feeds) >= http.FEEDS_MOST:
            self._feeds = [feed for feed in self._feeds if not feed.closed]
        if len(self._feeds) >= http.FEEDS_MOST:
            raise LamplighterError(f"{http.FEEDS_MOST} live feeds are open: close some")
        feed = AsyncFeed(following, lambda: http.tls_context(self._context))
        self._feeds.append(feed)
        return feed

    def now(self) -> float:
        """The service's time in Unix seconds, by its newest answer; 0 before the first."""
        return self._kit.clock.now(trio.current_time())

    async def carry_out(self, call: Call[T]) -> T:
        """Ask what is not a method, as `lamplighter.client.ask` describes it."""
        steps = call.steps(self._kit)
        came: Answer | Broken | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                result: T = done.value
                return result
            match step:
                case Send():
                    came = await self._sent(step)
                case Pause():
                    await trio.sleep(step.seconds)
                    came = None

    async def _sent(self, send: Send) -> Answer | Broken:
        arguments: dict[str, Any] = http.request(self.place, send)
        try:
            with trio.move_on_after(send.timeout_s):
                async with self._http.stream(**arguments) as response:
                    content = bytearray()
                    async for part in response.aiter_bytes():
                        content += part
                        if len(content) > ANSWER_BYTES_MOST:
                            return http.too_long(self.place)
                    return http.answer(response, bytes(content))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return http.broken(self.place, error)
        return http.late(self.place)
