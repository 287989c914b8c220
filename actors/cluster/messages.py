"""What processes tell each other by the inbox of a shard, and answer by the stream of replies.

Any of them may be read twice, late, or by another owner than the one that it was written for, and
must do no harm then; questions are known again (`twice.py`). A message of a kind that this process
does not know (a newer one wrote it) raises msgspec.MsgspecError when it is read, and goes to the
dead letters.
"""

from typing import Any

import msgspec

from actors.board.changes import ActorView
from actors.board.sight import EVERYTHING, Sight
from actors.device.events import CommandRequested, DeviceEvent, Inquired, WithdrawRequested
from actors.device.model import Device
from actors.link.judgement import AttemptJudged
from actors.storage.audit import AuditEntry
from lorawan.events.model import Event
from lorawan.shared_text import shared, shared_tags
from store.engine.places import place_of
from store.engine.port import InboxEntry

# ------------------------------------------------------------------ for a light, or all of a shard


class NetworkTold(msgspec.Struct, frozen=True, tag="network"):
    """An event of ChirpStack, dated by its own clock: for the light, and for the fleet's owner."""

    event: Event


class ForLight(msgspec.Struct, frozen=True, tag="light"):
    """An event for one light: news of the dispatcher, a question by hand or of the sweeper.

    Whoever waits for the answer is process `asker`, which knows the question by `ask`; nobody where
    `asker` is empty.
    """

    dev_eui: str
    event: DeviceEvent
    asker: str = ""
    ask: int = 0


class CommandTaken(msgspec.Struct, frozen=True, tag="command"):
    """A command that was accepted, and is in the store: the light pursues it from here on."""

    dev_eui: str
    request: CommandRequested


class ForLights(msgspec.Struct, frozen=True, tag="lights"):
    """News for all lights of a shard, or for those that `gateway_id` hears."""

    event: DeviceEvent
    gateway_id: str | None = None


class LightListed(msgspec.Struct, frozen=True, tag="listed"):
    """ChirpStack lists this light. Its owner registers it, if it is new."""

    device: Device


class LightConfirmed(msgspec.Struct, frozen=True, tag="confirmed"):
    """ChirpStack lists a light that was known by its own event only."""

    dev_eui: str


class LightGone(msgspec.Struct, frozen=True, tag="gone"):
    """Take this light off (see `actors/fleet/removal.py`)."""

    dev_eui: str
    why: str
    for_good: bool = True
    asker: str = ""
    """As with `ForLight`: who waits for the answer, `removed` or `unknown`."""
    ask: int = 0


# ------------------------------------------------------------ for the owner of the fleet shard


class InquiryAnswered(msgspec.Struct, frozen=True, tag="inquired"):
    """ChirpStack answered an inquiry about this light. The dispatcher says whose its txacks are,
    and has it delivered to the light."""

    dev_eui: str
    answer: Inquired


class Judged(msgspec.Struct, frozen=True, tag="judged"):
    """What became of an attempt, for those who learn from many."""

    dev_eui: str
    judgement: AttemptJudged


class LightHeardUnlisted(msgspec.Struct, frozen=True, tag="unlisted"):
    """A light was registered by its own event: whoever reads ChirpStack's listing should look."""

    dev_eui: str


class QueueFlushed(msgspec.Struct, frozen=True, tag="flushed"):
    """Somebody emptied ChirpStack's queue of this light."""

    dev_eui: str


class ActorTold(msgspec.Struct, frozen=True, tag="actor"):
    """The actor of a light is in trouble, or is well again."""

    view: ActorView


class LightForgotten(msgspec.Struct, frozen=True, tag="forgotten"):
    """This light was taken off: nothing is kept of it any more."""

    dev_eui: str


# ------------------------------------------------------------------ for any owner


class CarriedRequest(msgspec.Struct, frozen=True, tag="carried"):
    """A request of somebody whose rights were checked, to be answered by the owner of the shard.

    `deadline_at` is Unix seconds by the engine's clock (an older process tells it by its own, which
    was set by that at its start): nobody waits for an answer any more after it, and it is not
    carried out.
    """

    id: int
    asker: str
    deadline_at: float
    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    scope: str = ""
    """What the caller may do."""
    caller: str = ""
    """Who it is, for what is written down about it."""
    peer: str = ""
    """The address that it came from."""
    sight: Sight = EVERYTHING
    """The lights that the caller may see."""
    inflates: bool = False
    """Whether the asker reads an answer that is deflated; one of an older version does not."""


class AuditTold(msgspec.Struct, frozen=True, tag="audit"):
    """Somebody did something, in whichever process: to be written by the fleet's owner."""

    entry: AuditEntry


