"""The part of DNS that service discovery needs (part A, section 1.4).

A name is a tuple of its labels: the name of a service may have dots inside of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
import ipaddress
import struct
from typing import Final
import unicodedata

from ..errors import MessageTooLargeError, ProtocolError

MAX_DATAGRAM: Final = 9000
"""Bytes of a message; mDNS allows no more (RFC 6762, section 17)."""
MAX_QUESTIONS: Final = 64
"""Questions of one message."""
MAX_RECORDS: Final = 256
"""Records of one message, of all its sections."""
MAX_NAME: Final = 255
"""Bytes of a name, with the length of each label."""
MAX_LABEL: Final = 63
"""Bytes of a label."""
MAX_POINTERS: Final = 32
"""Pointers in one name."""
MAX_LABELS: Final = 4096
"""Labels of all names of one message: pointers make a few bytes of it many of them."""
MAX_TEXTS: Final = 128
"""Entries of one TXT record."""

QUERY_ID: Final = 0x35FF
QUERY_FLAGS: Final = 0x0120
CLASS_IN: Final = 1
UNICAST_RESPONSE: Final = 0x8000
"""The bit of a question's class that asks for an answer to the asker alone."""

_HEADER: Final = struct.Struct(">6H")
_QUESTION: Final = struct.Struct(">2H")
_RECORD: Final = struct.Struct(">2HIH")
_SRV: Final = struct.Struct(">3H")
_POINTER: Final = 0xC0
_ADDRESS_SIZE: Final = 4

type Name = tuple[str, ...]


