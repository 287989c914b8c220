"""Lamplighter makes sure that a light shows the colour it was told to show.

The only name that an installation adds to an interpreter: the service's own packages (`actors`,
`api`, ...) lie inside, and are found by nobody but the program `lamplighter` (`run.py`).
"""

__version__ = "0.2.0"
"""The release, for the wheel, the API's description, the pages and the command line."""
