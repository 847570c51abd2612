"""The golden vectors of the Apple TV reference, part A, 10.9 and 10.10, from vectors.json.

Those of legacy pairing were recorded with a real device.
"""

import json
from pathlib import Path
from typing import Any, Final

_DATA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text("utf-8")
)

DATA: Final = {name: bytes.fromhex(value) for name, value in _DATA["data"].items()}
SEQUENCE: Final = 0x16155C3E0
PLISTS: Final = {
    int(number): bytes.fromhex(value) for number, value in _DATA["plists"].items()
}
LEGACY_PIN: Final[str] = _DATA["legacy"]["pin"]


def _bytes(entry: str | dict[str, str]) -> Any:
    if isinstance(entry, str):
        return bytes.fromhex(entry)
    return {name: bytes.fromhex(value) for name, value in entry.items()}


LEGACY: Final[dict[str, Any]] = {
    name: _bytes(entry) for name, entry in _DATA["legacy"].items() if name != "pin"
}
