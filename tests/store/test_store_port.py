"""What a write may be, and what an ordered commit comes down to."""

import math

import pytest

from store.port import KEY_BYTES_MOST, VALUE_BYTES_MOST, Delete, Table, outcome
from tests.store.samples import add, put


@pytest.mark.parametrize("at", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_no_time_is_stopped_at_its_writer(at: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        put("k", at=at)
    with pytest.raises(ValueError, match="finite"):
        add("e", at)


def test_writes_beyond_their_bounds_are_stopped_at_their_writer() -> None:
    with pytest.raises(ValueError, match="at most"):
        put("é" * (KEY_BYTES_MOST // 2 + 1))
    with pytest.raises(ValueError, match="at most"):
        Delete(Table.DEVICE, "k" * (KEY_BYTES_MOST + 1))
    with pytest.raises(ValueError, match="at most"):
        add("e", 1.0, stream="s" * (KEY_BYTES_MOST + 1))
    with pytest.raises(ValueError, match="surrogates"):
        put("\ud800")
    with pytest.raises(ValueError, match="bytes"):
        put("k", b"x" * (VALUE_BYTES_MOST + 1))


def test_an_outcome_keeps_the_last_record_and_the_first_entry() -> None:
    result = outcome(
        [
            put("a", b"1"),
            put("b", b"1"),
            Delete(Table.DEVICE, "a"),
            put("b", b"2"),
            Delete(Table.DEVICE, "c"),
            put("c", b"3"),
            put("a", b"4", table=Table.ALERT),
            add("e", 1.0, value=b"first"),
            add("e", 2.0, value=b"second"),
            add("e", 3.0, "other"),
        ]
    )
    assert list(result.puts) == [put("b", b"2"), put("c", b"3"), put("a", b"4", table=Table.ALERT)]
    assert list(result.deletes) == [Delete(Table.DEVICE, "a")]
    assert list(result.appends) == [add("e", 1.0, value=b"first"), add("e", 3.0, "other")]
