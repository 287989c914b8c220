"""A calibration in words: what it would send, how each probe ended, what is known."""

from typing import Any

from rich.console import Console

from actors.plain_text import one_line
from api.cli.show.tables import table
from api.cli.show.times import span

NAME_CHARS = 80
OUTCOMES = {
    "measured": "measured",
    "not_begun": "not begun",
    "not_taken": "no gateway took the frame",
    "unanswered": "the first frame was not answered",
    "not_in_time": "the second frame did not leave in the receive window",
    "second_unanswered": "the second frame was not answered",
    "commanded": "a command went first",
}
BASES = {
    "measured": "measured",
    "excluded": "of the forwarders in use only this one fits",
    "acknowledged": "acknowledges from the air",
}


def tell_plan(out: Console, plan: dict[str, Any]) -> None:
    """Before anything is sent: what, to whom, and what it costs."""
    lights = plan["lights"]
    subjects = [one["words"] for one in plan["subjects"]]
    if not lights and not plan["left_out"]:
        out.print("All is known: nothing is to be sent.")
    if lights and subjects:
        out.print(f"To find out: {', '.join(subjects)}.", markup=False)
    if lights:
        made = table(
            *("DevEUI", "Name", "Software", "Gateways"),
            prose={"Name": 14, "Gateways": 16},
        )
        for light in lights:
            made.add_row(
                light["dev_eui"],
                one_line(light["name"], NAME_CHARS),
                f"{light['sw_rev'] / 10:g}",
                " ".join(light["gateway_ids"]),
            )
        out.print(made)
        out.print(
            f"{plan['frames']} frames: each of these is sent twice the colour that it shows, so "
            f"that nobody sees anything. They take at most {plan['airtime_s']:.1f} s of airtime in "
            f"all, and about {span(plan['takes_s'])}, one light at a time. Commands go first.",
            markup=False,
        )
    for line in plan["left_out"]:
        out.print(f"Left out: {one_line(line, 200)}", markup=False)


def tell_run(out: Console, ended: dict[str, Any]) -> None:
    """How each probe ended."""
    made = table(
        *("DevEUI", "Name", "Result", "Delay", "With lag"),
        drop=("With lag",),
        prose={"Name": 12, "Result": 16},
    )
    for one in ended["results"]:
        result = OUTCOMES[one["outcome"]]
        if one["reason"]:
            result = f"{result}: {one_line(one['reason'], 200)}"
        made.add_row(
            one["dev_eui"],
            one_line(one["name"], NAME_CHARS),
            result,
            _seconds(one["delay_s"]),
            _seconds(one["sum_s"]),
        )
    out.print(made)
    if ended["reason"]:
        out.print(f"Stopped: {one_line(ended['reason'], 200)}.", markup=False)


def tell_known(out: Console, found: dict[str, Any], now: float) -> None:
    """What is known, and what is not."""
    for one in found["software"]:
        out.print(f"Software {one['sw_rev'] / 10:g}: {software_words(one)}.", markup=False)
    for one in found["gateways"]:
        name = one_line(one["name"], NAME_CHARS) or one["gateway_id"]
        out.print(f"Gateway {name}: {gateway_words(one)}.", markup=False)
        if one["slow_tick"]:
            out.print(f"  {SLOW_TICK}", markup=False)
    for one in found["unknown"]:
        out.print(f"Not known: {one['words']}{_when(one, found, now)}.", markup=False)
    if not (found["software"] or found["gateways"] or found["unknown"]):
        out.print("Nothing is known yet.")


SLOW_TICK = (
    "its frames leave up to a second after their orders: set ChirpStack's "
    '[network.scheduler] interval to "100ms"'
)


def software_words(one: dict[str, Any]) -> str:
    """How soon its lights answer."""
    if one["delay_s"] is None:
        return f"answers {one['samples']} times measured, which is too few to tell"
    if one["at_most"]:
        return f"answers within {one['delay_s']:.2f} s or sooner ({one['samples']} measured)"
    spread = f"{one['least_s']:.2f}-{one['most_s']:.2f} s"
    return f"answers after {one['delay_s']:.2f} s ({spread}, {one['samples']} measured)"


def gateway_words(one: dict[str, Any]) -> str:
    """What its forwarder does."""
    if one["basics_station"]:
        return "Basics Station: it shuts its band after each frame, and acknowledges from the air"
    if one["lag_s"] is None:
        return f"how long its forwarder waits is not known ({one['answers']} answers so far)"
    return f"its forwarder sends {one['lag_s']:.2f} s after its txack ({BASES[one['basis']]})"


def _when(one: dict[str, Any], found: dict[str, Any], now: float) -> str:
    tried = f", tried {one['tried']} times" if one["tried"] else ""
    if not found["automatic"]:
        return f"{tried}; the service does not look by itself"
    if one["next_at"] is None:
        return f"{tried}; the service does not try it again by itself this month"
    if one["next_at"] > now:
        return f"{tried}; the service tries again in {span(one['next_at'] - now)}"
    return f"{tried}; the service tries once nothing waits to be sent"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"
