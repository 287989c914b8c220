"""News for many lights at once, posted a few at a time: 20,000 of them do not stop the service.

News is level-based: of each kind only the newest is kept until it is delivered, and nothing is
queued twice. A light whose mailbox is full gets the news later.
"""

from collections.abc import Callable, Iterable

import trio

from actors.device.events import DeviceEvent
from actors.messaging.latest_per_key import LatestPerKey
from actors.messaging.mailbox import Offer

CHUNK = 250
"""Posted between two checkpoints: at about 2 us each, half a millisecond."""
AGAIN_S = 1.0
"""Before a light with a full mailbox is tried again: it handles a message in some milliseconds."""

Post = Callable[[str, DeviceEvent], Offer | None]
Recipients = Callable[[], Iterable[str]]
News = tuple[DeviceEvent, Recipients]


class Broadcast:
    """News by key, each for all lights that `recipients` names when its turn comes.

    Bounds: two keys per gateway and one per kind of broadcast; owed are at most these times their
    lights.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._news: LatestPerKey[str, News] = LatestPerKey()
        self._owed: dict[tuple[str, str], DeviceEvent] = {}
        self.posted = 0
        self.postponed = 0

    @property
    def owed(self) -> int:
        """Posts still due to lights whose mailboxes were full."""
        return len(self._owed)

    def announce(self, key: str, event: DeviceEvent, recipients: Recipients) -> None:
        """Post `event` soon, in place of older news of the same key."""
        self._news.put(key, (event, recipients))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry the news out until cancelled; what is left when it crashes is carried out next."""
        task_status.started()
        while True:
            await self._carry_out()
            with trio.move_on_after(AGAIN_S if self._owed else float("inf")):
                await self._news.wait()

    async def _carry_out(self) -> None:
        for key, dev_eui in list(self._owed):
            await self._pace()
            event = self._owed.pop((key, dev_eui), None)
            if event is not None:
                self._give(key, dev_eui, event)
        while (first := self._news.first()) is not None:
            await self._carry_out_one(*first)
            self._news.remove(*first)

    async def _carry_out_one(self, key: str, news: News) -> None:
        event, recipients = news
        for dev_eui in recipients():
            await self._pace()
            if not self._news.is_newest(key, news):
                return  # there is newer news, for all of them
            self._owed.pop((key, dev_eui), None)
            self._give(key, dev_eui, event)

    def _give(self, key: str, dev_eui: str, event: DeviceEvent) -> None:
        # CLOSED and None: nobody there; an actor that starts again looks at its gateways itself.
        if self._post(dev_eui, event) is Offer.FULL:
            self._owed[key, dev_eui] = event
            self.postponed += 1
        else:
            self.posted += 1

    async def _pace(self) -> None:
        if (self.posted + self.postponed) % CHUNK == 0:
            await trio.lowlevel.checkpoint()
