"""What both clients can be asked for, so that they can be compared."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.fakes.apple_tv import FakeAppleTv
from tests.interop.report import CheckError

type Plain = str | int | float | None
type Credentials = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A device as a client found it."""

    name: str
    identifiers: frozenset[str]
    model: str | None
    version: str | None
    is_asleep: bool
    # By protocol: port, identifier, pairing, and whether it is used.
    services: Mapping[str, tuple[int, str | None, str, bool]]


@dataclass(frozen=True, slots=True)
class State:
    """What a client knows besides what plays."""

    power: str
    volume: float
    outputs: tuple[str, ...]
    features: Mapping[str, str] = field(repr=False)


class Client(ABC):
    """One client."""

    name: str

    @abstractmethod
    async def find(self, *devices: FakeAppleTv) -> list[Found]:
        """Find devices by their addresses, in the order of their names."""

    @abstractmethod
    async def pair(self, device: FakeAppleTv, protocol: str, pin: str) -> str:
        """Pair, return the credentials. Raises CheckError when that is refused."""

    @abstractmethod
    async def connect(
        self, device: FakeAppleTv, credentials: Credentials, *protocols: str
    ) -> None:
        """Connect to these protocols alone."""

    @abstractmethod
    async def playing(self) -> Mapping[str, Plain]:
        """Return what plays."""

    @abstractmethod
    async def state(self) -> State:
        """Return the rest."""

    @abstractmethod
    async def artwork(self) -> bytes:
        """Return the first bytes of the artwork, none if there is none."""

    @abstractmethod
    async def do(self, action: str, *arguments: Plain) -> Plain:
        """Do something by its name; see ACTIONS of the clients."""

    @abstractmethod
    async def names(self, what: str) -> list[str]:
        """Return the names of all `apps` or `accounts`."""

    @abstractmethod
    async def start(self) -> None:
        """Be ready."""

    @abstractmethod
    async def stop(self) -> None:
        """End for good."""

    @abstractmethod
    async def close(self) -> None:
        """Disconnect, and be ready for another device."""


def same(found: object, wanted: object, what: str) -> None:
    """Raise CheckError unless both are the same."""
    if found != wanted:
        raise CheckError(f"{what}: {found!r} instead of {wanted!r}")
