"""What was found: devices and their services (part A, sections 1.3, 1.8 and 1.9).

All of it was announced by whoever wanted to: a hint where to look, and no proof.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, Self

from ..airplay.features import (
    AirPlayFlags,
    AirPlayVersion,
    airplay_version,
    has_transient_pairing,
    parse_features,
)
from ..errors import ProtocolError
from .const import IDENTIFIER_ORDER, AppleProtocol, PairingRequirement
from .info import DeviceInfo, OperatingSystem, major_version

MAX_NAME: Final = 64
"""Characters of a device's name that are kept."""
MAX_IDENTIFIER: Final = 128
"""Characters of an identifier; whatever is longer is none."""
MAX_PROPERTIES: Final = 128
"""Properties of one service."""
MAX_KEY: Final = 64
"""Characters of a property's name."""
MAX_VALUE: Final = 512
"""Characters of a property's value."""
MAX_SERVICES: Final = 16
"""Services of one device."""
MAX_ADDRESS: Final = 64
"""Characters of an address."""

_FIRST_TUNNEL_VERSION: Final = 13
_PAIRABLE: Final = frozenset(
    {
        PairingRequirement.NOT_NEEDED,
        PairingRequirement.OPTIONAL,
        PairingRequirement.MANDATORY,
    }
)


_NOTHING: Final = DeviceInfo()


class Tunnel(Enum):
    """With which credentials MRP goes through AirPlay."""

    NONE = "none"
    TRANSIENT = "transient"
    PAIRED = "paired"


