"""Which release of the program this process runs."""

import lamplighter


def installed_version() -> str:
    """Of the code that runs, whatever an earlier installation left beside it says of itself."""
    return lamplighter.__version__