class RecordType(IntEnum):
    """The types that are asked for or read."""

    A = 1
    PTR = 12
    TXT = 16
    SRV = 33
    ANY = 255


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know."""

    name: Name
    type: int


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """Where a host is (A)."""

    name: Name
    address: str


@dataclass(frozen=True, slots=True)
class PointerRecord:
    """The name of an instance of a type (PTR)."""

    name: Name
    target: Name


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """The host and the port of an instance (SRV)."""

    name: Name
    port: int
    target: Name


@dataclass(frozen=True, slots=True)
class TextRecord:
    """The properties of an instance (TXT), as they were sent."""

    name: Name
    texts: tuple[bytes, ...] = field(repr=False)


type Record = AddressRecord | PointerRecord | ServiceRecord | TextRecord


@dataclass(frozen=True, slots=True)
class Message:
    """Questions, and the records of all three sections that are of a known type."""

    id: int
    flags: int
    questions: tuple[Question, ...]
    records: tuple[Record, ...]


def encode_query(questions: Sequence[Question], *, message_id: int = QUERY_ID) -> bytes:
    """Return a message that asks for answers by unicast. Raises ProtocolError.

    Labels that are too long are cut; see encode_name.
    """
    if len(questions) > MAX_QUESTIONS:
        raise MessageTooLargeError("Too many questions for one message")
    data = bytearray(_HEADER.pack(message_id, QUERY_FLAGS, len(questions), 0, 0, 0))
    for question in questions:
        data += encode_name(question.name)
        data += _QUESTION.pack(question.type, CLASS_IN | UNICAST_RESPONSE)
    return bytes(data)


def encode_name(name: Name) -> bytes:
    """Return a name in UTF-8, normalised, its labels cut at 63 bytes between characters.

    Raises ProtocolError for a name that is too long or has an empty label.
    """
    data = bytearray()
    for label in name:
        encoded = _encode_label(label)
        data.append(len(encoded))
        data += encoded
    data.append(0)
    if len(data) > MAX_NAME:
        raise MessageTooLargeError("A name is too long")
    return bytes(data)


def _encode_label(label: str) -> bytes:
    text = unicodedata.normalize("NFC", label)
    encoded = text.encode(errors="replace")
    if len(encoded) > MAX_LABEL:
        encoded = encoded[:MAX_LABEL].decode(errors="ignore").encode()
    if not encoded:
        raise ProtocolError("A label is empty")
    return encoded


def decode(data: bytes) -> Message:
    """Return what a message says; records of other types are passed over.

    Raises ProtocolError, MessageTooLargeError for what goes past a bound.
    """
    if len(data) > MAX_DATAGRAM:
        raise MessageTooLargeError(f"A message of more than {MAX_DATAGRAM} bytes")
    reader = _Reader(data)
    message_id, flags, count, *sections = reader.unpack(_HEADER)
    if count > MAX_QUESTIONS:
        raise MessageTooLargeError(f"More than {MAX_QUESTIONS} questions")
    if sum(sections) > MAX_RECORDS:
        raise MessageTooLargeError(f"More than {MAX_RECORDS} records")
    questions: list[Question] = []
    for _ in range(count):
        name = reader.name()
        type_, _class = reader.unpack(_QUESTION)
        questions.append(Question(name, type_))
    records: list[Record] = []
    for _ in range(sum(sections)):
        record = reader.record()
        if record is not None:
            records.append(record)
    return Message(message_id, flags, tuple(questions), tuple(records))


class _Reader:
    """Reads one message from its beginning to its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0
        self._count = 0
        # Those that take their time to be decoded, and are pointed at again and again.
        self._decoded: dict[bytes, str] = {}

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        end = self._offset + layout.size
        if end > len(self._data):
            raise ProtocolError("A message ends too early")
        values: tuple[int, ...] = layout.unpack_from(self._data, self._offset)
        self._offset = end
        return values

    def name(self) -> Name:
        name, self._offset = self._name_at(self._offset, len(self._data))
        return name

    def record(self) -> Record | None:
        name = self.name()
        type_, _class, _ttl, size = self.unpack(_RECORD)
        start, end = self._offset, self._offset + size
        if end > len(self._data):
            raise ProtocolError("A record ends too early")
        self._offset = end
        match type_:
            case RecordType.A:
                if size != _ADDRESS_SIZE:
                    raise ProtocolError("An address has a wrong size")
                address = ipaddress.IPv4Address(self._data[start:end])
                return AddressRecord(name, str(address))
            case RecordType.PTR:
                return PointerRecord(name, self._name_at(start, end)[0])
            case RecordType.SRV:
                if size < _SRV.size:
                    raise ProtocolError("A service ends too early")
                port = _SRV.unpack_from(self._data, start)[2]
                target = self._name_at(start + _SRV.size, end)[0]
                return ServiceRecord(name, port, target)
            case RecordType.TXT:
                return TextRecord(name, split_texts(self._data[start:end]))
        return None

    def _name_at(self, offset: int, end: int) -> tuple[Name, int]:
        """Return a name and where it ends.

        A pointer leads to something before the piece that it stands in. So there is no
        way back, and reading comes to an end.
        """
        data = self._data
        labels: list[str] = []
        size = 1
        after: int | None = None
        piece, pointers = offset, 0
        while True:
            if offset >= end:
                raise ProtocolError("A name ends too early")
            length = data[offset]
            if length & _POINTER == _POINTER:
                if offset + 2 > end:
                    raise ProtocolError("A name ends too early")
                target = (length & ~_POINTER) << 8 | data[offset + 1]
                if target >= piece:
                    raise ProtocolError("A name points forward")
                pointers += 1
                if pointers > MAX_POINTERS:
                    raise MessageTooLargeError(f"More than {MAX_POINTERS} pointers")
                after = offset + 2 if after is None else after
                offset = piece = target
                end = len(data)
                continue
            offset += 1
            if length == 0:
                return tuple(labels), offset if after is None else after
            size += 1 + length
            if length > MAX_LABEL:
                raise ProtocolError("A label is of an unknown kind")
            if size > MAX_NAME:
                raise MessageTooLargeError(f"A name of more than {MAX_NAME} bytes")
            if offset + length > end:
                raise ProtocolError("A name ends too early")
            labels.append(self._label(data[offset : offset + length]))
            offset += length

    def _label(self, label: bytes) -> str:
        self._count += 1
        if self._count > MAX_LABELS:
            raise MessageTooLargeError(f"More than {MAX_LABELS} labels")
        if label[:4].lower() != b"xn--":
            return label.decode(errors="replace")
        if (text := self._decoded.get(label)) is None:
            text = self._decoded[label] = _decode_label(label)
        return text


def _decode_label(label: bytes) -> str:
    try:
        return label.decode("idna")
    except UnicodeError:
        return label.decode(errors="replace")


def split_texts(data: bytes) -> tuple[bytes, ...]:
    """Return the entries of a TXT record. Raises ProtocolError."""
    texts: list[bytes] = []
    offset = 0
    while offset < len(data):
        end = offset + 1 + data[offset]
        if end > len(data):
            raise ProtocolError("A text ends too early")
        if len(texts) == MAX_TEXTS:
            raise MessageTooLargeError(f"More than {MAX_TEXTS} texts")
        texts.append(data[offset + 1 : end])
        offset = end
    return tuple(texts)
