"""What can be asked of a service: each question once, for every client."""

from lamplighter.client.calls import (
    gateways,
    hooks,
    lights,
    operation,
    orders,
    plans,
    rollouts,
    scenes,
)

__all__ = ["gateways", "hooks", "lights", "operation", "orders", "plans", "rollouts", "scenes"]
