"""The dashboard for Grafana, written by `make docs`."""

from docs.generate.grafana.dashboard import dashboard

__all__ = ["dashboard"]
