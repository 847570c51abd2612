"""What the user of the command line wants."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Which checks to run, and on what."""

    flavours: tuple[str, ...] = ()
    """Releases of the peer; none means those that are checked by default."""
    only: str = ""
    """A part of the titles of the checks to run."""
    debug: bool = False
    """Whether the peers are to log everything."""
    integration: Path | None = None
    """Another copy of the integration."""
