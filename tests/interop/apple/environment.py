"""Where the other project's client is; `script/setup --apple-peer` puts it there."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
PYTHON: Final = ROOT / ".cache" / "apple-peer" / "bin" / "python"


class PeerMissingError(Exception):
    """The client is not there; the message says what to do."""


def find_peer() -> Path:
    """Return the Python that has the client. Raises PeerMissingError."""
    if not PYTHON.is_file():
        raise PeerMissingError("there is no pyatv; run script/setup --apple-peer")
    return PYTHON
