"""What counts as wrong with a gateway, an actor, the store, a clock, ChirpStack or its webhooks.

Every rule is a pure function and says whether its condition holds now; what was found before does
not enter into it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from actors.alerts.finding import LIGHTS_MOST, AlertKind, Finding
from actors.board.changes import ActorView, GatewayView
from actors.supervision.spec import ChildState

LIGHTS_NAMED = 5
"""Lights that the text of a gateway's outage names."""
SHARDS_NAMED = 8
"""Shards that a text names."""


class NamedLight(NamedTuple):
    """A light as a person reads of it, and by its DevEUI."""

    name: str
    dev_eui: str


def gateway_finding(view: GatewayView, lights: Sequence[NamedLight] = ()) -> Finding:
    """What the watcher says of a gateway; `lights` cannot be reached without it."""
    name = view.name or view.gateway_id
    if view.online:
        text = f"gateway {name} is online"
        return Finding(AlertKind.GATEWAY_OFFLINE, view.gateway_id, holds=False, text=text)
    if not view.known:
        text = f"ChirpStack does not list gateway {name} any more"
        return Finding(AlertKind.GATEWAY_OFFLINE, view.gateway_id, holds=False, text=text)
    text = f"gateway {name} is offline"
    if lights:
        count = "1 light" if len(lights) == 1 else f"{len(lights)} lights"
        text += f"; {count} cannot be reached: {named(lights)}"
    return Finding(
        AlertKind.GATEWAY_OFFLINE,
        view.gateway_id,
        holds=True,
        text=text,
        since=view.since if view.alive_at is None else min(view.since, view.alive_at),
        lights=tuple(light.dev_eui for light in lights[:LIGHTS_MOST]),
        lights_total=len(lights),
    )


def named(lights: Sequence[NamedLight]) -> str:
    """Some of these lights by name, and how many more there are."""
    names = ", ".join(light.name for light in lights[:LIGHTS_NAMED])
    more = f" and {len(lights) - LIGHTS_NAMED} more" if len(lights) > LIGHTS_NAMED else ""
    return names + more


def taking_finding(view: GatewayView) -> Finding:
    """Whether this gateway acknowledges the frames that it is given."""
    name, since = view.name or view.gateway_id, view.takes_nothing_since
    kind, holds = AlertKind.GATEWAY_TAKES_NOTHING, view.online and since is not None
    if not holds or since is None:
        return Finding(kind, view.gateway_id, holds=False, text=f"gateway {name} takes frames")
    when = f"{datetime.fromtimestamp(since, UTC):%H:%M} UTC"
    text = (
        f"gateway {name} acknowledges no downlink since {when}: "
        "if it sends all the same, ChirpStack's counter stands still and lights drop its frames as "
        "repeats; restart or update its packet forwarder, which must answer each downlink, and "
        "check its way to ChirpStack"
    )
    return Finding(kind, view.gateway_id, holds=True, text=text)


def actor_finding(view: ActorView) -> Finding:
    """What the supervisor says of an actor."""
    parked = view.state is ChildState.PARKED
    error = f": {view.last_error}" if view.last_error else ""
    text = f"{view.id} was given up after {view.restarts} restarts{error}"
    return Finding(
        AlertKind.ACTOR_PARKED, view.id, parked, text if parked else f"{view.id} is {view.state}"
    )


def store_finding(failing_since: float | None, problem: str | None = None) -> Finding:
    """Whether the store can be written."""
    failing = failing_since is not None
    why = f": {problem}" if problem else ""
    text = f"the store cannot be written{why}" if failing else "the store can be written again"
    return Finding(AlertKind.STORE_FAILING, "store", failing, text, failing_since)


def restored_store_finding(problem: str | None) -> Finding:
    """Whether older wishes in a restored store wait for a decision; None once it was made."""
    text = problem or "it was decided what becomes of older wishes"
    return Finding(AlertKind.STORE_SET_BACK, "store", problem is not None, text)


