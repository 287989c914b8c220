"""What the running service has measured of lights and gateways, and what it has not."""

from collections.abc import Iterator
from typing import Any

import httpx2

from actors.plain_text import one_line
from api.cli.doctor.finding import Diagnosis, ok, unknown, warning
from api.cli.doctor.own_service import ask, kept_back
from api.cli.show.calibration import gateway_words, software_words
from api.settings.model import ApiSettings

CHECK = "calibration"
NAMED_MOST = 5
"""More gateways than that are counted, not named."""


async def calibration(settings: ApiSettings, token: str | None = None) -> list[Diagnosis]:
    """Nothing while the service does not run: another check tells that."""
    try:
        response = await ask(settings.web, "/api/v1/calibrations", token)
        found = response.json() if response.status_code == 200 else None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return []
    if found is None:
        return kept_back(CHECK, response)
    if not isinstance(found, dict) or "unknown" not in found:
        return []
    return list(judged(found))


def judged(found: dict[str, Any]) -> Iterator[Diagnosis]:
    """What is known, what is not, and what to do about it. Pure."""
    for one in found["software"]:
        if one["delay_s"] is not None:
            yield ok(CHECK, f"software {one['sw_rev'] / 10:g} {software_words(one)}")
    known = [one for one in found["gateways"] if one["lag_s"] is not None]
    for one in known[:NAMED_MOST]:
        yield ok(CHECK, f"gateway {_name(one)}: {gateway_words(one)}")
    if len(known) > NAMED_MOST:
        yield ok(CHECK, f"{len(known) - NAMED_MOST} gateways more are known")
    names = [one["words"] for one in found["unknown"]]
    if names:
        some = ", ".join(names[:NAMED_MOST])
        more = f" and {len(names) - NAMED_MOST} more" if len(names) > NAMED_MOST else ""
        tried = all(one["next_at"] is None for one in found["unknown"])
        by_itself = (
            "the service does not look by itself"
            if tried or not found["automatic"]
            else "or wait: the service looks by itself while nothing is to be sent"
        )
        yield unknown(
            CHECK,
            f"not measured: {some}{more}; frames are paced with care until they are",
            f"`lamplighter calibrate` says what it costs, and measures it; {by_itself}",
        )
    slow = [one for one in found["gateways"] if one["slow_tick"]]
    if slow:
        least_s, most_s = slow[0]["order_to_txack_s"]
        yield warning(
            "scheduler",
            f"frames leave between {least_s:.2f} and {most_s:.2f} s after their orders (gateway "
            f"{_name(slow[0])}): ChirpStack's scheduler runs once a second",
            'set interval="100ms" under [network.scheduler] in chirpstack.toml: many lights are '
            "then commanded faster",
        )


def _name(one: dict[str, Any]) -> str:
    return one_line(one["name"], 80) or str(one["gateway_id"])
