"""Keys of a session: agreed on by both sides, and nothing gets through without them."""

import hmac
import itertools
import os
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings, strategies as st
import pytest

from .vectors import KEYS, MESSAGES, PACKETS
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.const import MAX_DATAGRAM
from custom_components.rumpus.protocols.smartglass.crypto import (
    CURVES,
    MAX_MESSAGE,
    Crypto,
    decode_public_key,
    encode_public_key,
    read_connect_request,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    MessageType,
    PacketType,
    PublicKeyType,
)
from custom_components.rumpus.protocols.smartglass.packets import (
    PUBLIC_KEY_SIZES,
    ConnectRequest,
    ConnectResponse,
    MessageHeader,
)

CLIENT = UUID(int=1)
HEADER = MessageHeader(1, 0, 31, MessageType.ACK)
SECRET = KEYS[0].expanded

headers = st.builds(
    MessageHeader,
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(MessageType)) | st.integers(0, 0xFFF),
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)


@pytest.fixture(scope="module")
def crypto() -> Crypto:
    return Crypto.from_expanded_secret(SECRET)


@pytest.fixture(scope="module")
def other() -> Crypto:
    """The same keys at the other end."""
    return Crypto.from_expanded_secret(SECRET)


@settings(max_examples=50)
@given(header=headers, plaintext=st.binary(min_size=1, max_size=100))
def test_message_comes_through(
    crypto: Crypto, other: Crypto, header: MessageHeader, plaintext: bytes
) -> None:
    datagram = crypto.seal_message(header, plaintext)
    assert other.open_message(datagram) == (header, plaintext)
    # A retransmission is the same to the last bit.
    assert crypto.seal_message(header, plaintext) == datagram


@pytest.mark.parametrize("size", [1, 15, 16, 17, 31, 32, 1024, MAX_MESSAGE])
def test_sizes(crypto: Crypto, other: Crypto, size: int) -> None:
    plaintext = os.urandom(size)
    datagram = crypto.seal_message(HEADER, plaintext)
    assert len(datagram) == 26 + -(-size // 16) * 16 + 32 <= MAX_DATAGRAM
    assert other.open_message(datagram) == (HEADER, plaintext)


def test_largest_message(crypto: Crypto) -> None:
    with pytest.raises(MessageTooLargeError):
        crypto.seal_message(HEADER, bytes(MAX_MESSAGE + 1))


def test_largest_datagram(crypto: Crypto) -> None:
    with pytest.raises(ProtocolError, match="length"):
        crypto.open_message(MESSAGES["heartbeat"].datagram.ljust(MAX_DATAGRAM + 1))


def test_message_without_a_payload(crypto: Crypto) -> None:
    """Clients leave its MAC out: then nothing authenticates it, and anybody could send it."""
    with pytest.raises(ProtocolError, match="without a payload"):
        crypto.seal_message(HEADER, b"")
    bare = bytes.fromhex("d00d0000000000010000000000000000800100000000000000000000")
    for datagram in (bare[:26], bare[:26] + bytes(32)):
        with pytest.raises(ProtocolError):
            crypto.open_message(datagram)
    mac = hmac.digest(SECRET[32:], bare[:26], "sha256")
    header, payload = crypto.open_message(bare[:26] + mac)
    assert (header.sequence, header.message_type, payload) == (1, 1, b"")
    # And the ciphers go on.
    datagram = crypto.seal_message(HEADER, b"1234")
    assert crypto.open_message(datagram) == (HEADER, b"1234")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence": -1},
        {"sequence": 2**32},
        {"target": 2**32},
        {"source": 2**32},
        {"channel_id": 2**64},
        {"message_type": 0x1000},
        {"message_type": -1},
        {"version": 4},
    ],
    ids=str,
)
def test_header_that_does_not_fit(crypto: Crypto, wrong: dict[str, int]) -> None:
    with pytest.raises(ProtocolError) as caught:
        crypto.seal_message(HEADER._replace(**wrong), b"text")  # type: ignore[arg-type]
    assert caught.value.__context__ is None


def test_unknown_types_and_other_versions_survive(crypto: Crypto) -> None:
    header = HEADER._replace(message_type=0x777, version=0)
    opened, _ = crypto.open_message(crypto.seal_message(header, b"text"))
    assert opened == header
    assert type(opened.message_type) is int


def test_keys_of_somebody_else(crypto: Crypto) -> None:
    stranger = Crypto.from_expanded_secret(KEYS[1].expanded)
    for sealed in (
        stranger.seal_message(HEADER, b"text"),
        stranger.seal_message(HEADER, b"text")[:-1],
    ):
        with pytest.raises(ProtocolError):
            crypto.open_message(sealed)
    with pytest.raises(ProtocolError, match="MAC"):
        crypto.open_connect_response(stranger.seal_connect_response(ConnectResponse(0)))


