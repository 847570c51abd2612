"""Every golden vector is decoded to what it says, and encoded to the same bytes."""

from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from uuid import UUID

import pytest

from . import vectors
from .vectors import KEYS, MESSAGES, PACKETS, KeyVector, MessageVector
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.smartglass.certificate import read_certificate
from custom_components.rumpus.protocols.smartglass.connect import connect_fragments
from custom_components.rumpus.protocols.smartglass.crypto import (
    Crypto,
    decode_public_key,
    encode_public_key,
    read_connect_request,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    ConnectResult,
    DeviceType,
    MessageType,
    PairedIdentityState,
    PrimaryDeviceFlag,
    PublicKeyType,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    Ack,
    Message,
    MessageFragment,
    decode_message,
    encode_message,
)
from custom_components.rumpus.protocols.smartglass.packets import (
    ClearPacket,
    ConnectRequest,
    ConnectResponse,
    DiscoveryRequest,
    DiscoveryResponse,
    MessageHeader,
    PowerOnRequest,
    decode_packet,
    encode_packet,
)
from custom_components.rumpus.protocols.smartglass.tokens import Tokens

each_message = pytest.mark.parametrize(
    "vector", MESSAGES.values(), ids=[vector.name for vector in MESSAGES.values()]
)


@pytest.fixture
def crypto() -> Crypto:
    """The client's keys of most vectors."""
    return Crypto.from_expanded_secret(
        KEYS[0].expanded, PublicKeyType.EC_DH_P256, KEYS[0].client_public
    )


def plain(value: object) -> object:
    """Return what a message holds in the form that the reference writes it in."""
    if isinstance(value, Message) or is_dataclass(value):
        made = {
            field.name: plain(getattr(value, field.name)) for field in fields(value)
        }
        if "has_focus" in made:
            made["disposition"] = {
                "has_focus": made.pop("has_focus"),
                "title_location": made.pop("location"),
            }
            for key in "product_id", "sandbox_id":
                made[key] = str(UUID(hex=str(made[key])))
        return made
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID) else value


def decoded(vector: MessageVector) -> Message | MessageFragment:
    if vector.is_fragment:
        return MessageFragment.decode(vector.plaintext)
    return decode_message(vector.type, vector.plaintext)


@each_message
def test_message_is_what_the_vector_says(vector: MessageVector) -> None:
    message = decoded(vector)
    held = plain(message)
    assert isinstance(held, dict)
    if isinstance(message, Message):
        assert message.message_type is MessageType(vector.type)
    else:
        del held["data"]
    assert held == {
        {"liveid": "live_id"}.get(key, key): value
        for key, value in vector.payload.items()
    }
    assert encode_message(message) == vector.plaintext
    # Not a byte is left over.
    assert type(message).decode_prefix(vector.plaintext)[1] == len(vector.plaintext)


@each_message
def test_datagram_is_opened_and_sealed(vector: MessageVector, crypto: Crypto) -> None:
    header, plaintext = crypto.open_message(vector.datagram)
    assert header == MessageHeader(
        vector.sequence,
        vector.target,
        vector.source,
        MessageType(vector.type),
        vector.channel,
        vector.need_ack,
        vector.is_fragment,
        2,
    )
    assert plaintext == vector.plaintext
    assert crypto.seal_message(header, plaintext) == vector.datagram


def test_one_after_the_other_with_the_same_keys(crypto: Crypto) -> None:
    """The ciphers go on from packet to packet, in any order and in both directions."""
    datagrams = [vector.datagram for vector in MESSAGES.values()]
    for datagram in (*datagrams, *reversed(datagrams), *datagrams[::3]):
        assert crypto.seal_message(*crypto.open_message(datagram)) == datagram


@pytest.mark.parametrize("vector", KEYS, ids=["P-256", "zero", "P-384", "P-521"])
def test_keys(vector: KeyVector) -> None:
    client, console = vector.client_key, vector.console_key
    assert encode_public_key(client.public_key()) == vector.client_public
    assert encode_public_key(console.public_key()) == vector.console_public
    header = MessageHeader(1, 0, 31, MessageType.ACK)
    expected = Crypto.from_expanded_secret(vector.expanded).seal_message(
        header, b"text"
    )
    for crypto in (
        Crypto.from_keys(client, console.public_key()),
        Crypto.from_keys(console, client.public_key()),
    ):
        assert crypto.seal_message(header, b"text") == expected
    crypto = Crypto.from_keys(client, console.public_key())
    assert crypto.public_key == vector.client_public
    again = decode_public_key(crypto.public_key_type, vector.client_public)
    assert again == client.public_key()


def test_certificate() -> None:
    certificate = read_certificate(vectors.CERTIFICATE)
    assert certificate.live_id == vectors.LIVE_ID
    assert encode_public_key(certificate.public_key) == KEYS[0].console_public


CLEAR: dict[str, ClearPacket] = {
    "discovery_request": DiscoveryRequest(0, DeviceType.WINDOWS_STORE, 0, 2),
    "discovery_response": DiscoveryResponse(
        PrimaryDeviceFlag.ALLOW_ANONYMOUS_USERS
        | PrimaryDeviceFlag.ALLOW_AUTHENTICATED_USERS,
        DeviceType.XBOX_ONE,
        "LivingRoom",
        "0D7C9C1A-3F2B-4E6D-8A90-B1C2D3E4F506",
        0,
        vectors.CERTIFICATE,
    ),
    "power_on": PowerOnRequest(vectors.LIVE_ID),
}


