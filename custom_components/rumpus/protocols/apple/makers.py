"""The links that there are: Companion, MRP in AirPlay's tunnel, and MRP over TCP.

To add a protocol is to add a maker of its sessions to `default_makers`.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, override

from ..airplay.remote_control import RemoteControlSession
from ..companion.client import CompanionClient
from ..hap.credentials import (
    HapCredentials,
    LegacyCredentials,
    TransientCredentials,
    parse_credentials,
)
from ..hap.errors import InvalidCredentialsError
from ..mrp.client import MrpClient
from ..mrp.tcp import TcpTransport
from .companion_session import CompanionMaker
from .const import AppleProtocol, PairingRequirement
from .mrp_session import Carrier, MrpSession
from .services import FoundDevice, Tunnel
from .session import Context, Listener, Maker, Place, Session

if TYPE_CHECKING:
    from .apis import MrpApi


class TunnelCarrier:
    """A remote-control session of AirPlay, and MRP through it (part A, section 6)."""

    def __init__(
        self,
        address: str,
        port: int,
        credentials: HapCredentials | TransientCredentials,
        context: Context,
    ) -> None:
        """Prepare for the AirPlay service at that address."""
        self._context = context
        self._session = RemoteControlSession(
            address, port, credentials, context.identity, context.timing.airplay
        )

    async def open(self) -> MrpApi:
        """Bring the session up, and return a client for its tunnel."""
        await self._session.connect()
        identity = self._context.identity
        return MrpClient(
            self._session.transport,
            identity,
            client_id=identity.mrp_id,
            timing=self._context.timing.mrp,
            fetch_artwork=self._context.fetch_artwork,
        )

    async def close(self) -> None:
        """End the session."""
        await self._session.close()


class TcpCarrier:
    """MRP over a connection of its own (part B, section 3)."""

    def __init__(
        self,
        address: str,
        port: int,
        credentials: HapCredentials | None,
        context: Context,
    ) -> None:
        """Prepare for the MRP service at that address."""
        self._address = address
        self._port = port
        self._credentials = credentials
        self._context = context
        self._transport = TcpTransport(context.timing.mrp)

    async def open(self) -> MrpApi:
        """Connect, and return a client for the connection."""
        await self._transport.connect(self._address, self._port)
        identity = self._context.identity
        credentials = self._credentials
        # It is by its pairing that a device knows us again.
        own_id = credentials.client_id.decode() if credentials else identity.mrp_id
        return MrpClient(
            self._transport,
            identity,
            client_id=own_id,
            credentials=credentials,
            timing=self._context.timing.mrp,
            fetch_artwork=self._context.fetch_artwork,
        )

    async def close(self) -> None:
        """End the connection."""
        await self._transport.close()


type TunnelFactory = Callable[
    [str, int, HapCredentials | TransientCredentials, Context], Carrier
]
type TcpFactory = Callable[[str, int, HapCredentials | None, Context], Carrier]


class TunnelMaker(Maker):
    """Links to MRP through AirPlay (part A, sections 1.9 and 6)."""

    protocol = AppleProtocol.AIRPLAY
    session: ClassVar[type[Session]] = MrpSession

    def __init__(self, carrier: TunnelFactory = TunnelCarrier) -> None:
        """Take what makes the carriers."""
        self._carrier = carrier

    @override
    def place(
        self, found: FoundDevice, credentials: Mapping[AppleProtocol, str]
    ) -> Place | None:
        service = found.service(self.protocol)
        if service is None or not service.is_enabled or not service.port:
            return None
        text = credentials.get(self.protocol, "")
        if not _is_paired(text):
            # Who says "only this home" takes nobody without credentials of it.
            is_open = service.pairing is not PairingRequirement.DISABLED
            if not (is_open and found.tunnel is Tunnel.TRANSIENT):
                return None
            text = ""
        elif found.tunnel is Tunnel.NONE:
            return None
        return Place(found.address, service.port, text)

    @override
    def make(self, place: Place, context: Context, listener: Listener) -> Session:
        credentials = (
            parse_credentials(place.credentials)
            if place.credentials
            else TransientCredentials()
        )
        if isinstance(credentials, LegacyCredentials):
            raise InvalidCredentialsError("These credentials are not for the tunnel")
        carrier = self._carrier(place.address, place.port, credentials, context)
        return MrpSession(carrier, listener)


class TcpMaker(Maker):
    """Links to MRP by itself, where it does not go through AirPlay."""

    protocol = AppleProtocol.MRP
    session: ClassVar[type[Session]] = MrpSession

    def __init__(self, tunnel: TunnelMaker, carrier: TcpFactory = TcpCarrier) -> None:
        """Take what makes the carriers, and the maker of links to be preferred."""
        self._tunnel = tunnel
        self._carrier = carrier

    @override
    def place(
        self, found: FoundDevice, credentials: Mapping[AppleProtocol, str]
    ) -> Place | None:
        service = found.service(self.protocol)
        if service is None or not service.is_enabled or not service.port:
            return None
        if self._tunnel.place(found, credentials) is not None:
            return None
        text = credentials.get(self.protocol, "")
        if not text and _is_paired(credentials.get(self._tunnel.protocol, "")):
            # Anybody can say that there is no tunnel, and be told everything then by
            # those who do without one, in the clear.
            return None
        return Place(found.address, service.port, text)

    @override
    def make(self, place: Place, context: Context, listener: Listener) -> Session:
        credentials = (
            parse_credentials(place.credentials) if place.credentials else None
        )
        if credentials is not None and not isinstance(credentials, HapCredentials):
            raise InvalidCredentialsError("These credentials are not for MRP")
        carrier = self._carrier(place.address, place.port, credentials, context)
        return MrpSession(carrier, listener)


def _is_paired(text: str) -> bool:
    """Whether these are credentials of a pairing; those that are damaged count, too."""
    if not text:
        return False
    try:
        return not isinstance(parse_credentials(text), TransientCredentials)
    except InvalidCredentialsError:
        return True


def _companion(
    address: str, port: int, credentials: HapCredentials, context: Context
) -> CompanionClient:
    timing = context.timing.companion
    return CompanionClient(address, port, credentials, context.identity, timing=timing)


def default_makers() -> tuple[Maker, ...]:
    """Return a maker for every link, the main one first."""
    tunnel = TunnelMaker()
    return tunnel, TcpMaker(tunnel), CompanionMaker(_companion)
