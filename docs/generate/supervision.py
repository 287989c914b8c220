"""The tree of actors with its order of start, and the life of a light, from the code."""

from actors.device import diagram
from actors.fleet import fleet
from actors.start_order import ROOT_BUDGET, children_of
from actors.supervision import Budget, ChildSpec
from api.server.web_actor import WebActor
from docs.generate.service import SETTINGS, app, parts

PURPOSES = {
    "timekeeper": "follows the machine's clock, notices steps and sleeps, compares ChirpStack's",
    "journal": "the store's only writer (but for pruning); many writes, one commit",
    "board": "newest state of every light and gateway; fans changes out",
    "alerter": "opens, repeats and closes alerts, and has people told",
    "learner": "stores what the answers taught; counts losses and silences of the fleet",
    "inquirer": "asks ChirpStack what it still knows of lights that miss an answer",
    "dispatcher": "the only one that hands downlinks to ChirpStack; paces by airtime",
    "fleet": "tells each light the news of the gateways that hear it",
    "removals": "takes lights off, to the end, whoever waits for it",
    "lights": "supervisor of one actor per DevEUI, each with restarts of its own",
    "gateway watcher": "asks ChirpStack for the gateways, tells each change of health",
    "quality": "looks on: the risk of each light, a grade for each gateway, and scores of its own",
    "directory": "asks ChirpStack which lights there are",
    "initialization": "runs of settings over many lights, with progress",
    "rollouts": "one colour for many lights, at a pace; stopped by too many failures",
    "plans": "floor plans: what people change of them, stored before it is shown",
    "scenes": "keeps scenes, and applies what a schedule says is due",
    "hooks": "collects events, and posts them to the receivers that asked for them",
    "restored store": "after a restore: what was wanted before waits for a decision",
    "calibration": "probes lights for what is unknown of firmware and forwarders",
    "sweeper": "every 5 min: stuck items, silent lights, watchdog refresh, retention",
    "risk announcer": "shows what is expected of each light where that changed noticeably",
    "web": "our accept loop and limits, hypercorn's protocols, the Quart app",
}
"""What each child of the root does."""


def children() -> list[str]:
    """The children of the root supervisor in the order in which they start."""
    web = WebActor(app(), SETTINGS.web)
    return [child.id for child in children_of(parts(), ChildSpec("web", web.run))]


def tree() -> str:
    """The tree, and what the restart budgets are."""
    lines = ["root supervisor"]
    ids = children()
    for name in ids:
        lines.append(f"{'└' if name == ids[-1] else '├'}── {name:<16} {PURPOSES[name]}")
        if name == "lights":
            lines.append("│   └── device <DevEUI> ...")
    drawn = "\n".join(f"    {line}" for line in lines)
    return (
        f"{drawn}\n\n"
        f"Each part may be restarted {_times(ROOT_BUDGET)}; its next crash ends the process with\n"
        "an exit code that makes the service manager start it anew. Each light may be restarted\n"
        f"{_times(fleet.BUDGET)}; its next crash parks it."
    )


def state_diagram() -> str:
    """The phases of a light."""
    return f"```mermaid\n{diagram.mermaid()}\n```"


def _times(budget: Budget) -> str:
    return f"{budget.restarts} times within {budget.period_s:g} s"
