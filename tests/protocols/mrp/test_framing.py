from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.protocols import varint
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.errors import DecryptionError
from custom_components.rumpus.protocols.mrp.framing import (
    MAX_FRAME,
    Frames,
    make_cipher,
)
from tests.protocols.mrp.vectors import ENCRYPTION, MESSAGES, MessageVector


def all_of(frames: Frames) -> list[bytes]:
    found = []
    while (message := frames.next()) is not None:
        found.append(message)
    return found


def peer_cipher() -> ChannelCipher:
    return ChannelCipher(ENCRYPTION["read"], ENCRYPTION["write"])


@pytest.mark.parametrize("vector", MESSAGES.values(), ids=MESSAGES)
def test_frames_of_the_vectors(vector: MessageVector) -> None:
    frames = Frames()
    assert frames.encode(vector.data) == vector.prefix + vector.data
    frames.feed(vector.prefix + vector.data)
    assert all_of(frames) == [vector.data]


def test_encrypted_frames_of_the_vectors() -> None:
    frames = Frames()
    frames.encrypt(make_cipher(ENCRYPTION["shared"]))
    for name in ("frame1", "frame2"):
        assert frames.encode(ENCRYPTION["plain"]) == ENCRYPTION[name]
    peer = Frames()
    peer.encrypt(peer_cipher())
    peer.feed(ENCRYPTION["frame1"] + ENCRYPTION["frame2"])
    assert all_of(peer) == [ENCRYPTION["plain"]] * 2


@given(
    st.lists(st.binary(max_size=400), max_size=8),
    st.lists(st.integers(1, 60)),
    st.booleans(),
)
def test_any_split(messages: list[bytes], sizes: list[int], is_encrypted: bool) -> None:
    ours, theirs = Frames(), Frames()
    if is_encrypted:
        ours.encrypt(make_cipher(ENCRYPTION["shared"]))
        theirs.encrypt(peer_cipher())
    stream = b"".join(map(theirs.encode, messages))
    found = []
    for size in sizes:
        ours.feed(stream[:size])
        stream = stream[size:]
        found += all_of(ours)
    ours.feed(stream)
    found += all_of(ours)
    assert found == messages
    assert ours.waiting == 0


def test_bytes_one_by_one() -> None:
    message = bytes(range(256)) * 2
    frames = Frames()
    found = []
    for byte in Frames().encode(message) * 3:
        frames.feed(bytes((byte,)))
        found += all_of(frames)
    assert found == [message] * 3


def test_a_message_has_a_bounded_size() -> None:
    frames = Frames()
    frames.feed(varint.encode(MAX_FRAME))
    assert frames.next() is None
    frames = Frames()
    frames.feed(varint.encode(MAX_FRAME + 1))
    with pytest.raises(MessageTooLargeError, match=str(MAX_FRAME)):
        frames.next()


def test_a_length_is_a_number() -> None:
    frames = Frames()
    frames.feed(b"\xff" * varint.MAX_SIZE)
    with pytest.raises(ProtocolError, match="A number"):
        frames.next()


def test_what_is_not_encrypted_with_our_keys() -> None:
    frames = Frames()
    frames.encrypt(make_cipher(ENCRYPTION["shared"]))
    frames.feed(Frames().encode(bytes(40)))
    with pytest.raises(DecryptionError):
        frames.next()
