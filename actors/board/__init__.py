"""Newest state of every light and gateway, and the fan-out of its changes.

`Board` and `Subscription` are not re-exported: a package that imports the board's views would
otherwise import the whole board.
"""

from actors.board.changes import ActorView, AlertView, Change, GatewayView, Subject

__all__ = ["ActorView", "AlertView", "Change", "GatewayView", "Subject"]
