"""The whole drill by itself: each fault once, what callers saw of it, and a count at the end."""

from collections.abc import Awaitable, Callable

import trio

from tests.drill.faults import Faults, Outcome
from tests.drill.load import Load
from tests.drill.site import Site

SETTLE_S = 15.0
"""Until the shares are even again: a fault in the midst of a hand-over lasts longer."""
END_MOST_S = 180.0


async def drilled(site: Site, load: Load, faults: Faults) -> tuple[list[Outcome], dict[str, int]]:
    """Everything in order; what was seen of each, and what became of all commands."""
    first, second, third = list(site.processes)[:3]
    seen = []
    for fault in (
        lambda: faults.kill(first),
        lambda: faults.start(first),
        lambda: faults.pause(second),
        lambda: faults.leave(third),
        lambda: faults.start(third),
        lambda: master(site, faults.kill_server),
        lambda: faults.start_server(next(iter(site.ended))),
        lambda: master(site, faults.pause_server),
    ):
        seen.append(await fault())
        await trio.sleep(SETTLE_S)
    load.halted = True
    return seen, await ended(load)


async def master(site: Site, hurt: Callable[[str], Awaitable[Outcome]]) -> Outcome:
    """Whichever server is written to now."""
    return await hurt(await site.master() or next(iter(site.servers)))


async def ended(load: Load) -> dict[str, int]:
    """Wait for the newest commands, and count."""
    told: dict[str, int] = {}
    with trio.move_on_after(END_MOST_S):
        while True:
            told = await load.look()
            if not {"accepted", "held", "queued", "transmitted", "unknown"} & told.keys():
                break
            await trio.sleep(2.0)
    return told


def table(seen: list[Outcome], told: dict[str, int], load: Load) -> str:
    """For people."""
    lines = ["", "| what | all well after | accepted meanwhile | slowest | refused |"]
    lines.append("|---|---|---|---|---|")
    for one in seen:
        well = "never" if one.well_s is None else f"{one.well_s:.1f} s"
        slowest = max(one.seen.took_s, default=0.0)
        lines.append(
            f"| {one.what} | {well} | {one.seen.accepted} | {slowest:.1f} s | {one.seen.refused} |"
        )
    p50, p99 = load.figures.percentile_s(0.5) or 0.0, load.figures.percentile_s(0.99) or 0.0
    took = f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms"
    became = ", ".join(f"{count} {status}" for status, count in sorted(told.items()))
    lines += [
        "",
        f"Commands accepted: {load.figures.accepted} ({took}), refused: {load.figures.refused}.",
        f"What became of them: {became}.",
        f"Acknowledged and lost: {told.get('missing', 0)}.",
    ]
    return "\n".join(lines)
