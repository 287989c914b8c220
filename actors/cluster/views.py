"""What is shown of a fleet beside its own records, as records of their own.

Gateways, risks and actors in trouble are known only where the fleet's own shard lives. They are
stored under `view/` in Table.META, so that the feed tells every process of them, and a snapshot has
them. Nothing is decided by them; whoever owns the fleet shard next writes them anew.
"""

import msgspec

from actors.board.board import Board
from actors.board.changes import ActorView, GatewayView
from actors.board.contents import WELL
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead
from actors.fleet import actor_id
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table

VIEW = "view/"
GATEWAY = f"{VIEW}gateway/"
RISK = f"{VIEW}risk/"
ACTOR = f"{VIEW}actor/"
PLAN = f"{VIEW}plan/"


class _Risk(msgspec.Struct, frozen=True):
    told: RiskTold


_encoder = msgspec.json.Encoder()
_gateways = msgspec.json.Decoder(GatewayView)
_risks = msgspec.json.Decoder(_Risk)
_actors = msgspec.json.Decoder(ActorView)
_plans = msgspec.json.Decoder(PlanHead)


def gateway_put(view: GatewayView, now: float) -> Put:
    """A gateway; as many as there are, some 400 bytes each."""
    key = f"{GATEWAY}{view.gateway_id}"
    return Put(Table.META, key, stamped(_encoder.encode(view)), now)


def gateway_delete(gateway_id: str) -> Delete:
    """A gateway is known no longer."""
    return Delete(Table.META, f"{GATEWAY}{gateway_id}")


def light_deletes(dev_eui: str) -> list[Delete]:
    """A light is known no longer."""
    return [
        Delete(Table.META, f"{RISK}{dev_eui}"),
        Delete(Table.META, f"{ACTOR}{actor_id(dev_eui)}"),
    ]


def risk_put(dev_eui: str, risk: RiskTold, now: float) -> Put:
    """What is expected of a light, some 40 bytes."""
    return Put(Table.META, f"{RISK}{dev_eui}", stamped(_encoder.encode(_Risk(risk))), now)


def actor_put(view: ActorView, now: float) -> Put:
    """A change of an actor's life; of one that is well it says so."""
    return Put(Table.META, f"{ACTOR}{view.id}", stamped(_encoder.encode(view)), now)


def plan_put(head: PlanHead, now: float) -> Put:
    """A floor plan without its places, some 400 bytes."""
    return Put(Table.META, f"{PLAN}{head.id}", stamped(_encoder.encode(head)), now)


def plan_delete(plan_id: str) -> Delete:
    """A floor plan is no longer there."""
    return Delete(Table.META, f"{PLAN}{plan_id}")


def show(record: Record | Put, board: Board) -> bool:
    """Show a record of Table.META on a board, if it changed; False where it is none of these.

    Raises msgspec.MsgspecError for one that cannot be read: a newer program's, perhaps.
    """
    key = record.key
    if key.startswith(GATEWAY):
        gateway = _gateways.decode(checked(record.value))
        if board.gateways.get(gateway.gateway_id) != gateway:
            board.publish(gateway)
    elif key.startswith(RISK):
        dev_eui, told = key.removeprefix(RISK), _risks.decode(checked(record.value)).told
        if board.risks.get(dev_eui) != told:
            board.tell_risk(dev_eui, told)
    elif key.startswith(ACTOR):
        actor = _actors.decode(checked(record.value))
        shown = board.actors.get(actor.id)
        if shown != actor and (shown is not None or actor.state not in WELL):
            board.publish(actor)
    elif key.startswith(PLAN):
        plan = _plans.decode(checked(record.value))
        if plan not in board.plans:
            board.publish(plan)
    else:
        return False
    return True
