"""The golden vectors of the SmartGlass reference, section 17, from vectors.json.

They were made by one implementation and checked by a second, and the two samples were
captured from others.
"""

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

_DATA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text("utf-8")
)

CLIENT_UUID: Final = UUID("b3a4c5d6-1122-4334-8556-6778899aabbc")
LIVE_ID: Final = "FD00112233445566"
USERHASH: Final = "2533274812345678901"
TOKEN: Final = ".".join(f"{number:06}" for number in range(200))
PARTICIPANT: Final = 31

CERTIFICATE: Final = bytes.fromhex(_DATA["certificate"])
PACKETS: Final = {name: bytes.fromhex(data) for name, data in _DATA["packets"].items()}
CONNECT_FRAGMENTS: Final[list[dict[str, Any]]] = _DATA["connect_fragments"]
"""Of a token in two pieces: sha256, first bytes and MAC in hex, length."""

SAMPLE_SECRET: Final = bytes.fromhex(_DATA["public_samples"]["expanded"])
SAMPLE_ACK: Final = bytes.fromhex(_DATA["public_samples"]["ack"])
SAMPLE_CONNECT_REQUEST: Final = bytes.fromhex(
    _DATA["public_samples"]["connect_request"]
)


@dataclass(frozen=True, slots=True)
class KeyVector:
    """Both key pairs and what they agree on."""

    curve: ec.EllipticCurve
    console_private: int
    console_public: bytes
    client_private: int
    client_public: bytes
    secret: bytes
    expanded: bytes

    @property
    def console_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.console_private, self.curve)

    @property
    def client_key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.client_private, self.curve)


@dataclass(frozen=True, slots=True)
class MessageVector:
    """A message in all its forms; the payload is what it holds, by name."""

    name: str
    sequence: int
    target: int
    source: int
    channel: int
    need_ack: bool
    type: int
    payload: dict[str, Any]
    plaintext: bytes
    datagram: bytes
    is_fragment: bool


_CURVES: Final = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
KEYS: Final = [
    KeyVector(
        _CURVES[key["curve"]],
        int(key["console_private"], 16),
        bytes.fromhex(key["console_public"]),
        int(key["client_private"], 16),
        bytes.fromhex(key["client_public"]),
        bytes.fromhex(key["secret"]),
        bytes.fromhex(key["expanded"]),
    )
    for key in _DATA["keys"]
]
"""P-256, which all other vectors use; P-256 with a zero in front; P-384; P-521."""

MESSAGES: Final = {
    vector["name"]: MessageVector(
        vector["name"],
        vector["sequence"],
        vector["target"],
        vector["source"],
        vector["channel"],
        vector["need_ack"],
        vector["type"],
        vector["payload"],
        bytes.fromhex(vector["plaintext"]),
        bytes.fromhex(vector["datagram"]),
        vector.get("fragment", False),
    )
    for vector in _DATA["messages"]
}
