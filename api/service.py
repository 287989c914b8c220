"""One running Lamplighter: settings turned into store, network, actors and web, run to the end.

What this process opens, it closes, in the reverse order, and its exit code tells the service
manager why it ended.
"""

import errno
import gc
import os
import random
import secrets
import socket
import sys
import threading
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog
import trio
from quart import Blueprint

from actors.alerts import AlertPolicy, AppriseNotifier, LogNotifier, Notifier
from actors.application import Application
from actors.calibration.model import CalibrationPolicy
from actors.clocks.clock import RunClock
from actors.cluster.house_clock import house_clock
from actors.cluster_application import ClusterApplication
from actors.clustered import ClusterOptions, ClusterParts
from actors.device.policy import FIXED_PLAN, Policy, RetryPlan
from actors.downlink import DispatchPolicy
from actors.event_stream.mark import name_of
from actors.gateways import WatchPolicy
from actors.outgoing.ports import Sender
from actors.supervision import ChildSpec
from actors.sweeper import SweepPolicy
from actors.wiring import Environment, Parts, Policies
from api.hooks.sender import HttpSender
from api.http.app import create_app
from api.mqtt.made import MQTT, integration_of
from api.server.descriptors import raise_limit
from api.server.notify import READY, STOPPING, notify, tell_alive
from api.server.signals import Load, Rereading, until_signal
from api.server.web_actor import WebActor, listen
from api.settings.model import ApiSettings, EventStreamSection, Web
from lorawan.airtime import Region
from lorawan.chirpstack import ChirpStackClient
from lorawan.network import NetworkServer
from lorawan.stream.redis_source import RedisSource
from lorawan.stream.source import EventSource
from store.engine.open import engine_from_url, is_shared
from store.open import open_store
from store.port import Store
from store.shards import ShardStore

log = structlog.get_logger()

DAY_S = 86_400.0
YOUNG_OBJECTS = 10_000
"""So many new objects are looked through together for cycles, in some milliseconds. Nearly all that
an event makes is let go of without that; by Python's 700 the looks are a tenth of what it costs,
for what is on its way to the store survives several of them."""
LEAVE_S = 9.0
"""Containers are killed after 10 s where nothing else is said."""
LEFT_S = 5.0
"""At least, after the shards of a cluster were given to others: callers are answered meanwhile."""
CLUSTER_LEAVE_S = 16.0
"""At most: 11 s to give the shards (`actors.cluster.keeper`), and those 5 s. The unit and the
container file in `deploy` give 20 s."""


def new_id() -> str:
    """A fresh identifier: 128 random bits, in the usual spelling."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def policies_of(settings: ApiSettings) -> Policies:
    """The numbers of all parts, from the settings."""
    return Policies(
        device=settings.policy,
        dispatch=DispatchPolicy(
            region=region_of(settings),
            rx2_dr=settings.radio.rx2_dr,
            spacing_s=settings.policy.spacing_s,
            item_ttl_s=settings.policy.item_ttl_s,
            item_grace_s=settings.policy.item_grace_s,
            paced=settings.dispatch.pace == "measured",
            answer_delay_s=settings.dispatch.answer_delay_s,
            tick_s=settings.dispatch.tick_s,
        ),
        watch=WatchPolicy(
            poll_s=settings.gateways.poll_s, offline_after_s=settings.gateways.offline_after_s
        ),
        alerts=AlertPolicy(
            repeat_s=settings.alerts.repeat_s,
            silent_after_s=settings.policy.silent_after_s,
            off=settings.alerts.off(),
        ),
        sweep=SweepPolicy(audit_s=settings.store.audit_days * DAY_S),
        calibration=CalibrationPolicy(automatic=settings.calibration.automatic),
        profile_contains=settings.chirpstack.profile_contains,
        time_zone=settings.site.time_zone,
    )


def plan_words(policy: Policy) -> str | None:
    """What to say at the start of a plan that the answers of the lights do not change; None where
    there is nothing to say."""
    if policy.plan is RetryPlan.LEARNED:
        return None
    usual = Policy()
    changed = sorted(n for n in FIXED_PLAN if getattr(policy, n) != getattr(usual, n))
    if policy.plan is RetryPlan.CLASSIC or not changed:
        return f"policy.plan is {policy.plan.value}; remove it to retry by what is learned"
    named = ", ".join(f"policy.{name}" for name in changed)
    return (
        f"{named} set a fixed plan of retries; remove them, or set policy.plan to learned,"
        " to retry by what is learned of the lights"
    )


def region_of(settings: ApiSettings) -> Region:
    """The region, with the operator's own frequency of RX2 and duty cycle where they are set."""
    return settings.radio.plan()


