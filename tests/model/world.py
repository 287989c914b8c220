"""A world of one light, its radio and its server, written without looking at the device machine.

Only this world knows what the light really shows and when. The machine learns of it by the events
that a test delivers: late, doubled, out of order, or never.
"""

from dataclasses import dataclass, field
from typing import TypeVar

from actors.device import events as ev
from lorawan.events import Reception
from lorawan.kuando import AFTER_JOIN, LightState, SetLight, Status
from lorawan.kuando.frames import AutoUplink, Frame, RequestStatus
from lorawan.network import Activation

Retained = ev.UplinkHeard | ev.Joined | ev.Transmitted | ev.ItemDropped
R = TypeVar("R", bound=Retained)

RETAINED_MOST = 12
"""Events that the server replays on an inquiry."""


@dataclass
class Item:
    """One item of the server's queue; `number` is our attempt, None for somebody else's."""

    id: str
    frame: Frame
    expires_at: float
    number: int | None


@dataclass
class Spoken:
    """The light said in this session that it shows this; `order` places it among the enqueues."""

    order: int
    dev_addr: str
    light: LightState
    received: int


@dataclass
class World:
    """The light, the air and the server, each with its own truth."""

    sw_rev: int = 61
    now: float = 1_000_000.0
    dev_addr: str = "01000001"
    light: LightState = AFTER_JOIN
    received: int = 0
    foreign_received: int = 0
    sent: int = 0
    f_cnt_up: int = 0
    f_cnt_down: int = 0
    auto: bool = False
    owes_answer: bool = False
    sessions: int = 1
    items_made: int = 0
    order: int = 0
    queue: list[Item] = field(default_factory=list)
    spoken: list[Spoken] = field(default_factory=list)
    retained: list[Retained] = field(default_factory=list)

    def join(self) -> ev.Joined:
        """The light restarts and joins: dim green, counters and settings gone, queue flushed."""
        self.sessions += 1
        self.dev_addr = f"0100{self.sessions:04x}"
        self.light, self.auto, self.owes_answer = AFTER_JOIN, False, False
        self.received = self.sent = self.f_cnt_up = self.f_cnt_down = 0
        self.foreign_received = 0
        self.queue.clear()
        return self._keep(ev.Joined(at=self.now, dev_addr=self.dev_addr))

    def speak(self, *, reaches_server: bool = True) -> ev.UplinkHeard | None:
        """The light sends a status; None when no gateway heard it."""
        self.sent += 1
        f_cnt, self.f_cnt_up = self.f_cnt_up, self.f_cnt_up + 1
        self.owes_answer = False
        self.order += 1
        self.spoken.append(Spoken(self.order, self.dev_addr, self.light, self.received))
        if not reaches_server:
            return None
        status = Status(-80, 30, self.received, self.sent, self.light, self.sw_rev, 12, 1)
        uplink = ev.UplinkHeard(
            self.now, self.dev_addr, f_cnt, status, (Reception("gw-1", -90, 5.0),), 9
        )
        return self._keep(uplink)

    def enqueue(
        self, frame: Frame, expires_at: float, number: int | None
    ) -> tuple[Item, Activation]:
        """The server takes an item, having told the activation it read before."""
        activation = self.activation()
        self.order += 1
        self.items_made += 1
        item = Item(f"item-{self.items_made}", frame, expires_at, number)
        self.queue.append(item)
        return item, activation

    def transmit(self, item: Item, *, reaches_light: bool) -> ev.Transmitted:
        """A gateway takes the item; the light may hear it."""
        self.queue.remove(item)
        txack = ev.Transmitted(self.now, item.id, "gw-1", self.now + 0.2, self.f_cnt_down)
        self.f_cnt_down += 1
        self._keep(txack)
        self.now += 0.3
        if reaches_light:
            self._carry_out(item.frame)
            self.foreign_received += item.number is None
        return txack

    def drop(self, item: Item, code: str) -> ev.ItemDropped:
        """The server throws the item away."""
        self.queue.remove(item)
        return self._keep(ev.ItemDropped(self.now, item.id, code))

    def activation(self) -> Activation:
        """What the server says of the running session."""
        return Activation(self.dev_addr, self.f_cnt_up, self.f_cnt_down)

    def said_after(self, order: int, dev_addr: str, light: LightState, known_received: int) -> bool:
        """Whether in that session the light said so after the given point, having got more."""
        return any(
            s.order > order
            and s.dev_addr == dev_addr
            and s.light == light
            and s.received > known_received
            for s in self.spoken
        )

    def _carry_out(self, frame: Frame) -> None:
        self.received += 1
        if isinstance(frame, SetLight):
            self.light = frame.light
        elif isinstance(frame, AutoUplink):
            self.auto = frame.on
        asked = isinstance(frame, RequestStatus) or (isinstance(frame, SetLight) and frame.reply)
        self.owes_answer = self.owes_answer or self.auto or asked

    def _keep(self, event: R) -> R:
        self.retained = [*self.retained, event][-RETAINED_MOST:]
        return event
