"""Messages of the title, TV remote and broadcast channels (the SmartGlass reference).

Sections 7.2 and 7.4.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from ...binary import U8, Array, Blob, OnlyIf, Structure, Text, layout
from ..enums import MessageType
from .base import Message

MAX_AUXILIARY_KEY: Final = 64
"""Bytes of each key and IV of an auxiliary stream; 16 and 32 are usual."""
MAX_ENDPOINTS: Final = 16
"""Places where a title waits for an auxiliary stream."""
MAX_HOST: Final = 255
"""Bytes of an address or a host name."""
MAX_PORT: Final = 5
"""Digits of a TCP port."""
MAX_JSON: Final = 0xFFFF
"""Bytes of a JSON text: more cannot be announced in its length."""


@layout()
@dataclass(frozen=True, slots=True)
class Endpoint(Structure):
    """Where to connect over TCP; the port is a decimal number as text."""

    ip: Annotated[str, Text(MAX_HOST)]
    port: Annotated[str, Text(MAX_PORT)]


@layout()
@dataclass(frozen=True, slots=True)
class ConnectionInfo(Structure):
    """How an auxiliary stream is encrypted, and where it is to be had."""

    crypto_key: Annotated[bytes, Blob(MAX_AUXILIARY_KEY)] = field(repr=False)
    server_iv: Annotated[bytes, Blob(MAX_AUXILIARY_KEY)] = field(repr=False)
    client_iv: Annotated[bytes, Blob(MAX_AUXILIARY_KEY)] = field(repr=False)
    sign_hash: Annotated[bytes, Blob(MAX_AUXILIARY_KEY)] = field(repr=False)
    endpoints: Annotated[tuple[Endpoint, ...], Array(MAX_ENDPOINTS)] = ()


@layout()
@dataclass(frozen=True, slots=True)
class AuxiliaryStream(Message):
    """A hello, with a flag of 0, or the answer with a flag of 1 (section 7.2)."""

    message_type: ClassVar[MessageType] = MessageType.AUXILIARY_STREAM

    connection_info_flag: U8 = 0
    connection_info: Annotated[
        ConnectionInfo | None, OnlyIf("connection_info_flag", 1)
    ] = None


@layout()
@dataclass(frozen=True, slots=True)
class Json(Message):
    """A JSON object as text (section 7.4)."""

    message_type: ClassVar[MessageType] = MessageType.JSON

    text: Annotated[str, Text(MAX_JSON)] = field(repr=False)
