"""`Client`: the API with plain blocking calls, for scripts and threads."""

import random
import ssl
import time
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

import httpx2

from lamplighter.client import calls, http
from lamplighter.client.errors import LamplighterError
from lamplighter.client.live.blocking import BlockingFeed
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


class Blocking(Generic[P, T]):
    """A method that asks and waits; its arguments are those of the call."""

    def __init__(self, call: Callable[P, Call[T]]) -> None:
        self.call = call
        self.__doc__ = call.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "Client", owner: type) -> Callable[P, T]: ...
    def __get__(self, client: "Client | None", owner: type) -> Self | Callable[P, T]:
        if client is None:
            return self

        def method(*args: P.args, **named: P.kwargs) -> T:
            return client.carry_out(self.call(*args, **named))

        method.__doc__ = self.__doc__
        return method


class Client:
    """One service; a context manager, closed at its end. One thread at a time.

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
        self._http = httpx2.Client(**http.options(self.place, context))
        self._context = context
        self._feeds: list[BlockingFeed[Any]] = []
        self._kit = Kit(
            time.monotonic, chance or random.Random(), http.new_key, patience or Patience()
        )

    order = Blocking(calls.orders.order)
    command = Blocking(calls.orders.command)
    find_command = Blocking(calls.orders.find_command)
    commands = Blocking(calls.orders.commands)
    withdraw = Blocking(calls.orders.withdraw)
    want_nothing = Blocking(calls.orders.want_nothing)

    devices = Blocking(calls.lights.devices)
    device = Blocking(calls.lights.device)
    history = Blocking(calls.lights.history)
    signal = Blocking(calls.lights.signal)
    ask_status = Blocking(calls.lights.ask_status)
    initialize = Blocking(calls.lights.initialize)
    initialize_all = Blocking(calls.lights.initialize_all)
    initialization = Blocking(calls.lights.initialization)
    flush_queue = Blocking(calls.lights.flush_queue)
    remove_device = Blocking(calls.lights.remove_device)
    risks = Blocking(calls.lights.risks)

    rollouts = Blocking(calls.rollouts.rollouts)
    rollout = Blocking(calls.rollouts.rollout)
    start_rollout = Blocking(calls.rollouts.start_rollout)
    wait_rollout = Blocking(calls.rollouts.wait_rollout)
    change_rollout = Blocking(calls.rollouts.change_rollout)
    try_rollout_again = Blocking(calls.rollouts.try_rollout_again)

    scenes = Blocking(calls.scenes.scenes)
    scene = Blocking(calls.scenes.scene)
    create_scene = Blocking(calls.scenes.create_scene)
    replace_scene = Blocking(calls.scenes.replace_scene)
    remove_scene = Blocking(calls.scenes.remove_scene)
    apply_scene = Blocking(calls.scenes.apply_scene)
    schedules = Blocking(calls.scenes.schedules)
    schedule = Blocking(calls.scenes.schedule)
    create_schedule = Blocking(calls.scenes.create_schedule)
    replace_schedule = Blocking(calls.scenes.replace_schedule)
    remove_schedule = Blocking(calls.scenes.remove_schedule)

    plans = Blocking(calls.plans.plans)
    plan = Blocking(calls.plans.plan)
    create_plan = Blocking(calls.plans.create_plan)
    change_plan = Blocking(calls.plans.change_plan)
    remove_plan = Blocking(calls.plans.remove_plan)
    put_picture = Blocking(calls.plans.put_picture)
    picture = Blocking(calls.plans.picture)
    export_plans = Blocking(calls.plans.export_plans)
    import_plans = Blocking(calls.plans.import_plans)

    gateways = Blocking(calls.gateways.gateways)
    gateway_health = Blocking(calls.gateways.gateway_health)
    gateway = Blocking(calls.gateways.gateway)
    gateway_outages = Blocking(calls.gateways.gateway_outages)
    gateway_quality = Blocking(calls.gateways.gateway_quality)

    hooks = Blocking(calls.hooks.hooks)
    hook = Blocking(calls.hooks.hook)
    create_hook = Blocking(calls.hooks.create_hook)
    change_hook = Blocking(calls.hooks.change_hook)
    remove_hook = Blocking(calls.hooks.remove_hook)
    hook_deliveries = Blocking(calls.hooks.hook_deliveries)
    test_hook = Blocking(calls.hooks.test_hook)
    rotate_hook_secret = Blocking(calls.hooks.rotate_hook_secret)
    replay_hook = Blocking(calls.hooks.replay_hook)

    metrics = Blocking(calls.operation.metrics)
    reliability = Blocking(calls.operation.reliability)
    quality_scores = Blocking(calls.operation.quality_scores)
    alerts = Blocking(calls.operation.alerts)
    acknowledge_alert = Blocking(calls.operation.acknowledge_alert)
    audit = Blocking(calls.operation.audit)
    caller = Blocking(calls.operation.caller)
    clock = Blocking(calls.operation.clock)
    cluster = Blocking(calls.operation.cluster)
    supervisor = Blocking(calls.operation.supervisor)
    revive = Blocking(calls.operation.revive)
    restored_store = Blocking(calls.operation.restored_store)
    decide_restored_store = Blocking(calls.operation.decide_restored_store)
    unreadable = Blocking(calls.operation.unreadable)
    calibrations = Blocking(calls.operation.calibrations)
    plan_calibration = Blocking(calls.operation.plan_calibration)
    begin_calibration = Blocking(calls.operation.begin_calibration)
    ready = Blocking(calls.operation.ready)
    prometheus = Blocking(calls.operation.prometheus)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, live ones too."""
        for feed in self._feeds:
            feed.close()
        self._http.close()

    def live(
        self,
        *,
        kinds: Collection[str] = (),
        dev_euis: Collection[str] = (),
        gateways: Collection[str] = (),
    ) -> BlockingFeed[News]:
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
    ) -> BlockingFeed[Message | Lost]:
        """The same as the service says it: hello, snapshot, changes, beat."""
        return self._feed(self._follower(kinds, dev_euis, gateways).messages())

    def _follower(
        self, kinds: Collection[str], dev_euis: Collection[str], gateways: Collection[str]
    ) -> Follower:
        return Follower(self.place, Wanted(kinds, dev_euis, gateways), self._kit)

    def _feed(self, following: Following[T]) -> BlockingFeed[T]:
        if len(self._feeds) >= http.FEEDS_MOST:
            self._feeds = [feed for feed in self._feeds if not feed.closed]
        if len(self._feeds) >= http.FEEDS_MOST:
            raise LamplighterError(f"{http.FEEDS_MOST} live feeds are open: close some")
        feed = BlockingFeed(following, lambda: http.tls_context(self._context))
        self._feeds.append(feed)
        return feed

    def now(self) -> float:
        """The service's time in Unix seconds, by its newest answer; 0 before the first."""
        return self._kit.clock.now(time.monotonic())

    def carry_out(self, call: Call[T]) -> T:
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
                    came = self._sent(step)
                case Pause():
                    time.sleep(step.seconds)
                    came = None

    def _sent(self, send: Send) -> Answer | Broken:
        until_s = time.monotonic() + send.timeout_s
        arguments: dict[str, Any] = http.request(self.place, send)
        try:
            with self._http.stream(**arguments) as response:
                content = bytearray()
                for part in response.iter_bytes():
                    content += part
                    if time.monotonic() > until_s:
                        return http.late(self.place)
                    if len(content) > ANSWER_BYTES_MOST:
                        return http.too_long(self.place)
                return http.answer(response, bytes(content))
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return http.broken(self.place, error)
