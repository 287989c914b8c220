"""The stored mark is read back, and that of another stream or of nobody's making is none."""

import pytest

from actors.event_stream.mark import KEY, StreamMark, mark_in, mark_put, name_of
from lorawan.stream.entries import EntryId
from store.port import Record

AT = 1e9


def record(value: bytes) -> Record:
    return Record(KEY, value, AT)


def stored(mark: StreamMark) -> Record:
    return record(mark_put(mark, AT).value)


def test_it_is_read_back_with_what_is_owed() -> None:
    mark = StreamMark("1719847234567-3", "name", {"2020": "1719847234000-0"})
    records = [Record("air/x", b"{}", AT), stored(mark)]
    found, owed = mark_in(records, "name")
    assert found == EntryId(1_719_847_234_567, 3)
    assert owed == {"2020": EntryId(1_719_847_234_000)}


@pytest.mark.parametrize("value", [b"", b"{}", b'{"id":"x"}', b'{"id":5}', b'{"v":1,"id":"1-x"}'])
def test_what_is_no_mark_is_none(value: bytes) -> None:
    assert mark_in([record(value)], "") == (None, {})


def test_that_of_another_stream_is_none() -> None:
    assert mark_in([stored(StreamMark("1-0", "other"))], "name") == (None, {})
    assert mark_in([], "name") == (None, {})


def test_a_stream_is_named_by_its_place_and_not_by_its_password() -> None:
    names = {name_of("redis://host:6379/0", ""), name_of("redis://u:secret@host:6379/0", "")}
    assert len(names) == 1
    assert name_of("redis://host:6379/0", "p:") not in names
    assert name_of("redis://host:6379/1", "") not in names
    assert "secret" not in "".join(names)


def test_one_place_has_one_name_however_it_is_spelled() -> None:
    for spelled in (
        ["redis://host/", "redis://host", "redis://HOST:6379/0", "redis://host?db=0"],
        ["redis+cluster://a,b:7000", "redis+cluster://b:7000,a:6379", "redis+cluster://a,b:7000/0"],
        ["unix:///run/redis.sock", "unix:///run/redis.sock?db=0"],
    ):
        assert len({name_of(url, "") for url in spelled}) == 1, spelled
    apart = ("redis://host?db=2", "redis://host/1", "unix:///a", "unix:///b", "unix:///b?db=1")
    assert len({name_of(url, "") for url in (*apart, "redis://host", "redis://other")}) == 7
