"""Scenes, named sets of lights and colours, and the schedules that apply them.

`model.py` says what they are, `resolve.py` which light gets which colour, `edits.py` decides about
changes, `calendar.py` when a schedule is due and `due.py` what follows from that; `repository.py`
keeps and stores, `actor.py` acts. They run once for the fleet.
"""