async def serve(
    settings: ApiSettings,
    *,
    extra: Sequence[Blueprint] = (),
    rereading: Rereading | None = None,
    leaving: "Leaving | None" = None,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the service until cancelled; `started` tells the port that it listens on.

    Raises StoreError, OSError (the address cannot be had) or SupervisorGaveUp.
    """
    claim_address(settings.web)
    boot = secrets.token_hex(8)
    async with (
        place_of(settings, boot) as place,
        ChirpStackClient(settings.chirpstack.connection()) as network,
        events_of(settings.chirpstack.events) as events,
        sender_of(settings) as posts,
    ):
        for warning in place.store.durability_warnings:
            log.warning("store may lose data", problem=warning)
        for warning in place.store.exposure_warnings:
            log.warning("store may be read by others", problem=warning)
        if (words := plan_words(settings.policy)) is not None:
            log.warning("retries do not follow what is learned", problem=words)
        application, web = build(settings, place, network, events, posts, boot=boot, extra=extra)
        if rereading is not None:
            rereading.take = web.replace_tokens
        if leaving is not None:
            leaving.leave = application.leave
            if is_shared(settings.store.url.get_secret_value()):
                leaving.limit_s = CLUSTER_LEAVE_S
        spec = ChildSpec("web", web.run, shutdown_s=web.shutdown_s)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tell_alive)
            await nursery.start(application.run, spec)
            spare_collector()
            task_status.started(web.port)
            notify(READY)


def spare_collector() -> None:
    """Once the service has started: what was made so far lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])


@dataclass(frozen=True, slots=True)
class Place:
    """Where this process keeps what it knows, and by which clock."""

    store: Store
    clock: RunClock
    machine_ahead_s: float = 0.0
    """Of the machine's clock before this one, at the start."""
    need: int = 0
    """Replicas that confirm each commit."""


@asynccontextmanager
async def place_of(settings: ApiSettings, boot: str) -> AsyncGenerator[Place, None]:
    """The opened store. Raises StoreError."""
    url, cluster = settings.store.url.get_secret_value(), settings.cluster
    machine = RunClock.of_machine()
    if not is_shared(url):
        async with open_store(url) as store:
            yield Place(store, machine)
        return
    engine = engine_from_url(url, need=cluster.need, unsafe=cluster.unsafe)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.close)  # shields itself, for some seconds
        await engine.open()
        clock, ahead_s = await house_clock(engine, machine)
        store = ShardStore(engine, boot, steady=clock.steady)
        await store.open()
        yield Place(store, clock, ahead_s, engine.target.need)


def build(
    settings: ApiSettings,
    place: Place,
    network: NetworkServer,
    events: EventSource | None = None,
    posts: Sender | None = None,
    *,
    boot: str,
    extra: Sequence[Blueprint] = (),
) -> tuple[Application, WebActor]:
    """Every part of the service, made and joined; nothing runs yet.

    Whatever ApiSettings lets pass can be built: that is tested with thousands of odd ones.
    """
    notifiers: list[Notifier] = [LogNotifier()]
    children: list[ChildSpec] = []
    if settings.alerts.urls:
        sender = AppriseNotifier([url.get_secret_value() for url in settings.alerts.urls])
        notifiers.append(sender)
        children.append(ChildSpec("notifier", sender.run, mailbox=sender.mailbox))
    rng = random.Random(secrets.randbits(64))
    integrations = {}
    if settings.mqtt.url is not None:
        integrations[MQTT] = integration_of(settings.mqtt, rng, new_id)
    world = Environment(
        store=place.store,
        network=network,
        clock=place.clock,
        rng=rng,
        boot=boot,
        new_id=new_id,
        events=events,
        events_name=name_of(*settings.chirpstack.events.address()),
        notifiers=notifiers,
        notifier_children=children,
        sender=posts or sender_of(settings),
        integrations=integrations,
    )
    application = application_of(settings, world, place)
    return application, WebActor(create_app(application, settings, extra=extra), settings.web)


