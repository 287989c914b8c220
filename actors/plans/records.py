"""How plans lie in the store: each one record, and each picture one of its own under its digest.

A picture is stored in the commit of the plan that shows it, and goes with the last plan that did.
"""

from collections.abc import Iterable, Mapping

import msgspec
import structlog

from actors.plans.model import Edited, Plan
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table, Write

log = structlog.get_logger()

_encoder = msgspec.json.Encoder()
_plans = msgspec.json.Decoder(Plan)


def writes(plans: Mapping[str, Plan], edited: Edited, content: bytes | None) -> list[Write]:
    """What makes an edit durable; `plans` are those before it, `content` is of a new picture."""
    plan = edited.plan
    before = plans.get(plan.id)
    after = {name: one for name, one in plans.items() if name != plan.id}
    made: list[Write] = []
    if edited.removed:
        made.append(Delete(Table.PLAN, plan.id))
    else:
        after[plan.id] = plan
        made.append(Put(Table.PLAN, plan.id, stamped(_encoder.encode(plan)), plan.changed_at))
        if content is not None and plan.picture is not None:
            made.append(Put(Table.PICTURE, plan.picture.digest, content, plan.changed_at))
    if before is not None and before.picture is not None:
        kept = {one.picture.digest for one in after.values() if one.picture is not None}
        if before.picture.digest not in kept:
            made.append(Delete(Table.PICTURE, before.picture.digest))
    return made


def read_plan(record: Record) -> Plan:
    """A plan. Raises msgspec.MsgspecError for what is not one, or a newer program's."""
    return _plans.decode(checked(record.value))


def read_plans(records: Iterable[Record]) -> dict[str, Plan]:
    """Every plan among these records; what is odd is told and left."""
    found = {}
    for record in records:
        try:
            found[record.key] = read_plan(record)
        except msgspec.MsgspecError as error:
            log.warning("stored plan is unreadable", plan=record.key, error=str(error))
    return found