def shards_finding(unowned: Sequence[str], lights: int, why: str) -> Finding:
    """Whether nobody sees to some parts of the fleet (`unowned`), with so many lights; `why` ends
    the sentence."""
    if not unowned:
        text = "every part of the fleet has an owner"
        return Finding(AlertKind.SHARD_UNOWNED, "cluster", holds=False, text=text)
    count = "1 light" if lights == 1 else f"{lights} lights"
    parts = "1 part" if len(unowned) == 1 else f"{len(unowned)} parts"
    shown = ", ".join(unowned[:SHARDS_NAMED])
    more = f" and {len(unowned) - SHARDS_NAMED} more" if len(unowned) > SHARDS_NAMED else ""
    text = f"no process sees to {parts} of the fleet, with {count} ({shown}{more}): {why}"
    return Finding(AlertKind.SHARD_UNOWNED, "cluster", holds=True, text=text)


def processes_finding(alive: Sequence[str], expected: int) -> Finding:
    """Whether as many processes serve the fleet as there should be; `alive` are their names."""
    holds = len(alive) < expected
    text = f"{len(alive)} of {expected} processes serve the fleet: {', '.join(alive) or 'none'}"
    return Finding(AlertKind.PROCESS_MISSING, "cluster", holds, text)


def durability_finding(warnings: Sequence[str]) -> Finding:
    """Whether an acknowledged command may be lost in the engine; `warnings` say why."""
    text = "; ".join(warnings) or "the engine keeps what it acknowledges"
    return Finding(AlertKind.ENGINE_NOT_DURABLE, "engine", holds=bool(warnings), text=text)


class LostCommits(NamedTuple):
    """What a fail-over took of one shard, and what its owner made of that. The owner is a name."""

    owner: str
    shard: str
    again: int
    """Commits sent again as they were."""
    put: int
    """Commits kept no longer: the records in memory were put again, lines of history are gone."""


def commits_finding(lost: Sequence[LostCommits]) -> Finding:
    """What fail-overs of the engine took lately of what it had acknowledged."""
    if not lost:
        text = "no fail-over took what the engine had acknowledged"
        return Finding(AlertKind.COMMITS_LOST, "engine", holds=False, text=text)
    shards = sorted({one.shard for one in lost})
    shown = ", ".join(shards[:SHARDS_NAMED])
    more = f" and {len(shards) - SHARDS_NAMED} more" if len(shards) > SHARDS_NAMED else ""
    again, put = sum(one.again for one in lost), sum(one.put for one in lost)
    owners = ", ".join(sorted({one.owner for one in lost}))
    text = (
        f"a fail-over of the engine took {_commits(again + put)} that it had acknowledged (shards"
        f" {shown}{more}); {owners} sent {again} of them again"
    )
    if put:
        text += (
            f", and of the other {put} put again what the lights are; their lines of history are"
            " lost"
        )
    return Finding(AlertKind.COMMITS_LOST, "engine", holds=True, text=text)


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"


def unreadable_finding(problem: str | None) -> Finding:
    """Which records cannot be read; None when all can be."""
    text = problem or "every record can be read"
    return Finding(AlertKind.RECORD_UNREADABLE, "store", problem is not None, text)


def clock_findings(host: str | None, server: str | None) -> tuple[Finding, Finding]:
    """What is wrong with this machine's clock, and with ChirpStack's; None where nothing is."""
    was = host or "this machine's clock runs steadily"
    differs = server or "ChirpStack's clock agrees with this machine's"
    return (
        Finding(AlertKind.CLOCK_SET, "clock", host is not None, was),
        Finding(AlertKind.CLOCKS_DIFFER, "chirpstack", server is not None, differs),
    )


def network_finding(problem: str | None) -> Finding:
    """Whether ChirpStack can be asked; `problem` says why not, and is None when it answers."""
    text = "ChirpStack answers again" if problem is None else problem
    return Finding(AlertKind.NETWORK_UNREACHABLE, "chirpstack", problem is not None, text)


def webhooks_finding(application_id: str, name: str, events: int, lights: int) -> Finding:
    """Whether webhooks of an application arrive; `events` of `lights` came only by asking."""
    of = f"application {name or application_id or 'unknown'}"
    text = f"webhooks of {of} arrive"
    if events:
        count = "1 light" if lights == 1 else f"{lights} lights"
        text = (
            f"ChirpStack's HTTP integration of {of} does not reach this service: {events} events of"
            f" {count} came only by asking, and no webhook since; run `lamplighter doctor`, then"
            " `lamplighter setup`"
        )
    return Finding(AlertKind.WEBHOOKS_MISSING, application_id or "unknown", events > 0, text)
