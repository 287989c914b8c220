import pytest

from actors.storage.idempotency import IdempotencyKeys, KeyRecord, KeyUse, read_key, stored_key
from store.port import Record, Table

NOW = 1_700_000_000.0


def test_an_equal_request_leads_to_the_first_command() -> None:
    book = IdempotencyKeys()
    assert book.claim("k", "red", "c1", NOW) is KeyUse.NEW
    assert book.claim("k", "red", "c2", NOW + 1) == "c1"
    assert book.claim("k", "green", "c3", NOW + 1) is KeyUse.REUSED
    assert book.claim("other", "red", "c4", NOW + 1) is KeyUse.NEW


def test_a_claim_whose_command_failed_is_released_by_its_owner_only() -> None:
    book = IdempotencyKeys()
    book.claim("k", "red", "c1", NOW)
    book.release("k", "c9")
    assert book.claim("k", "red", "c2", NOW) == "c1"
    book.release("k", "c1")
    book.release("k", "c1")
    assert book.claim("k", "red", "c2", NOW) is KeyUse.NEW


def test_a_key_is_free_after_its_day() -> None:
    book = IdempotencyKeys(retention_s=100)
    book.claim("k", "red", "c1", NOW)
    assert book.claim("k", "red", "c2", NOW + 100) == "c1"
    assert book.claim("k", "red", "c2", NOW + 101) is KeyUse.NEW


def test_the_book_is_bounded_and_says_so() -> None:
    book = IdempotencyKeys(keys_most=3)
    for number in range(5):
        book.claim(f"k{number}", "red", f"c{number}", NOW + number)
    statistics = book.statistics()
    assert (statistics.held, statistics.forgotten_early) == (3, 2)
    assert book.claim("k4", "red", "c9", NOW + 9) == "c4"
    assert book.claim("k0", "red", "c9", NOW + 9) is KeyUse.NEW


def test_what_is_stored_is_read_back_and_restored() -> None:
    made = KeyRecord("k", "red", "c1", NOW)
    put = stored_key(made)
    assert (put.table, put.key, put.at) == (Table.IDEMPOTENCY, "k", NOW)
    assert read_key(Record(put.key, put.value, put.at)) == made
    old = KeyRecord("old", "red", "c0", NOW - 90_000)
    book = IdempotencyKeys()
    book.restore([made, old], NOW + 5)
    assert book.claim("k", "red", "c2", NOW + 5) == "c1"
    assert book.claim("old", "red", "c2", NOW + 5) is KeyUse.NEW
    assert book.statistics().forgotten_early == 0


@pytest.mark.parametrize("count", [10_000])
def test_claiming_does_not_get_slower(count: int) -> None:
    book = IdempotencyKeys(keys_most=count // 2)
    for number in range(count):
        assert book.claim(f"k{number}", "red", "c", NOW) is KeyUse.NEW
    assert book.statistics().held == count // 2
