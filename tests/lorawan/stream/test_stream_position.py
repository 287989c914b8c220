"""Reading on without a hole and without a repetition, whatever the server does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.stream.entries import BEGINNING, EntryId, StreamEntry
from lorawan.stream.position import STEP_BACK_S, Gap, Page, Position

NOW_MS = 1_719_847_234_000


def entry(ms: int, number: int = 0) -> StreamEntry:
    return StreamEntry(EntryId(NOW_MS + ms, number), "up", b"")


def page(*entries: StreamEntry, kept: bool = True) -> Page:
    return Page(entries, NOW_MS, kept)


def test_the_first_reading_of_all_begins_a_minute_ago():
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    assert position.after == EntryId(NOW_MS - 60_000)
    assert position.known is None


def test_a_new_run_steps_back_from_the_mark_and_looks_for_it():
    mark = EntryId(NOW_MS - 3_600_000, 4)
    position = Position(mark)
    position.connected(NOW_MS, EntryId(NOW_MS))
    assert position.after == mark.earlier(STEP_BACK_S)
    assert position.known == mark


def test_what_is_read_again_after_a_connection_is_left_out():
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    assert position.take(page(entry(1), entry(2))) == [entry(1), entry(2)]
    position.connected(NOW_MS, EntryId(NOW_MS))
    assert position.take(page(entry(1), entry(2), entry(3))) == [entry(3)]


def test_an_entry_below_those_read_is_found_after_a_new_connection():
    """As after a fail-over to a server whose clock is behind."""
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    position.take(page(entry(1_000)))
    position.connected(NOW_MS, EntryId(NOW_MS))
    assert position.take(page(entry(800), entry(1_000))) == [entry(800)]


def test_a_mark_that_the_stream_forgot_is_a_gap_up_to_the_first_entry():
    mark = EntryId(NOW_MS - 3_600_000)
    position = Position(mark)
    position.connected(NOW_MS, EntryId(NOW_MS))
    found = page(entry(-5_000), entry(-4_000), kept=False)
    assert position.gap(found) == Gap(mark, mark.earlier(STEP_BACK_S), entry(-5_000).id)
    assert position.take(found) == [entry(-5_000), entry(-4_000)]
    assert position.gap(page(entry(1))) is None


def test_a_stream_that_is_gone_is_a_gap_once():
    position = Position(EntryId(NOW_MS))
    position.connected(NOW_MS, EntryId(NOW_MS))
    empty = page(kept=False)
    assert position.gap(empty) == Gap(EntryId(NOW_MS), EntryId(NOW_MS - 60_000), None)
    position.take(empty)
    assert position.gap(empty) is None
    assert position.take(page(entry(5))) == [entry(5)]


@pytest.mark.parametrize("empty_before", [False, True])
def test_a_stream_that_begins_anew_is_read_however_far_the_clock_was_set_back(empty_before):
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    if not empty_before:
        position.take(page(entry(-10)))
    position.take(Page((), NOW_MS - 600_000, empty_before))
    assert position.after is not None
    assert position.after < entry(-600_000).id
    assert position.take(page(entry(-600_000))) == [entry(-600_000)]


@pytest.mark.parametrize("lost", [False, True])
def test_a_stream_that_was_empty_is_read_from_its_beginning_after_a_long_outage(lost):
    position = Position(None if lost else BEGINNING)
    position.connected(NOW_MS, EntryId(NOW_MS) if lost else None)
    if lost:
        position.take(page(entry(1)))
        position.take(page(kept=False))
    position.connected(NOW_MS + 600_000, EntryId(NOW_MS + 600_000))
    assert position.after == BEGINNING


def test_the_first_reading_of_a_quiet_stream_begins_at_its_newest_entry():
    """What is stored as a mark before the next one is an entry then."""
    position = Position()
    position.connected(NOW_MS, entry(-600_000).id)
    assert position.after == entry(-600_000).id


def test_an_id_that_was_read_may_come_again_in_a_stream_that_begins_anew():
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    position.take(page(entry(1)))
    position.take(page(kept=False))
    assert position.take(page(entry(1))) == [entry(1)]


def test_nothing_new_lets_the_reading_stand_where_it_is():
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    position.take(page(entry(1)))
    position.take(Page((), NOW_MS - 600_000, kept=True))  # the clock of an intact stream
    assert position.after == entry(1).id


def test_after_a_stream_began_anew_with_lower_ids_it_is_read_on():
    position = Position()
    position.connected(NOW_MS, EntryId(NOW_MS))
    position.take(page(entry(50_000)))
    position.connected(NOW_MS, EntryId(NOW_MS))
    position.take(page(entry(-2_000), kept=False))
    assert position.known == entry(-2_000).id
    assert position.gap(page(entry(-1_000))) is None


def test_what_an_earlier_run_dealt_with_is_known():
    position = Position(EntryId(NOW_MS, 1))
    assert position.dealt_with_before(EntryId(NOW_MS, 1))
    assert not position.dealt_with_before(EntryId(NOW_MS, 2))
    assert not Position().dealt_with_before(EntryId(NOW_MS))


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=40))
def test_each_entry_comes_once_however_often_the_connection_breaks(steps):
    """Entries are added; a page is read, or the connection breaks first."""
    stream: list[StreamEntry] = []
    position, read = Position(), []
    position.connected(NOW_MS, EntryId(NOW_MS))
    for added, breaks in steps:
        stream += [entry(len(stream) + n) for n in range(added)]
        if breaks:
            position.connected(NOW_MS + len(stream), None)
        assert position.after is not None
        following = [one for one in stream if one.id > position.after][:10]
        read += position.take(page(*following))
    while following := [one for one in stream if one.id > position.after][:10]:
        read += position.take(page(*following))
    assert read == stream
