"""The device machine against a small world that knows the truth, in any order of events.

LAMPLIGHTER_MODEL_EXAMPLES makes it search deeper, and then by chance instead of by a fixed seed.
"""

import os

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, precondition, rule

from actors.device import events as ev
from actors.device.command import CommandStatus
from actors.device.effects import Inquire
from actors.device.machine import next_due
from actors.device.model import Device, Phase
from actors.device.policy import Policy, RetryPlan
from actors.device.retry_plan import ATTEMPTS_MOST
from actors.inquirer import known_to
from lorawan.kuando import AFTER_JOIN, LightState, SetLight
from tests.model.between import Enqueued, Followed
from tests.model.truths import Truths
from tests.model.world import Item

EXAMPLES = os.environ.get("LAMPLIGHTER_MODEL_EXAMPLES")
FATES = ["now", "twice", "later", "unheard", "none"]
LIGHTS = [LightState(255, 0, 0), AFTER_JOIN]
"""Two only: the same colour wanted again is where a false proof hides."""

DISTURBANCES = [
    "join",
    "join untold",
    "initialize",
    "foreign downlink",
    "gateway offline",
    "gateway online",
    "gateway returned",
    "crash",
    "process killed",
    "dispatcher restarts",
    "sweep",
]
RECORDS = msgspec.json.Decoder(Device)


