"""What txacks and statuses teach of forwarders, told event by event on ChirpStack's clock."""

from random import Random

import pytest

from actors.link.forwarders import LIGHTS_MOST, Forwarders, Heard, Taken
from actors.link.lag import Basis

FRAME_S, STATUS_S = 0.185, 0.267
RX1_S = 1.0


class Air:
    """One gateway, lights of one software revision, exact times."""

    def __init__(self, *, lag_s=0.08, delay_s=lambda: 0.2, from_air=False, sw_rev=61):
        self.known = Forwarders()
        self.lag_s, self.delay_s, self.from_air, self.sw_rev = lag_s, delay_s, from_air, sw_rev
        self.now = 1_700_000_000.0
        self.counters = {}

    def status(self, dev_eui, *, received=0, skip=0):
        f_cnt, down = self.counters.get(dev_eui, (-1, 0))
        self.counters[dev_eui] = f_cnt, down = f_cnt + 1 + skip, down + received
        told = Heard(self.now, "00000001", f_cnt, down, self.sw_rev, STATUS_S)
        self.known.heard(dev_eui, told)

    def class_c(self, dev_eui="a", *, gateway="gw", lost=False, lead_s=None):
        """A frame and its answer."""
        begins = self.now + self.lag_s
        txack_at = begins + 0.005 if self.from_air else self.now
        self.known.taken(dev_eui, Taken(gateway, txack_at, FRAME_S))
        if lead_s is not None:
            self.known.ordered(gateway, lead_s)
        if not lost:
            self.now = begins + FRAME_S + self.delay_s() + STATUS_S
            self.status(dev_eui, received=1)

    def class_a(self, dev_eui="a", *, gateway="gw", rx2=False):
        """A frame in a receive window of the status just sent, and its answer."""
        begins = self.now + RX1_S + rx2
        txack_at = begins + 0.02 if self.from_air else self.now + 0.25
        told_s = RX1_S if self.from_air else RX1_S + rx2  # the bridge names the first
        self.known.taken(dev_eui, Taken(gateway, txack_at, FRAME_S, told_s))
        delay_s = max(self.delay_s(), self.now + 2.1 - begins - FRAME_S)
        self.now = begins + FRAME_S + delay_s + STATUS_S
        self.status(dev_eui, received=1)

    def probe(self, lights=5):
        for number in range(lights):
            name = f"light-{number}"
            self.status(name)
            self.now += 60
            self.class_c(name)
            self.class_a(name)
            self.now += 60


def test_the_probe_finds_a_delay_of_a_second_to_two_hundredths():
    air = Air(delay_s=lambda: 1.0, lag_s=1.0)
    air.probe()
    delay = air.known.delay(61)
    assert delay is not None
    assert delay.median_s == pytest.approx(1.0, abs=0.02)
    assert not delay.at_most


@pytest.mark.parametrize("lag_s", [0.08, 1.0])
@pytest.mark.parametrize("slow", [False, True])
def test_the_probe_tells_the_kinds_of_forwarder_apart(lag_s, slow):
    rng = Random(7)
    air = Air(lag_s=lag_s, delay_s=(lambda: 1.0) if slow else (lambda: rng.uniform(0.05, 0.3)))
    air.probe()
    assert air.known.lag_s("gw") == pytest.approx(lag_s, abs=0.02)
    assert not air.known.is_basics_station("gw")


def test_basics_station_is_known_by_txacks_after_their_window():
    air = Air(lag_s=0.0, from_air=True, delay_s=lambda: 1.0)
    air.probe()
    assert air.known.is_basics_station("gw")
    assert air.known.lag_s("gw") == 0.0
    delay = air.known.delay(61)  # it does not depend on the forwarder
    assert delay is not None
    assert delay.median_s == pytest.approx(1.0, abs=0.02)


def test_basics_station_says_rx1_and_may_have_used_rx2():
    air = Air(lag_s=0.0, from_air=True, delay_s=lambda: 0.3)
    for number in range(6):
        air.status(f"light-{number}")
        air.now += 60
        air.class_c(f"light-{number}")
        air.class_a(f"light-{number}", rx2=True)
    delay = air.known.delay(61)
    assert delay is not None
    assert delay.median_s == pytest.approx(0.3, abs=0.02)
    assert not delay.at_most


@pytest.mark.parametrize("rx2", [False, True])
def test_both_receive_windows_measure(rx2):
    air = Air(delay_s=lambda: 1.2)
    for number in range(4):
        air.status(f"light-{number}")
        air.class_a(f"light-{number}", rx2=rx2)
    delay = air.known.delay(61)
    assert delay is not None
    assert delay.median_s == pytest.approx(1.2, abs=0.02)


