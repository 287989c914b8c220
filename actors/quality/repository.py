"""What quality keeps in the store: lights in shards, a record for each gateway, one of the scores.

A record for each light would be ten thousand writes an hour. Lights are put into 64 shards by their
DevEUI, and each is written once an hour: 156 lights in 50 kB at 10,000 lights, 780 in 250 kB at
50,000. A crash loses an hour of margins, which is nothing against a week.
"""

from collections.abc import Iterable, Mapping

import msgspec
import structlog

from actors.quality.chance_scores import ChanceSums
from actors.quality.gateway_cells import GatewayCell
from actors.quality.light_watch import shard_of
from actors.quality.rule_scores import AllSums
from actors.quality.watched_light import StoredLight
from store.port import Delete, Put, Record, Table

log = structlog.get_logger()

PREFIX = "quality:"
_LIGHTS, _GATEWAY, _SCORES = f"{PREFIX}lights:", f"{PREFIX}gateway:", f"{PREFIX}scores"


class StoredScores(msgspec.Struct, omit_defaults=True):
    """The scores, and when the running day began (Unix seconds)."""

    day_since: float
    day: int
    """Its number; counted by the service, so that a clock that is set makes no days."""
    chances: ChanceSums
    rules: AllSums


class Restored(msgspec.Struct):
    """All that was read."""

    lights: dict[str, StoredLight] = {}
    gateways: dict[str, list[GatewayCell]] = {}
    scores: StoredScores | None = None


_encoder = msgspec.json.Encoder()
_lights = msgspec.json.Decoder(dict[str, StoredLight])
_cells = msgspec.json.Decoder(list[GatewayCell])
_scores = msgspec.json.Decoder(StoredScores)


def shards_of(dev_euis: Iterable[str]) -> set[int]:
    """In which shards these are."""
    return {shard_of(one) for one in dev_euis}


def lights_put(shard: int, lights: Mapping[str, StoredLight], now: float) -> Put:
    """One shard."""
    return Put(Table.META, f"{_LIGHTS}{shard:02d}", _encoder.encode(lights), now)


def lights_delete(shard: int) -> Delete:
    """A shard without lights."""
    return Delete(Table.META, f"{_LIGHTS}{shard:02d}")


def gateway_put(gateway_id: str, cells: Iterable[GatewayCell], now: float) -> Put:
    """One gateway."""
    return Put(Table.META, f"{_GATEWAY}{gateway_id}", _encoder.encode(list(cells)), now)


def gateway_delete(gateway_id: str) -> Delete:
    """A gateway that is known no longer."""
    return Delete(Table.META, f"{_GATEWAY}{gateway_id}")


def scores_put(scores: StoredScores, now: float) -> Put:
    """The scores."""
    return Put(Table.META, _SCORES, _encoder.encode(scores), now)


def read(records: Iterable[Record]) -> Restored:
    """All of it among the records of `Table.META`. One that cannot be read is left out: what it
    held is learned again."""
    found = Restored()
    for record in records:
        try:
            if record.key.startswith(_LIGHTS):
                found.lights.update(_lights.decode(record.value))
            elif record.key.startswith(_GATEWAY):
                found.gateways[record.key.removeprefix(_GATEWAY)] = _cells.decode(record.value)
            elif record.key == _SCORES:
                found.scores = _scores.decode(record.value)
        except (msgspec.MsgspecError, ValueError) as error:
            log.warning("quality is unreadable and begins anew", key=record.key, error=str(error))
    return found
