"""What a device tells about itself on AirPlay's port (part A, section 5.2)."""

from dataclasses import dataclass
from typing import Final, Self

from .. import plists
from ..errors import AuthenticationError, ProtocolError, UnsupportedError
from ..hap.crypto import KEY_SIZE
from ..plists import PlistDict
from .connection import AirPlayConnection
from .errors import RequestFailedError
from .features import AirPlayFlags, StatusFlags

MAX_TEXT: Final = 256
"""Characters of a text that are kept."""
MAX_FORMATS: Final = 32
"""Kinds of streams whose formats are kept."""

_FLAG_BITS: Final = 64
_NO_FEATURES: Final = AirPlayFlags(0)
_NO_STATUS: Final = StatusFlags(0)


@dataclass(frozen=True, slots=True)
class AirPlayInfo:
    """All that is of use in `/info`; None is what the device did not tell."""

    name: str | None = None
    model: str | None = None
    """Like `AppleTV6,2`."""
    device_id: str | None = None
    mac: str | None = None
    source_version: str | None = None
    protocol_version: str | None = None
    os_build: str | None = None
    pairing_id: str | None = None
    """`pi`; the same in all of a device's services."""
    system_pairing_id: str | None = None
    """`psi`."""
    public_key: bytes | None = None
    features: AirPlayFlags = _NO_FEATURES
    status: StatusFlags = _NO_STATUS
    initial_volume: float | None = None
    """In dBFS: -30 to 0, or -144 for silence."""
    volume_control_type: int | None = None
    supported_formats: tuple[tuple[str, int], ...] = ()
    """Bits of formats by the kind of stream."""

    @classmethod
    def from_plist(cls, body: PlistDict) -> Self:
        """Return what a dictionary tells, without what is of another type."""
        formats = plists.get_dict(body, "supportedFormats") or {}
        kinds = [name for name in formats if len(name) <= MAX_TEXT][:MAX_FORMATS]
        bits = [(kind, plists.get_int(formats, kind)) for kind in kinds]
        return cls(
            name=_text(body, "name"),
            model=_text(body, "model"),
            device_id=_text(body, "deviceID"),
            mac=_text(body, "macAddress"),
            source_version=_text(body, "sourceVersion"),
            protocol_version=_text(body, "protocolVersion"),
            os_build=_text(body, "osBuildVersion"),
            pairing_id=_text(body, "pi"),
            system_pairing_id=_text(body, "psi"),
            public_key=_key(body),
            features=AirPlayFlags(_flags(body, "features")),
            status=StatusFlags(_flags(body, "statusFlags")),
            initial_volume=plists.get_number(body, "initialVolume"),
            volume_control_type=plists.get_int(body, "volumeControlType"),
            supported_formats=tuple(
                (kind, value) for kind, value in bits if value is not None
            ),
        )


async def get_info(connection: AirPlayConnection) -> AirPlayInfo:
    """Ask the device; one that does not answer such a question tells nothing.

    Raises DisconnectedError, PeerTimeoutError.
    """
    try:
        response = await connection.request("GET", "/info")
        return AirPlayInfo.from_plist(plists.loads_dict(response.body))
    except AuthenticationError, RequestFailedError, UnsupportedError, ProtocolError:
        return AirPlayInfo()


def _text(body: PlistDict, key: str) -> str | None:
    return plists.get_str(body, key, limit=MAX_TEXT)


def _key(body: PlistDict) -> bytes | None:
    key = plists.get_bytes(body, "pk")
    return key if key is not None and len(key) == KEY_SIZE else None


def _flags(body: PlistDict, key: str) -> int:
    """Return bits, which some readers see as a negative number."""
    return (plists.get_int(body, key) or 0) % (1 << _FLAG_BITS)
