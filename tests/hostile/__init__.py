"""An intruder's attacks repeated against the real server, with figures of what they do to others.

Loopback only, bounded in number and time. `python -m tests.hostile` prints the table.
"""
