"""The reliability figures: what the service does to commands on a lossy radio, measured.

The rule it keeps: every figure comes out of the production actors in a pretend world; nothing is
typed in. `python -m tests.reliability` measures, draws and writes `docs/reliability.md`.
"""
