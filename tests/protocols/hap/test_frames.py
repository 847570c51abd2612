"""Tests of encrypted frames."""

from hashlib import sha256
from itertools import pairwise
import time

from hypothesis import given, strategies as st
import pytest

from . import vectors
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.errors import DecryptionError
from custom_components.rumpus.protocols.hap.frames import FRAME_SIZE, HapFrames

KEY = vectors.SESSION_KEY


def ends() -> tuple[HapFrames, HapFrames]:
    """Return both ends of a connection."""
    return HapFrames(ChannelCipher(KEY, bytes(32))), HapFrames(
        ChannelCipher(bytes(32), KEY)
    )


def frame(data: bytes, cipher: ChannelCipher) -> bytes:
    """Return one frame of any size."""
    length = len(data).to_bytes(2, "little")
    return length + cipher.encrypt(data, length)


def test_golden() -> None:
    ours, theirs = ends()
    for text in ("hello", "world"):
        data = bytes.fromhex(vectors.SESSION[text])
        assert ours.encode(text.encode()) == data
        assert theirs.feed(data) == text.encode()


def test_golden_long() -> None:
    expected = vectors.SESSION["long"]
    ours, theirs = ends()
    plain = bytes(index % 251 for index in range(1030))
    data = ours.encode(plain)
    assert data.hex().startswith(expected["frame0_start"])
    assert data[2 + 1024 :][:16].hex() == expected["frame0_tag"]
    assert data[2 + 1024 + 16 :].hex() == expected["frame1"]
    assert len(data) == expected["total_length"]
    assert sha256(data).hexdigest() == expected["sha256"]
    assert theirs.feed(data) == plain


def test_no_data_is_no_frame() -> None:
    ours, theirs = ends()
    assert ours.encode(b"") == b""
    assert theirs.feed(b"") == b""
    assert theirs.feed(ours.encode(b"first")) == b"first"


@given(
    st.lists(st.binary(max_size=3 * FRAME_SIZE), max_size=5),
    st.lists(st.integers(0, 5000), max_size=20),
)
def test_any_split(messages: list[bytes], cuts: list[int]) -> None:
    ours, theirs = ends()
    data = b"".join(map(ours.encode, messages))
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    plain = [theirs.feed(data[start:end]) for start, end in pairwise(places)]
    assert b"".join(plain) == b"".join(messages)


def test_byte_by_byte() -> None:
    ours, theirs = ends()
    data = ours.encode(b"one") + ours.encode(b"two")
    plain = [theirs.feed(bytes((byte,))) for byte in data]
    assert [part for part in plain if part] == [b"one", b"two"]


def test_frame_size_of_others() -> None:
    _, theirs = ends()
    cipher = ChannelCipher(KEY, bytes(32))
    for size in (0, 65535, 1):
        assert theirs.feed(frame(bytes(size), cipher)) == bytes(size)


@pytest.mark.parametrize("place", [0, 2, -1])
def test_a_damaged_frame_is_the_end(place: int) -> None:
    ours, theirs = ends()
    data = bytearray(ours.encode(b"hello"))
    data[place] ^= 1
    with pytest.raises(DecryptionError):
        theirs.feed(bytes(data) + bytes(1))
    with pytest.raises(DecryptionError):
        theirs.feed(ours.encode(b"world"))


def _seconds(size: int) -> float:
    ours, theirs = ends()
    plain = bytes(size)
    start = time.thread_time()
    data = ours.encode(plain)
    assert theirs.feed(data) == plain
    return time.thread_time() - start


def test_time_is_linear() -> None:
    """8 MiB in one piece takes about 8 times as long as 1 MiB, not 64 times."""
    small = min(_seconds(1 << 20) for _ in range(3))
    assert min(_seconds(8 << 20) for _ in range(2)) < 20 * small


def test_time_is_linear_in_small_pieces() -> None:
    def seconds(size: int) -> float:
        ours, theirs = ends()
        data = ours.encode(bytes(size))
        start = time.thread_time()
        for place in range(0, len(data), 100):
            theirs.feed(data[place : place + 100])
        return time.thread_time() - start

    small = min(seconds(1 << 18) for _ in range(3))
    assert seconds(1 << 21) < 20 * small
