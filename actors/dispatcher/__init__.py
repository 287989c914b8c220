"""The dispatcher: the only one that hands downlinks to ChirpStack, paced per gateway by airtime."""

from actors.dispatcher.dispatcher import Dispatcher
from actors.dispatcher.planner import DispatchStatistics, Planner, WaitingAttempt
from actors.dispatcher.policy import DispatchPolicy
from actors.dispatcher.suspicion import Suspect

__all__ = [
    "DispatchPolicy",
    "DispatchStatistics",
    "Dispatcher",
    "Planner",
    "Suspect",
    "WaitingAttempt",
]
