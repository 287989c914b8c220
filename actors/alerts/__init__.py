"""Alerts: what is wrong for long enough to tell a person, and how the person is told."""

from actors.alerts.alerter import Alerter, AlerterStatistics
from actors.alerts.delivery import AppriseNotifier, LogNotifier, Notifier, NotifierStatistics
from actors.alerts.finding import AlertKind, Finding
from actors.alerts.notice import Notice
from actors.alerts.policy import AlertPolicy

__all__ = [
    "AlertKind",
    "AlertPolicy",
    "Alerter",
    "AlerterStatistics",
    "AppriseNotifier",
    "Finding",
    "LogNotifier",
    "Notice",
    "Notifier",
    "NotifierStatistics",
]
