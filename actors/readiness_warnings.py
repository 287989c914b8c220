"""What leaves the service ready, and people should know all the same.

The rule it keeps: a warning is nobody's fault here. Whoever took the service's traffic away for one
would take away the webhooks by which it learns that a gateway is back, and cure nothing; and where
the webhooks stopped, lights are still commanded, and proven by asking.
"""

from collections.abc import Iterable

from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.webhook_watch import WebhookWatch


def warnings(board: Board, webhooks: WebhookWatch) -> list[str]:
    """All of them, in words."""
    return [*gateways_away(board.gateways.values()), *webhooks.warnings()]


def gateways_away(views: Iterable[GatewayView]) -> list[str]:
    """That no light can be reached."""
    gateways = [one for one in views if one.known]
    if not gateways or any(one.online for one in gateways):
        return []
    if len(gateways) == 1:
        name = gateways[0].name or gateways[0].gateway_id
        return [f"the only gateway is offline ({name}): no light can be reached"]
    return [f"all {len(gateways)} gateways are offline: no light can be reached"]
