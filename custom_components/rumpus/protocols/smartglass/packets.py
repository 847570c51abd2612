"""Datagrams: what is in clear, and what crypto.py encrypts (the SmartGlass reference).

Sections 2 to 4 and 6.1.
"""

from dataclasses import dataclass, field
import struct
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from ..binary import U16, U32, Blob, Enum16, Flags32, Structure, Text, layout
from ..errors import MessageTooLargeError, ProtocolError
from .const import MAX_DATAGRAM, MAX_LIVE_ID
from .enums import (
    ConnectResult,
    DeviceType,
    MessageType,
    PacketType,
    PairedIdentityState,
    PrimaryDeviceFlag,
    PublicKeyType,
)

MAX_CONSOLE_NAME: Final = 1024
"""Bytes of the name that a user gives a console."""
MAX_UUID_TEXT: Final = 64
"""Bytes of a uuid as text; it has 36."""
MAX_CERTIFICATE: Final = 4096
"""Bytes of a console's certificate; real ones have 600."""
MAX_USERHASH: Final = 255
"""Bytes of a userhash, a number of some twenty digits."""
MAX_TOKEN: Final = 8192
"""Bytes of an XSTS token, or of a piece of it; real ones have 2000 to 3000."""

IV_SIZE: Final = 16
MAC_SIZE: Final = 32
PUBLIC_KEY_SIZES: Final = {
    PublicKeyType.EC_DH_P256: 64,
    PublicKeyType.EC_DH_P384: 96,
    PublicKeyType.EC_DH_P521: 132,
}
"""Bytes of X and Y together, by curve (section 8.3)."""

_SIMPLE_HEADER: Final = struct.Struct(">HHH")
_PROTECTED_HEADER: Final = struct.Struct(">HHHH")
_CONNECT_HELLO: Final = struct.Struct(">16sH")
_NO_VERSION: Final = 0
_VERSION: Final = 2


@layout()
@dataclass(frozen=True, slots=True)
class DiscoveryRequest(Structure):
    """Asks every console that hears it to answer (section 4.1)."""

    flags: U32 = 0
    client_type: Enum16[DeviceType] = DeviceType.WINDOWS_STORE
    minimum_version: U16 = 0
    maximum_version: U16 = 2


@layout()
@dataclass(frozen=True, slots=True)
class DiscoveryResponse(Structure):
    """A console tells about itself (section 4.2); the uuid is text, the certificate DER."""

    flags: Flags32[PrimaryDeviceFlag]
    device_type: Enum16[DeviceType]
    name: Annotated[str, Text(MAX_CONSOLE_NAME)]
    console_uuid: Annotated[str, Text(MAX_UUID_TEXT)]
    last_error: U32
    certificate: Annotated[bytes, Blob(MAX_CERTIFICATE)] = field(repr=False)


@layout()
@dataclass(frozen=True, slots=True)
class PowerOnRequest(Structure):
    """Wakes the console that has this Live ID (section 4.5)."""

    live_id: Annotated[str, Text(MAX_LIVE_ID)]


@layout()
@dataclass(frozen=True, slots=True)
class ConnectRequest(Structure):
    """What a ConnectRequest protects (section 4.3): tokens, or a piece of them.

    Both strings are empty when nobody is signed in. The group goes from the number of its
    first piece to the one after its last.
    """

    userhash: Annotated[str, Text(MAX_USERHASH)] = field(default="", repr=False)
    token: Annotated[str, Text(MAX_TOKEN)] = field(default="", repr=False)
    request_number: U32 = 0
    group_start: U32 = 0
    group_end: U32 = 1


@layout()
@dataclass(frozen=True, slots=True)
class ConnectResponse(Structure):
    """Whether a client is let in, and the id that it then has (section 4.4)."""

    result: Enum16[ConnectResult]
    pairing_state: Enum16[PairedIdentityState] = PairedIdentityState.NOT_PAIRED
    participant_id: U32 = 0


@dataclass(frozen=True, slots=True)
class ConnectHello:
    """What a ConnectRequest says in clear (section 4.3); the key is X and Y."""

    client_uuid: UUID
    public_key_type: PublicKeyType
    public_key: bytes
    iv: bytes


class MessageHeader(NamedTuple):
    """What stands in front of a message (section 6.1).

    The target and the source are participant ids, of which the console's is 0. A tuple,
    because one is made for each datagram in a fifth of the time of a frozen dataclass.
    """

    sequence: int
    target: int
    source: int
    message_type: MessageType | int
    channel_id: int = 0
    need_ack: bool = False
    is_fragment: bool = False
    version: int = 2


