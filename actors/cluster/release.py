"""Which release of the program this process runs."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def installed_version() -> str:
    """As it was installed; `0` where it runs without having been."""
    try:
        return version("lamplighter")
    except PackageNotFoundError:
        return "0"
