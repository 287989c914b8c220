"""The wrong-offset trap: statuses by which a parser at the wrong offsets would verify white.

Two public services take byte 0 as the counter and bytes 1-3 as the colour. In a true status these
are the RSSI, little-endian: at -83 dBm `AD FF FF FF`. So its "counter" changes with the weather,
and its "colour" is always white. Here the light shows dim green all the time and its counter
stands still; nothing may be verified by that.
"""

import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lorawan.events.model import Modulation, Reception, Uplink
from simulation.world.bodies import json_body, protobuf_body
from simulation.world.station import Station
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.processes import PATIENCE_S, Running

DIM_GREEN = (0, 0, 0x35, 255, 0)
"""Red, blue, green, on, off: the order of the wire."""
WHITE = (255, 255, 255, 255, 0)
SNR_RAW = 34
TRAPS = tuple(range(-83, -71))
"""RSSI by RSSI: a "counter" that grows by one each time, from 173 on."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with pretend_site(lights=1, gateways=1) as site:
        site.connect()
        yield site


class Forger:
    """Makes uplinks of a light's running session with any payload."""

    def __init__(self, site: Site) -> None:
        self._site = site
        (self.station,) = site.world.stations.values()
        device = site.world.rules.devices[self.dev_eui]
        self._info = device.info
        self._f_cnt = device.f_cnt_up
        self.downlinks = self.station.light.downlinks_received

    @property
    def dev_eui(self) -> str:
        """Whose uplinks are forged."""
        return self.station.dev_eui

    def status(self, rssi_dbm: int, downlinks: int, state: tuple[int, ...], tail: bytes) -> bytes:
        """The 24 bytes, packed by the vendor's table and not by our codec."""
        head = struct.pack("<iiII", rssi_dbm, SNR_RAW, downlinks, self._f_cnt)
        return head + bytes(state) + tail

    def uplink(self, data: bytes) -> Uplink:
        """The next uplink with this payload."""
        (gateway_id,) = self._site.world.gateways
        self._f_cnt += 1
        return Uplink(
            device=self._info,
            at=time.time(),
            dev_addr=self.station.light.dev_addr,
            f_cnt=self._f_cnt - 1,
            f_port=15,
            data=data,
            deduplication_id=f"00000000-0000-4000-8000-{self._f_cnt:012d}",
            dr=5,
            receptions=(Reception(gateway_id, -83, 8.5),),
            modulation=Modulation(spreading_factor=7, bandwidth_hz=125_000),
            frequency_hz=868_100_000,
        )


def revisions(station: Station) -> bytes:
    """Software, hardware, ADR: the end of a status."""
    return bytes((station.light.sw_rev, station.light.hw_rev, 0))


async def post(http: httpx2.AsyncClient, event: Uplink, *, as_json: bool) -> int:
    kind, body = json_body(event) if as_json else protobuf_body(event)
    content_type = "application/json" if as_json else "application/octet-stream"
    response = await http.post(
        f"/api/v1/webhooks/chirpstack?event={kind}",
        content=body,
        headers={"content-type": content_type},
    )
    return response.status_code


async def test_no_status_at_the_wrong_offsets_verifies(site: Site, tmp_path: Path) -> None:
    async with httpx2.AsyncClient(base_url=site.url, timeout=30.0) as http:
        # The pretend server knows no forged counter, and is asked once a window is over.
        config = site.config(tmp_path, policy={"window_s": PATIENCE_S})
        with Running(tmp_path, "serve", "--config", str(config)):
            (dev_eui,) = site.world.stations

            async def device() -> dict[str, Any]:
                found: dict[str, Any] = (await http.get(f"/api/v1/devices/{dev_eui}")).json()
                return found

            async def set_up() -> bool:
                return bool((await device()).get("device", {}).get("phase") == "idle")

            await until("it has its settings", set_up)
            site.world.set_loss(uplink=1.0, downlink=1.0)  # from here on only we speak for it
            forger = Forger(site)
            ordered = await http.post(
                f"/api/v1/downlink/{dev_eui}",
                json={"red": 255, "green": 255, "blue": 255},
                headers={"Prefer": "respond-async"},
            )
            assert ordered.status_code == 202

            async def command() -> dict[str, Any]:
                found: dict[str, Any] = (await http.get(ordered.headers["location"])).json()
                return found

            async def on_air() -> bool:
                return bool((await command())["status"] == "transmitted")

            await until("on air", on_air)
            tail = revisions(forger.station)
            for number, rssi_dbm in enumerate(TRAPS):
                trap = forger.status(rssi_dbm, forger.downlinks, DIM_GREEN, tail)
                assert trap[1:4] == b"\xff\xff\xff"
                assert trap[0] == 173 + number
                assert await post(http, forger.uplink(trap), as_json=number % 2 == 0) == 204
                # the handler of this device has dealt with it: its counter is on the board

                async def heard(sent: bytes = trap) -> bool:
                    report = (await device())["report"]
                    return bool(report["rssi_dbm"] == struct.unpack("<i", sent[:4])[0])

                await until("it was read", heard)
                assert (await command())["status"] not in {"verified", "superseded"}
            inspected = await device()
            assert inspected["device"]["as_wanted"] is False
            assert inspected["report"]["light"] == {
                "red": 0,
                "green": 0x35,
                "blue": 0,
                "on": 255,
                "off": 0,
            }
            assert inspected["device"]["wanted"]["green"] == 255
            assert not any(step["kind"] == "verified" for step in (await command())["timeline"])

            # the same path with a truthful echo gives the verdict: the trap was not merely ignored
            echo = forger.status(-83, forger.downlinks + 1, WHITE, tail)
            assert await post(http, forger.uplink(echo), as_json=True) == 204

            async def verified() -> bool:
                return bool((await command())["status"] == "verified")

            await until("verified by the truth", verified)
