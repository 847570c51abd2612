"""The golden vectors of the Apple TV reference, part B, sections 12.4 to 12.12."""

from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any, Final

_DATA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text("utf-8")
)

IDENTIFIER: Final = "00000000-0000-4000-8000-0000000000BB"
UNIQUE: Final = "00000000-0000-4000-8000-0000000000AA"
OWN_UID: Final = "E510C430-B01D-45DF-B558-6EA6F8251069"


@dataclass(frozen=True, slots=True)
class MessageVector:
    """A message as it is on the wire."""

    name: str
    type: int
    identifier: str | None
    prefix: bytes
    data: bytes


def _messages(key: str) -> dict[str, MessageVector]:
    return {
        entry["name"]: MessageVector(
            entry["name"],
            entry["type"],
            entry["identifier"],
            bytes.fromhex(entry["prefix"] or ""),
            bytes.fromhex(entry["hex"]),
        )
        for entry in _DATA[key]
    }


VARINTS: Final[list[tuple[int, bytes]]] = [
    (entry["value"], bytes.fromhex(entry["hex"])) for entry in _DATA["varint"]
]
MESSAGES: Final = _messages("messages")
CAPTURED: Final = _messages("captured")
ENCRYPTION: Final = {
    name: bytes.fromhex(value) for name, value in _DATA["mrp_encryption"].items()
}
HID_TEMPLATE: Final = bytes.fromhex(_DATA["hid_template"])
HID: Final[list[dict[str, Any]]] = _DATA["hid"]
STATES: Final[list[dict[str, Any]]] = _DATA["mrp_state"]
NOW: Final = float(_DATA["mrp_position"]["now_unix"])
NOW_COCOA: Final = float(_DATA["mrp_position"]["now_cocoa"])
POSITIONS: Final[list[dict[str, Any]]] = _DATA["mrp_position"]["cases"]
MODES: Final[list[dict[str, Any]]] = _DATA["mrp_modes"]
IDLE_HASH: Final[str] = _DATA["idle_hash"]
