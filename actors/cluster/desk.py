"""What the dispatcher is to be given, taken from the lights' stored records alone. Pure.

A light's actor may run in another process, and that may end right after its commit. So the commit
itself is the submission: whoever runs the dispatcher sees every record that is stored, and hands on
what it asks for. `Attempt.handed_over` counts how often the light meant its attempt to be given:
a record that changed in anything else (its reason, a date that was moved with the clock, its stage)
submits nothing again.

Several changes of a light may be seen as one (a reader that fell behind sees the newest only). What
is handed on then is what the newest record asks for, and nothing is asked for that was withdrawn.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from actors.device.clock_step import moved
from actors.device.model import Attempt, Device, Hearing, Stage

WAITING = frozenset({Stage.SUBMITTED, Stage.HELD})
"""What the dispatcher holds; an attempt further on is forgotten by it, or followed by its item."""


class DispatcherPort(Protocol):
    """Who hands frames to ChirpStack."""

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        """Take this attempt, in place of one not yet queued."""
        ...

    def withdraw(self, dev_eui: str) -> None:
        """Forget what is not yet queued."""
        ...


APART_S = 10.0
"""A record is handed on milliseconds after it was made, and in a fail-over some seconds: one that
seems older, or younger than now, was dated by a clock that differs from ours."""
LOOK_S = 5.0
"""A word to a light of another process takes some milliseconds, and some seconds in a fail-over."""


class ByTheRecord:
    """The dispatcher, to a light of a cluster: its stored record is what is submitted."""

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        """Nothing: see `Desk`."""

    def withdraw(self, dev_eui: str) -> None:
        """Nothing: see `Desk`."""


class _HandedOver(msgspec.Struct, frozen=True, gc=False):
    """What of a light was handed on last; `waiting` while its record says that it waits."""

    number: int
    times: int
    waiting: bool


def in_our_time(device: Device, now: float) -> Device:
    """A record that was just made, with its dates on our clock: what is left of its command's life,
    and of the pause before its frame, is as long as its own process counts it.

    Processes take the engine's clock when they start, and the engine's may be set between two
    starts. Where the engine was away for longer than APART_S what was made before that is taken to
    be younger than it is; a command that ends meanwhile is withdrawn by its light.
    """
    apart_s = now - device.stepped_at
    if device.attempt is None or not device.stepped_at or abs(apart_s) <= APART_S:
        return device
    return moved(device, apart_s)


def _asked_by(attempt: Attempt | None) -> _HandedOver | None:
    """What a record asks for; None where nothing is open that is not transmitted."""
    if attempt is None or attempt.stage is Stage.TRANSMITTED:
        return None
    return _HandedOver(attempt.number, attempt.handed_over, attempt.stage in WAITING)


class Desk:
    """Between the records and the dispatcher. `changed` is called with each record that is new.

    `waits` tells whether the dispatcher holds something for a light, `owes` whether it knows more
    of an attempt (light, number, queued) than that it waits, or is queued.
    Bound: two entries for each light with an open attempt, some 100 bytes each.
    """

    def __init__(
        self,
        dispatcher: DispatcherPort,
        *,
        waits: Callable[[str], bool] = lambda dev_eui: False,
        owes: Callable[[str, int, bool], bool] = lambda dev_eui, number, queued: False,
    ) -> None:
        self._dispatcher = dispatcher
        self._waits = waits
        self._owes = owes
        self._handed_over: dict[str, _HandedOver] = {}
        self._owed: set[tuple[str, _HandedOver]] = set()

    def __len__(self) -> int:
        """Lights of which something was handed on and is still open."""
        return len(self._handed_over)

    def start(self, devices: Iterable[Device]) -> None:
        """The dispatcher is new: hand on all that is open, whatever was handed on before.

        What is queued is handed on as well: the item may stand in ChirpStack's queue, and is
        followed from here on.
        """
        self._handed_over.clear()
        self._owed.clear()
        for device in devices:
            self.changed(device)

    def changed(self, device: Device) -> None:
        """This is the newest record of a light."""
        dev_eui, now = device.dev_eui, _asked_by(device.attempt)
        before = self._handed_over.get(dev_eui)
        if now is None:
            if before is not None:
                self._over(dev_eui, before)
            return
        if now == before:
            return
        submits = self._submits(dev_eui, now)
        self._handed_over[dev_eui] = now
        if submits and device.attempt is not None:
            self._dispatcher.submit(dev_eui, device.attempt, device.hearings)

    def would_submit(self, device: Device) -> bool:
        """Whether `changed` would give the dispatcher this record's attempt."""
        now = _asked_by(device.attempt)
        return now is not None and self._submits(device.dev_eui, now)

    def _submits(self, dev_eui: str, now: _HandedOver) -> bool:
        before = self._handed_over.get(dev_eui)
        if before is None or (before.number, before.times) != (now.number, now.times):
            return True
        # a dispatcher before this one queued it, and its news came late
        return now != before and not now.waiting and self._waits(dev_eui)

    def look(self, devices: Mapping[str, Device]) -> int:
        """Hand on once more what the dispatcher has dealt with and the record knows nothing of: the
        word to the light was lost in a fail-over, or with the process that had it in hand.

        To be called every LOOK_S; what is owed at two looks in a row is no longer on its way. The
        dispatcher, given an attempt that it knows, sends nothing and tells again. Returns how many.
        """
        owed: set[tuple[str, _HandedOver]] = set()
        again = 0
        for dev_eui, handed_over in list(self._handed_over.items()):
            if not self._owes(dev_eui, handed_over.number, not handed_over.waiting):
                continue
            device = devices.get(dev_eui)
            if (dev_eui, handed_over) not in self._owed or device is None:
                owed.add((dev_eui, handed_over))
            elif device.attempt is not None and _asked_by(device.attempt) == handed_over:
                self._dispatcher.submit(dev_eui, device.attempt, device.hearings)
                again += 1
        self._owed = owed
        return again

    def removed(self, dev_eui: str) -> None:
        """The light is known no longer."""
        before = self._handed_over.get(dev_eui)
        if before is not None:
            self._over(dev_eui, before)

    def _over(self, dev_eui: str, before: _HandedOver) -> None:
        del self._handed_over[dev_eui]
        if before.waiting:
            self._dispatcher.withdraw(dev_eui)
