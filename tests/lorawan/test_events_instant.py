from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorawan.events.instant import Instant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-01-02T03:04:05Z", 1767323045.0),
        ("2026-01-02T03:04:05+00:00", 1767323045.0),
        ("2026-01-02T04:04:05+01:00", 1767323045.0),
        ("2026-01-01T22:34:05.5-04:30", 1767323045.5),
        ("2026-01-02T03:04:05.678Z", 1767323045.678),
        ("2026-01-02T03:04:05.678901Z", 1767323045.678901),
        ("2026-01-02T03:04:05.678901234+00:00", 1767323045.678901234),
        ("2026-01-02t03:04:05.000000001z", 1767323045.000000001),
        ("1969-12-31T23:59:59.75Z", -0.25),
        ("9999-12-31T23:59:59Z", 253402300799.0),
    ],
)
def test_text(text, at):
    assert Instant.parse(text).at == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.6789012345Z",
        "2026-01-02T03:04:05Z\n",
        "2026-13-02T03:04:05Z",
        "2026-01-02T24:00:01Z",
        "2026-01-02T03:04:05+25:00",
        "0000-01-02T03:04:05Z",
        "9999-12-31T23:59:59-01:00",
        "٢٠٢٦-01-02T03:04:05Z",
        "1767323045",
    ],
)
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="Expected"):
        Instant.parse(text)


@pytest.mark.parametrize(("seconds", "nanos"), [(0, -1), (0, 10**9), (2**63 - 1, 0), (-(2**63), 0)])
def test_what_is_no_timestamp(seconds, nanos):
    with pytest.raises(ValueError, match="Expected"):
        Instant.of(seconds, nanos)


def test_a_moment_is_rounded_once():
    # 30 + 764573296 / 1e9 is rounded twice, to the neighbour.
    assert Instant.of(30, 764_573_296).at == 30.764573296


MOMENTS = st.integers(0, 4_102_444_800)


@given(MOMENTS, st.integers(0, 10**9 - 1))
def test_both_forms_are_the_same_float(seconds, nanos):
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    assert Instant.parse(f"{text}.{nanos:09}+00:00").at == Instant.of(seconds, nanos).at


@given(st.floats(0, 4_102_444_800))
def test_a_float_written_with_nine_digits_comes_back(at):
    seconds, _, nanos = f"{at:.9f}".partition(".")
    assert Instant.of(int(seconds), int(nanos)).at == pytest.approx(at, abs=1e-9)
    if at > 2**24:  # from there on a float has no more than nine digits behind the point
        assert Instant.of(int(seconds), int(nanos)).at == at


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_is_refused(text):
    try:
        Instant.parse(text)
    except ValueError as error:
        assert "Expected" in str(error)  # noqa: PT017 -- either outcome is right