@pytest.mark.parametrize("name", CLEAR)
def test_clear_packet(name: str) -> None:
    assert decode_packet(PACKETS[name]) == CLEAR[name]
    assert encode_packet(CLEAR[name]) == PACKETS[name]


def test_connect_request(crypto: Crypto) -> None:
    datagram = PACKETS["connect_anonymous"]
    (request,) = connect_fragments(None, crypto.public_key_type)
    assert request == ConnectRequest("", "", 0, 0, 1)
    assert crypto.open_connect_request(datagram) == request
    iv = bytes(range(0xA0, 0xB0))
    sealed = crypto.seal_connect_request(vectors.CLIENT_UUID, request, iv=iv)
    assert sealed == datagram
    client_uuid, key = read_connect_request(datagram)
    assert client_uuid == vectors.CLIENT_UUID
    assert key == KEYS[0].client_key.public_key()


def test_connect_response(crypto: Crypto) -> None:
    response = ConnectResponse(
        ConnectResult.SUCCESS, PairedIdentityState.NOT_PAIRED, vectors.PARTICIPANT
    )
    datagram = PACKETS["connect_response"]
    assert crypto.open_connect_response(datagram) == response
    sealed = crypto.seal_connect_response(response, iv=bytes(range(0xC0, 0xD0)))
    assert sealed == datagram


def test_connect_request_in_pieces(crypto: Crypto) -> None:
    tokens = Tokens(vectors.USERHASH, vectors.TOKEN)
    requests = connect_fragments(tokens, crypto.public_key_type)
    assert [len(request.userhash) for request in requests] == [19, 0]
    assert [len(request.token) for request in requests] == [889, 510]
    for index, (request, vector) in enumerate(
        zip(requests, vectors.CONNECT_FRAGMENTS, strict=True)
    ):
        datagram = crypto.seal_connect_request(
            vectors.CLIENT_UUID, request, iv=bytes([index + 1]) * 16
        )
        assert len(datagram) == vector["length"]
        assert datagram[:24].hex() == vector["first"]
        assert datagram[-32:].hex() == vector["mac"]
        assert sha256(datagram).hexdigest() == vector["sha256"]
        assert crypto.open_connect_request(datagram) == request


def test_captured_ack() -> None:
    crypto = Crypto.from_expanded_secret(vectors.SAMPLE_SECRET)
    header, plaintext = crypto.open_message(vectors.SAMPLE_ACK)
    assert decode_message(header.message_type, plaintext) == Ack(0, (1,), ())
    assert crypto.seal_message(header, plaintext) == vectors.SAMPLE_ACK


def test_captured_connect_request() -> None:
    datagram = vectors.SAMPLE_CONNECT_REQUEST
    crypto = Crypto.from_expanded_secret(
        vectors.SAMPLE_SECRET, PublicKeyType.EC_DH_P256, b"\xff" * 64
    )
    request = crypto.open_connect_request(datagram)
    assert request == ConnectRequest("", "", 0, 0, 1)
    sealed = crypto.seal_connect_request(
        UUID("de305d54-75b4-431b-adb2-eb6b9e546014"),
        request,
        iv=bytes.fromhex("2979d25ea03d97f58f46930a288bf5d2"),
    )
    assert sealed == datagram
    # Whoever published it put a key there that is none.
    with pytest.raises(ProtocolError):
        read_connect_request(datagram)


def test_padding() -> None:
    """Full blocks get none, unlike in PKCS #7."""
    assert len(MESSAGES["start_channel_request"].datagram) == 26 + 32 + 32
    assert len(MESSAGES["ack_from_console"].datagram) == 26 + 16 + 32


@each_message
def test_datagram_with_a_changed_bit_is_dropped(
    vector: MessageVector, crypto: Crypto
) -> None:
    bits = int.from_bytes(vector.datagram)
    size = len(vector.datagram)
    for bit in range(8 * size):
        with pytest.raises(ProtocolError):
            crypto.open_message((bits ^ 1 << bit).to_bytes(size))
    assert crypto.open_message(vector.datagram)[1] == vector.plaintext


def test_cut_datagram_is_dropped(crypto: Crypto) -> None:
    datagram = MESSAGES["heartbeat"].datagram
    for size in range(len(datagram)):
        with pytest.raises(ProtocolError):
            crypto.open_message(datagram[:size])
    with pytest.raises(ProtocolError):
        crypto.open_message(datagram + b"\0")


def test_connect_packets_with_a_changed_bit_are_dropped(crypto: Crypto) -> None:
    for name, opener in (
        ("connect_anonymous", crypto.open_connect_request),
        ("connect_response", crypto.open_connect_response),
    ):
        bits, size = int.from_bytes(PACKETS[name]), len(PACKETS[name])
        for bit in range(8 * size):
            with pytest.raises(ProtocolError):
                opener((bits ^ 1 << bit).to_bytes(size))
