"""What holds of the measured pace in every world: whatever is known, whatever goes wrong."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.downlink import DispatchPolicy
from tests.model.dispatcher_world import Ills, World
from tests.model.test_dispatcher_invariants import ROUTES, TRUTHS, ills, live
from tests.support.scripted_network import Sent

SF9 = DispatchPolicy(rx2_dr=3)
few = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Facts:
    """All answer after so long; gateways have no lag, which may be unknown."""

    delay_s: float | None
    lag_known: bool

    def answer_delays_s(self, sw_rev: int | None, gateway_id: str | None = None) -> Sequence[float]:
        return () if self.delay_s is None else (self.delay_s,) * 200

    def lag_s(self, gateway_id: str) -> float | None:
        return 0.0 if self.lag_known else None

    def lag_beyond_s(self, gateway_id: str, other_id: str) -> float | None:
        return 0.0 if self.lag_known else None

    def is_basics_station(self, gateway_id: str) -> bool:
        return gateway_id == "d"


facts = st.builds(Facts, st.sampled_from([None, 0.2, 1.0, 3.0]), st.booleans())


def meetings(sent: Sequence[Sent], overlaps: dict[str, set[str]]) -> int:
    """Pairs of frames that two gateways which one light hears had on the air at once."""
    return sum(
        one is not other
        and other.gateway_id in overlaps[one.gateway_id] - {one.gateway_id}
        and one.starts_at <= other.starts_at < one.ends_at
        for one in sent
        for other in sent
    )


@given(seed=st.integers(0, 2**32), known=facts, tick_s=st.sampled_from([0.1, 1.0]))
@few
def test_two_gateways_that_one_light_hears_never_send_at_once(
    seed: int, known: Facts, tick_s: float
) -> None:
    world = World(SF9, seed, Ills(call_s=0.02, txack_delay_s=0.1, tick_s=tick_s), known)
    overlaps: dict[str, set[str]] = defaultdict(set)
    for number in range(30):
        dev_eui = f"light-{number:02}"
        world.server.add(dev_eui, *world.rng.choice(ROUTES))
        together = world.server.lights[dev_eui].gateways
        for gateway_id in together:
            overlaps[gateway_id].update(together)
        world.submit(dev_eui)
    world.run(400.0)
    assert len(world.server.sent) == 30
    assert meetings(world.server.sent, overlaps) == 0


@given(seed=st.integers(0, 2**32), known=facts, ills=ills)
@few
def test_never_two_items_of_ours_for_one_light_and_every_attempt_has_its_news(
    seed: int, known: Facts, ills: Ills
) -> None:
    world = World(SF9, seed, ills, known)
    live(world, lights=12, for_s=120.0)
    for holds in TRUTHS:
        holds(world)


@given(seed=st.integers(0, 2**32), delay_s=st.sampled_from([0.2, 1.0]))
@few
def test_a_basics_station_is_given_its_next_frame_when_its_band_is_open_again(
    seed: int, delay_s: float
) -> None:
    world = World(SF9, seed, Ills(txack_delay_s=0.1), Facts(delay_s, lag_known=True))
    for number in range(12):
        world.server.add(f"light-{number:02}", "d")
        world.submit(f"light-{number:02}")
    world.run(120.0)
    sent = sorted(world.server.sent, key=lambda one: one.starts_at)
    assert len(sent) == 12
    shut_s = 10 * (sent[0].ends_at - sent[0].starts_at)
    pairs = pairwise(sent)
    assert all(later.starts_at >= one.ends_at + shut_s - 0.05 for one, later in pairs)
