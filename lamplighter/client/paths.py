"""What names a thing in a request: its path, and the revision that was seen. Pure."""

from urllib.parse import quote


def path(*parts: str) -> str:
    """The path of these parts, whatever is in them."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def if_match(revision: int | None) -> dict[str, str]:
    """Only while it has this revision; None for any."""
    return {} if revision is None else {"If-Match": f'"{revision}"'}
