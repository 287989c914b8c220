"""ChirpStack's failures in words for a person, the same wherever they are shown.

The text says who answered: nobody, something in ChirpStack's place, or ChirpStack, which refuses
our key.
"""

from lorawan.network import NetworkError, NetworkIntermediary, NetworkRefused, NetworkUnavailable

NO_ANSWER = "ChirpStack does not answer"
KEY_REFUSED = "ChirpStack refuses our API key"


def listing_trouble(error: NetworkError) -> str:
    """Why a call that names no device failed: there, a missing right concerns the key itself."""
    if isinstance(error, NetworkRefused):
        return f"{KEY_REFUSED}: {error}"
    if isinstance(error, NetworkIntermediary):
        return f"{NO_ANSWER}; something else answers in its place: {error}"
    if isinstance(error, NetworkUnavailable):
        return f"{NO_ANSWER}: {error}"
    return f"ChirpStack fails: {error}"


def brief(problem: str) -> str:
    """Without what the server said, which is not for everybody."""
    return next((words for words in (KEY_REFUSED, NO_ANSWER) if problem.startswith(words)), "") or (
        "ChirpStack fails"
    )
