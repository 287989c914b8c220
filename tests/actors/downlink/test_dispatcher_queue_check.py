"""What a look at the queue means: never two items of ours, never a stranger's taken for ours."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from actors.downlink.calls import Looked
from actors.downlink.queue_check import (
    Adopt,
    AlreadySent,
    Behind,
    Clear,
    Doubt,
    Mark,
    Unheard,
    judge,
)
from lorawan.network import Activation, QueueItem

MARK = Mark(123_456, bytes.fromhex("ff000000ff00"))
BEFORE = Activation("01020304", f_cnt_up=8, f_cnt_down=3)
MOVED = Activation("01020304", f_cnt_up=9, f_cnt_down=4)
REJOINED = Activation("0a0b0c0d", f_cnt_up=1, f_cnt_down=9)
OURS = QueueItem("ours", 15, MARK.data, expires_at=1_800_000_031.123456)
EARLIER = QueueItem("earlier", 15, b"\0\0\0\xff\0", expires_at=1_800_000_020.5)
STUCK = QueueItem("stuck", 15, MARK.data)
FOREIGN = QueueItem("foreign", 2, MARK.data, expires_at=OURS.expires_at)
DOUBT = Doubt(BEFORE, None)


def looked(*queue: QueueItem, before: Activation | None = BEFORE, after: object = None) -> Looked:
    return Looked(before, queue, after if isinstance(after, Activation) else before)


@given(
    marker=st.integers(0, 999_999),
    at=st.floats(1_700_000_000, 2_000_000_000),
)
def test_our_marker_is_found_again_in_any_expiry(marker: int, at: float) -> None:
    mark = Mark(marker, b"\1\2\3\4\5")
    expires_at = math.ceil(at) + marker / 1e6
    assert mark.found_in([QueueItem("x", 15, mark.data, expires_at=expires_at)]) is not None


@given(marker=st.integers(0, 999_999), other=st.integers(0, 999_999))
def test_another_marker_is_not_ours(marker: int, other: int) -> None:
    apart = min(abs(marker - other), 1_000_000 - abs(marker - other))
    assume(apart != 2)  # the tolerance itself, which a double blurs
    item = QueueItem("x", 15, b"\1", expires_at=1_800_000_031 + other / 1e6)
    assert (Mark(marker, b"\1").found_in([item]) is not None) == (apart < 2)


@pytest.mark.parametrize(
    ("look", "doubt", "verdict"),
    [
        (looked(), None, Clear(BEFORE)),
        (looked(FOREIGN), None, Clear(BEFORE, (FOREIGN,))),
        (looked(OURS), None, Adopt("ours", OURS.expires_at or 0.0, BEFORE)),
        (looked(FOREIGN, OURS), None, Adopt("ours", OURS.expires_at or 0.0, BEFORE)),
        (looked(OURS, before=MOVED), DOUBT, Adopt("ours", OURS.expires_at or 0.0, BEFORE)),
        (looked(EARLIER), None, Behind(EARLIER.expires_at)),
        (looked(EARLIER, STUCK), None, Behind(None, STUCK)),
        (looked(STUCK), None, Behind(None, STUCK)),
        (looked(before=None), None, Unheard(joined=False)),
        (looked(before=Activation("01020304", 0, 0)), None, Unheard(joined=True)),
        (looked(after=MOVED), DOUBT, AlreadySent("", BEFORE)),
        (looked(), DOUBT, Clear(BEFORE)),
        (looked(after=MOVED), Doubt(BEFORE, "item-9"), AlreadySent("item-9", BEFORE)),
        (looked(), Doubt(BEFORE, "item-9"), Clear(BEFORE)),
        (looked(before=REJOINED), DOUBT, Clear(REJOINED)),
        (looked(EARLIER, after=MOVED), DOUBT, AlreadySent("", BEFORE)),
    ],
)
def test_every_look_has_its_meaning(look: Looked, doubt: Doubt | None, verdict: object) -> None:
    assert judge(look, MARK, doubt) == verdict
