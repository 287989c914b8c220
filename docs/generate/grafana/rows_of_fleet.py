"""What is shown of lights, commands, gateways and air."""

from docs.generate.grafana.panel import (
    Ask,
    Kind,
    Panel,
    Row,
    fleet,
    gateway,
    grown,
    per_second,
    quantile,
)

ENDED = 'verdict=~"verified|expired|rejected"'
VERIFIED = 'verdict="verified"'


def _count(
    title: str, says: str, expr: str, warn: float | None = 1.0, unit: str = "short"
) -> Panel:
    return Panel(
        title=title, says=says, asks=[Ask(expr)], kind=Kind.STAT, width=4, warn=warn, unit=unit
    )


FLEET = Row(
    "Fleet",
    [
        _count("Lights", "Lights that are known.", f"sum({fleet('devices', 'phase')})", None),
        _count(
            "Silent",
            "Lights not heard within three status intervals though a gateway listens.",
            fleet("devices_by_reachability", where='reachability="silent"'),
        ),
        _count(
            "No gateway online",
            "Lights all of whose gateways are offline.",
            fleet("devices_by_reachability", where='reachability="no_gateway_online"'),
        ),
        _count(
            "Failed",
            "Lights whose timed attempts brought no proof; their next sign of life starts another.",
            fleet("devices", where='phase="failed"'),
        ),
        _count(
            "Commands open",
            "Commands that are pursued now.",
            fleet("commands_open"),
            None,
        ),
        _count("Alerts", "Alerts that are open now.", fleet("alerts_open")),
        Panel(
            title="Lights by reachability",
            says="Whether each light can be heard and reached now, whatever it showed last.",
            asks=[Ask(fleet("devices_by_reachability", "reachability"), "{{reachability}}")],
            stacked=True,
        ),
        Panel(
            title="Lights by phase",
            says="Where each light stands on its way to what was asked of it.",
            asks=[Ask(fleet("devices", "phase"), "{{phase}}")],
            stacked=True,
        ),
        Panel(
            title="Alerts by kind",
            says="Open alerts; the guide has a paragraph for each kind.",
            asks=[Ask(f"{fleet('alerts_open_by_kind', 'kind')} > 0", "{{kind}}")],
            stacked=True,
        ),
        Panel(
            title="Lights that show something else",
            says="Their newest status shows another state than is wanted.",
            asks=[Ask(fleet("devices_not_as_wanted"), "not as wanted")],
            warn=1.0,
            width=12,
        ),
        Panel(
            title="Age of the newest uplink",
            says="Of any light. It grows where nothing is heard any more: ChirpStack, its "
            "webhooks, or the way from there.",
            asks=[Ask(fleet("uplink_newest_age_seconds"), "newest uplink")],
            unit="s",
            warn=1_800.0,
            alarm=2_700.0,
            width=12,
        ),
    ],
)

RELIABILITY = Row(
    "Reliability",
    [
        Panel(
            title="Commands verified",
            says="Of the commands that ended within the hour before and were neither superseded "
            "nor taken back, the share whose colour was proven.",
            asks=[
                Ask(
                    f"{grown('commands_total', where=VERIFIED)}"
                    f" / {grown('commands_total', where=ENDED)}",
                    "verified",
                )
            ],
            unit="percentunit",
            warn=0.99,
            alarm=0.9,
            falling=True,
            most=1.0,
        ),
        Panel(
            title="Time to verify",
            says="From acceptance to proof, of commands verified within the hour before, where the "
            "light can answer.",
            asks=[
                Ask(quantile(0.5, "time_to_verify_seconds", "1h"), "p50"),
                Ask(quantile(0.95, "time_to_verify_seconds", "1h"), "p95"),
                Ask(quantile(0.99, "time_to_verify_seconds", "1h"), "p99"),
            ],
            unit="s",
            warn=60.0,
            alarm=300.0,
        ),
        Panel(
            title="Commands ended",
            says="Per hour, by what became of them.",
            asks=[Ask(grown("commands_total", "verdict"), "{{verdict}}")],
            stacked=True,
        ),
        Panel(
            title="Open commands",
            says="By where they stand; overdue ones are among them, and are pursued on.",
            asks=[
                Ask(fleet("commands_open_by_status", "status"), "{{status}}"),
                Ask(fleet("commands_overdue"), "overdue"),
            ],
        ),
        Panel(
            title="Oldest open command",
            says="Working: between being sent and proven. Held: something outside must change "
            "first. Overdue: its timed attempts are spent; evidence starts the next.",
            asks=[Ask(fleet("commands_oldest_age_seconds", "pursuit"), "{{pursuit}}")],
            unit="s",
        ),
        Panel(
            title="Frames for each verified command",
            says="Airtime that a proof costs: 1 where every first frame is answered.",
            asks=[
                Ask(
                    f"{grown('frames_total')} / {grown('commands_total', where=VERIFIED)}",
                    "frames",
                )
            ],
            warn=2.0,
            alarm=4.0,
        ),
        Panel(
            title="Lights by the chance of their next command",
            says="Chance that it is verified within 30 s: at least so much.",
            asks=[Ask(fleet("devices_by_chance", "chance"), "{{chance}}")],
            stacked=True,
        ),
        Panel(
            title="Frames lost",
            says="Share of frames lost in the air, as the counters of lights tell it.",
            asks=[
                Ask(fleet("learner_uplink_loss"), "uplinks"),
                Ask(fleet("learner_downlink_loss"), "downlinks"),
            ],
            unit="percentunit",
        ),
        Panel(
            title="Lights warned of",
            says="Lights that a rule warns of: they may fail within hours or days.",
            asks=[Ask(fleet("devices_warned", "rule"), "{{rule}}")],
        ),
    ],
)