type ClearPacket = DiscoveryRequest | DiscoveryResponse | PowerOnRequest

_CLEAR_PACKETS: Final[dict[int, type[ClearPacket]]] = {
    PacketType.DISCOVERY_REQUEST: DiscoveryRequest,
    PacketType.DISCOVERY_RESPONSE: DiscoveryResponse,
    PacketType.POWER_ON_REQUEST: PowerOnRequest,
}
_CLEAR_TYPES: Final = {kind: key for key, kind in _CLEAR_PACKETS.items()}
_TYPES: Final = {member.value: member for member in PacketType}


def packet_type(datagram: bytes) -> PacketType:
    """Return what a datagram claims to be.

    Raises ProtocolError when it is nothing that we know, and MessageTooLargeError when it
    is larger than MAX_DATAGRAM.
    """
    if len(datagram) > MAX_DATAGRAM:
        raise MessageTooLargeError(f"Datagram of more than {MAX_DATAGRAM} bytes")
    known = _TYPES.get(int.from_bytes(datagram[:2])) if len(datagram) > 1 else None
    if known is None:
        raise ProtocolError("Datagram of an unknown type")
    return known


def encode_packet(packet: ClearPacket) -> bytes:
    """Return a packet that nothing is encrypted in as a datagram."""
    payload = packet.encode()
    version = _VERSION if isinstance(packet, DiscoveryResponse) else _NO_VERSION
    kind = _CLEAR_TYPES[type(packet)]
    return _SIMPLE_HEADER.pack(kind, len(payload), version) + payload


def decode_packet(datagram: bytes) -> ClearPacket:
    """Return a packet that nothing is encrypted in.

    Raises ProtocolError for a datagram that is none, or whose lengths do not add up, and
    MessageTooLargeError for what is larger than a bound.
    """
    kind = _CLEAR_PACKETS.get(packet_type(datagram))
    if kind is None:
        raise ProtocolError("Datagram that is encrypted")
    if len(datagram) < _SIMPLE_HEADER.size:
        raise ProtocolError("Datagram ends in its header")
    _, size, _ = _SIMPLE_HEADER.unpack_from(datagram)
    if _SIMPLE_HEADER.size + size != len(datagram):
        raise ProtocolError("Datagram of another length than its header says")
    return kind.decode(datagram[_SIMPLE_HEADER.size :])


def encode_protected_head(kind: PacketType, clear: bytes, size: int) -> bytes:
    """Return what a ConnectRequest or ConnectResponse has in clear, with its header.

    `size` is that of the plaintext in bytes.
    """
    return _PROTECTED_HEADER.pack(kind, len(clear), size, _VERSION) + clear


def split_protected(datagram: bytes, kind: PacketType) -> tuple[bytes, int]:
    """Return the clear payload of such a datagram, and how long its plaintext is.

    Raises ProtocolError when it is none of this type or the lengths do not add up: header,
    clear payload, ciphertext in blocks of 16 bytes, a MAC of 32 bytes (section 3).
    """
    if packet_type(datagram) is not kind or len(datagram) < _PROTECTED_HEADER.size:
        raise ProtocolError(f"Datagram that is no {kind.name}")
    _, clear_size, size, _ = _PROTECTED_HEADER.unpack_from(datagram)
    start = _PROTECTED_HEADER.size
    if start + clear_size + padded(size) + MAC_SIZE != len(datagram):
        raise ProtocolError("Datagram of another length than its header says")
    return datagram[start : start + clear_size], size


def padded(size: int) -> int:
    """Return the length of a ciphertext: full blocks, and no more of them (section 5.3)."""
    return (size + 15) & ~15


def encode_hello(hello: ConnectHello) -> bytes:
    """Return what a ConnectRequest says in clear."""
    start = _CONNECT_HELLO.pack(hello.client_uuid.bytes, hello.public_key_type)
    return start + hello.public_key + hello.iv


def decode_hello(clear: bytes) -> ConnectHello:
    """Return what a ConnectRequest says in clear.

    Raises ProtocolError for an unknown curve or a key of another length than its curve's.
    """
    start = _CONNECT_HELLO.size
    if len(clear) < start:
        raise ProtocolError("Connect request ends too early")
    client_uuid, key_type = _CONNECT_HELLO.unpack_from(clear)
    for known, size in PUBLIC_KEY_SIZES.items():
        if known == key_type and len(clear) == start + size + IV_SIZE:
            key, iv = clear[start : start + size], clear[start + size :]
            return ConnectHello(UUID(bytes=client_uuid), known, key, iv)
    raise ProtocolError("Connect request with a key that nobody knows")
