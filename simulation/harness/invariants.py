"""The promises of the service as pure functions: facts in, what is broken out.

Each checks one promise; None means that it is kept. Nothing here depends on how the actors work,
only on what they said and on what was true.
"""

from collections.abc import Iterator

from actors.device.command import Command, CommandStatus
from actors.device.liveness import asleep
from actors.device.model import Device, Phase
from actors.device.policy import Policy
from actors.supervision import ChildReport
from simulation.harness.facts import CommandFacts, DeviceFacts

ATTEMPTS_LEAST = 1
"""How many are worth their air follows from the light and its silence; one always is."""
POLICY = Policy()
LIGHT_MAILBOX = 32
PART_MAILBOX_MOST = 4_096
BATCH_MOST = 512
"""After a crash a batch waits again: a mailbox may hold so many more than its capacity."""
BUDGET_SLACK_S = 1e-6
DATED_WITHIN_S = 5.0
"""A frame lasts 1.3 s, and its txack comes within a second, where nothing is late."""
NOTICED_S = 180.0
"""A status is taken in, and what follows from it shown, within this: an inquiry may be between."""


def command_step(facts: DeviceFacts, known: CommandFacts, command: Command) -> str | None:
    """A command was stored again: may it be what it is now?"""
    before = known.newest
    if before.status.final and command.status is not before.status:
        return f"a command that was {before.status} became {command.status}"
    match command.status:
        case CommandStatus.VERIFIED:
            return verdict(facts, known)
        case CommandStatus.EXPIRED if (
            command.ended_at is None or command.ended_at < command.expires_at
        ):
            return "a command expired before its time"
        case CommandStatus.SUPERSEDED if not any(
            other.id == command.superseded_by and other.order > known.order
            for other in facts.commands
        ):
            return f"a command was superseded by {command.superseded_by}, which is no newer one"
        case CommandStatus.WITHDRAWN if not known.taken_back:
            return "a command was withdrawn that nobody took back"
        case _:
            pass
    sent = facts.frames_since(known.since_s)
    if command.attempts > sent + 1:  # one may be in the gateway's queue
        return f"{command.attempts} attempts are counted, {sent} frames were sent"
    if command.overdue and command.attempts < ATTEMPTS_LEAST:
        return f"a command is overdue after {command.attempts} attempts"
    return None


def verdict(facts: DeviceFacts, known: CommandFacts) -> str | None:
    """Only the echo is proof, and what it proves was really shown."""
    state, since_s = known.state, known.since_s
    if state not in facts.shown_since(since_s):
        return f"verified, but since its acceptance the light never showed {state}"
    if not facts.told_since(since_s, state):
        return f"verified, but since its acceptance the server heard no status with {state}"
    return None


def never_failed_while_shown(device: Device) -> str | None:
    """While the newest status shows the wanted state, no one is told that it failed."""
    goal = device.pursuit.goal if device.pursuit is not None else None
    if device.phase is Phase.FAILED and goal is not None and device.reported == goal:
        return "failed, although the newest status shows what is wanted"
    return None


def something_wakes_it(device: Device) -> str | None:
    """No stored state of anything pursued is without something that wakes it."""
    why = asleep(device, POLICY)
    if why is not None:
        return f"nothing would wake it: {why}"
    return f"it had to be taken up again: {device.last_error}" if device.healed else None


def never_failed_while_told(facts: DeviceFacts, now_s: float) -> str | None:
    """The same, by what the service was really told."""
    device, heard = facts.record, facts.heard
    if device is None or heard is None or not facts.statuses:
        return None
    newest = facts.statuses[-1]
    goal = device.pursuit.goal if device.pursuit is not None else None
    if (
        device.phase is Phase.FAILED
        and goal is not None
        and heard is newest
        and newest.state == goal
        and now_s - facts.heard_s > NOTICED_S
    ):
        return f"failed, although a status that shows it arrived at {facts.heard_s:.0f} s"
    return None


def newest_is_shown(facts: DeviceFacts, now_s: float) -> str | None:
    """What the service says of a light is the newest that it was told, not the latest to arrive."""
    device, heard = facts.record, facts.heard
    if device is None or heard is None or device.session is None or device.report is None:
        return None
    if (
        device.session.dev_addr == heard.dev_addr == device.report.dev_addr
        and device.report.f_cnt < heard.f_cnt
        and now_s - facts.heard_s > NOTICED_S
    ):
        return f"uplink {heard.f_cnt} was told, {device.report.f_cnt} is shown as the newest"
    return None


def attempts_of_pursuit(
    facts: DeviceFacts, device: Device, since_s: float | None = None
) -> str | None:
    """What is counted was sent; while all gateways are away nothing is. `since_s` is when the
    light was told of what it pursues; by default its newest command was."""
    pursuit = device.pursuit
    if pursuit is None or not pursuit.attempts:
        return None
    wanted = device.wanted
    if since_s is None:
        since_s = next((one.since_s for one in reversed(facts.commands)), 0.0)
    if wanted is None or pursuit.restoring:
        since_s = 0.0
    sent = facts.frames_since(since_s)
    if pursuit.attempts > sent:
        return f"a pursuit counts {pursuit.attempts} attempts, {sent} frames were sent"
    return None


def dated_as_sent(facts: DeviceFacts, last_frame_s: float) -> str | None:
    """The end of the newest frame, from which spacing and window count, is near the truth where
    nothing was late: a txack that is told again does not begin them anew."""
    newest_s = max((times[-1] for times in (facts.frames, facts.txacks) if times), default=None)
    if newest_s is not None and last_frame_s > newest_s + DATED_WITHIN_S:
        return f"its newest frame is dated {last_frame_s - newest_s:.1f} s after it was sent"
    return None


def bounds(report: ChildReport) -> Iterator[str]:
    """Every mailbox in the tree is within its bound."""
    box = report.mailbox
    light = report.id.startswith("device ")
    most = LIGHT_MAILBOX + 1 if light else PART_MAILBOX_MOST + BATCH_MOST
    if box is not None and box.depth > most:
        yield f"{report.id}: {box.depth} messages wait"
    for child in report.children:
        yield from bounds(child)