class MachineAgainstWorld(Truths):
    """Faults of every kind."""

    @initialize(sw_rev=st.sampled_from([61, 61, 41]), settled=st.sampled_from([True, True, False]))
    def begin(self, sw_rev: int, settled: bool) -> None:
        """Mostly a light that has its settings: the search is for what comes after."""
        self.world.sw_rev = sw_rev
        if settled:
            self._until_idle()

    # ------------------------------------------------------------ people

    @rule(
        light=st.sampled_from(LIGHTS),
        keep=st.booleans(),
        ttl_s=st.sampled_from([90.0, *[86400.0] * 4]),
    )
    def command(self, light: LightState, keep: bool, ttl_s: float) -> None:
        self.tell(ev.CommandRequested(f"c{len(self.commands)}", light, keep, ttl_s))

    @rule(index=st.integers(0, 3), nothing=st.sampled_from([False, False, True]))
    def withdraw(self, index: int, nothing: bool) -> None:
        """The newest command, an older one, or whatever is asked of the light."""
        number = len(self.commands) - 1 - index
        name = None if number < 0 else f"c{number}"
        newest = self.device.command is not None and name == self.device.command.id
        wanted = self.device.wanted
        before = self.device.wanted_before
        self.tell(ev.WithdrawRequested(name, nothing or name is None))
        if newest:
            assert self.commands[name or ""].status is CommandStatus.WITHDRAWN
            assert self.device.wanted == (None if nothing else before)
        elif name is not None:
            assert self.device.wanted == wanted, "an older command takes nothing back"

    # ------------------------------------------------------------ the light and the air

    @rule(fate=st.sampled_from(FATES[:-1]))
    def uplink(self, fate: str) -> None:
        self.world.now += 1.0
        event = self.world.speak(reaches_server=fate != "unheard")
        if event is None:
            return
        if fate == "later":
            self.bag.append(event)
            return
        for _ in range(2 if fate == "twice" else 1):
            self.hear(event)

    @precondition(lambda self: self.bag)
    @rule(index=st.integers(0, 50), again=st.booleans())
    def deliver_late(self, index: int, again: bool) -> None:
        at = index % len(self.bag)
        self.hear(self.bag[at] if again else self.bag.pop(at))

    @precondition(lambda self: self.bag)
    @rule(index=st.integers(0, 50))
    def lose(self, index: int) -> None:
        self.bag.pop(index % len(self.bag))

    # ------------------------------------------------------------ dispatcher and server

    def _ours(self) -> Item | None:
        return next((item for item in self.world.queue if item.number is not None), None)

    @precondition(lambda self: self.pending is not None)
    @rule(told=st.sampled_from(["now", "now", "later", "lost"]))
    def enqueue(self, told: str) -> None:
        sent, item = self.pending, self._ours()
        assert sent is not None
        if item is not None and item.number != sent.number:
            return  # one of ours at a time: it waits here
        if self.followed is not None and not self.followed.told:
            return  # nor another before the one before was answered
        self.look()
        if self.pending is not sent:
            return  # what was told of the one before made another of it
        self.world.now = max(self.world.now, sent.not_before)
        if item is None:
            expires_at = float(int(self.world.now) + 30) + sent.marker_us / 1e6
            item, activation = self.world.enqueue(sent.frame, expires_at, sent.number)
            if sent.number in self.owner:
                orders = self.enqueued.setdefault(self.owner[sent.number], [])
                dev_addr, received = self.known[sent.number]
                known = received if dev_addr == self.world.dev_addr else 0
                orders.append(Enqueued(self.world.order, self.world.dev_addr, known))
        else:  # known again by its mark
            activation = self.world.activation()
        self.pending = None
        reply = ev.AttemptQueued(sent.number, item.id, item.expires_at, activation)
        self.followed = Followed(reply)
        if told != "later":
            self.enqueue_answered(lost=told == "lost")

    @precondition(lambda self: self.followed is not None and not self.followed.told)
    @rule(lost=st.booleans())
    def answered(self, lost: bool) -> None:
        self.enqueue_answered(lost=lost)

    @precondition(lambda self: self.followed is not None and self.followed.ended is None)
    @rule(lost=st.sampled_from([False, False, True]))
    def looked(self, lost: bool) -> None:
        self.look(lost=lost)

    @precondition(lambda self: self.world.queue)
    @rule(reaches=st.booleans(), told=st.sampled_from(["now", "twice", "later"]))
    def transmit(self, reaches: bool, told: str) -> None:
        item = self.world.queue[0]
        if item.number is None:
            self.foreign += 1
        elif item.number in self.owner:
            owner = self.owner[item.number]
            self.on_air[owner] = self.on_air.get(owner, 0) + 1
        event = self.world.transmit(item, reaches_light=reaches)
        if told == "later":
            self.bag.append(event)
            return
        for _ in range(2 if told == "twice" else 1):
            self.hear(event)

    @precondition(lambda self: self.pending is not None)
    @rule(reaches=st.booleans(), told=st.booleans(), answer=st.sampled_from(FATES))
    def carry(self, reaches: bool, told: bool, answer: str) -> None:
        """One frame from the dispatcher to the answer, some of it lost."""
        self.enqueue(told="now")
        if self.world.queue:
            self.transmit(reaches=reaches, told="now" if told else "later")
        if answer != "none":
            self.uplink(fate=answer)

    @precondition(lambda self: self.device.phase is Phase.IDLE)
    @rule(light=st.sampled_from([None, *LIGHTS]))
    def spend(self, light: LightState | None) -> None:
        """All timed frames of a command are sent, nothing comes back (None: the same colour)."""
        self.command(light or self.world.light, keep=True, ttl_s=86400.0)
        for _ in range(ATTEMPTS_MOST):
            if self.pending is None:
                return
            self.enqueue(told="now")
            while self.world.queue:
                self.transmit(reaches=False, told="now")
            self.time_passes(40.0)
            if self.asked is not None:
                self.answer(failed=False, told=True)
            self.time_passes(1000.0)

    @precondition(lambda self: self.device.phase is Phase.IDLE)
    @rule(light=st.sampled_from(LIGHTS), late_reply=st.booleans())
    def same_colour_by_another(self, light: LightState, late_reply: bool) -> None:
        """Somebody else's frame sets the colour; its echo is late, and comes amid a command."""
        item, _ = self.world.enqueue(SetLight(light, reply=True), self.world.now + 60, None)
        while self.world.queue and item in self.world.queue:
            self.transmit(reaches=True, told="now")
        self.uplink(fate="later")
        self.command(light, keep=True, ttl_s=86400.0)
        if self.pending is None:
            return
        self.enqueue(told="later" if late_reply else "now")
        echoes = [e for e in self.bag if isinstance(e, ev.UplinkHeard)]
        if echoes and not late_reply:
            self.bag.remove(echoes[-1])
            self.tell(echoes[-1])

    @precondition(lambda self: self.pending is not None)
    @rule(light=st.sampled_from(LIGHTS))
    def overpainted(self, light: LightState) -> None:
        """Our frame is lost, somebody else's arrives: the light counts it and shows another."""
        self.enqueue(told="now")
        self.world.enqueue(SetLight(light, reply=True), self.world.now + 60, None)
        while self.world.queue:
            self.transmit(reaches=self.world.queue[0].number is None, told="now")
        self.uplink(fate="now")

    @precondition(lambda self: self.pending is not None)
    @rule()
    def echo_overtakes_reply(self) -> None:
        """The webhook of the answer is quicker than the reply of the enqueue."""
        self.enqueue(told="later")
        while self.world.queue:
            self.transmit(reaches=True, told="now")
        self.uplink(fate="now")
        if self.followed is not None and not self.followed.told:
            self.enqueue_answered()

    @rule(seconds=st.sampled_from([40.0, 1000.0]))
    def gateway_outage(self, seconds: float) -> None:
        """Nothing is heard and nothing is sent for a while, and then all is well again."""
        self.tell(ev.GatewayHealthChanged("gw-1", online=False))
        if self.pending is not None:
            self.tell(ev.AttemptHeld(self.pending.number, "its gateway is offline"))
        self.time_passes(seconds)
        self.tell(ev.GatewayHealthChanged("gw-1", online=True))

    @precondition(lambda self: self.world.queue)
    @rule(told=st.booleans())
    def expire(self, told: bool) -> None:
        item = self.world.queue[0]
        self.world.now = max(self.world.now, item.expires_at)
        event = self.world.drop(item, "EXPIRED")
        if told:
            self.hear(event)
        else:
            self.bag.append(event)

    @precondition(lambda self: self.pending is not None)
    @rule(word=st.sampled_from(["held"] * 5 + ["refused"]))
    def dispatcher_speaks(self, word: str) -> None:
        assert self.pending is not None
        number = self.pending.number
        if word == "held":
            self.tell(ev.AttemptHeld(number, "its gateway is offline"))
        else:
            self.pending = None
            self.tell(ev.AttemptRefused(number, "the server does not know the device"))

    @precondition(lambda self: self.asked is not None)
    @rule(failed=st.booleans(), told=st.booleans())
    def answer(self, failed: bool, told: bool) -> None:
        assert self.asked is not None
        reply = self._answer(self.asked, failed=failed)
        self.asked = None
        if told:
            self._answered(reply)
        else:
            self.bag.append(reply)

    def _answered(self, reply: ev.Inquired) -> None:
        self.tell(reply)
        for event in reply.events:
            if isinstance(event, ev.ItemDropped):
                self.thrown_away(event)

    def _answer(self, asked: Inquire, *, failed: bool = False) -> ev.Inquired:
        world, number, known = self.world, asked.number, asked.known
        if failed:
            return ev.Inquired(number, failure="unavailable")
        if known is not None and known_to(world.activation(), known):
            return ev.Inquired(number, (), world.activation())
        events = [
            (self.named(event) or event) if isinstance(event, ev.Transmitted) else event
            for event in world.retained
        ]
        return ev.Inquired(number, events, world.activation())

    # ------------------------------------------------------------ ourselves

    @rule(seconds=st.sampled_from([1.0, 12.0, 40.0, 100.0, 1000.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.world.now + seconds
        for _ in range(200):
            due = next_due(self.device, self.policy)
            if due is None or due > until:
                self.world.now = until
                open_one = self.device.command
                assert open_one is None or until <= open_one.expires_at, "outlived its time"
                return
            self.world.now = max(self.world.now, due)
            self.tell(ev.Tick())
        raise AssertionError("the machine asks for ticks without end")

    @rule(kind=st.sampled_from(DISTURBANCES), light=st.sampled_from(LIGHTS))
    def disturb(self, kind: str, light: LightState) -> None:
        """What is rare: one rule, so that it does not crowd out the life of a command."""
        match kind:
            case "join":
                self.world.now += 1.0
                self.tell(self.world.join())
                session = self.device.session
                told = session.dev_addr if session is not None else None
                assert told == self.world.dev_addr, "the join did not end the session"
                assert self.device.phase is Phase.UNINITIALIZED
            case "join untold":
                self.bag.append(self.world.join())
            case "initialize":
                self.tell(ev.InitializeRequested(force=light == AFTER_JOIN))
            case "foreign downlink":
                self.world.enqueue(SetLight(light, reply=True), self.world.now + 60, None)
            case "gateway offline" | "gateway online":
                self.tell(ev.GatewayHealthChanged("gw-1", kind == "gateway online"))
            case "gateway returned":
                self.tell(ev.GatewayReturned("gw-1"))
            case "crash":
                self.device = RECORDS.decode(msgspec.json.encode(self.device))
                self.asked = None
                self.tell(ev.Restored())
            case "process killed":
                self.device = RECORDS.decode(msgspec.json.encode(self.device))
                self.asked = self.pending = self.followed = None
                self.tell(ev.Restored())
            case "dispatcher restarts":
                self.pending = self.followed = None
                self.tell(ev.DispatcherStarted())
            case _:
                self.tell(ev.Swept())

    # ------------------------------------------------------------ once the faults stop

    def teardown(self) -> None:
        """A world without loss: the wanted colour is shown and the command verified."""
        command = self.device.command
        self._until_idle()
        wanted = self.device.wanted
        if command is None or wanted is None:
            return
        ended = self.commands[command.id].status
        assert ended in {CommandStatus.VERIFIED, CommandStatus.EXPIRED}, (
            f"{ended} in {self.device.phase} after the faults stopped"
        )
        if ended is CommandStatus.VERIFIED:
            assert self.device.reported == command.light

    def _until_idle(self) -> None:
        for _ in range(60):
            if self.device.command is None and self.device.phase is Phase.IDLE:
                return
            self._cooperate()

    def _cooperate(self) -> None:
        if self.followed is not None and not self.followed.told:
            self.enqueue_answered()
        self.look()
        self.tell(ev.GatewayHealthChanged("gw-1", online=True))
        if self.asked is not None:
            asked, self.asked = self.asked, None
            self._answered(self._answer(asked))
        while self.world.queue:
            self.transmit(reaches=True, told="now")
        if self.pending is not None:
            self.enqueue(told="now")
            while self.world.queue:
                self.transmit(reaches=True, told="now")
        self.time_passes(12.0)
        self.uplink(fate="now")


class FixedPlanAgainstWorld(MachineAgainstWorld):
    """The same, with the retries of 0.1.0."""

    policy = Policy(plan=RetryPlan.FIXED)


SEARCH = settings(
    max_examples=int(EXAMPLES or 300),
    stateful_step_count=40,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

TestMachineAgainstWorld = MachineAgainstWorld.TestCase
TestMachineAgainstWorld.settings = SEARCH
TestFixedPlanAgainstWorld = FixedPlanAgainstWorld.TestCase
TestFixedPlanAgainstWorld.settings = SEARCH