def test_refused_datagrams_leave_the_ciphers_alone(crypto: Crypto) -> None:
    vector = MESSAGES["console_status"]
    for datagram in (b"", b"\xd0\x0d", vector.datagram[:-1] + b"?", bytes(100)):
        with pytest.raises(ProtocolError):
            crypto.open_message(datagram)
        assert crypto.open_message(vector.datagram)[1] == vector.plaintext


@pytest.mark.parametrize("key_type", CURVES, ids=lambda key_type: key_type.name)
def test_every_curve(key_type: PublicKeyType) -> None:
    """A whole connect, from the key of the certificate to the response."""
    console_key = ec.generate_private_key(CURVES[key_type])
    client = Crypto.from_certificate_key(console_key.public_key())
    assert client.public_key_type is key_type
    assert len(client.public_key) == PUBLIC_KEY_SIZES[key_type]
    request = ConnectRequest("123", "token", 1, 0, 2)
    datagram = client.seal_connect_request(CLIENT, request)
    client_uuid, peer = read_connect_request(datagram)
    assert client_uuid == CLIENT
    console = Crypto.from_keys(console_key, peer)
    assert console.open_connect_request(datagram) == request
    response = ConnectResponse(0, 1, 7)
    sealed = console.seal_connect_response(response)
    assert client.open_connect_response(sealed) == response
    message = console.seal_message(HEADER, b"text")
    assert client.open_message(message) == (HEADER, b"text")
    # Each has an IV of its own.
    assert client.seal_connect_request(CLIENT, request) != datagram
    assert console.seal_connect_response(response) != sealed


def test_new_keys_for_each_connection() -> None:
    peer = KEYS[0].console_key.public_key()
    first, second = (Crypto.from_certificate_key(peer) for _ in range(2))
    assert first.public_key != second.public_key
    with pytest.raises(ProtocolError):
        first.open_message(second.seal_message(HEADER, b"text"))


def test_point_that_is_not_on_the_curve() -> None:
    for key_type, size in PUBLIC_KEY_SIZES.items():
        for point in (b"\xff" * size, bytes(size), bytes(size - 1) + b"\1"):
            with pytest.raises(ProtocolError):
                decode_public_key(key_type, point)


@pytest.mark.parametrize(
    "key_type", [PublicKeyType.DEFAULT, *CURVES], ids=lambda key_type: key_type.name
)
@pytest.mark.parametrize("size", [0, 63, 65, 97])
def test_public_key_of_a_wrong_size(key_type: PublicKeyType, size: int) -> None:
    with pytest.raises(ProtocolError):
        decode_public_key(key_type, bytes(size))


def test_keys_on_different_curves() -> None:
    keys = KEYS[0], KEYS[2], KEYS[3]
    for own, peer in itertools.permutations(keys, 2):
        with pytest.raises(ProtocolError, match="different"):
            Crypto.from_keys(own.client_key, peer.console_key.public_key())


def test_unknown_curve() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(ProtocolError, match="curve"):
        Crypto.from_certificate_key(key.public_key())
    assert len(encode_public_key(key.public_key())) == 64


@pytest.mark.parametrize("size", [0, 63, 65])
def test_secret_of_a_wrong_size(size: int) -> None:
    with pytest.raises(ProtocolError):
        Crypto.from_expanded_secret(bytes(size))


@pytest.mark.parametrize("size", [0, 15, 17])
def test_iv_of_a_wrong_size(crypto: Crypto, size: int) -> None:
    with pytest.raises(ProtocolError):
        crypto.seal_connect_response(ConnectResponse(0), iv=bytes(size))
    with pytest.raises(ProtocolError):
        crypto.seal_connect_request(CLIENT, ConnectRequest(), iv=bytes(size))


def test_connect_response_with_an_iv_of_a_wrong_size(crypto: Crypto) -> None:
    datagram = PACKETS["connect_response"]
    longer = datagram[:3] + b"\x11" + datagram[4:8] + b"?" + datagram[8:]
    with pytest.raises(ProtocolError, match="IV"):
        crypto.open_connect_response(longer)


def test_connect_response_that_holds_too_little(crypto: Crypto) -> None:
    """Made with the right keys, yet nothing that can be read."""
    iv = bytes(16)
    for plaintext in (b"", bytes(7)):
        sealed = crypto._seal(PacketType.CONNECT_RESPONSE, iv, iv, plaintext)
        with pytest.raises(ProtocolError, match="ends too early"):
            crypto.open_connect_response(sealed)


def test_keys_are_not_shown(crypto: Crypto) -> None:
    assert SECRET.hex()[:8] not in repr(crypto)
    assert not hasattr(crypto, "__dict__")
