"""What people ask of the actor of hooks, and how they are answered."""

from dataclasses import dataclass, field

from actors.messaging.ask import ask
from actors.messaging.mailbox import Mailbox
from actors.messaging.reply import Reply
from actors.outgoing.edits import Refused
from actors.outgoing.model import Hook, Stopped
from actors.refusal import Refusal

MAILBOX_REQUESTS = 64
"""People's changes, some 10 kB each: 0.6 MB."""
REPLY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Save:
    """Keep this one, as a new one or in place of the one with this revision."""

    asked: Hook
    revision: int | None
    reply: Reply[Hook | Refused]


@dataclass(frozen=True, slots=True)
class Secret:
    """Sign with this from now on."""

    hook_id: str
    secret: str = field(repr=False)
    reply: Reply[Hook | Refused]


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget it."""

    hook_id: str
    revision: int | None
    reply: Reply[Hook | Refused]


@dataclass(frozen=True, slots=True)
class Replay:
    """Deliver what is kept since this date once more."""

    hook_id: str
    since: float
    reply: Reply[Hook | Refused]


@dataclass(frozen=True, slots=True)
class Stop:
    """The service stops it by itself."""

    hook_id: str
    stopped: Stopped


Request = Save | Secret | Remove | Replay | Stop


class Requests:
    """The mailbox, and one method for each question."""

    def __init__(self) -> None:
        self.mailbox: Mailbox[Request] = Mailbox("hooks", MAILBOX_REQUESTS)

    async def save(self, asked: Hook, revision: int | None) -> Hook | Refused | Refusal:
        """Keep it, as a new one or in place of the one with this revision; returns after it is
        stored."""
        reply: Reply[Hook | Refused] = Reply()
        return await ask(self.mailbox, Save(asked, revision, reply), reply, REPLY_TIMEOUT_S)

    async def set_secret(self, hook_id: str, secret: str) -> Hook | Refused | Refusal:
        """Sign with this from now on; with the one before it as well, for a day."""
        reply: Reply[Hook | Refused] = Reply()
        return await ask(self.mailbox, Secret(hook_id, secret, reply), reply, REPLY_TIMEOUT_S)

    async def remove(self, hook_id: str, revision: int | None) -> Hook | Refused | Refusal:
        """Forget it, whatever its revision where that is None."""
        reply: Reply[Hook | Refused] = Reply()
        return await ask(self.mailbox, Remove(hook_id, revision, reply), reply, REPLY_TIMEOUT_S)

    async def replay(self, hook_id: str, since: float) -> Hook | Refused | Refusal:
        """Deliver what is kept since this date once more."""
        reply: Reply[Hook | Refused] = Reply()
        return await ask(self.mailbox, Replay(hook_id, since, reply), reply, REPLY_TIMEOUT_S)
