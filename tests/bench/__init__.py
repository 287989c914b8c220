"""Measurements of the whole service: `make bench`, or `python -m tests.bench [NAME ...]`.

Nothing here is a test. Figures are reported with what was measured on what, and nobody fails
because a machine is slow.
"""
