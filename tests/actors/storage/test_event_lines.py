"""What a light said is stored as bytes, costs no more than the fields alone, and is shown whole."""

from functools import partial

import msgspec

from actors.device import events as ev
from actors.device.effects import Note, NoteKind
from actors.device.records import note_line
from actors.fleet.translate import translate
from actors.storage.event_lines import RAW_BYTES_MOST, LineKind, decoded
from actors.storage.history import read_line
from actors.storage.signal_history import points_of
from lorawan.events.model import DeviceInfo, Modulation, Reception, Uplink
from store.port import Entry
from tests.support.story import RED, Story

STATUS = bytes.fromhex("9fffffff1c0000000700000009000000ff0000ff00380e01")
GATEWAYS = (Reception("0016c001f1500002", -97, 7.5), Reception("0016c001f1500001", -90, 9.25))


def uplink(data: bytes = STATUS, f_port: int = 15, **changes: object) -> Uplink:
    made = Uplink(
        device=DeviceInfo("2020203907290902"),
        at=1_700_000_000.0,
        dev_addr="01020304",
        f_cnt=12_345,
        f_port=f_port,
        data=data,
        deduplication_id="one",
        dr=5,
        receptions=GATEWAYS,
        modulation=Modulation(7, 125_000),
        frequency_hz=868_100_000,
    )
    return msgspec.structs.replace(made, **changes)


def line_of(event: Uplink) -> tuple[bytes, Note]:
    """What one uplink of a light leaves in its history."""
    told = translate(event)
    assert isinstance(told, ev.UplinkHeard)
    story = Story()
    story.now = 1_700_000_001.0
    (note,) = (
        one
        for one in story.tell(told)
        if isinstance(one, Note) and one.kind in {NoteKind.STATUS, NoteKind.UPLINK}
    )
    return note_line("d", "e", 1.0, note).value, note


def test_a_status_is_stored_as_it_came_and_shown_with_all_that_it_says() -> None:
    value, _ = line_of(uplink())
    assert b"shows" not in value
    shown = read_line(Entry("e", 1.0, value))
    assert shown.kind == "status"
    assert shown.detail == {
        "f_cnt": 12_345,
        "f_port": 15,
        "raw": STATUS.hex(),
        "dr": 5,
        "sf": 7,
        "mhz": 868.1,
        "heard": "0016c001f1500001,-90,9.25;0016c001f1500002,-97,7.5",
        "shows": "255,0,0,255,0",
        "received": 7,
        "sent": 9,
        "light_rssi_dbm": -97,
        "light_snr_raw": 28,
        "software": 5.6,
        "hardware": 1.4,
        "gateway": "0016c001f1500001",
        "rssi_dbm": -90,
        "snr_db": 9.25,
        "gateways": 2,
    }
    assert [one.gateway_id[-1] for one in points_of(shown)] == ["1", "2"]


def test_a_line_costs_less_than_the_decoded_fields_of_the_first_version() -> None:
    first = (
        b'{"kind":"status","detail":{"f_cnt":12345,"received":7,"shows":"255,0,0,255,0","gateway":'
        b'"0016c001f1500001","rssi_dbm":-90,"snr_db":9.25,"gateways":1,"heard":'
        b'"0016c001f1500001,-90,9.25"}}'
    )
    value, _ = line_of(uplink(receptions=GATEWAYS[1:]))
    assert len(value) <= len(first)
    shown = read_line(Entry("e", 1.0, first))
    assert shown.detail["shows"] == "255,0,0,255,0"
    assert len(points_of(shown)) == 1


def test_what_is_no_status_is_told_in_words_and_never_too_long() -> None:
    value, _ = line_of(uplink(b"\x09\x05\xa6\xff\xff\xff"))
    assert read_line(Entry("e", 1.0, value)).detail["note"] == "rssi on port 15: 0905a6ffffff"
    value, _ = line_of(uplink(bytes(5_000), f_port=3))
    assert len(value) < 2 * RAW_BYTES_MOST + 600
    assert decoded("status", {"raw": "no digits", "f_port": 15}) == {
        "raw": "no digits",
        "f_port": 15,
    }


def test_every_kind_of_note_is_a_kind_of_line() -> None:
    assert {kind.value for kind in NoteKind} <= {kind.value for kind in LineKind}


def test_a_command_is_told_from_its_acceptance_to_its_verdict_with_its_bytes() -> None:
    story = Story().settle()
    effects = []
    for act in (partial(story.command, RED), story.queue, story.txack, story.deliver, story.uplink):
        story.effects = []
        act()
        effects += story.effects
    notes = [one for one in effects if isinstance(one, Note)]
    told = [(one.kind.value, one.detail) for one in notes]
    commands = [detail["became"] for kind, detail in told if kind == "command"]
    assert commands[-2:] == ["accepted", "verified"]
    sent = [detail for kind, detail in told if kind == "downlink"][-1]
    assert (sent["carries"], sent["f_port"]) == ("light", 15)
    assert str(sent["raw"]).startswith("ff0000ff00")
    txack = [detail for kind, detail in told if kind == "txack"][-1]
    assert (txack["item"], txack["attempt"]) == (sent["item"], sent["attempt"])
