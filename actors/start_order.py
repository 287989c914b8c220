"""The order in which the actors start, under the root supervisor; they stop in reverse order.

What runs once for the fleet stands among the others where this process alone serves it.
"""

from collections.abc import Sequence

from actors.fleetwide import Fleetwide
from actors.supervision import Budget, ChildSpec, Exhausted, Supervisor
from actors.wiring import ProcessParts

JOURNAL_SHUTDOWN_S = 10.0
"""Longer than the store writer's own drain (8 s): what waits is written before the process ends."""
ROOT_BUDGET = Budget(restarts=5, period_s=60.0)
"""A part that crashes more often than that cannot be kept alive: the process exits non-zero."""


def root_supervisor(parts: ProcessParts, web: ChildSpec | None = None) -> Supervisor:
    """The root supervisor over all actors of these parts, and over the web if there is one."""
    return root_over(parts, children_of(parts, web))


def root_over(parts: ProcessParts, children: Sequence[ChildSpec]) -> Supervisor:
    """The root supervisor over these children."""
    return Supervisor(
        "root",
        children,
        clock=parts.environment.clock,
        rng=parts.environment.rng,
        dead_letters=parts.dead_letters,
        on_change=parts.actor_changed,
    )


def children_of(parts: ProcessParts, web: ChildSpec | None = None) -> list[ChildSpec]:
    """The root's children, in the order in which they start."""
    fleetwide = parts.fleetwide
    first, rest = before_lights(fleetwide), after_lights(fleetwide)
    children = [
        *foundation(parts),
        *first[:2],
        ChildSpec("inquirer", parts.inquirer.run, budget=ROOT_BUDGET),
        *first[2:],
        *fleet(parts),
        parts.lights.as_child(),
        *rest,
        *event_stream(parts),
    ]
    return children if web is None else [*children, web]


def foundation(parts: ProcessParts) -> list[ChildSpec]:
    """What everybody else needs: the time, the store's writer, the board, who tells people."""
    store_writer = parts.store_writer
    return [
        ChildSpec("timekeeper", parts.timekeeper.run, budget=ROOT_BUDGET),
        ChildSpec(
            "journal",
            store_writer.run,
            budget=ROOT_BUDGET,
            shutdown_s=JOURNAL_SHUTDOWN_S,
            mailbox=store_writer.mailbox,
        ),
        ChildSpec("board", parts.board.run, budget=ROOT_BUDGET),
        *parts.environment.notifier_children,
    ]


def fleet(parts: ProcessParts) -> list[ChildSpec]:
    """What the lights of this process have together; they come after it."""
    return [
        ChildSpec("fleet", parts.fleet.run, budget=ROOT_BUDGET),
        ChildSpec("removals", parts.removals.run, budget=ROOT_BUDGET),
    ]


def event_stream(parts: ProcessParts) -> list[ChildSpec]:
    """Last, so that everybody who listens to events is there; none where no stream is read."""
    stream = parts.events.stream
    return [] if stream is None else [ChildSpec("event stream", stream.run, budget=ROOT_BUDGET)]


def before_lights(its: Fleetwide) -> list[ChildSpec]:
    """Of what runs once for the fleet, what the lights need: alerter, learner, dispatcher."""
    alerter = its.alerter
    return [
        ChildSpec("alerter", alerter.run, budget=ROOT_BUDGET, mailbox=alerter.mailbox),
        ChildSpec("learner", its.learning.rounds.run, budget=ROOT_BUDGET),
        ChildSpec("dispatcher", its.dispatcher.run, budget=ROOT_BUDGET),
    ]


def after_lights(its: Fleetwide) -> list[ChildSpec]:
    """Of what runs once for the fleet, what needs the lights."""
    initializer, rollouts = its.initializer, its.rollouts
    return [
        ChildSpec("gateway watcher", its.watcher.run, budget=ROOT_BUDGET),
        ChildSpec("quality", its.quality.run, budget=ROOT_BUDGET),
        ChildSpec("directory", its.device_discovery.run, budget=ROOT_BUDGET),
        ChildSpec(
            "initialization", initializer.run, budget=ROOT_BUDGET, mailbox=initializer.mailbox
        ),
        ChildSpec("rollouts", rollouts.run, budget=ROOT_BUDGET, mailbox=rollouts.mailbox),
        ChildSpec("plans", its.plans.run, budget=ROOT_BUDGET, mailbox=its.plans.mailbox),
        ChildSpec("scenes", its.scenes.run, budget=ROOT_BUDGET, mailbox=its.scenes.mailbox),
        ChildSpec(
            "hooks",
            its.outgoing.run,
            budget=ROOT_BUDGET,
            exhausted=Exhausted.PARK,  # whatever becomes of it, the lights are served
            mailbox=its.outgoing.mailbox,
        ),
        ChildSpec("restored store", its.restored_store.run, budget=ROOT_BUDGET),
        ChildSpec("calibration", its.calibrator.run, budget=ROOT_BUDGET),
        ChildSpec("sweeper", its.sweeper.run, budget=ROOT_BUDGET),
        ChildSpec("risk announcer", its.risk_announcer.run, budget=ROOT_BUDGET),
        # whatever becomes of one, the lights are served
        *(
            ChildSpec(name, one.run, exhausted=Exhausted.PARK)
            for name, one in its.integrations.items()
        ),
    ]