def application_of(settings: ApiSettings, world: Environment, place: Place) -> Application:
    """Alone with a store of its own, or one of many on an engine."""
    policies = policies_of(settings)
    if not isinstance(place.store, ShardStore):
        return Application(Parts(world, policies))
    options = ClusterOptions(
        name=settings.cluster.name or socket.gethostname(),
        expected=settings.cluster.processes or 0,
        clock_ahead_s=place.machine_ahead_s,
        need=place.need,
    )
    return ClusterApplication(ClusterParts(world, policies, place.store, options))


def sender_of(settings: ApiSettings) -> HttpSender:
    """Who posts events to the receivers of hooks; nothing is connected yet."""
    hooks = settings.hooks
    return HttpSender(hooks.guard(), hooks.context, timeout_s=hooks.timeout_s)


@asynccontextmanager
async def events_of(settings: EventStreamSection) -> AsyncGenerator[EventSource | None, None]:
    """ChirpStack's stream of events, if it is to be read; nothing is connected yet."""
    url, prefix = settings.address()
    if not url:
        yield None
        return
    source = RedisSource(url, prefix)
    try:
        yield source
    finally:
        with trio.CancelScope(shield=True):
            await source.close()


def claim_address(web: Web) -> None:
    """Find out that the address cannot be had before anything else is begun. Raises OSError."""
    try:
        listen(web).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise
        where = f"cannot listen on {web.bind} port {web.port}"
        raise OSError(error.errno, f"{where}: {error.strerror}") from error


class Leaving:
    """What is done before the end, while everything runs: a process of a cluster gives its shards
    to the others."""

    def __init__(self) -> None:
        self.leave: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint
        """Set by who serves."""
        self.limit_s = LEAVE_S
        """For all of the end, from the signal on."""


async def serve_until_signal(settings: ApiSettings, load: Load | None = None) -> None:
    """`serve`, ended politely by a signal; SIGHUP has the tokens read again with `load`.

    Raises what `serve` raises.
    """
    raise_limit()
    rereading = Rereading(settings, load) if load is not None else None
    leaving = Leaving()
    async with trio.open_nursery() as nursery:

        async def watch(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            name = await until_signal(rereading, task_status)
            log.info("stopping", signal=name)
            notify(STOPPING)
            began_s = trio.current_time()
            leave_in_time(leaving.limit_s)
            await leaving.leave()
            leave_in_time(max(LEAVE_S - (trio.current_time() - began_s), LEFT_S))
            nursery.cancel_scope.cancel(reason=name)

        await nursery.start(watch)
        await nursery.start(_served, settings, rereading, leaving)


def leave_in_time(limit_s: float) -> None:
    """End the process after this time whatever hangs: a thread, a disk, a server that is silent.

    Nothing accepted is lost by it: what was answered with 2xx is stored, what was not is not.
    """

    def leave() -> None:
        sys.stderr.write(f"lamplighter: not stopped within {limit_s:g} s; left anyway\n")
        sys.stderr.flush()
        os._exit(1)

    timer = threading.Timer(limit_s, leave)
    timer.daemon = True  # an orderly end does not wait for it
    timer.start()


async def _served(
    settings: ApiSettings,
    rereading: Rereading | None,
    leaving: Leaving,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    await serve(settings, rereading=rereading, leaving=leaving, task_status=task_status)