GATEWAYS = Row(
    "Gateways",
    [
        Panel(
            title="Online",
            says="1 while a gateway gives signs of life.",
            asks=[Ask(gateway("online"), "{{name}}")],
            kind=Kind.STATES,
            width=12,
            alarm=1.0,
            falling=True,
        ),
        Panel(
            title="Lights heard",
            says="Lights that each gateway is among the last to have heard.",
            asks=[Ask(gateway("lights_heard"), "{{name}}")],
            kind=Kind.BARS,
            width=6,
        ),
        Panel(
            title="Grade",
            says="By the last 24 h, from 1 for A to 4 for D: that of its worst line.",
            asks=[Ask(gateway("grade"), "{{name}}")],
            kind=Kind.BARS,
            width=6,
            warn=3.0,
            alarm=4.0,
            most=4.0,
        ),
    ],
)

AIR = Row(
    "Air",
    [
        Panel(
            title="Airtime of the hour",
            says="What our frames used of the airtime that each gateway may use in any hour.",
            asks=[
                Ask(
                    f"{gateway('airtime_seconds')} / on (gateway_id, name)"
                    f" ({gateway('airtime_budget_seconds')})",
                    "{{name}}",
                )
            ],
            unit="percentunit",
            warn=0.7,
            alarm=0.9,
            most=1.0,
        ),
        Panel(
            title="Attempts that wait",
            says="For each gateway, until air and light are free.",
            asks=[Ask(gateway("pending"), "{{name}}")],
        ),
        Panel(
            title="Frames",
            says="Frames of ours that gateways took, a second.",
            asks=[Ask(per_second("frames_total"), "frames")],
            unit="cps",
        ),
        Panel(
            title="Time between two goes",
            says="Least time from the start of one go of frames to the next, as it was learned.",
            asks=[Ask(gateway("pace_cycle_seconds"), "{{name}}")],
            unit="s",
        ),
        Panel(
            title="What stretches the pace",
            says="Late txacks, missing first answers and refusals of gateways, since the start.",
            asks=[
                Ask(gateway("pace_late_txacks"), "late txacks {{name}}"),
                Ask(gateway("pace_answers_missing"), "answers missing {{name}}"),
                Ask(gateway("pace_refusals"), "refusals {{name}}"),
            ],
        ),
        Panel(
            title="How soon lights answer",
            says="By their software: what half of the answers keep, and how long one is awaited.",
            asks=[
                Ask(fleet("answer_median_seconds", "software"), "median {{software}}"),
                Ask(fleet("answer_wait_seconds", "software"), "waited for {{software}}"),
            ],
            unit="s",
        ),
        Panel(
            title="Dispatcher",
            says="Attempts that wait, items in ChirpStack's queues without txack, calls in flight.",
            asks=[
                Ask(fleet("dispatcher_waiting"), "waiting"),
                Ask(fleet("dispatcher_in_flight"), "in flight"),
                Ask(fleet("dispatcher_calls"), "calls"),
            ],
            width=12,
        ),
        Panel(
            title="Gateways in doubt",
            says="Gateways through which nobody answers, and those that are busy sending.",
            asks=[
                Ask(fleet("dispatcher_gateways_unproven"), "unproven"),
                Ask(fleet("dispatcher_gateways_occupied"), "occupied"),
            ],
            width=12,
        ),
    ],
)
