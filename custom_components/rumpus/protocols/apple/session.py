"""What a link makes and keeps: one connection of one protocol, seen from above.

Whoever adds a protocol writes a Session, which is also an instance of every capability
that it has, and a Maker for it; nothing else has to know (part B, section 6.3).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
import logging
from typing import ClassVar, Protocol

from ..errors import RumpusError
from .const import AppleProtocol
from .enums import Feature, FeatureState
from .identity import ClientIdentity
from .info import DeviceInfo
from .models import ArtworkFetcher
from .services import FoundDevice
from .timing import TIMING, Timing


class Aspect(Enum):
    """What of a session has changed."""

    PLAYING = "playing"
    ARTWORK = "artwork"
    POWER = "power"
    VOLUME = "volume"
    OUTPUTS = "outputs"
    FOCUS = "focus"
    FEATURES = "features"
    INFO = "info"


class Listener(Protocol):
    """What a session tells, in the thread of the event loop."""

    def changed(self, aspect: Aspect) -> None:
        """Something has changed, or may have."""

    def lost(self, error: RumpusError | None) -> None:
        """The session is over, and it was not `close` that ended it.

        The error is None when the device ended it in good order.
        """


@dataclass(frozen=True, slots=True)
class Place:
    """Where one protocol of a device is, and what opens it; empty for what is open."""

    address: str
    port: int
    credentials: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What all sessions with a device share."""

    identity: ClientIdentity
    logger: logging.Logger | logging.LoggerAdapter[logging.Logger]
    timing: Timing = TIMING
    fetch_artwork: ArtworkFetcher | None = None


class Session(ABC):
    """One connection, from `open` to `close`; it is made anew for every attempt."""

    serves: ClassVar[AppleProtocol]
    """Whose place in the priority tables it takes."""
    features: ClassVar[frozenset[Feature]] = frozenset()
    """What it answers for, whatever the answer."""

    @abstractmethod
    async def open(self) -> None:
        """Connect; raises RumpusError or OSError. It is closed whatever happens."""

    @abstractmethod
    async def close(self) -> None:
        """End it, also in the midst of `open`. Never raises, and can be called again."""

    @abstractmethod
    def feature(self, feature: Feature) -> FeatureState:
        """Return whether one of its features is there now."""

    @property
    def info(self) -> DeviceInfo:
        """Return what the device told about itself here."""
        return DeviceInfo()


class Maker(ABC):
    """Knows when a protocol can be linked to, and makes its sessions."""

    protocol: ClassVar[AppleProtocol]
    """Whose link it is: whose credentials open it."""
    session: ClassVar[type[Session]]
    """What `make` returns, to tell what can be done once there is a link."""

    @abstractmethod
    def place(
        self, found: FoundDevice, credentials: Mapping[AppleProtocol, str]
    ) -> Place | None:
        """Return where to connect to; None when there is no use in that."""

    @abstractmethod
    def make(self, place: Place, context: Context, listener: Listener) -> Session:
        """Return a new session; AuthenticationError for credentials that are none."""
