"""Until commands have taught how soon lights answer, the probes have."""

from collections.abc import Sequence

from actors.link.air_facts import PROBED_MOST, JoinedFacts
from actors.link.forwarders import Forwarders, Heard, Taken


class Commands:
    """What commands taught."""

    def __init__(self, *delays_s: float) -> None:
        self._delays_s = delays_s

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        return self._delays_s


def probed(answers: int) -> Forwarders:
    known = Forwarders()
    known.heard("a", Heard(0.0, "01", 0, 0, 61, 0.2))
    for number in range(1, answers + 1):
        at = 60.0 * number
        known.taken("a", Taken("gw", at, 0.2))
        known.heard("a", Heard(at + 1.4 + number / 100, "01", number, number, 61, 0.2))
    return known


def test_probes_tell_where_commands_have_told_less() -> None:
    facts = JoinedFacts(Commands(0.5), probed(5))
    assert facts.answer_delays_s(61, "gw") == [1.01, 1.02, 1.03, 1.04, 1.05]
    assert facts.answer_delays_s(58, "gw") == (0.5,)
    assert facts.answer_delays_s(61, "other") == (0.5,)
    assert facts.answer_delays_s(61) == (0.5,)


def test_commands_tell_more_as_soon_as_they_can() -> None:
    told = tuple(0.3 for _ in range(PROBED_MOST))
    assert JoinedFacts(Commands(*told), probed(30)).answer_delays_s(61, "gw") == told
    assert JoinedFacts(Commands(0.3, 0.4), probed(1)).answer_delays_s(61, "gw") == (0.3, 0.4)
