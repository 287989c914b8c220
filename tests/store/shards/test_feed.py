"""What a commit tells everybody is what it writes of what is shown."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.port import Append, Delete, Put, Table, outcome
from store.shards import decode_feed, encode_feed

KEYS = st.sampled_from(["a", "view/gateway:1", "learned:fleet", "air/1", "set-back", "é"])
PUTS = st.builds(
    Put,
    table=st.sampled_from(Table),
    key=KEYS,
    value=st.binary(max_size=20),
    at=st.floats(allow_nan=False, allow_infinity=False),
)
DELETES = st.builds(Delete, table=st.sampled_from(Table), key=KEYS)


def shown(table: Table, key: str) -> bool:
    if table is Table.META:
        return key.startswith(("view/", "learned:"))
    return table not in {Table.IDEMPOTENCY, Table.PLAN, Table.PICTURE}


@given(st.lists(PUTS | DELETES))
def test_every_shown_record_is_told_as_it_is_stored_and_no_other(
    writes: list[Put | Delete],
) -> None:
    left = outcome(writes)
    told = decode_feed(encode_feed(left))
    expected = [one for one in [*left.puts, *left.deletes] if shown(one.table, one.key)]
    assert list(told) == expected


def test_history_alone_tells_nothing() -> None:
    assert encode_feed(outcome([Append("0018b200000000a1", "e", 1.0, b"line")])) == b""
    assert decode_feed(b"") == ()


def test_an_empty_value_is_not_a_deletion() -> None:
    put = Put(Table.ALERT, "a", b"", 1.0)
    assert decode_feed(encode_feed(outcome([put]))) == [put]


def test_what_is_no_feed_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_feed(b"\x93nonsense")
