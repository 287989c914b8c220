"""`/commands/{id}`: one command with its timeline, and taking it back."""

import msgspec
from quart import Blueprint, Response

from actors.commands import Ended
from actors.refusal import Refusal
from actors.storage.audit import Act
from api.http.audit import by, note
from api.http.openapi import Answer, answers, takes
from api.http.problems import (
    ENDED,
    INVALID,
    MAILBOX_FULL,
    NO_REPLY,
    PARKED,
    RATE_LIMITED,
    STOPPING,
    STORE_UNAVAILABLE,
    UNKNOWN_COMMAND,
    UNKNOWN_DEVICE,
    WRONG_ORIGIN,
    Problem,
)
from api.http.refusals import refuse
from api.http.requests import read_dev_eui, read_query
from api.http.responses import reply
from api.http.services import application
from api.http.sight import Lights, seen, shows
from api.models import CommandView, NothingWanted
from api.models.requests import WithdrawQuery

blueprint = Blueprint("commands", __name__)


@blueprint.get("/commands/<command_id>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "The command as it is now.", CommandView),
    problems=(UNKNOWN_COMMAND, RATE_LIMITED, STORE_UNAVAILABLE),
    tag="lights",
)
async def get_command(command_id: str) -> Response:
    """One command, open or ended, with all that happened to it."""
    command = await application().commands.find(command_id)
    if command is None or not seen().command(command):
        raise Problem(UNKNOWN_COMMAND)
    return reply(CommandView.of(command))


_TAKING_BACK = (
    INVALID,
    RATE_LIMITED,
    STORE_UNAVAILABLE,
    MAILBOX_FULL,
    PARKED,
    STOPPING,
    NO_REPLY,
    WRONG_ORIGIN,
)


@blueprint.delete("/commands/<command_id>")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Withdrawn; `reason` says what of it may still reach the light.", CommandView),
    problems=(UNKNOWN_COMMAND, UNKNOWN_DEVICE, ENDED, *_TAKING_BACK),
    tag="lights",
)
@takes(query=WithdrawQuery)
async def withdraw_command(command_id: str) -> Response:
    """Take back a command that is not verified yet.

    It ends as `withdrawn`, and what was wanted before it is wanted again. Nothing that is in flight
    is flushed: the light may still take it, which a status shows, and is then brought back. A
    command that ended otherwise is answered with 409 and its end; the same request again with 200.
    """
    nothing = read_query(WithdrawQuery).keep == "nothing"
    if (lights := seen()).limited:
        command = await application().commands.find(command_id)
        if command is None or not lights.command(command):
            raise Problem(UNKNOWN_COMMAND)
    done = await application().commands.withdraw(command_id, want_nothing=nothing, by=by())
    if done is None:
        raise Problem(UNKNOWN_COMMAND)
    if isinstance(done, Refusal):
        refuse(done)
    if isinstance(done, Ended):
        members = {"command": msgspec.to_builtins(CommandView.of(done.command))}
        raise Problem(ENDED, f"it ended as {done.command.status.value}", members=members)
    note(Act.WITHDRAW, done.dev_eui, command=done.id, keep="nothing" if nothing else "before")
    return reply(CommandView.of(done))


@blueprint.delete("/devices/<dev_eui>/wanted")
@shows(Lights.SEEN)
@answers(
    Answer(200, "Nothing is wanted of it; the command that was open is withdrawn.", NothingWanted),
    problems=(UNKNOWN_DEVICE, *_TAKING_BACK),
    tag="lights",
)
async def want_nothing(dev_eui: str) -> Response:
    """Ask nothing of a light any more.

    Its open command ends as `withdrawn`, and the light is not brought back to anything: it goes on
    showing what it shows.
    """
    dev_eui = read_dev_eui(dev_eui)
    done = await application().commands.want_nothing(dev_eui, by())
    if isinstance(done, Refusal):
        refuse(done)
    note(Act.FORGET_WANTED, dev_eui, command=None if done is None else done.id)
    return reply(NothingWanted(dev_eui, None if done is None else CommandView.of(done)))
