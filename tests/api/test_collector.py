"""Python's collector of cycles is told what a service is like, once that has started."""

import gc

from api.service import YOUNG_OBJECTS, spare_collector


def test_a_burst_of_new_objects_is_not_looked_through_again_and_again() -> None:
    before, looks = gc.get_threshold(), 0

    def count(phase: str, _info: dict[str, int]) -> None:
        nonlocal looks
        looks += phase == "start"

    spare_collector()
    gc.callbacks.append(count)
    try:
        kept = [[number] for number in range(3 * YOUNG_OBJECTS)]
    finally:
        gc.callbacks.remove(count)
        gc.set_threshold(*before)
    assert len(kept) == 3 * YOUNG_OBJECTS
    assert 1 <= looks <= 4  # still looked at, but every 10,000 objects


def test_what_was_there_at_the_start_is_not_looked_at_any_more() -> None:
    before = gc.get_threshold()
    ours = [[]]
    try:
        spare_collector()
        assert not any(one is ours for one in gc.get_objects())
    finally:
        gc.set_threshold(*before)
