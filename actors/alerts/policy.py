"""The times of alerting, all configurable; the defaults are argued here."""

from dataclasses import dataclass, field

from actors.alerts.finding import AlertKind


def _settle_defaults() -> dict[AlertKind, float]:
    # 0 where the condition has been judged with patience already (three attempts, a restart budget)
    # or does not pass by itself; the others may be over a moment later.
    return {
        AlertKind.LIGHT_FAILED: 0.0,
        AlertKind.LIGHT_HELD: 120.0,
        AlertKind.LIGHT_SILENT: 60.0,
        AlertKind.FOREIGN_SENDER: 0.0,
        # Warnings come hours and days before what they warn of: an hour tells those that last.
        AlertKind.LIGHT_AT_RISK: 3_600.0,
        AlertKind.GATEWAY_POOR: 600.0,
        AlertKind.COMMAND_WAITING: 0.0,
        AlertKind.GATEWAY_OFFLINE: 30.0,
        AlertKind.GATEWAY_TAKES_NOTHING: 60.0,
        AlertKind.ACTOR_PARKED: 0.0,
        AlertKind.NETWORK_UNREACHABLE: 30.0,
        AlertKind.WEBHOOKS_MISSING: 30.0,
        AlertKind.STORE_FAILING: 15.0,
        AlertKind.STORE_SET_BACK: 0.0,
        # A lease lasts 6 s, a take-over 10 s.
        AlertKind.SHARD_UNOWNED: 20.0,
        # A process that is upgraded is back within that.
        AlertKind.PROCESS_MISSING: 120.0,
        # A replica that is started again is back within that.
        AlertKind.ENGINE_NOT_DURABLE: 60.0,
        AlertKind.COMMITS_LOST: 0.0,
        AlertKind.RECORD_UNREADABLE: 0.0,
        # A broker that is updated is back within that; the bridge looks each 30 s at most.
        AlertKind.BROKER_AWAY: 300.0,
        AlertKind.CLOCK_SET: 0.0,
        AlertKind.CLOCKS_DIFFER: 15.0,
    }


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The numbers of alerting, in seconds."""

    silent_after_s: float = 2_700.0
    """Three status intervals of 15 min without an uplink."""
    waiting_after_s: float = 300.0
    """The timed attempts are over after two minutes; what waits for more than twice that waits for
    something outside."""
    repeat_s: float = 3_600.0
    reopen_s: float = 600.0
    """A condition back within this time of its closing is the same alert, reopened quietly."""
    lasted_s: float = 120.0
    """A reopened alert is announced once it has lasted so long, or as long as its kind settles."""
    gather_s: float = 60.0
    """After people were told something, what comes next is gathered for so long: a network that
    goes silent light by light is one message a minute."""
    confirm_s: float = 60.0
    """A stored alert that nothing confirms within this time after a start is closed: by then every
    restored light is on the board, and so are the gateways once ChirpStack has listed them."""
    off: frozenset[AlertKind] = frozenset()
    """Kinds that the operator wants no alert of: what is found of them counts as over."""
    settle_s: dict[AlertKind, float] = field(default_factory=_settle_defaults)
    """How long a condition must last before its alert opens."""

    def settles_s(self, kind: AlertKind) -> float:
        """For one kind; one not configured opens at once."""
        return self.settle_s.get(kind, 0.0)
