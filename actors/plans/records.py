"""How plans lie in the store: each one record, and each picture one of its own under its digest.

A picture is stored in the commit of the plan that shows it, and goes with the last plan that did.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import structlog

from actors.plans.model import Edited, Plan
from actors.storage.record_version import checked, stamped
from store.port import Delete, Put, Record, Table, Write

log = structlog.get_logger()

_encoder = msgspec.json.Encoder()
_plans = msgspec.json.Decoder(Plan)


def writes(
    plans: Mapping[str, Plan], edited: Sequence[Edited], contents: Mapping[str, bytes]
) -> list[Write]:
    """What makes edits durable, all or nothing; `plans` are those before them, `contents` are of
    new pictures by their digest. Pictures that no plan shows any more are deleted in the end."""
    after, made = dict(plans), list[Write]()
    for one in edited:
        plan = one.plan
        if one.removed:
            del after[plan.id]
            made.append(Delete(Table.PLAN, plan.id))
        else:
            after[plan.id] = plan
            made.append(Put(Table.PLAN, plan.id, stamped(_encoder.encode(plan)), plan.changed_at))
    shown = _pictures(after)
    at = max((one.plan.changed_at for one in edited), default=0.0)
    made += [
        Put(Table.PICTURE, digest, content, at)
        for digest, content in contents.items()
        if digest in shown
    ]
    return made + [Delete(Table.PICTURE, one) for one in sorted(_pictures(plans) - shown)]


def _pictures(plans: Mapping[str, Plan]) -> set[str]:
    return {plan.picture.digest for plan in plans.values() if plan.picture is not None}


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
