"""The pretend firmware against the published bytes, without any codec of ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from lorawan.kuando.light_state import LightState
from simulation.world.busylight import (
    BOOTING,
    DIM_GREEN,
    JOINING,
    Busylight,
    FirmwareOptions,
    Reaction,
)

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "kuando.json").read_text())
STATUSES = [
    vector
    for vector in VECTORS
    if vector["direction"] == "up" and isinstance(vector.get("decoded"), dict)
]
COLOURS = [vector for vector in VECTORS if vector.get("kind", "").startswith("colour")]

RED = bytes.fromhex("ff0000ff00")
BLUE = bytes.fromhex("00ff00ff00")


class Bench:
    """A joined light and the downlink counter of its session."""

    def __init__(
        self, sw_rev: int = 61, hw_rev: int = 12, options: FirmwareOptions | None = None
    ) -> None:
        self.light = Busylight(sw_rev, hw_rev, options or FirmwareOptions())
        self.now_s = 0.0
        self.join()

    def join(self) -> None:
        self.f_cnt = -1
        self.now_s += 10.0
        self.light.power_on(self.now_s)
        self.light.joining(self.now_s + 1.0)
        self.light.joined(self.now_s + 7.0, "00189440")
        self.now_s += 7.0

    def send(
        self,
        data: bytes | str,
        *,
        f_port: int | None = 15,
        f_cnt: int | None = None,
        rssi_dbm: int = -60,
        snr_db: float = 8.0,
    ) -> Reaction:
        self.now_s += 1.0
        self.f_cnt = self.f_cnt + 1 if f_cnt is None else f_cnt
        return self.light.receive(
            self.now_s,
            f_cnt=self.f_cnt,
            f_port=f_port,
            data=bytes.fromhex(data) if isinstance(data, str) else data,
            rssi_dbm=rssi_dbm,
            snr_db=snr_db,
        )


def _light(decoded: dict[str, int]) -> LightState:
    return LightState(**{name: decoded[name] for name in ("red", "green", "blue", "on", "off")})


@pytest.mark.parametrize("vector", STATUSES, ids=[vector["hex"] for vector in STATUSES])
def test_status_repeats_every_published_uplink(vector: dict[str, Any]) -> None:
    wanted = vector["decoded"]
    options = FirmwareOptions(after_join=_light(wanted))
    bench = Bench(wanted["sw_rev"], wanted["hw_rev"], options)
    for n in range(wanted["downlinks_received"]):
        last = n == wanted["downlinks_received"] - 1
        bench.send(
            "0701" if n == 0 and wanted["high_brightness"] else vector["hex"][32:42],
            rssi_dbm=wanted["rssi"] if last else -1,
            snr_db=wanted["snr"] / 4 if last else 0.0,
        )
    for _ in range(wanted["uplinks_sent"]):
        bench.light.note_uplink()
    assert bench.light.status().hex() == vector["hex"]


def test_the_published_vectors_are_all_there() -> None:
    assert len(STATUSES) >= 8
    assert len(COLOURS) >= 20


@pytest.mark.parametrize("vector", COLOURS, ids=[vector["hex"] for vector in COLOURS])
def test_colour_downlinks_show_what_the_sources_say(vector: dict[str, Any]) -> None:
    decoded = vector["decoded"]
    bench = Bench()
    reaction = bench.send(vector["hex"])
    assert bench.light.shown == _light(decoded)
    assert reaction.status is (decoded.get("reply") == 1)


def test_bytes_of_a_colour_are_red_blue_green() -> None:
    bench = Bench()
    bench.send("0102030405")
    assert bench.light.shown == LightState(red=1, blue=2, green=3, on=4, off=5)
    assert bench.light.status()[16:21] == bytes((1, 2, 3, 4, 5))


def test_a_five_byte_colour_may_begin_like_a_command() -> None:
    bench = Bench()
    bench.send("0601020304")
    assert bench.light.shown == LightState(red=6, blue=1, green=2, on=3, off=4)
    assert not bench.light.auto_uplink


def test_a_join_forgets_colour_counters_and_settings_but_not_brightness() -> None:
    bench = Bench(sw_rev=61, hw_rev=15)
    for data in (RED, bytes.fromhex("0601"), bytes.fromhex("040f"), bytes.fromhex("0701")):
        bench.send(data)
    bench.light.note_uplink()
    assert (bench.light.auto_uplink, bench.light.interval_min) == (True, 15)
    bench.join()
    assert bench.light.shown == DIM_GREEN == LightState(red=0, green=0x35, blue=0, on=255, off=0)
    assert (bench.light.auto_uplink, bench.light.interval_min) == (False, 30)
    status = bench.light.status()
    assert status[:16] == bytes(16)
    assert len(status) == 25


def test_a_repeated_or_older_counter_is_dropped_unseen() -> None:
    bench = Bench()
    bench.send(RED, f_cnt=7)
    repeated = bench.send(BLUE, f_cnt=7)
    older = bench.send(BLUE, f_cnt=6)
    assert not repeated.accepted
    assert not older.accepted
    assert bench.light.shown == LightState(red=255, green=0, blue=0)
    assert bench.light.downlinks_received == 1
    assert bench.light.replays_dropped == 2
    assert bench.send(BLUE, f_cnt=8).accepted


def test_an_absurd_step_of_the_counter_is_refused() -> None:
    bench = Bench()
    assert not bench.send(RED, f_cnt=20_000).accepted
    assert bench.light.shown == DIM_GREEN


def test_an_ack_alone_counts_nothing_but_uses_its_counter() -> None:
    bench = Bench()
    assert bench.send(b"", f_port=None).accepted
    assert bench.light.downlinks_received == 0
    assert not bench.send(RED, f_cnt=0).accepted


def test_another_port_is_counted_and_ignored() -> None:
    bench = Bench()
    bench.send(RED, f_port=10)
    assert bench.light.shown == DIM_GREEN
    assert bench.light.downlinks_received == 1


@pytest.mark.parametrize(("sw_rev", "answers"), [(41, False), (56, True), (68, True)])
def test_answers_exist_from_software_5_6(sw_rev: int, answers: bool) -> None:
    bench = Bench(sw_rev)
    bench.send("0601")
    assert bench.send(RED).status is answers
    assert bench.send("0501").status is answers
    assert bench.send("0500").status is answers


def test_auto_uplink_answers_colours_until_switched_off() -> None:
    bench = Bench()
    assert not bench.send(RED).status
    assert not bench.send("0601").status
    assert bench.send(RED).status
    bench.send("0600")
    assert not bench.send(BLUE).status


@pytest.mark.parametrize("answered", [False, True])
def test_whether_commands_are_answered_is_a_choice(answered: bool) -> None:
    bench = Bench(options=FirmwareOptions(auto_answers_commands=answered))
    assert bench.send("0601").status is answered
    assert bench.send("040f") == Reaction(status=answered, interval_changed=True)


def test_the_sixth_byte_asks_for_one_answer() -> None:
    bench = Bench(sw_rev=41)
    assert bench.send(RED + b"\x01").status
    assert not bench.send(RED + b"\x00").status
    assert not bench.send(RED).status


def test_high_brightness_needs_hardware_1_5() -> None:
    old, new = Bench(hw_rev=12), Bench(hw_rev=15)
    old.send("0701")
    new.send("0701")
    assert len(old.light.status()) == 24
    assert new.light.status()[24:] == b"\x01"
    new.send("0700")
    assert len(new.light.status()) == 24


def test_factory_restart_is_asked_for_and_forgets_brightness() -> None:
    bench = Bench(hw_rev=15)
    bench.send("0701")
    assert bench.send("aa00").restart
    assert not bench.light.high_brightness


@pytest.mark.parametrize("data", ["0400", "aa01", "bb00", "0802", "ffff", "06", "", "00" * 30])
def test_what_no_document_explains_changes_nothing(data: str) -> None:
    bench = Bench()
    assert bench.send(data) == Reaction()
    assert bench.light.shown == DIM_GREEN
    assert bench.light.downlinks_received == 1


def test_inquiries_answer_in_their_own_form() -> None:
    bench = Bench(sw_rev=61, hw_rev=15)
    assert bench.send("0200") == Reaction()
    assert bench.send("0904").raw == bytes.fromhex("090400")
    assert bench.send("0905", rssi_dbm=-109).raw == bytes.fromhex("0905") + b"\x93\xff\xff\xff"
    assert bench.send("0906", snr_db=7.5).raw == bytes.fromhex("09061e000000")
    assert bench.send("100102030405060708").raw == bytes.fromhex("ff10")
    assert Bench(sw_rev=61, hw_rev=12).send("0901") == Reaction()


def test_the_light_after_join_can_be_chosen_from_software_6_7() -> None:
    bench = Bench(sw_rev=68)
    bench.send("09ff353535ff00")
    bench.join()
    assert bench.light.shown == LightState(red=0x35, green=0x35, blue=0x35)
    bench.send("09ffffffffffff")
    bench.join()
    assert bench.light.shown == DIM_GREEN
    old = Bench(sw_rev=61)
    old.send("09ff353535ff00")
    old.join()
    assert old.light.shown == DIM_GREEN


def test_old_software_restarts_after_240_uplinks_in_silence() -> None:
    bench = Bench(sw_rev=58)
    for _ in range(239):
        bench.light.note_uplink()
    assert not bench.light.watchdog_due
    bench.send(RED)
    for _ in range(239):
        bench.light.note_uplink()
    assert not bench.light.watchdog_due
    bench.light.note_uplink()
    assert bench.light.watchdog_due


def test_new_software_has_no_such_watchdog_but_may_miss_replies() -> None:
    plain = Bench(sw_rev=61)
    for _ in range(500):
        plain.light.note_uplink()
        plain.light.note_missed_reply()
    assert not plain.light.watchdog_due
    strict = Bench(sw_rev=61, options=FirmwareOptions(reply_watchdog=True))
    strict.send("0302")
    strict.light.note_missed_reply()
    assert not strict.light.watchdog_due
    strict.light.note_missed_reply()
    assert strict.light.watchdog_due


def test_the_truth_says_what_was_shown_when() -> None:
    bench = Bench()
    joined_s = bench.now_s
    bench.send(RED)
    red_s = bench.now_s
    bench.light.power_off(red_s + 5.0)
    light = bench.light
    assert light.showing_at(0.0) is None
    assert light.showing_at(joined_s - 6.5) == BOOTING
    assert light.showing_at(joined_s - 0.1) == JOINING
    assert light.showing_at(joined_s) == DIM_GREEN
    assert light.showing_at(red_s - 0.001) == DIM_GREEN
    assert light.showing_at(red_s) == LightState(red=255, green=0, blue=0)
    assert light.showing_at(red_s + 5.0) is None
    assert [shown.cause for shown in light.truth] == [
        "power on",
        "joining",
        "joined",
        "downlink",
        "power off",
    ]
