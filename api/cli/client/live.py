"""Follow the live websocket, and resume after it broke: the feed of `lamplighter.client`, as it
comes, into a channel. Imported late, by who follows."""

import random
from collections.abc import Sequence

import trio

from api.cli.client.errors import ClientError, in_our_words
from api.cli.client.place import Place
from lamplighter import client
from lamplighter.client.live.follow import Lost, Message

__all__ = ["Follower", "Lost", "Message", "listen"]


class Follower:
    """Follows the service until cancelled; remembers where it was."""

    def __init__(
        self,
        place: Place,
        *,
        kinds: Sequence[str] = (),
        dev_euis: Sequence[str] = (),
        gateways: Sequence[str] = (),
        jitter: random.Random | None = None,
    ) -> None:
        self._place = place
        self._kinds, self._dev_euis, self._gateways = kinds, dev_euis, gateways
        self._jitter = jitter

    async def run(self, send: trio.MemorySendChannel[Message | Lost]) -> None:
        """Put everything that comes into the channel. Raises ClientError for what only a person
        can mend, and Unanswered when the very first connection fails."""
        at, token = self._place.at, self._place.token
        async with send, client.AsyncClient(at, token, chance=self._jitter) as asked:
            feed = asked.live_messages(
                kinds=self._kinds, dev_euis=self._dev_euis, gateways=self._gateways
            )
            try:
                async for message in feed:
                    await send.send(message)
            except client.LamplighterError as error:
                raise in_our_words(error) from error


async def listen(follower: Follower, send: trio.MemorySendChannel[Message | Lost]) -> None:
    """Run it for somebody who also looks every few seconds: until cancelled, also where the feed is
    refused. The channel stays open."""
    async with send.clone() as kept:
        try:
            await follower.run(send)
        except ClientError:
            await trio.sleep_forever()
        del kept