def test_a_txack_before_its_window_came_from_the_queue():
    air = Air()
    air.status("a")
    air.class_a()
    for _ in range(12):
        air.class_c()
    facts = air.known.gateway("gw")
    assert facts.basics_station is False
    assert facts.lag is not None
    assert facts.lag.basis is Basis.EXCLUDED
    assert facts.lag.lag_s == 0.08


def test_without_knowing_where_the_txack_comes_from_no_lag_is_told():
    air = Air()
    air.status("a")
    for _ in range(12):
        air.class_c()
    assert air.known.gateway("gw").basics_station is None
    assert air.known.lag_s("gw") is None


@pytest.mark.parametrize("what", ["a missed status", "two frames", "a frame that did not arrive"])
def test_what_could_be_the_answer_of_something_else_teaches_nothing(what):
    air = Air()
    air.status("a")
    if what == "two frames":
        air.class_c(lost=True)
        air.class_c()
    else:
        air.known.taken("a", Taken("gw", air.now, FRAME_S))
        air.now += 0.7
        missed = what == "a missed status"
        air.status("a", received=1 if missed else 0, skip=1 if missed else 0)
    assert air.known.gateway("gw").answers == 0


def test_a_session_that_ended_in_between_teaches_nothing():
    air = Air()
    air.status("a")
    air.known.taken("a", Taken("gw", air.now, FRAME_S))
    air.known.heard("a", Heard(air.now + 0.7, "00000002", 1, 1, 61, STATUS_S))
    assert air.known.gateway("gw").answers == 0


def test_a_forwarder_that_was_exchanged_is_learned_anew():
    air = Air(lag_s=1.0, delay_s=lambda: 1.0)
    air.probe()
    for _ in range(15):
        air.now += 60
        air.class_c("light-0")
    assert air.known.lag_s("gw") == pytest.approx(1.0, abs=0.02)
    air.lag_s = 0.08
    for _ in range(3):
        air.now += 60
        air.class_c("light-0")
    assert air.known.lag_s("gw") == pytest.approx(0.08, abs=0.02)
    air.lag_s = 1.0
    for _ in range(60):
        air.now += 60
        air.class_c("light-0")
    assert air.known.lag_s("gw") == pytest.approx(1.0, abs=0.02)


def test_the_spread_from_order_to_txack_tells_a_tick_of_a_second():
    slow, quick = Forwarders(), Forwarders()
    for number in range(40):
        slow.ordered("gw", 0.05 + number / 40)
        quick.ordered("gw", 0.05 + number / 400)
    assert slow.gateway("gw").slow_tick
    assert not quick.gateway("gw").slow_tick
    assert quick.gateway("gw").order_to_txack_s == pytest.approx((0.06, 0.138), abs=0.01)


def test_what_was_learned_survives_a_restart_and_only_changes_are_written():
    air = Air(lag_s=1.0, delay_s=lambda: 1.0)
    air.probe()
    records = air.known.unsaved()
    assert set(records) == {"forwarder:gw", "firmware:61"}
    assert max(map(len, records.values())) < 4_096
    assert air.known.unsaved() == {}
    again = Forwarders()
    again.restore(records.items())
    assert again.gateway("gw") == air.known.gateway("gw")
    assert again.revisions() == air.known.revisions()


def test_a_record_that_cannot_be_read_is_learned_anew():
    known = Forwarders()
    known.restore([("forwarder:gw", b"{"), ("firmware:61", b'{"sw_rev": "x"}'), ("mark", b"{}")])
    assert known.gateways() == []
    assert known.revisions() == []


def test_no_more_lights_are_remembered_than_the_bound():
    air = Air()
    for number in range(LIGHTS_MOST + 10):
        air.status(f"{number:016x}")
    air.class_c(f"{0:016x}")
    air.class_c(f"{LIGHTS_MOST:016x}")
    assert air.known.gateway("gw").answers == 1
    air.known.forget_light(f"{LIGHTS_MOST:016x}")
    air.class_c(f"{LIGHTS_MOST:016x}")
    assert air.known.gateway("gw").answers == 1


def test_two_gateways_are_told_apart_only_where_luck_is_ruled_out():
    """Delays between 0.5 and 4 s, a lag of 1 s and one of 80 ms, six answers each."""
    likely_wrong = sure_wrong = 0
    for seed in range(400):
        rng = Random(seed)
        air = Air(delay_s=lambda rng=rng: rng.lognormvariate(0.4, 0.5))
        for gateway, lag_s in (("late", 1.0), ("soon", 0.08)):
            for number in range(6):
                name = f"{gateway}-{number}"
                air.lag_s = lag_s
                air.status(name)
                air.now += 60
                air.class_c(name, gateway=gateway)
                air.class_a(name, gateway=gateway)
                air.now += 60
        likely_wrong += air.known.lag_s("late") == 0.08
        beyond_s = air.known.lag_beyond_s("late", "soon")
        sure_wrong += beyond_s is not None and beyond_s < 0.5
    assert likely_wrong > sure_wrong
    assert sure_wrong <= 1
