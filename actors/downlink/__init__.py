"""The dispatcher: the only one that hands downlinks to ChirpStack, paced per gateway by airtime."""

from actors.downlink.dispatcher import Dispatcher
from actors.downlink.planner import Planner, WaitingAttempt
from actors.downlink.policy import DispatchPolicy
from actors.downlink.statistics import DispatchStatistics
from actors.downlink.suspicion import Suspect

__all__ = [
    "DispatchPolicy",
    "DispatchStatistics",
    "Dispatcher",
    "Planner",
    "Suspect",
    "WaitingAttempt",
]
