"""What became of one attempt, in the words of the link: said by a light, heard by all who learn.

The machine tells it of each attempt whose frame a gateway took, and no two of an attempt are told
but for a late proof. Nothing in it decides about a command: it is what remains of the attempt for
those who learn from many.
"""

import msgspec


class AttemptJudged(msgspec.Struct, frozen=True, gc=False):
    """One attempt, once: a status counted it, or its window closed without one.

    A proof that comes after the window was told as closed is told with `late`.
    """

    number: int
    gateway_id: str | None
    """Which gateway took the frame, where that is known."""
    first: bool
    """The first frame of its pursuit: the others go to lights that have missed one already."""
    answered: bool
    """A status counted it in time."""
    expected: float
    """Chance from (0, 1) that it would be, by the light's own loss counters before it was sent."""
    answer_s: float | None = None
    """Our clock: from being told of the txack to being told of the status, less the airtimes of
    frame and status. None unless it is clear which frame the status answers (Karn's rule): only one
    of the pursuit was out."""
    server_delay_s: float | None = None
    """The same on ChirpStack's clock, from the txack's time to the status's `nsTime`: the
    forwarder's lag is within, webhooks are not."""
    sw_rev: int | None = None
    """Software revision, by the newest status."""
    spreading_factor: int | None = None
    """Of the answer, where it was told; else of the newest uplink."""
    late: bool = False
    """The proof came after this attempt was told as unanswered."""
    gap_s: float | None = None
    """Since the frame before of the same pursuit ended, where there was one."""
