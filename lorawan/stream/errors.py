"""Why ChirpStack's stream cannot be read.

StreamError
├── StreamUnavailable   passes by itself: no connection, a fail-over, a server that loads its data
└── StreamRefused       stays until somebody acts: credentials, rights, an address of something else
"""


class StreamError(Exception):
    """Base of the family; its text is for people and holds no secret."""


class StreamUnavailable(StreamError):
    """Try again later."""


class StreamRefused(StreamError):
    """An operator has to act; it is tried again all the same, with long pauses."""
