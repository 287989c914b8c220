"""One light looked at more closely: its commands, its signal, and a status asked for now."""

from quart import Blueprint, Response

from actors.refusal import Refusal
from actors.storage.audit import Act
from api.http.audit import note
from api.http.exports import CSV, Table, reply_as, wanted
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    INVALID,
    MAILBOX_FULL,
    NO_REPLY,
    PARKED,
    RATE_LIMITED,
    STOPPING,
    STORE_UNAVAILABLE,
    UNKNOWN_DEVICE,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import read_dev_eui, read_query
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, shows
from api.models import CommandList, CommandView, SignalView, StatusAsked
from api.models.columns import COMMANDS, SIGNAL
from api.models.requests import CommandsQuery, SignalQuery

HOUR_S = 3_600.0

blueprint = Blueprint("insight", __name__)

_READ = (UNKNOWN_DEVICE, INVALID, RATE_LIMITED, STORE_UNAVAILABLE)


@blueprint.get("/devices/<dev_eui>/commands")
@shows(Lights.SEEN)
@answers(Answer(200, "Newest first.", CommandList, also=(CSV,)), problems=_READ, tag="lights")
@takes(query=CommandsQuery)
async def device_commands(dev_eui: str) -> Response:
    """The commands of one light with their timelines, newest first."""
    dev_eui, query = _known(dev_eui), read_query(CommandsQuery)
    commands = await application().commands.of_device(dev_eui, query.limit)
    view = CommandList(dev_eui, [CommandView.of(command) for command in commands])
    return reply_as(wanted(query.format), view, Table("commands", COMMANDS, view.commands))


@blueprint.get("/devices/<dev_eui>/signal")
@shows(Lights.SEEN)
@answers(Answer(200, "Oldest first.", SignalView, also=(CSV,)), problems=_READ, tag="lights")
@takes(query=SignalQuery)
async def device_signal(dev_eui: str) -> Response:
    """How every gateway heard each uplink of one light, oldest first."""
    dev_eui, query = _known(dev_eui), read_query(SignalQuery)
    until = application().clock.now() + 1.0
    since = until - query.hours * HOUR_S
    found = await application().queries.signal(dev_eui, since=since, until=until)
    view = SignalView(dev_eui, query.hours, found.complete, found.points)
    return reply_as(wanted(query.format), view, Table("signal", SIGNAL, found.points))


@blueprint.post("/devices/<dev_eui>/status")
@shows(Lights.SEEN)
@answers(
    Answer(202, "Asked, or it is about to speak anyway.", StatusAsked),
    problems=(
        UNKNOWN_DEVICE,
        INVALID,
        RATE_LIMITED,
        WRONG_ORIGIN,
        MAILBOX_FULL,
        PARKED,
        STOPPING,
        NO_REPLY,
    ),
    tag="lights",
)
async def ask_status(dev_eui: str) -> Response:
    """Ask one light for a status."""
    dev_eui = _known(dev_eui)
    outcome = await application().commands.ask_status(dev_eui)
    if isinstance(outcome, Refusal):
        refuse(outcome)
    note(Act.ASK, dev_eui)
    return reply(StatusAsked(dev_eui, "asked" if outcome == "asked" else "busy"), 202)


def _known(text: str) -> str:
    """A DevEUI that is known. Raises Problem."""
    dev_eui = read_dev_eui(text)
    if dev_eui not in application().board.devices:
        raise Problem(UNKNOWN_DEVICE)
    return dev_eui
