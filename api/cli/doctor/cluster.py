"""What our own service tells of the processes that serve the fleet with it."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx2

from api.cli.doctor.finding import Diagnosis, ok, problem, warning
from api.cli.doctor.own_service import ask, kept_back
from api.settings.model import ApiSettings
from store.engine.open import is_shared

CHECK = "cluster"
CLOCK_S = 1.0
BEHIND_S = 10.0


async def cluster(settings: ApiSettings, token: str | None = None) -> list[Diagnosis]:
    """Nothing where our service does not run here, or serves its fleet alone."""
    try:
        response = await ask(settings.web, "/api/v1/cluster", token)
        told = response.json() if response.status_code == 200 else None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return []
    if told is None and is_shared(settings.store.url.get_secret_value()):
        return kept_back(CHECK, response)
    if not isinstance(told, dict) or told.get("mode") != "cluster":
        return []
    return list(judged(told))


def judged(told: Mapping[str, Any]) -> Iterator[Diagnosis]:
    """What is wrong between the processes, or that nothing is. Pure."""
    members = told["members"]
    alive = [one for one in members if one["state"] == "alive"]
    wrong = [*_gone(members), *_unowned(told), *_apart(alive), *_blind(alive), *_behind(told)]
    yield from wrong
    if not wrong:
        count = "1 process serves" if len(alive) == 1 else f"{len(alive)} processes serve"
        yield ok(CHECK, f"{count} the fleet: {', '.join(one['name'] for one in alive)}")


def _gone(members: list[Mapping[str, Any]]) -> Iterator[Diagnosis]:
    names = [one["name"] for one in members if one["state"] == "silent"]
    if names:
        yield problem(
            CHECK,
            f"no sign of life of {', '.join(names)}",
            "see its log and its machine; the others see to its lights meanwhile",
        )


def _unowned(told: Mapping[str, Any]) -> Iterator[Diagnosis]:
    states = {one["state"] for one in told["shards"]}
    if "lost" in states:
        yield problem(
            CHECK,
            "the engine has lost leases that it had: it was emptied, or set back to an old copy",
            "restore its data, or stop all processes and start them again (docs/cluster.md)",
        )
    elif told["shards_unowned"]:
        yield problem(
            CHECK,
            f"{told['shards_unowned']} of {told['shards_total']} parts of the fleet have no owner"
            " that is alive",
            "wait 15 s; if it stays, see in the logs why the others do not take them",
        )


def _apart(alive: list[Mapping[str, Any]]) -> Iterator[Diagnosis]:
    off = [one for one in alive if abs(one["clock_ahead_s"]) > CLOCK_S]
    if off:
        told = ", ".join(f"{one['name']} {one['clock_ahead_s']:+.1f} s" for one in off)
        yield warning(
            CHECK,
            f"clocks are not those of the engine: {told}",
            "have a time server on every machine; dates that are shown differ by as much",
        )
    versions = sorted({one["version"] for one in alive})
    if len(versions) > 1:
        yield warning(
            CHECK,
            f"the processes are of several versions: {', '.join(versions)}",
            "finish the upgrade: what only the newer ones know is not read by the others",
        )


def _blind(alive: list[Mapping[str, Any]]) -> Iterator[Diagnosis]:
    blind = [one["name"] for one in alive if not one["sees_network"]]
    if blind:
        yield warning(
            CHECK,
            f"ChirpStack does not answer {', '.join(blind)}",
            "check the way to ChirpStack from there; another process hands out downlinks",
        )


def _behind(told: Mapping[str, Any]) -> Iterator[Diagnosis]:
    behind_s = told["behind_s"]
    if behind_s is not None and behind_s > BEHIND_S:
        yield warning(
            CHECK,
            f"this process shows changes of the others {behind_s:.0f} s late",
            "see whether it is short of CPU, and the way to the engine",
        )
