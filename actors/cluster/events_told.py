"""Tells the fleet's owner, who alerts, that a process cannot read ChirpStack's stream.

Each process reads the stream by itself, for the lights that run there: those of one that cannot are
silent, where no webhook tells of them, and whoever alerts sees its own reader only. It is told
anew for as long as it lasts; so a new owner hears of it, and a process that is gone is forgotten.
"""

from collections.abc import Callable, Iterable, Iterator

import trio

from actors.alerts.finding import AlertKind, Finding
from actors.clocks.clock import Clock
from actors.cluster.messages import EventsUnread, Message

EVERY_S = 30.0
KEPT_S = 100.0
"""Three times may be lost, or late."""
PROCESSES_MOST = 100
"""Of those of which anything was told; the oldest give way."""


class EventsTold:
    """The actor of a process named `name`. `findings` are those of its own reader; `tell` reaches
    the fleet's owner, and is not called where that is `here`. None of them waits or raises."""

    def __init__(
        self,
        name: str,
        findings: Callable[[], Iterable[Finding]],
        tell: Callable[[Message], None],
        *,
        here: Callable[[], bool],
    ) -> None:
        self._name = name
        self._findings = findings
        self._tell = tell
        self._here = here

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Tell for as long as it lasts, until cancelled."""
        task_status.started()
        while True:
            for one in self._findings():
                if one.holds and not self._here():
                    self._tell(EventsUnread(self._name, one.subject, one.text, one.since))
            await trio.sleep(EVERY_S)


class EventsElsewhere:
    """What other processes told, at the fleet's owner."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, tuple[float, Finding]] = {}

    def told(self, message: EventsUnread) -> None:
        """A process cannot read the stream, or reads it too late."""
        subject = f"{message.subject} at {message.process}"
        text = f"process {message.process}: {message.text}"
        found = Finding(AlertKind.EVENT_STREAM, subject, True, text, message.since)
        self._told.pop(subject, None)
        self._told[subject] = (self._clock.steady() + KEPT_S, found)
        if len(self._told) > PROCESSES_MOST:
            del self._told[next(iter(self._told))]

    def findings(self) -> Iterator[Finding]:
        """Each that was told of, and whether it still is."""
        now = self._clock.steady()
        for until, found in self._told.values():
            over = f"nothing is told any more of the {found.subject}"
            yield found if now < until else Finding(found.kind, found.subject, False, over)
