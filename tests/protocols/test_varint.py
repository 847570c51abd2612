from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols import varint
from custom_components.rumpus.protocols.errors import ProtocolError
from tests.protocols.mrp.vectors import VARINTS


@pytest.mark.parametrize(("value", "data"), VARINTS)
def test_vectors(value: int, data: bytes) -> None:
    assert varint.encode(value) == data
    assert varint.decode(data) == (value, len(data))


@given(st.integers(0, varint.MAX_VALUE), st.binary(max_size=9), st.binary(max_size=9))
def test_round_trip(value: int, before: bytes, after: bytes) -> None:
    data = before + varint.encode(value) + after
    end = len(data) - len(after)
    assert varint.decode(data, len(before)) == (value, end)
    for cut in range(len(before), end):
        assert varint.decode(data[:cut], len(before)) is None


@given(st.binary(max_size=20))
def test_any_bytes_are_a_number_or_none(data: bytes) -> None:
    try:
        found = varint.decode(data)
    except ProtocolError:
        return
    if found is not None:
        value, end = found
        assert 0 <= value <= varint.MAX_VALUE
        assert 0 < end <= min(len(data), varint.MAX_SIZE)


def test_a_number_has_bounded_bytes() -> None:
    assert varint.decode(b"\x80" * (varint.MAX_SIZE - 1)) is None
    with pytest.raises(ProtocolError, match="more than 10 bytes"):
        varint.decode(b"\x80" * varint.MAX_SIZE)


def test_a_number_fits_into_64_bits() -> None:
    assert varint.decode(b"\xff" * 9 + b"\x01") == (varint.MAX_VALUE, 10)
    with pytest.raises(ProtocolError, match="64 bits"):
        varint.decode(b"\xff" * 9 + b"\x02")


@pytest.mark.parametrize("value", [-1, varint.MAX_VALUE + 1])
def test_other_numbers_are_not_encoded(value: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        varint.encode(value)
