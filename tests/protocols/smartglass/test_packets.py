"""Datagrams in clear and the frames of the others: lengths that add up, or nothing."""

from dataclasses import replace
from uuid import UUID

import pytest

from .vectors import PACKETS, SAMPLE_ACK, TOKEN, USERHASH
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.connect import connect_fragments
from custom_components.rumpus.protocols.smartglass.const import (
    MAX_DATAGRAM,
    MAX_PLAINTEXT,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    DeviceType,
    PacketType,
    PrimaryDeviceFlag,
    PublicKeyType,
)
from custom_components.rumpus.protocols.smartglass.packets import (
    MAX_TOKEN,
    MAX_USERHASH,
    PUBLIC_KEY_SIZES,
    ConnectHello,
    ConnectRequest,
    DiscoveryRequest,
    DiscoveryResponse,
    PowerOnRequest,
    decode_hello,
    decode_packet,
    encode_hello,
    encode_packet,
    encode_protected_head,
    packet_type,
    split_protected,
)
from custom_components.rumpus.protocols.smartglass.tokens import Tokens

CLEAR = ["discovery_request", "discovery_response", "power_on"]


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (PACKETS["discovery_request"], PacketType.DISCOVERY_REQUEST),
        (PACKETS["connect_response"], PacketType.CONNECT_RESPONSE),
        (SAMPLE_ACK, PacketType.MESSAGE),
    ],
)
def test_packet_type(datagram: bytes, expected: PacketType) -> None:
    assert packet_type(datagram) is expected


@pytest.mark.parametrize("datagram", [b"", b"\xdd", b"\xdd\x03", b"hello"])
def test_unknown_packet_type(datagram: bytes) -> None:
    with pytest.raises(ProtocolError):
        packet_type(datagram)


def test_largest_datagram() -> None:
    largest = PACKETS["power_on"].ljust(MAX_DATAGRAM)
    assert packet_type(largest) is PacketType.POWER_ON_REQUEST
    with pytest.raises(MessageTooLargeError):
        packet_type(largest + b" ")


@pytest.mark.parametrize("name", CLEAR)
def test_cut_packet_is_refused(name: str) -> None:
    datagram = PACKETS[name]
    for size in range(len(datagram)):
        with pytest.raises(ProtocolError):
            decode_packet(datagram[:size])
    with pytest.raises(ProtocolError):
        decode_packet(datagram + b"\0")


@pytest.mark.parametrize("name", ["connect_anonymous", "connect_response"])
def test_encrypted_packet_is_refused(name: str) -> None:
    with pytest.raises(ProtocolError, match="encrypted"):
        decode_packet(PACKETS[name])


def test_version_does_not_matter() -> None:
    datagram = PACKETS["power_on"]
    other = datagram[:4] + b"\0\7" + datagram[6:]
    assert decode_packet(other) == PowerOnRequest("FD00112233445566")


def test_console_without_a_certificate() -> None:
    response = DiscoveryResponse(
        PrimaryDeviceFlag.CERTIFICATE_PENDING, DeviceType.XBOX_ONE, "Xbox", "", 0, b""
    )
    assert decode_packet(encode_packet(response)) == response


def test_certificate_is_not_shown() -> None:
    response = decode_packet(PACKETS["discovery_response"])
    assert isinstance(response, DiscoveryResponse)
    assert repr(response.certificate) not in repr(response)


def test_usual_discovery_request() -> None:
    assert encode_packet(DiscoveryRequest()) == PACKETS["discovery_request"]


def test_protected_packet() -> None:
    head = encode_protected_head(PacketType.CONNECT_RESPONSE, b"clear", 17)
    datagram = head + bytes(32) + bytes(32)
    assert split_protected(datagram, PacketType.CONNECT_RESPONSE) == (b"clear", 17)
    for wrong in (datagram + b"\0", datagram[:-1], datagram[:7], b"\xcc\x01"):
        with pytest.raises(ProtocolError):
            split_protected(wrong, PacketType.CONNECT_RESPONSE)
    with pytest.raises(ProtocolError, match="CONNECT_REQUEST"):
        split_protected(datagram, PacketType.CONNECT_REQUEST)


@pytest.mark.parametrize("key_type", PUBLIC_KEY_SIZES, ids=lambda item: item.name)
def test_hello(key_type: PublicKeyType) -> None:
    size = PUBLIC_KEY_SIZES[key_type]
    hello = ConnectHello(UUID(int=9), key_type, bytes(size), bytes(range(16)))
    encoded = encode_hello(hello)
    assert len(encoded) == 18 + size + 16
    assert decode_hello(encoded) == hello
    for cut in range(len(encoded)):
        with pytest.raises(ProtocolError):
            decode_hello(encoded[:cut])


def test_hello_with_an_unknown_curve() -> None:
    for key_type in (3, PublicKeyType.DEFAULT):
        with pytest.raises(ProtocolError):
            decode_hello(bytes(16) + key_type.to_bytes(2) + bytes(64 + 16))


def test_nobody_signed_in() -> None:
    assert connect_fragments(None, PublicKeyType.EC_DH_P256) == (ConnectRequest(),)
    (later,) = connect_fragments(None, PublicKeyType.EC_DH_P521, number=4)
    assert later == ConnectRequest("", "", 4, 4, 5)


@pytest.mark.parametrize("key_type", PUBLIC_KEY_SIZES, ids=lambda item: item.name)
@pytest.mark.parametrize("size", [0, 1, 800, 889, 890, 1700, 3000, MAX_TOKEN])
def test_tokens_in_pieces(key_type: PublicKeyType, size: int) -> None:
    token = (TOKEN * 7)[:size]
    requests = connect_fragments(Tokens(USERHASH, token), key_type, number=5)
    assert "".join(request.token for request in requests) == token
    assert [request.userhash for request in requests if request.userhash] == [USERHASH]
    assert requests[0].userhash == USERHASH
    count = len(requests)
    clear = 18 + PUBLIC_KEY_SIZES[key_type] + 16
    for index, request in enumerate(requests):
        assert request.request_number == 5 + index
        assert (request.group_start, request.group_end) == (5, 5 + count)
        used = clear + len(request.encode())
        assert used <= MAX_PLAINTEXT
        if index < count - 1:
            assert used == MAX_PLAINTEXT


def test_largest_tokens() -> None:
    tokens = Tokens("1" * MAX_USERHASH, "t" * MAX_TOKEN)
    assert connect_fragments(tokens, PublicKeyType.EC_DH_P256)
    for wrong in (
        replace(tokens, userhash=tokens.userhash + "1"),
        replace(tokens, xsts_token=tokens.xsts_token + "t"),
    ):
        with pytest.raises(MessageTooLargeError):
            connect_fragments(wrong, PublicKeyType.EC_DH_P256)


@pytest.mark.parametrize("tokens", [Tokens("ü", "token"), Tokens("1", "tökén")])
def test_tokens_that_are_no_ascii(tokens: Tokens) -> None:
    with pytest.raises(ProtocolError):
        connect_fragments(tokens, PublicKeyType.EC_DH_P256)


def test_tokens_are_not_shown() -> None:
    tokens = Tokens(USERHASH, TOKEN)
    (request, _) = connect_fragments(tokens, PublicKeyType.EC_DH_P256)
    for shown in (repr(tokens), repr(request)):
        assert USERHASH not in shown
        assert TOKEN[:20] not in shown
