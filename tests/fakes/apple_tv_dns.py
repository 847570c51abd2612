"""DNS messages as the fake Apple TV's mDNS responder reads and writes them.

The Apple TV reference, part A, sections 1.4 and 1.12.
"""

from dataclasses import dataclass
import ipaddress
import struct

from tests.fakes.apple_tv_crypto import WireError

A, PTR, TXT, AAAA, SRV, NSEC, ANY = 1, 12, 16, 28, 33, 47, 255
CLASS_IN = 1
CACHE_FLUSH = 0x8000
RESPONSE = 0x8400
_MAX_JUMPS = 32

type Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks for; a name keeps its labels apart."""

    name: Labels
    kind: int
    dns_class: int = CLASS_IN


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `data` holds a name, SRV's parts, or what is written as it is."""

    name: Labels
    kind: int
    data: Labels | tuple[int, Labels] | bytes
    ttl: int = 120
    is_unique: bool = True


def parse_query(data: bytes) -> tuple[int, list[Question]]:
    """Return the id and the questions of a query. Raises WireError."""
    try:
        ident, flags, count, *_ = struct.unpack_from(">HHHHHH", data)
        if flags & 0x8000:
            raise WireError("not a query")
        at = 12
        questions = []
        for _ in range(count):
            name, at = read_name(data, at)
            kind, dns_class = struct.unpack_from(">HH", data, at)
            at += 4
            questions.append(Question(name, kind, dns_class & 0x7FFF))
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise WireError("a query is broken") from error
    return ident, questions


def read_name(data: bytes, at: int) -> tuple[Labels, int]:
    """Return a name and where the next thing begins. Raises WireError, IndexError."""
    labels: list[str] = []
    end = 0
    for _ in range(_MAX_JUMPS * 4):
        size = data[at]
        if size == 0:
            return tuple(labels), end or at + 1
        if size >= 0xC0:
            end = end or at + 2
            at = (size & 0x3F) << 8 | data[at + 1]
            continue
        labels.append(data[at + 1 : at + 1 + size].decode())
        at += 1 + size
    raise WireError("a name does not end")


def labels_of(name: str) -> Labels:
    """Split a service type or a host name."""
    return tuple(name.rstrip(".").split("."))


def txt_data(entries: dict[str, str]) -> bytes:
    """Write the entries of a TXT record."""
    out = bytearray()
    for key, value in entries.items():
        entry = f"{key}={value}".encode()
        out += bytes((len(entry),)) + entry
    return bytes(out) or b"\0"


def address_data(address: str) -> bytes:
    """Write the data of an A or AAAA record."""
    return ipaddress.ip_address(address).packed


class Response:
    """A response that is being written; names are compressed as real devices do."""

    def __init__(self, ident: int, questions: list[Question]) -> None:
        self._ident = ident
        self._names: dict[Labels, int] = {}
        self._out = bytearray(12)
        self._questions = len(questions)
        for question in questions:
            self._name(question.name)
            self._out += struct.pack(">HH", question.kind, question.dns_class)

    def build(self, answers: list[Record], additional: list[Record]) -> bytes:
        """Return the message."""
        for record in (*answers, *additional):
            self._record(record)
        counts = (self._questions, len(answers), 0, len(additional))
        struct.pack_into(">HHHHHH", self._out, 0, self._ident, RESPONSE, *counts)
        return bytes(self._out)

    def _name(self, labels: Labels) -> None:
        while labels:
            known = self._names.get(labels)
            if known is not None:
                self._out += struct.pack(">H", 0xC000 | known)
                return
            if len(self._out) < 0x4000:
                self._names[labels] = len(self._out)
            label = labels[0].encode()
            self._out += bytes((len(label),)) + label
            labels = labels[1:]
        self._out.append(0)

    def _record(self, record: Record) -> None:
        self._name(record.name)
        dns_class = CLASS_IN | (CACHE_FLUSH if record.is_unique else 0)
        self._out += struct.pack(">HHIH", record.kind, dns_class, record.ttl, 0)
        start = len(self._out)
        if isinstance(record.data, bytes):
            self._out += record.data
        elif record.kind == SRV:
            port, target = record.data
            assert isinstance(port, int)
            assert isinstance(target, tuple)
            self._out += struct.pack(">HHH", 0, 0, port)
            self._name(target)
        else:
            labels = tuple(label for label in record.data if isinstance(label, str))
            self._name(labels)
        struct.pack_into(">H", self._out, start - 2, len(self._out) - start)
