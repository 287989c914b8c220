"""The fixed plan: three timed attempts, nothing else to go by, held against the closed form.

Evidence is switched off by the world, not in the service: no heartbeats, no gateway that comes or
goes, no lost webhook, nobody else on the air.

Closed form: with p the chance of loss of a frame in each direction and s = (1 - p)^2, the colour is
shown after three attempts with 1 - p^3 and verified with 1 - (1 - s)^3; frames 1 + (1-s) + (1-s)^2.
"""

from dataclasses import dataclass, replace

import trio

from actors.device.command import CommandStatus, StepKind
from actors.device.policy import Policy, RetryPlan
from simulation.world.world import World
from tests.reliability.site import (
    COLOURS,
    NEVER_S,
    PRODUCTION,
    empty_world,
    own_gateway,
)
from tests.reliability.trials import trials_of
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication

LOSSES = (0.01, 0.05, 0.10, 0.20, 0.30)
FIXED = replace(PRODUCTION, device=Policy(plan=RetryPlan.FIXED))
PAUSE_S = 15.0
"""Above the spacing of two frames to one light."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One command, when its three attempts were over."""

    shown: bool
    verified: bool
    frames: int
    first_ended_s: float
    """From the order to the end of its first transmission."""
    verified_s: float | None


def run(loss: float, commands: int, seed: int) -> list[Trial]:
    """So many commands (rounded up to whole rounds of all lights)."""
    return in_virtual_time(_run, loss, commands, seed)


async def _run(loss: float, commands: int, seed: int) -> list[Trial]:
    world = empty_world(seed, heartbeat_s=NEVER_S)
    return await trials_of(world, seed, loss, commands, _command_often, FIXED)


async def _command_often(
    home: RunningApplication, world: World, dev_eui: str, rounds: int, trials: list[Trial]
) -> None:
    gateway = world.gateways[own_gateway(world, dev_eui)]
    for number in range(rounds):
        await trio.sleep(PAUSE_S + world.rng.uniform(0.0, PAUSE_S))
        light = COLOURS[number % len(COLOURS)]
        before = gateway.statistics().frames_sent
        ordered = await home.command(dev_eui, light)
        done = await home.parts.board.wait_command(
            ordered.id, lambda c: c.status.final or c.overdue, 1_000.0
        )
        assert done is not None
        first = next(step.at for step in done.timeline if step.kind is StepKind.TRANSMITTED)
        verified = done.status is CommandStatus.VERIFIED
        assert verified == (done.ended_at is not None)
        trials.append(
            Trial(
                shown=world.showing(dev_eui) == light,
                verified=verified,
                frames=gateway.statistics().frames_sent - before,
                first_ended_s=first - done.accepted_at,
                verified_s=None if done.ended_at is None else done.ended_at - done.accepted_at,
            )
        )


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """What theory says for one loss."""

    shown: float
    verified: float
    unreported: float
    frames: float
    mean_s: float


def closed_form(loss: float, *, queue_s: float, answer_s: float) -> ClosedForm:
    """`queue_s` passes from an attempt's time to the end of its transmission, `answer_s` from
    there to the verdict. The waits between are the machine's: a window and a backoff each."""
    policy = Policy()
    fails = 1.0 - (1.0 - loss) ** 2
    chances = [(1.0 - fails) * fails**n for n in range(policy.attempts_most)]
    at, times = 0.0, list[float]()
    for n in range(policy.attempts_most):
        times.append(at + queue_s + answer_s)
        backoff_s = policy.backoff_first_s * policy.backoff_factor**n
        at += queue_s + policy.window_s + backoff_s
    verified = sum(chances)
    shown = 1.0 - loss**policy.attempts_most
    return ClosedForm(
        shown=shown,
        verified=verified,
        unreported=shown - verified,
        frames=sum(fails**n for n in range(policy.attempts_most)),
        mean_s=sum(c * t for c, t in zip(chances, times, strict=True)) / verified,
    )
