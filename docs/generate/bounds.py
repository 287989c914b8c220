"""The table of bounds in docs/architecture.md: each number is read where it is set."""

from actors import inquirer
from actors.alerts import alerter
from actors.board import board
from actors.device.actor import MAILBOX_CAPACITY
from actors.device.retry_plan import SHORT_SPACING_S
from actors.downlink import DispatchPolicy
from actors.downlink.unproven_gateways import PROBE_EACH_S
from actors.fleet import fleet
from actors.fleet.initialization import RUNS_WAITING_MOST, InitializationPolicy
from actors.link import learner
from actors.messaging.dead_letters import KEPT as DEAD_LETTERS
from actors.quality import light_past
from actors.rollouts import actor as rollouts
from actors.storage import idempotency, store_writer
from actors.sweeper import SweepPolicy
from api.settings.model import Web
from docs.generate.markdown import table
from docs.generate.service import SETTINGS


def table_of_bounds() -> str:
    """Every queue, batch and budget that a reader of the architecture asks about."""
    web, policy, dispatch = Web(), SETTINGS.policy, DispatchPolicy()
    days = SweepPolicy().retention_s / 86_400
    return table(
        ("what", "bound", "why"),
        [
            ("a light's mailbox", f"{MAILBOX_CAPACITY} messages", "minutes of the busiest light"),
            (
                "the store writer's mailbox",
                f"{store_writer.MAILBOX_REQUESTS:,} requests",
                f"eight batches of {store_writer.BATCH_REQUESTS}; about 25 MB",
            ),
            ("the alerter's mailbox", f"{alerter.MAILBOX_REPORTS} reports", "a few a minute come"),
            ("orders to rollouts that wait", f"{rollouts.MAILBOX_REQUESTS}", "people give them"),
            ("initialisations that wait", f"{RUNS_WAITING_MOST}", "each may name the whole fleet"),
            (
                "changes kept for readers that resume",
                f"{board.CHANGES_KEPT:,}",
                "20 s at 500 changes/s",
            ),
            (
                "changes a live reader may be behind",
                f"{web.live_queue:,}",
                "then it is closed with a reason, and may resume",
            ),
            ("live readers", f"{web.live_clients_most}", "a task and a few buffers each"),
            ("open connections", f"{web.connections_most:,}", "20 to 40 kB each"),
            (
                "body of a request",
                f"{web.body_bytes_most // 1000} kB",
                "an uplink heard by 50 gateways is 30 kB",
            ),
            (
                "frames to one light",
                f"one in {policy.spacing_s:g} s, {SHORT_SPACING_S:g} s where that is proven",
                "a second one while it answers the first is lost",
            ),
            (
                "items of ours in ChirpStack",
                f"one a light, {dispatch.outstanding_most} in all without txack",
                f"each expires after {dispatch.item_ttl_s:g} s; 100 lights a run of its scheduler",
            ),
            (
                "airtime of a gateway (EU868, RX2)",
                f"{dispatch.budget_s:g} s in any {dispatch.window_s:,.0f} s",
                f"ETSI EN 300 220, 10 % band; {dispatch.kept_back:.0%} of it is kept back",
            ),
            (
                "frames through a gateway by which nobody answers",
                f"one in {PROBE_EACH_S:g} s",
                "until one is answered; its other lights wait",
            ),
            (
                "software revisions whose answers are known",
                f"{learner.REVISIONS_MOST}",
                "a fleet has one or two; 20 answers teach one anew",
            ),
            (
                "calls to ChirpStack in flight",
                f"{dispatch.calls_most}",
                "250 frames/s at 10 ms a call",
            ),
            (
                "inquiries",
                f"{inquirer.WORKERS} at a time, one a light, {policy.inquiry_timeout_s:g} s each",
                "a replay takes 1 to 10 s",
            ),
            (
                "lights given settings at once",
                f"{InitializationPolicy().under_way_most}",
                "room for commands is left",
            ),
            (
                "rollouts that run or pause",
                f"{rollouts.ACTIVE_MOST}",
                "each may have the whole fleet: 10 MB of lights",
            ),
            ("lights", f"{fleet.DEVICES_MOST:,}", "about 10 kB each"),
            (
                "days of a light that quality remembers",
                f"{light_past.DAYS_KEPT}",
                "620 bytes a light, with its newest margins",
            ),
            (
                "lights that only a webhook told of",
                f"{fleet.PROVISIONAL_MOST}",
                "ChirpStack lists them soon",
            ),
            (
                "idempotency keys",
                f"{idempotency.KEYS_MOST:,} for {idempotency.RETENTION_S / 3600:g} h",
                "about 40 MB",
            ),
            ("dead letters", f"{DEAD_LETTERS:,}", "the newest"),
            ("history, ended commands, verdicts", f"{days:g} days", "then they are deleted"),
        ],
    )
