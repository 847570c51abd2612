"""Mutated SmartGlass packets: each is read or refused as what it is, and nothing else happens.

Payloads go to the decoder of their type and of others, and through a whole datagram with a
valid MAC, since nothing else gets that far; datagrams go to every function that opens one.
What is read must be encoded to the very bytes that it was read from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
import time
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from .mutation import Mutator
from .smartglass_session import SessionTarget, read_object
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.smartglass.certificate import read_certificate
from custom_components.rumpus.protocols.smartglass.crypto import (
    Crypto,
    read_connect_request,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    MESSAGE_TYPES,
    MessageFragment,
    decode_message,
    encode_message,
)
from custom_components.rumpus.protocols.smartglass.packets import (
    ConnectRequest,
    ConnectResponse,
    MessageHeader,
    decode_packet,
    encode_packet,
)
from tests.protocols.smartglass import vectors

SLOWEST: Final = 0.25
"""Seconds of the processor that no packet may take."""
CHUNK: Final = 10_000
"""Packets whose targets are chosen at once."""

type Target = Callable[[bytes], None]


class FuzzError(AssertionError):
    """A decoder did what it must not; the text holds how to see it again."""


@dataclass(slots=True)
class Report:
    """What became of the packets."""

    count: int = 0
    refused: int = 0
    slowest: float = 0.0
    by_target: dict[str, int] = field(default_factory=dict)


class SmartglassFuzzer:
    """Runs mutated packets through every decoder."""

    def __init__(self, seed: int) -> None:
        """Prepare the same packets for the same seed."""
        self._crypto = Crypto.from_expanded_secret(vectors.KEYS[0].expanded)
        self._types = [vector.type for vector in vectors.MESSAGES.values()]
        self._payloads = [vector.plaintext for vector in vectors.MESSAGES.values()]
        self._datagrams = [
            *(vector.datagram for vector in vectors.MESSAGES.values()),
            *vectors.PACKETS.values(),
            vectors.SAMPLE_CONNECT_REQUEST,
        ]
        corpus = [*self._payloads, *self._datagrams, vectors.CERTIFICATE]
        self._mutator = Mutator(corpus, seed)
        self._chance = self._mutator.chance
        session = SessionTarget(self._mutator)
        self._structures = (MessageFragment, ConnectRequest, ConnectResponse)
        self._all_types = [*(key.value for key in MESSAGE_TYPES), 2, 0x777]
        self._targets: Sequence[tuple[str, Callable[[], bytes], Target]] = (
            ("payload", self._payload, self._read_own_type),
            ("payload as another", self._payload, self._read_any_type),
            ("payload in a datagram", self._payload, self._read_sealed),
            ("structure", self._payload, self._read_structure),
            ("datagram", self._datagram, self._open_datagram),
            ("clear datagram", self._datagram, self._read_clear),
            ("connect", self._datagram, self._open_connect),
            ("certificate", self._certificate, self._read_certificate),
            ("message to a session", session.payload, session),
            ("json object", bytes, self._read_object),
        )
        # Keys on curves take many times longer than everything else.
        self._weights = (25, 12, 12, 8, 8, 12, 3, 2, 12, 6)
        self._type = 0

    def run(self, count: int) -> Report:
        """Decode so many packets. Raises FuzzError for the first that goes wrong."""
        report = Report()
        while report.count < count:
            self._run_some(report, min(CHUNK, count - report.count))
        return report

    def _run_some(self, report: Report, count: int) -> None:
        chosen = self._chance.choices(self._targets, self._weights, k=count)
        for name, make, target in chosen:
            data = make()
            start = time.process_time()
            try:
                target(data)
            except ProtocolError:
                report.refused += 1
            except Exception as err:
                raise FuzzError(f"{name} {self._type:#x} {data.hex()}") from err
            passed = time.process_time() - start
            if passed > SLOWEST:
                raise FuzzError(f"{name} took {passed:.3f} s: {data.hex()}")
            report.slowest = max(report.slowest, passed)
            report.by_target[name] = report.by_target.get(name, 0) + 1
        report.count += count

    def _payload(self) -> bytes:
        index = self._chance.randrange(len(self._payloads))
        self._type = self._types[index]
        return self._mutator.mutated(self._payloads[index])

    def _datagram(self) -> bytes:
        return self._mutator.mutated(self._chance.choice(self._datagrams))

    def _certificate(self) -> bytes:
        return self._mutator.mutated(vectors.CERTIFICATE)

    def _read_own_type(self, data: bytes) -> None:
        self._read(self._type, data)

    def _read_any_type(self, data: bytes) -> None:
        self._type = self._chance.choice(self._all_types)
        self._read(self._type, data)

    def _read(self, message_type: int, data: bytes) -> None:
        message = decode_message(message_type, data)
        if not data.startswith(encode_message(message)):
            raise FuzzError("encoded to something else")
        repr(message)

    def _read_sealed(self, data: bytes) -> None:
        header = MessageHeader(
            self._chance.getrandbits(32),
            self._chance.getrandbits(32),
            self._chance.getrandbits(32),
            self._type,
            self._chance.getrandbits(64),
            self._chance.random() < 0.5,
            self._chance.random() < 0.5,
            self._chance.randrange(4),
        )
        opened, payload = self._crypto.open_message(
            self._crypto.seal_message(header, data)
        )
        if (opened, payload) != (header, data):
            raise FuzzError("opened as something else")
        self._read(opened.message_type, payload)

    def _read_structure(self, data: bytes) -> None:
        structure = self._chance.choice(self._structures).decode(data)
        if not data.startswith(structure.encode()):
            raise FuzzError("encoded to something else")

    def _open_datagram(self, data: bytes) -> None:
        """Let nothing through: a mutation that changed nothing is too rare to matter."""
        self._crypto.open_message(data)
        if data not in self._datagrams:
            raise FuzzError("a forged message came through")

    def _read_clear(self, data: bytes) -> None:
        packet = decode_packet(data)
        encoded = encode_packet(packet)
        # The version is not kept, nor what follows a structure inside of its payload.
        if not data[6:].startswith(encoded[6:]):
            raise FuzzError("encoded to something else")

    def _open_connect(self, data: bytes) -> None:
        for opener in (
            self._crypto.open_connect_response,
            self._crypto.open_connect_request,
        ):
            try:
                opener(data)
            except ProtocolError:
                continue
            if data not in self._datagrams:
                raise FuzzError("a forged connect packet came through")
        _, key = read_connect_request(data)
        _check_key(key)

    def _read_object(self, _: bytes) -> None:
        read_object(self._chance)

    def _read_certificate(self, data: bytes) -> None:
        _check_key(read_certificate(data).public_key)


def _check_key(key: ec.EllipticCurvePublicKey) -> None:
    """Use a key: one that is off its curve could not be."""
    numbers = key.public_numbers()
    if numbers.public_key() != key:
        raise FuzzError("a key that is none came through")
