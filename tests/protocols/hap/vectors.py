"""The golden vectors of the Apple TV reference, part A, section 10, from vectors.json.

They were made by one implementation, and each value was computed again from the formulas.
"""

import json
from pathlib import Path
from typing import Any, Final

_DATA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text("utf-8")
)

TLV8: Final[list[tuple[bytes, dict[int, bytes]]]] = [
    (
        bytes.fromhex(entry["hex"]),
        {int(tag): bytes.fromhex(value) for tag, value in entry["items"].items()},
    )
    for entry in _DATA["tlv8"]
]
SRP: Final[list[dict[str, str]]] = _DATA["srp"]
SRP_CONSTANTS: Final[dict[str, str]] = _DATA["srp_constants"]
PIN: Final[str] = _DATA["pair_setup"]["pin"]
CREDENTIALS: Final[str] = _DATA["pair_setup"]["credentials"]
SETUP: Final = {
    name: bytes.fromhex(value)
    for name, value in _DATA["pair_setup"].items()
    if name not in {"pin", "credentials"}
}
VERIFY: Final = {
    name: bytes.fromhex(value) for name, value in _DATA["pair_verify"].items()
}
KEYS: Final[list[dict[str, str]]] = _DATA["keys"]
SECRETS: Final = {"shared": VERIFY["shared"], "srp": bytes.fromhex(SRP[0]["K"])}
SESSION: Final[dict[str, Any]] = _DATA["session"]
SESSION_KEY: Final = bytes.fromhex(SESSION["key"])
