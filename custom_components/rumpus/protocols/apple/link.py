"""One link to a device: kept up, and taken up again, on its own."""

from dataclasses import dataclass
from enum import StrEnum

from ..errors import RumpusError
from .const import AppleProtocol


class LinkState(StrEnum):
    """How a link fares."""

    UNAVAILABLE = "unavailable"
    """The device does not offer it, or we have no credentials for it."""
    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    REFUSED = "refused"
    """The device does not take our credentials; it is asked again, seldom."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """How one link fares; `since` is the Unix time of the last change of its state."""

    protocol: AppleProtocol
    state: LinkState
    error: RumpusError | None
    since: float
    losses: int
