"""A light's story told event by event to the pure machine: the test's words for the network's.

It keeps the counters that ChirpStack and the light would keep, so that a test names only what
matters to it.
"""

from typing import TypeVar

from actors.device import events as ev
from actors.device.command import Command, CommandStatus
from actors.device.effects import CommandChanged, Effect, Inquire, Submit, Withdraw
from actors.device.machine import next_due, step
from actors.device.model import Attempt, Device, Phase, Stage
from actors.device.policy import Policy, RetryPlan
from lorawan.events import Reception
from lorawan.kuando import AFTER_JOIN, LightState, Status
from lorawan.kuando.frames import SetLight
from lorawan.network import Activation

RED = LightState(red=255, green=0, blue=0)
GREEN = LightState(red=0, green=255, blue=0)
BLUE = LightState(red=0, green=0, blue=255)

E = TypeVar("E", bound=Effect)


class Story:
    """One device, its clock, and what the outside would know."""

    def __init__(self, *, sw_rev: int = 61, policy: Policy | None = None) -> None:
        self.policy = policy or Policy(plan=RetryPlan.FIXED)
        self.device = Device(dev_eui="2020200000000001")
        self.now = 1_000_000.0
        self.sw_rev = sw_rev
        self.dev_addr = "01000001"
        self.f_cnt = -1  # of the newest uplink that reached the server
        self.f_cnt_down = 0
        self.received = 0  # the light's own counter
        self.sent = 0
        self.light = AFTER_JOIN
        self.effects: list[Effect] = []
        self.commands: dict[str, Command] = {}
        self.items = 0
        self.numbers: dict[str, int] = {}  # of the attempts, by item: the dispatcher's knowledge
        self.uplinks = 0  # of all sessions: names each as the server would

    # ------------------------------------------------------------ time and steps

    def tell(self, event: ev.DeviceEvent, chance: float = 0.5) -> list[Effect]:
        """Hand over one event now."""
        self.device, self.effects = step(self.device, event, self.now, chance, self.policy)
        for effect in self.effects:
            if isinstance(effect, CommandChanged):
                self.commands[effect.command.id] = effect.command
        return self.effects

    def wait(self, seconds: float) -> None:
        """Let time pass, ticking whenever the machine asked for it."""
        until = self.now + seconds
        for _ in range(10_000):
            due = next_due(self.device, self.policy)
            if due is None or due > until:
                self.now = until
                return
            self.now = max(self.now, due)
            self.tell(ev.Tick())
        raise AssertionError("the machine asks for ticks without end")

    def effect(self, kind: type[E]) -> E | None:
        """The effect of this kind of the last event, if there was one."""
        return next((e for e in self.effects if isinstance(e, kind)), None)

    # ------------------------------------------------------------ the light and the server

    def join(self, *, told: bool = True) -> None:
        """The light joins: counters and settings gone, dim green."""
        self.dev_addr = f"{int(self.dev_addr, 16) + 1:08x}"
        self.f_cnt, self.f_cnt_down, self.received, self.sent = -1, 0, 0, 0
        self.light = AFTER_JOIN
        if told:
            self.tell(ev.Joined(at=self.now, dev_addr=self.dev_addr))

    def compose(self, *, light: LightState | None = None, gateway: str = "gw-1") -> ev.UplinkHeard:
        """The next status uplink of the light, as the server would tell it (now or later)."""
        self.f_cnt += 1
        self.sent += 1
        self.uplinks += 1
        return ev.UplinkHeard(
            at=self.now,
            dev_addr=self.dev_addr,
            f_cnt=self.f_cnt,
            status=Status(
                rssi_dbm=-80,
                snr_raw=30,
                downlinks_received=self.received,
                uplinks_sent=self.sent,
                light=light or self.light,
                sw_rev=self.sw_rev,
                hw_rev=12,
                adr=1,
            ),
            receptions=(Reception(gateway, -90, 5.0),),
            spreading_factor=9,
            id=f"uplink-{self.uplinks}",
        )

    def uplink(self, **kwargs: object) -> list[Effect]:
        """The light sends a status and its webhook arrives."""
        return self.tell(self.compose(**kwargs))  # type: ignore[arg-type]

    # ------------------------------------------------------------ our side

    def command(
        self, light: LightState, name: str = "c1", *, keep: bool = True, ttl_s: float = 86_400.0
    ) -> None:
        """Someone wants this colour."""
        self.tell(ev.CommandRequested(name, light, keep, ttl_s))

    @property
    def attempt(self) -> Attempt:
        """The attempt that must be out."""
        assert self.device.attempt is not None, f"no attempt in {self.device.phase}"
        return self.device.attempt

    def queue(self) -> str:
        """The dispatcher enqueues the attempt; ChirpStack names the item."""
        self.items += 1
        item = f"item-{self.items}"
        self.numbers[item] = self.attempt.number
        self.tell(
            ev.AttemptQueued(
                self.attempt.number,
                item,
                self.now + 30 + self.attempt.marker_us / 1e6,
                Activation(self.dev_addr, self.f_cnt + 1, self.f_cnt_down),
            )
        )
        return item

    def txack(self, item: str | None = None) -> None:
        """A gateway takes the frame, and its webhook comes."""
        self.tell(self.taken(item))

    def taken(self, item: str | None = None) -> ev.Transmitted:
        """A gateway takes the frame: the txack, as the dispatcher passes it on (now or later)."""
        name = item or self.attempt.queue_item_id or ""
        f_cnt, self.f_cnt_down = self.f_cnt_down, self.f_cnt_down + 1
        number = self.numbers.get(name)
        return ev.Transmitted(self.now, name, "gw-1", self.now + 0.2, f_cnt, number=number)

    def taken_unseen(self) -> None:
        """A gateway takes the frame, and only the server's counter tells the dispatcher."""
        self.f_cnt_down += 1
        self.tell(ev.AttemptTransmitted(self.attempt.number, "gw-1"))

    def expire(self) -> None:
        """No gateway takes the item in its life."""
        self.wait(31)
        self.tell(ev.AttemptNotSent(self.attempt.number, "no gateway took the frame"))

    def deliver(self) -> None:
        """The frame on its way reaches the light (nobody is told)."""
        frame = self.attempt.frame
        self.received += 1
        if isinstance(frame, SetLight):
            self.light = frame.light

    def carry(self, *, lost: bool = False, answered: bool = True) -> None:
        """Queue, transmit, perhaps deliver, perhaps answer the attempt that is out."""
        self.now = max(self.now, self.attempt.not_before)
        self.queue()
        self.txack()
        if not lost:
            self.deliver()
            self.now += 1.0
            if answered:
                self.uplink()

    def carry_until_idle(self) -> None:
        """Carry attempt after attempt, eight at most, until nothing is left to do."""
        for _ in range(8):
            if self.device.phase is Phase.IDLE:
                return
            self.carry()

    def lose_attempt(self) -> None:
        """Transmit one attempt of which nothing is heard, and nothing is learned by asking."""
        self.queue()
        self.txack()
        self.wait(30.3)
        self.answer_inquiry()

    def lose_settings(self) -> None:
        """Transmit the three frames of a round of settings; none of them arrives."""
        for _ in range(3):
            self.carry(lost=True)
            self.wait(31)

    def spend_attempts(self) -> None:
        """Transmit three attempts of which nothing is heard, and nothing is learned by asking."""
        for _ in range(3):
            self.lose_attempt()
            next_at = self.device.pursuit.next_at if self.device.pursuit else None
            if next_at is not None:
                self.wait(next_at - self.now)

    def answer_inquiry(self, *events: ev.UplinkHeard, failure: str | None = None) -> None:
        """ChirpStack answers the inquiry under way."""
        assert self.device.inquiry is not None
        activation = None if failure else Activation(self.dev_addr, self.f_cnt + 1, self.f_cnt_down)
        self.tell(ev.Inquired(self.device.inquiry.number, events, activation, failure))

    def asked(self) -> "Story":
        """An inquiry is under way, as after a restart with something open."""
        if self.device.inquiry is None:
            self.tell(ev.Joined(at=self.now, dev_addr=self.dev_addr, id=f"asks at {self.now}"))
            if self.device.inquiry is None:  # that was taken for the join of this session
                self.tell(ev.Joined(at=self.now, dev_addr=self.dev_addr, id="asks"))
        return self

    def settle(self) -> "Story":
        """A light that has joined, spoken and got its settings: idle."""
        self.join()
        self.now += 5
        self.uplink()
        self.carry_until_idle()
        assert self.device.phase is Phase.IDLE
        self.now += 60
        return self

    def status_of(self, name: str = "c1") -> CommandStatus:
        """Where a command stands."""
        return self.commands[name].status


__all__ = ["BLUE", "GREEN", "RED", "Inquire", "Stage", "Story", "Submit", "Withdraw"]