@dataclass(frozen=True, slots=True)
class Service:
    """One protocol of a device; property names are in lower case.

    A service that is not enabled is never connected to; it only tells about the device.
    """

    protocol: AppleProtocol
    identifier: str | None
    port: int
    properties: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    is_enabled: bool = True
    pairing: PairingRequirement = PairingRequirement.UNSUPPORTED
    requires_password: bool = False

    @property
    def features(self) -> AirPlayFlags:
        """AirPlay's features, none of them where they cannot be read."""
        text = self.properties.get("ft") or self.properties.get("features", "")
        try:
            return parse_features(text)
        except ProtocolError:
            return AirPlayFlags(0)

    @property
    def airplay_version(self) -> AirPlayVersion:
        """The version of AirPlay that the service speaks at best."""
        return airplay_version(self.features)

    @property
    def has_transient_pairing(self) -> bool:
        """Whether AirPlay needs no credentials that were paired before."""
        text = self.properties.get("features") or self.properties.get("ft", "")
        try:
            return has_transient_pairing(parse_features(text))
        except ProtocolError:
            return False

    @property
    def can_pair(self) -> bool:
        """Whether the service can be used, after pairing where it wants that."""
        return self.is_enabled and self.pairing in _PAIRABLE

    def to_dict(self) -> dict[str, object]:
        """Return it in the form that is stored."""
        return {
            "protocol": self.protocol.value,
            "identifier": self.identifier,
            "port": self.port,
            "properties": dict(self.properties),
            "is_enabled": self.is_enabled,
            "pairing": self.pairing.name.lower(),
            "requires_password": self.requires_password,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Return the one that was stored. Raises ProtocolError when that is none."""
        port = stored.get("port")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 65536:
            raise ProtocolError("The stored service has no proper port")
        return cls(
            protocol=_protocol(stored.get("protocol")),
            identifier=_optional_text(stored, "identifier", MAX_IDENTIFIER),
            port=port,
            properties=_properties(stored.get("properties")),
            is_enabled=_bool(stored, "is_enabled"),
            pairing=_requirement(stored.get("pairing")),
            requires_password=_bool(stored, "requires_password"),
        )


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that was found, with one service for each of its protocols at most.

    `is_asleep` means that it was another one that answered for it, its sleep proxy. That
    one may know no more than names: such services have port 0 and are not enabled.
    """

    name: str
    address: str
    services: tuple[Service, ...]
    is_asleep: bool = False
    info: DeviceInfo = _NOTHING

    @property
    def identifiers(self) -> tuple[str, ...]:
        """All identifiers, each once, in the order of the services."""
        found = [service.identifier for service in self.services]
        return tuple(dict.fromkeys([text for text in found if text]))

    @property
    def identifier(self) -> str | None:
        """The identifier that stands for the device (section 1.3)."""
        for protocol in IDENTIFIER_ORDER:
            service = self.service(protocol)
            if service is not None and service.identifier:
                return service.identifier
        return None

    @property
    def is_ready(self) -> bool:
        """Whether there is anything to know the device by."""
        return bool(self.identifiers)

    @property
    def is_supported(self) -> bool:
        """Whether any of its services can be used."""
        return any(service.can_pair for service in self.services)

    @property
    def tunnel(self) -> Tunnel:
        """With which credentials MRP goes through AirPlay here (section 1.9)."""
        service = self.service(AppleProtocol.AIRPLAY)
        if service is None or not service.port:
            return Tunnel.NONE
        model = service.properties.get("model") or self.info.raw_model or ""
        if model.startswith("AudioAccessory"):
            return Tunnel.TRANSIENT
        version = service.properties.get("osvers") or self.info.version
        major = major_version(version) or 0
        if model.startswith("AppleTV") and major >= _FIRST_TUNNEL_VERSION:
            return Tunnel.PAIRED
        return Tunnel.NONE

    @property
    def uses_tunnel(self) -> bool:
        """Whether MRP goes through AirPlay, with AirPlay's credentials."""
        return self.tunnel is not Tunnel.NONE

    def service(self, protocol: AppleProtocol) -> Service | None:
        """Return the service of a protocol, be it enabled or not."""
        for service in self.services:
            if service.protocol is protocol:
                return service
        return None

    def is_same_as(self, identifiers: Iterable[str]) -> bool:
        """Tell whether any of these identifiers is the device's."""
        return not set(self.identifiers).isdisjoint(identifiers)

    def to_dict(self) -> dict[str, object]:
        """Return it in the form that is stored: JSON values alone."""
        return {
            "name": self.name,
            "address": self.address,
            "services": [service.to_dict() for service in self.services],
            "is_asleep": self.is_asleep,
            "info": self.info.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Return the one that was stored. Raises ProtocolError when that is none."""
        services, info = stored.get("services"), stored.get("info")
        if not isinstance(services, list | tuple) or len(services) > MAX_SERVICES:
            raise ProtocolError("The stored device has no proper services")
        return cls(
            name=_text(stored, "name", MAX_NAME),
            address=_text(stored, "address", MAX_ADDRESS),
            services=tuple(Service.from_dict(_mapping(entry)) for entry in services),
            is_asleep=_bool(stored, "is_asleep"),
            info=DeviceInfo.from_dict(_mapping({} if info is None else info)),
        )


def join(known: FoundDevice, other: FoundDevice) -> FoundDevice:
    """Return one device out of two words about it; what is told by `known` goes first.

    A device that anything of was seen awake of is awake.
    """
    services = {service.protocol: service for service in known.services}
    for service in other.services:
        mine = services.get(service.protocol)
        services[service.protocol] = service if mine is None else _join(mine, service)
    ours, theirs = known.info, other.info
    system = theirs.os if ours.os is OperatingSystem.UNKNOWN else ours.os
    return replace(
        known,
        services=tuple(services.values()),
        is_asleep=known.is_asleep and other.is_asleep,
        info=DeviceInfo(
            system,
            ours.version or theirs.version,
            ours.build or theirs.build,
            ours.model or theirs.model,
            ours.raw_model or theirs.raw_model,
            ours.mac or theirs.mac,
            ours.output_device_id or theirs.output_device_id,
        ),
    )


def _join(mine: Service, other: Service) -> Service:
    """Keep port and identifier of the first; one that only has a name knows less."""
    if other.port and not mine.port:
        mine, other = other, mine
    return replace(
        mine,
        identifier=mine.identifier or other.identifier,
        properties=dict(
            list({**mine.properties, **other.properties, **mine.properties}.items())[
                :MAX_PROPERTIES
            ]
        ),
    )


def _mapping(value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise ProtocolError("A stored part of a device is no mapping")


def _text(stored: Mapping[str, object], key: str, limit: int) -> str:
    value = stored.get(key)
    if not isinstance(value, str) or len(value) > limit:
        raise ProtocolError(f"The stored device has no proper {key}")
    return value


def _optional_text(stored: Mapping[str, object], key: str, limit: int) -> str | None:
    return None if stored.get(key) is None else _text(stored, key, limit)


def _bool(stored: Mapping[str, object], key: str) -> bool:
    value = stored.get(key)
    if not isinstance(value, bool):
        raise ProtocolError(f"The stored device has no proper {key}")
    return value


def _properties(value: object) -> dict[str, str]:
    stored = _mapping(value)
    if len(stored) > MAX_PROPERTIES:
        raise ProtocolError("The stored service has too many properties")
    properties: dict[str, str] = {}
    for key, text in stored.items():
        if not isinstance(text, str) or len(key) > MAX_KEY or len(text) > MAX_VALUE:
            raise ProtocolError("The stored service has no proper properties")
        properties[key] = text
    return properties


def _protocol(value: object) -> AppleProtocol:
    for protocol in AppleProtocol:
        if protocol.value == value:
            return protocol
    raise ProtocolError("The stored service is of no known protocol")


def _requirement(value: object) -> PairingRequirement:
    for requirement in PairingRequirement:
        if requirement.name.lower() == value:
            return requirement
    raise ProtocolError("The stored service has no proper pairing")
