"""The golden vectors of the Apple TV reference, part A, section 10.8, from vectors.json."""

import json
from pathlib import Path
from typing import Any, Final

from custom_components.rumpus.protocols.opack import OpackDict, OpackValue

_DATA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "vectors.json").read_text("utf-8")
)


def _value(value: Any) -> OpackValue:
    """Return a value of a vector: data is text with a prefix there."""
    if isinstance(value, str) and value.startswith("bytes:"):
        return bytes.fromhex(value.removeprefix("bytes:"))
    if isinstance(value, dict):
        body: OpackDict = {key: _value(item) for key, item in value.items()}
        return body
    if isinstance(value, list):
        return [_value(item) for item in value]
    assert isinstance(value, str | int | float)
    return value


MESSAGES: Final = [
    (bytes.fromhex(vector["hex"]), _value(vector["value"]))
    for vector in _DATA["messages"]
]
"""Messages as bytes and as values."""
ARCHIVES: Final = {
    name: bytes.fromhex(data) for name, data in _DATA["archives"].items()
}
"""Of the virtual keyboard."""
