"""Where the peers are; `script/setup --faf-peer` puts them there."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
PYTHON: Final = ROOT / ".cache" / "faf-peer" / "bin" / "python"


class PeerMissingError(Exception):
    """The peers are not there; the message says what to do."""


def peer_command(program: str) -> tuple[str, ...]:
    """Return what runs a program of this folder there. Raises PeerMissingError."""
    if not PYTHON.is_file():
        raise PeerMissingError("there is no Qt; run script/setup --faf-peer")
    return (str(PYTHON), "-m", f"tests.interop.faf.{program}")
