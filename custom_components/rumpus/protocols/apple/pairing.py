"""Pairing with a device: what needs it, and how (part A, sections 1.8, 1.9 and 2.7)."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol, override

# These two are loaded late by who uses them, and so by now: no event loop may load files.
from ..airplay import legacy as _legacy  # noqa: F401
from ..airplay.features import AirPlayVersion
from ..airplay.pairing import AirPlayPairing
from ..companion.pairing import CompanionPairing
from ..errors import UnsupportedError
from ..hap import pair_setup as _pair_setup  # noqa: F401
from ..hap.credentials import Credentials, HapCredentials, parse_credentials
from ..hap.errors import InvalidCredentialsError
from ..mrp.pairing import MrpPairing
from .const import PAIRING_ORDER, AppleProtocol, PairingRequirement
from .identity import ClientIdentity
from .services import FoundDevice, Service, Tunnel


class PairingSession(Protocol):
    """One pairing with one protocol of a device; it is closed whatever happens.

    All may raise DisconnectedError, PeerTimeoutError, ProtocolError and the errors of
    `hap.errors`.
    """

    @property
    def protocol(self) -> AppleProtocol:
        """Return what is paired."""

    async def begin(self) -> None:
        """Connect and have the device show its PIN."""

    async def finish(self, pin: str) -> str:
        """Pair with the PIN; return the credentials as text. WrongPinError: try again."""

    async def close(self) -> None:
        """End it; never raises."""


class Procedure(Protocol):
    """What each protocol has for it."""

    async def begin(self) -> None:
        """Have the device show its PIN."""

    async def finish(self, pin: str) -> Credentials:
        """Pair with the PIN."""

    async def close(self) -> None:
        """End it; never raises."""


type ProcedureMaker = Callable[[str, Service, ClientIdentity], Procedure]


def _airplay(address: str, service: Service, identity: ClientIdentity) -> Procedure:
    is_legacy = service.airplay_version is AirPlayVersion.V1
    return AirPlayPairing(address, service.port, identity, legacy=is_legacy)


def _companion(address: str, service: Service, identity: ClientIdentity) -> Procedure:
    return CompanionPairing(address, service.port, identity)


def _mrp(address: str, service: Service, identity: ClientIdentity) -> Procedure:
    return MrpPairing(address, service.port, identity)


PROCEDURES: Final[Mapping[AppleProtocol, ProcedureMaker]] = {
    AppleProtocol.AIRPLAY: _airplay,
    AppleProtocol.COMPANION: _companion,
    AppleProtocol.MRP: _mrp,
}
"""How each protocol is paired; to add one is to add it here and to PAIRING_ORDER."""


class _Pairing(PairingSession):
    """A procedure whose credentials come as text."""

    def __init__(self, protocol: AppleProtocol, procedure: Procedure) -> None:
        self._protocol = protocol
        self._procedure = procedure

    @property
    @override
    def protocol(self) -> AppleProtocol:
        return self._protocol

    @override
    async def begin(self) -> None:
        await self._procedure.begin()

    @override
    async def finish(self, pin: str) -> str:
        return str(await self._procedure.finish(pin))

    @override
    async def close(self) -> None:
        await self._procedure.close()


def pairing_needed(
    found: FoundDevice, credentials: Mapping[AppleProtocol, str]
) -> tuple[AppleProtocol, ...]:
    """Return what is to be paired still, in this order.

    Only what there are links for: AirPlay where MRP goes through it with credentials,
    MRP where it does not. Nothing that takes everybody.
    """
    return tuple(
        protocol
        for protocol in PAIRING_ORDER
        if not _is_paired(credentials.get(protocol)) and _needs(found, protocol)
    )


def start_pairing(
    found: FoundDevice,
    protocol: AppleProtocol,
    identity: ClientIdentity,
    *,
    procedures: Mapping[AppleProtocol, ProcedureMaker] = PROCEDURES,
) -> PairingSession:
    """Return a pairing that has not begun; UnsupportedError when there is none."""
    service = found.service(protocol)
    maker = procedures.get(protocol)
    if service is None or not service.port or maker is None:
        raise UnsupportedError(f"The device has no {protocol} to pair with")
    return _Pairing(protocol, maker(found.address, service, identity))


def _needs(found: FoundDevice, protocol: AppleProtocol) -> bool:
    service = found.service(protocol)
    if service is None or not service.port or not service.can_pair:
        return False
    if protocol is AppleProtocol.AIRPLAY:
        return found.tunnel is Tunnel.PAIRED
    if protocol is AppleProtocol.MRP:
        airplay = found.service(AppleProtocol.AIRPLAY)
        has_tunnel = found.uses_tunnel and airplay is not None and airplay.can_pair
        return not has_tunnel and service.pairing is not PairingRequirement.NOT_NEEDED
    return service.pairing is PairingRequirement.MANDATORY


def _is_paired(text: str | None) -> bool:
    """Whether these are credentials that a PIN was entered for."""
    if not text:
        return False
    try:
        return isinstance(parse_credentials(text), HapCredentials)
    except InvalidCredentialsError:
        return False
