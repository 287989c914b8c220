"""Why an attempt ended without being transmitted, in words for a person."""

NOT_TAKEN = "no gateway took the frame"
EXPIRED = "no gateway took the frame before it expired"


def discarded(code: str) -> str:
    """ChirpStack threw the item away, and would throw away every other like it."""
    return f"ChirpStack discarded the frame: {code}"


def unknown(text: str) -> str:
    """ChirpStack has no such device; `text` in its words."""
    return f"ChirpStack does not know this light: {text}"


def invalid(text: str) -> str:
    """ChirpStack will not take the downlink; `text` in its words."""
    return f"ChirpStack calls the downlink invalid: {text}"
