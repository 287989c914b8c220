"""The reliability figures: what the service does to commands on a lossy radio, measured.

Every figure comes out of the production actors in a pretend world; nothing is typed in. `python -m
tests.reliability` measures, draws and writes `docs/reliability.md`.
"""
