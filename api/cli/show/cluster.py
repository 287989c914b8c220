"""Processes, shards and moves as tables and lines. Pure: what the service told in, text out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from actors.plain_text import plainly
from api.cli.show.fitting import Fitting
from api.cli.show.tables import table
from api.cli.show.times import ago, clock, span

Json = Mapping[str, Any]

MEMBER_MARKS = {
    "alive": ("✓", "green"),
    "leaving": ("→", "yellow"),
    "silent": ("✗", "red"),
}
WHY = {
    "expired": "{after} took {shards} from {before}, which gave no sign of life",
    "given": "{before} gave {shards} to {after}",
    "new": "{after} took {shards} for the first time",
    "forgotten": "{after} took {shards} anew: a fail-over had lost that it has them",
}
CLOCK_S = 1.0
"""Clocks further apart are pointed out."""
OLD_S = 5.0
"""A look at the engine that is older is pointed out."""
BEHIND_S = 3.0
"""A change that waits longer to be shown is pointed out: three looks."""
SHARDS_NAMED = 8
ALIKE_S = 10.0
"""Moves within so long of each other, between the same two, are one line: a whole take-over."""


def members(found: Json, now: float) -> Fitting:
    """One row a process."""
    made = table(
        *("Process", "State", "Shards", "Lights", "ChirpStack", "Version", "Heard", "Boot"),
        drop=("Boot", "Version", "Heard", "Lights"),
        prose={"Process": 14, "State": 10, "ChirpStack": 8},
    )
    for one in plainly(found["members"]):
        mark, style = MEMBER_MARKS.get(one["state"], ("?", "default"))
        shards = f"{one['shards']}{' + fleet' if one['fleet'] else ''}"
        ahead = one["clock_ahead_s"]
        wrong = f" (clock {ahead:+.1f} s)" if abs(ahead) > CLOCK_S else ""
        made.add_row(
            Text(one["name"] + (", which answers" if one["answering"] else "")),
            Text(f"{mark} {one['state']}{wrong}", style=style),
            shards,
            str(one["lights"]),
            Text("answers") if one["sees_network"] else Text("does not answer", style="red"),
            one["version"],
            ago(one["heard_at"], now),
            one["boot"],
        )
    return made


def in_short(found: Json) -> Iterator[Text]:
    """The lines around the tables: what is wrong, or that nothing is."""
    store = plainly(found["store"])
    if found["mode"] == "embedded":
        yield Text(f"One process serves this fleet alone; its store is {store['kind']}.")
    else:
        alive = sum(one["state"] == "alive" for one in found["members"])
        count = "1 process" if alive == 1 else f"{alive} processes"
        need = f", each commit confirmed by {_replicas(store['need'])}" if store["need"] else ""
        yield Text(f"{count} on {store['kind']}{need}.")
        yield _owned(found)
        looked_at = found["looked_at"]
        if looked_at is None:
            yield Text("The engine has not answered yet.", style="red")
        elif (old_s := found["at"] - looked_at) > OLD_S:
            text = f"The engine does not answer since {span(old_s)}: this is as it was then."
            yield Text(text, style="red")
        behind_s = found["behind_s"]
        if behind_s is not None and behind_s > BEHIND_S:
            text = f"The process that answers shows changes {span(behind_s)} late."
            yield Text(text, style="yellow")
    if store["problem"] is not None:
        yield Text(f"The store cannot be written: {store['problem']}", style="red")
    if store["replayed"]:
        yield Text(
            f"Fail-overs had lost {_commits(store['replayed'])} of it; they were sent again."
        )
    if store["lost"]:
        text = f"Fail-overs lost {_commits(store['lost'])} that it no longer had."
        yield Text(f"{text} It put what it knows of the lights again.", style="yellow")
    for warning in store["warnings"]:
        yield Text(f"Not as durable as it may seem: {warning}", style="yellow")


def _owned(found: Json) -> Text:
    total, unowned = found["shards_total"], found["shards_unowned"]
    if not unowned:
        return Text(f"All {total} shards have an owner.", style="green")
    lost = sum(one["state"] == "lost" for one in found["shards"])
    text = f"{unowned} of {total} shards have no owner that is alive"
    if lost:
        text += f"; the engine lost {lost} of them: see `lamplighter doctor`"
    elif (lease_s := found["lease_s"]) is not None:
        text += f"; they are taken within {2 * lease_s:g} s"
    return Text(f"{text}.", style="red")


def _commits(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"


def _replicas(need: int) -> str:
    return "1 replica" if need == 1 else f"{need} replicas"


def shards(found: Json, now: float) -> Fitting:
    """One row a shard."""
    names = {one["boot"]: one["name"] for one in plainly(found["members"])}
    made = table(
        *("Shard", "State", "Owner", "Since", "Epoch", "Commits", "Lights", "Behind"),
        drop=("Epoch", "Commits", "Since"),
        prose={"Owner": 14},
    )
    for one in plainly(found["shards"]):
        owner = one["owner"]
        style = "default" if one["state"] == "owned" else "red"
        made.add_row(
            one["shard"],
            Text(one["state"], style=style),
            Text("" if owner is None else names.get(owner, owner)),
            span(now - one["since"]),
            str(one["epoch"]),
            str(one["seq"]),
            str(one["lights"]),
            "?" if one["behind"] is None else str(one["behind"]),
        )
    return made


def moves(some: Sequence[Json]) -> Iterator[Text]:
    """The newest moves; those of one kind between the same two at nearly the same time are one
    line."""
    for group in _alike(plainly(some)):
        first = group[0]
        ids = ", ".join(one["shard"] for one in group[:SHARDS_NAMED])
        more = f" and {len(group) - SHARDS_NAMED} more" if len(group) > SHARDS_NAMED else ""
        before = first["before"] or "an unknown process"
        dark_s = max(one["dark_s"] for one in group)
        alone = f", nobody's for {dark_s:.1f} s" if dark_s else ""
        words = WHY[first["why"]].format(
            before=before,
            after=first["after"],
            shards="1 shard" if len(group) == 1 else f"{len(group)} shards",
        )
        yield Text(f"{clock(first['at'])}  {words}{alone}: {ids}{more}")


def _alike(some: Sequence[Json]) -> list[list[Json]]:
    """The newest group first; a take-over by several processes is told of each of them."""
    groups: list[list[Json]] = []
    newest: dict[tuple[object, ...], list[Json]] = {}
    for one in some:
        what = one["why"], one["before"], one["after"]
        group = newest.get(what)
        if group is None or group[0]["at"] - one["at"] > ALIKE_S:
            newest[what] = group = []
            groups.append(group)
        group.append(one)
    return groups
