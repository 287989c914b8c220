"""Hands the entries that were read of an inbox on to their lights, and hears what became of them.

For each light entries go in the order of the inbox, commands one by one: a newer one waits until
its light has dealt with the one before, or that was given up. A command whose light has no room
waits in a line, and so does what comes behind it, an event for a minute at most; any other event
that finds no room is dropped and counted, as everywhere. Who asked a question is told at once where
its light has no room, also for what comes before it. A message that crashed its light, or
whoever took it, is in the dead letters, and the mark moves on; a command is tried again before it
ends, rejected, and is over without an end only where just that cannot be stored.
"""

from collections import deque
from collections.abc import Callable, Container

import structlog
import trio

from actors.clocks.clock import Clock
from actors.cluster.inbox_counts import InboxCounts
from actors.cluster.inbox_shard import PARKED_S, TRIES_MOST, InboxShard, Place, Taken, Waiting
from actors.cluster.messages import CommandTaken, Message
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.reply import ToldReply
from actors.replace import replace
from store.engine.port import InboxEntry

log = structlog.get_logger()

BEHIND_MOST = 32
"""Events that wait behind a command for its light: as many as a mailbox holds."""


class InboxHanding:
    """For the reader of inboxes. `take` never waits; an entry over which it raises is poisoned.

    `is_read` tells whether a shard is still read here, `moved` is told when an entry of it was
    dealt with, or waits in a line again.
    """

    def __init__(
        self,
        take: Callable[[Message, Place], Taken],
        clock: Clock,
        dead_letters: DeadLetters,
        *,
        is_read: Callable[[InboxShard], bool],
        moved: Callable[[InboxShard], None],
    ) -> None:
        self.counts = InboxCounts()
        self._take = take
        self._clock = clock
        self._dead_letters = dead_letters
        self._is_read = is_read
        self._moved = moved

    def begin(self, state: InboxShard, one: Waiting, known: Container[str] = ()) -> None:
        """The next entry; a command whose light has it (`known`) is dealt with already."""
        self.counts.read += 1
        state.watermark.begun(one.id, one.line)
        message = one.message
        if isinstance(message, CommandTaken) and message.request.command_id in known:
            self.counts.repeated += 1
            self._done(state, one)
        else:
            self._hand_on(state, one)

    def offer_again(self, state: InboxShard) -> None:
        """What waits for room, of each light in its order."""
        for light, line in list(state.lines.items()):
            while line and self._may_go(state, line[0]) and self._offered(state, line[0]):
                line.popleft()
            if line and self._may_go(state, line[0]):
                self._refuse_questions(state, line)
            if not line:
                del state.lines[light]

    def unreadable(self, entry: InboxEntry, error: Exception) -> None:
        """It is no message that this process knows."""
        self.counts.poisoned += 1
        log.warning("inbox entry cannot be read", entry=entry.id, error=str(error))
        self._dead_letters.add("inbox", entry.message, error, self._clock.now())

    # ---------------------------------------------------------------- how

    def _hand_on(self, state: InboxShard, one: Waiting) -> None:
        line = state.lines.get(one.light)
        held_back = line is not None or (one.is_command and one.light in state.in_hand)
        if not held_back and self._offered(state, one):
            return
        if not one.is_command and (line is None or len(line) > BEHIND_MOST):
            self._drop(state, one)
            return
        state.lines.setdefault(one.light, deque()).append(one)

    def _offered(self, state: InboxShard, one: Waiting) -> bool:
        """Hand it on. False where there is no room."""

        def told(reply: ToldReply[None], error: Exception | None) -> None:
            if error is not None and reply.begun and place.last_try:
                self._dead(one, error)  # its end could not be stored
            self._told(state, one, error, begun=reply.begun)

        waits_s = trio.current_time() - one.since
        place = Place(state.name, one.id, ToldReply(told), one.tries, waits_s, one.line)
        try:
            taken = self._take(one.message, place)
        except Exception as error:  # noqa: BLE001 - the entries behind it go on, whatever it is
            self._dead(one, error)
            self._told(state, one, error, begun=True)
            return True
        match taken:
            case Taken.DONE:
                self._done(state, one)
            case Taken.LATER if one.is_command:
                state.in_hand.add(one.light)
            case Taken.LATER:
                pass
            case Taken.NO_ROOM if one.is_command or waits_s < PARKED_S:
                return False
            case Taken.NO_ROOM:
                self._drop(state, one)
        return True

    def _told(
        self, state: InboxShard, one: Waiting, error: Exception | None, *, begun: bool
    ) -> None:
        """A light dealt with it, or cannot: it crashed over it, or is parked or stopped. A command
        is offered again; at its last try it ends, unless that cannot be stored."""
        if not self._is_read(state):
            return
        if one.is_command:
            state.in_hand.discard(one.light)
        if error is None:
            self._done(state, one)
        elif one.is_command and one.tries + begun <= TRIES_MOST:
            self.counts.poisoned += begun
            state.put_back(replace(one, tries=one.tries + begun))
            self._moved(state)
        else:
            self.counts.poisoned += begun
            self.counts.dropped += not begun
            self._done(state, one)

    def _may_go(self, state: InboxShard, one: Waiting) -> bool:
        """A light has one command in hand: one that crashed it comes before those behind it."""
        return not one.is_command or one.light not in state.in_hand

    def _refuse_questions(self, state: InboxShard, line: deque[Waiting]) -> None:
        """Their light has no room for what comes before them, and who asked does not wait long."""
        waiting = list(line)
        line.clear()
        line.extend(one for one in waiting if not one.is_question)
        for one in waiting:
            if one.is_question:
                self._drop(state, one)

    def _drop(self, state: InboxShard, one: Waiting) -> None:
        self.counts.dropped += 1
        if one.is_question:
            nobody: ToldReply[None] = ToldReply(lambda reply, error: None)
            self._take(one.message, Place(state.name, one.id, nobody, refused=True))
        self._done(state, one)

    def _dead(self, one: Waiting, error: Exception) -> None:
        log.error("inbox entry cannot be taken", entry=one.id, exc_info=error)
        self._dead_letters.add("inbox", one.message, error, self._clock.now())

    def _done(self, state: InboxShard, one: Waiting) -> None:
        state.watermark.done(one.id, one.line)
        self._moved(state)
