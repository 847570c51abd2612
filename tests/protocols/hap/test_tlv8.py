"""Tests of tagged values."""

from hypothesis import given, strategies as st
import pytest

from . import vectors
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    MessageTooLargeError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.hap import errors, tlv8
from custom_components.rumpus.protocols.hap.tlv8 import Tag


@pytest.mark.parametrize(("data", "items"), vectors.TLV8)
def test_golden(data: bytes, items: dict[int, bytes]) -> None:
    assert tlv8.decode(data) == items
    assert tlv8.decode(tlv8.encode(items.items())) == items


def test_golden_writing() -> None:
    """The last vector is for readers alone."""
    for data, items in vectors.TLV8[:-1]:
        assert tlv8.encode(items.items()) == data


def test_255_bytes_are_one_item() -> None:
    assert tlv8.encode([(3, b"\xaa" * 255)]) == b"\x03\xff" + b"\xaa" * 255


def test_an_empty_value_writes_nothing() -> None:
    assert tlv8.encode([(1, b""), (2, b"x")]) == b"\x02\x01x"
    assert tlv8.decode(b"\x01\x00") == {1: b""}


def test_tag_past_a_byte() -> None:
    with pytest.raises(ValueError, match="byte"):
        tlv8.encode([(256, b"x")])


@given(
    st.dictionaries(
        st.integers(0, 255), st.binary(min_size=1, max_size=600), max_size=20
    )
)
def test_round_trip(items: dict[int, bytes]) -> None:
    assert tlv8.decode(tlv8.encode(items.items())) == items


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        items = tlv8.decode(data)
    except ProtocolError:
        return
    assert sum(map(len, items.values())) <= len(data)


@pytest.mark.parametrize("data", [b"\x01", b"\x01\x02x", b"\x06\x01\x01\x05\xff"])
def test_cut_off(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        tlv8.decode(data)


def test_thousands_of_items() -> None:
    data = b"".join(bytes((tag, 1, tag)) for _ in range(100) for tag in range(200))
    assert len(data) == 60_000
    items = tlv8.decode(data)
    assert items[7] == b"\x07" * 100
    assert len(items) == 200


def test_max_size() -> None:
    assert len(tlv8.decode(b"\x01\x00" * (tlv8.MAX_SIZE // 2))) == 1
    with pytest.raises(MessageTooLargeError):
        tlv8.decode(b"\x01\x00" * (tlv8.MAX_SIZE // 2 + 1))


def test_require() -> None:
    items: dict[int, bytes] = {Tag.SALT: b"1234", Tag.PROOF: b""}
    assert tlv8.require(items, Tag.SALT) == b"1234"
    assert tlv8.require(items, Tag.SALT, 4) == b"1234"
    with pytest.raises(ProtocolError, match="SALT has a wrong size"):
        tlv8.require(items, Tag.SALT, 5)
    for tag in (Tag.PROOF, Tag.SIGNATURE):
        with pytest.raises(ProtocolError, match=f"without {tag.name}"):
            tlv8.require(items, tag)


@pytest.mark.parametrize("state", [b"\x03", b"", b"\x02\x02"])
def test_require_state(state: bytes) -> None:
    tlv8.require_state({Tag.STATE: b"\x02"}, 2)
    with pytest.raises(ProtocolError):
        tlv8.require_state({Tag.STATE: state}, 2)
    with pytest.raises(ProtocolError):
        tlv8.require_state({}, 2)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, errors.PairingRefusedError),
        (2, errors.WrongPinError),
        (3, errors.BackoffError),
        (4, errors.DeviceFullError),
        (5, errors.TooManyTriesError),
        (6, errors.PairingUnavailableError),
        (7, errors.PairingBusyError),
        (99, errors.PairingRefusedError),
    ],
)
def test_errors_of_pairing(code: int, error: type[errors.PairingError]) -> None:
    with pytest.raises(error) as caught:
        tlv8.raise_error({Tag.ERROR: bytes((code,))})
    assert isinstance(caught.value, AuthenticationError)
    assert type(caught.value) is error
    if isinstance(caught.value, errors.PairingRefusedError):
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, errors.CredentialsRefusedError),
        (2, errors.CredentialsRefusedError),
        (3, errors.VerificationUnavailableError),
        (4, errors.CredentialsRefusedError),
        (5, errors.VerificationUnavailableError),
        (6, errors.VerificationUnavailableError),
        (7, errors.VerificationUnavailableError),
        (99, errors.CredentialsRefusedError),
    ],
)
def test_errors_of_verification(code: int, error: type[RumpusError]) -> None:
    with pytest.raises(error) as caught:
        tlv8.raise_verify_error({Tag.ERROR: bytes((code,)), Tag.RETRY_DELAY: b"\x05"})
    if isinstance(caught.value, errors.VerificationUnavailableError):
        assert not isinstance(caught.value, AuthenticationError)
        assert (caught.value.code, caught.value.retry_after) == (code, 5)


@pytest.mark.parametrize("value", [None, b"", b"\0", b"\0\0"])
def test_no_error(value: bytes | None) -> None:
    items: dict[int, bytes] = {} if value is None else {Tag.ERROR: value}
    tlv8.raise_error(items)
    tlv8.raise_verify_error(items)


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (None, None),
        (b"", None),
        (b"\x10", 16),
        (b"\x2c\x01", 300),
        (b"\xff" * 100, tlv8.MAX_RETRY_DELAY),
    ],
)
def test_max_retry_delay(delay: bytes | None, seconds: float | None) -> None:
    items: dict[int, bytes] = {Tag.ERROR: b"\x03"}
    if delay is not None:
        items[Tag.RETRY_DELAY] = delay
    with pytest.raises(errors.BackoffError) as caught:
        tlv8.raise_error(items)
    assert caught.value.retry_after == seconds
