"""The gateways: which of them are alive, and who is told when that changes."""

from actors.gateways.policy import WatchPolicy
from actors.gateways.watcher import GatewayWatcher, WatcherStatistics

__all__ = ["GatewayWatcher", "WatchPolicy", "WatcherStatistics"]