class FailoverTook(msgspec.Struct, frozen=True, tag="failover"):
    """A fail-over took commits of a shard that the engine had acknowledged to its owner, who sent
    them again, or put again the records that it has in memory (see `alerts.rules.LostCommits`)."""

    owner: str
    shard: str
    again: int = 0
    put: int = 0
    asker: str = ""
    """With `ask` it is known again where it lies there twice: what is told is added up."""
    ask: int = 0


class EventsUnread(msgspec.Struct, frozen=True, tag="events"):
    """A process cannot read ChirpStack's stream, or not in time (see `events_told.py`). `subject`
    and `text` are those of its finding, `since` is when that came to hold."""

    process: str
    subject: str
    text: str
    since: float | None = None


Message = (
    NetworkTold
    | ForLight
    | CommandTaken
    | ForLights
    | LightListed
    | LightConfirmed
    | LightGone
    | InquiryAnswered
    | Judged
    | LightHeardUnlisted
    | QueueFlushed
    | LightForgotten
    | ActorTold
    | AuditTold
    | FailoverTook
    | EventsUnread
    | CarriedRequest
)
"""What an inbox may hold."""


# ------------------------------------------------------------------ answers


class LightAnswered(msgspec.Struct, frozen=True, tag="answered"):
    """What a light said to a question (`ForLight`), or why it did not."""

    ask: int
    text: str = ""
    failure: str | None = None
    refusal: str = ""
    """With a failure: which `Refusal` it is, where the light did not take the question. A process
    of another version may know it not, and then has the words alone."""


class CarriedAnswer(msgspec.Struct, frozen=True, tag="carried"):
    """The answer to a carried request."""

    id: int
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    deflated: bool = False
    """The body has to be inflated (`deflated.py`)."""


Answer = LightAnswered | CarriedAnswer
"""What the stream of replies to a process may hold."""


# ------------------------------------------------------------------ their form


def encode(message: Message | Answer) -> bytes:
    """As it is written. A promise to whoever asked (`reply`) does not leave the process."""
    if isinstance(message, ForLight) and getattr(message.event, "reply", None) is not None:
        event = msgspec.structs.replace(message.event, reply=None)
        message = msgspec.structs.replace(message, event=event)
    elif isinstance(message, CommandTaken) and message.request.reply is not None:
        request = msgspec.structs.replace(message.request, reply=None)
        message = msgspec.structs.replace(message, request=request)
    return _encoder.encode(message)


def decode(data: bytes) -> Message:
    """Read an entry of an inbox. Raises msgspec.MsgspecError."""
    message = _messages.decode(data)
    if isinstance(message, NetworkTold):
        _share_texts(message.event)
    return message


def placed(message: Message, entry: InboxEntry) -> Message:
    """The same message, which says where it stands among the commands of its light."""
    match message:
        case CommandTaken(dev_eui, request) if entry.line:
            place = request.place if request.again else place_of(entry.line, entry.id)
            return CommandTaken(
                dev_eui, msgspec.structs.replace(request, place=place, line=entry.line)
            )
        case ForLight(event=WithdrawRequested(command_id=None) as event):
            place = place_of(entry.line, entry.id)
            event = msgspec.structs.replace(event, place=place)
            return msgspec.structs.replace(message, event=event)
        case _:
            return message


def command_in(entry: InboxEntry) -> CommandTaken | None:
    """The command in an entry; None where that is something else, or cannot be read."""
    try:
        message = placed(decode(entry.message), entry)
    except msgspec.MsgspecError:  # told where it is taken in
        return None
    return message if isinstance(message, CommandTaken) else None


def decode_answer(data: bytes) -> Answer:
    """Read a reply. Raises msgspec.MsgspecError."""
    return _answers.decode(data)


def _share_texts(event: Event) -> None:
    """What all lights of a fleet have in common is kept once; nobody else has this event yet."""
    device = event.device
    for name in (
        "application_id",
        "application_name",
        "tenant_id",
        "device_profile_id",
        "device_profile_name",
        "device_class",
    ):
        msgspec.structs.force_setattr(device, name, shared(getattr(device, name)))
    if device.tags:
        msgspec.structs.force_setattr(device, "tags", shared_tags(device.tags))
    for reception in getattr(event, "receptions", ()):
        msgspec.structs.force_setattr(reception, "gateway_id", shared(reception.gateway_id))


def _no_promise(kind: type, value: Any) -> Any:
    raise msgspec.ValidationError(f"{kind} cannot be handed from one process to another")


_encoder = msgspec.msgpack.Encoder()
_messages: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message, dec_hook=_no_promise)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
