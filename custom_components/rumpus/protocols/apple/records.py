"""From DNS records to devices (part A, sections 1.1 to 1.3, 1.7, 1.8 and 1.10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import reduce
import ipaddress
import re
from typing import Final

from ..airplay.features import StatusFlags, parse_status
from ..errors import ProtocolError
from .const import AppleProtocol, PairingRequirement
from .info import (
    BOARDS,
    MAX_TEXT,
    MODELS,
    DeviceInfo,
    OperatingSystem,
    build_number,
    system_of_model,
    version_of_build,
)
from .services import (
    MAX_IDENTIFIER,
    MAX_KEY,
    MAX_NAME,
    MAX_PROPERTIES,
    MAX_VALUE,
    FoundDevice,
    Service,
    join,
)

MAX_ANNOUNCEMENTS: Final = 1024
"""Services that are looked at together."""
MAX_DEVICES: Final = 128
"""Devices that one look makes of them."""
UNKNOWN_NAME: Final = "Unknown"
"""What a device is called that tells no name."""

_FIRST_STUB_BUILD: Final = 19
"""Since tvOS 15 nobody answers at the port that is announced for MRP."""
_COMPANION_DISABLED: Final = 0x4
_COMPANION_PIN: Final = 0x4000
_MAC_MODEL: Final = re.compile(r"Mac[0-9]+,[0-9]+", re.ASCII)
_NEEDS_PIN: Final = StatusFlags.PIN_REQUIRED | StatusFlags.ONE_TIME_PAIRING_REQUIRED
_WITH_PASSWORD: Final = frozenset({AppleProtocol.AIRPLAY, AppleProtocol.RAOP})
_MUSIC_MODEL: Final = "Music"
_MUSIC_TEXT: Final = "Music/iTunes"


class ServiceType(StrEnum):
    """The types of services that devices of Apple's announce, without their domain.

    Services of one device are listed in this order, whatever was heard first.
    """

    AIRPLAY = "_airplay._tcp"
    COMPANION = "_companion-link._tcp"
    HOME_SHARING = "_appletv-v2._tcp"
    TOUCHABLE = "_touch-able._tcp"
    HSCP = "_hscp._tcp"
    MRP = "_mediaremotetv._tcp"
    RAOP = "_raop._tcp"
    AIRPORT = "_airport._tcp"
    DEVICE_INFO = "_device-info._tcp"
    SLEEP_PROXY = "_sleep-proxy._udp"


PROTOCOLS: Final[Mapping[ServiceType, AppleProtocol]] = {
    ServiceType.AIRPLAY: AppleProtocol.AIRPLAY,
    ServiceType.COMPANION: AppleProtocol.COMPANION,
    ServiceType.HOME_SHARING: AppleProtocol.DMAP,
    ServiceType.TOUCHABLE: AppleProtocol.DMAP,
    ServiceType.HSCP: AppleProtocol.DMAP,
    ServiceType.MRP: AppleProtocol.MRP,
    ServiceType.RAOP: AppleProtocol.RAOP,
}
"""The types that are protocols; the others only tell about a device."""
_ORDER: Final = {type_: index for index, type_ in enumerate(ServiceType)}
_TYPES: Final = {type_.value: type_ for type_ in ServiceType}
_NAME_KEYS: Final[Mapping[ServiceType, str]] = {
    ServiceType.MRP: "name",
    ServiceType.HOME_SHARING: "name",
    ServiceType.TOUCHABLE: "ctln",
    ServiceType.HSCP: "machine name",
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """One service as it was announced; port 0 when nobody told where it is.

    `host` is the name that the service is at, in lower case. Names of properties are in
    lower case. `is_proxied` tells that a sleep proxy spoke for the device.
    """

    type: ServiceType
    instance: str
    address: str | None
    port: int
    properties: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    host: str | None = None
    is_proxied: bool = False

    @property
    def key(self) -> tuple[ServiceType, str]:
        """What tells this service from others; case does not matter in DNS."""
        return self.type, self.instance.casefold()

    @property
    def name(self) -> str | None:
        """The name of the device, if the service tells it."""
        if (key := _NAME_KEYS.get(self.type)) is not None:
            return clean_name(self.properties.get(key, "")) or None
        if self.type is ServiceType.RAOP:
            return clean_name(self.instance.partition("@")[2] or self.instance) or None
        if self.type is ServiceType.SLEEP_PROXY:
            return clean_name(self.instance.partition(" ")[2]) or None
        return clean_name(self.instance) or None

    @property
    def identifier(self) -> str | None:
        """The identifier that this service knows the device by (section 1.3)."""
        match self.type:
            case ServiceType.AIRPLAY:
                found = self.properties.get("deviceid")
            case ServiceType.COMPANION:
                found = self.properties.get("rpmrtid")
            case ServiceType.MRP:
                found = self.properties.get("uniqueidentifier")
            case ServiceType.HSCP:
                found = self.properties.get("machine id")
            case ServiceType.TOUCHABLE | ServiceType.HOME_SHARING:
                found = self.instance.partition("_")[0]
            case ServiceType.RAOP:
                head, at, _ = self.instance.partition("@")
                found = head if at else self.properties.get("pk")
            case _:
                found = None
        if not found or len(found) > MAX_IDENTIFIER or not found.isprintable():
            return None
        return found


def clean_name(text: str) -> str:
    """Return a name that can be shown: printable, without ends of white space, bounded."""
    plain = text[: 4 * MAX_NAME].replace("\u00a0", " ")
    return _printable(plain).strip()[:MAX_NAME]


def _printable(text: str) -> str:
    """Return a text without what cannot be shown."""
    # Hundreds of services are read anew when one of them changes.
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def service_type(type_: str) -> ServiceType | None:
    """Return the type behind a name like `_airplay._tcp.local.`; None for others."""
    text = type_.lower().removesuffix(".").removesuffix(".local")
    return _TYPES.get(text)


def usable_address(text: str, *, allow_loopback: bool = True) -> str | None:
    """Return an address that can be connected to, in its usual form."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_link_local or address.is_unspecified or address.is_multicast:
        return None
    if address.is_reserved or (address.is_loopback and not allow_loopback):
        return None
    return str(address)


def read_texts(texts: Iterable[bytes]) -> dict[str, str]:
    """Return the entries of a TXT record; the first of a name is the one that counts."""
    properties: dict[str, str] = {}
    for text in texts:
        key, _, value = text.partition(b"=")
        _add_property(properties, key, value)
    return properties


def _add_property(
    properties: dict[str, str], key: str | bytes, value: str | bytes | None
) -> None:
    if isinstance(key, bytes):
        key = key.decode(errors="replace")
    name = key.lower()
    if (
        not name
        or not name.isascii()
        or len(name) > MAX_KEY
        or name in properties
        or len(properties) >= MAX_PROPERTIES
    ):
        return
    if isinstance(value, bytes):
        # Some devices write no-break spaces, not all of them as they should.
        plain = value.replace(b"\xc2\xa0", b" ").replace(b"\x00\xa0", b" ")
        value = plain.decode(errors="backslashreplace")
    properties[name] = (value or "")[:MAX_VALUE]


def announcement(
    type_: str,
    name: str,
    *,
    addresses: Iterable[str],
    port: int | None,
    properties: Mapping[str, str | bytes | None],
    host: str | None = None,
    is_proxied: bool = False,
    allow_loopback: bool = True,
) -> Announcement | None:
    """Return what somebody else has resolved, in the form of Home Assistant's discovery.

    Type and name are like `_airplay._tcp.local.` and `Name._airplay._tcp.local.`. None
    when the type is none of ours or the name has no instance. All is cut to its bounds.
    """
    kind = service_type(type_)
    instance = instance_of(type_, name)
    if kind is None or instance is None:
        return None
    usable = [
        address
        for text in addresses
        if (address := usable_address(text, allow_loopback=allow_loopback)) is not None
    ]
    # IPv4 goes first: all of these devices have it, and some protocols speak of it.
    usable.sort(key=lambda address: ":" in address)
    texts: dict[str, str] = {}
    for key, value in properties.items():
        _add_property(texts, key, value)
    return Announcement(
        kind,
        instance,
        usable[0] if usable else None,
        port if port is not None and 0 < port < 65536 else 0,
        texts,
        host.lower().removesuffix(".") if host else None,
        is_proxied,
    )


def instance_of(type_: str, name: str) -> str | None:
    """Return what stands before the type in a full name; None when there is nothing."""
    suffix = f".{type_.removesuffix('.')}".lower()
    full = name.removesuffix(".")
    if not full.lower().endswith(suffix):
        return None
    return full[: -len(suffix)][: 4 * MAX_NAME] or None


def devices(announcements: Iterable[Announcement]) -> tuple[FoundDevice, ...]:
    """Return the devices behind announcements, those included that are not ready.

    Services belong to one device when they are at one address; where one address speaks
    for several devices, as a sleep proxy's may, they are told apart by their names.
    """
    known = sorted(_latest(announcements), key=lambda one: _ORDER[one.type])
    boards = {
        one.instance.casefold(): one.properties.get("model", "")
        for one in known
        if one.type is ServiceType.DEVICE_INFO
    }
    places: dict[str, list[Announcement]] = {}
    for one in known:
        if one.address is not None and (
            one.port or one.is_proxied or one.type is ServiceType.AIRPORT
        ):
            places.setdefault(one.address, []).append(one)
    found: list[FoundDevice] = []
    for address, group in places.items():
        for part in _split(group):
            device = _device(address, part, boards)
            if device is not None and len(found) < MAX_DEVICES:
                found.append(device)
    return tuple(found)


def _latest(announcements: Iterable[Announcement]) -> list[Announcement]:
    """Return the latest word about each service, and not more than can be handled."""
    latest: dict[tuple[ServiceType, str, str | None], Announcement] = {}
    for one in announcements:
        key = *one.key, one.address
        if key in latest or len(latest) < MAX_ANNOUNCEMENTS:
            latest[key] = one
    return list(latest.values())


def _split(group: list[Announcement]) -> Iterable[list[Announcement]]:
    types = [one.type for one in group if one.type in PROTOCOLS]
    if len(set(types)) == len(types) and not any(one.is_proxied for one in group):
        return [group]
    parts: dict[str | None, list[Announcement]] = {}
    for one in group:
        parts.setdefault(one.name and one.name.casefold(), []).append(one)
    nameless = parts.pop(None, [])
    if len(parts) == 1:
        next(iter(parts.values())).extend(nameless)
        nameless = []
    return [*parts.values(), *([nameless] if nameless else [])]


def _device(
    address: str, group: list[Announcement], boards: Mapping[str, str]
) -> FoundDevice | None:
    services: dict[AppleProtocol, Service] = {}
    for one in group:
        protocol = PROTOCOLS.get(one.type)
        if protocol is None:
            continue
        known = services.get(protocol)
        if known is None:
            services[protocol] = _service(protocol, one)
        else:
            services[protocol] = replace(
                known,
                identifier=known.identifier or one.identifier,
                properties=_together(known.properties, one.properties),
            )
    if not services:
        return None
    names = [one.name for one in group if one.type in PROTOCOLS and one.name]
    name = names[0] if names else UNKNOWN_NAME
    return FoundDevice(
        name=name,
        address=address,
        services=_with_requirements(services),
        is_asleep=all(one.is_proxied for one in group),
        info=_info(group, boards.get(name.casefold(), "")),
    )


def _together(mine: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    together = {**mine, **other}
    return dict(list(together.items())[:MAX_PROPERTIES])


def _service(protocol: AppleProtocol, one: Announcement) -> Service:
    is_enabled = one.port != 0
    if protocol is AppleProtocol.MRP and is_enabled:
        build = build_number(one.properties.get("systembuildversion", ""))
        is_enabled = build is None or build < _FIRST_STUB_BUILD
    return Service(protocol, one.identifier, one.port, one.properties, is_enabled)


# What a service asks for (section 1.8)


def _with_requirements(
    services: Mapping[AppleProtocol, Service],
) -> tuple[Service, ...]:
    """Decide what all need, once everything is known."""
    airplay = services.get(AppleProtocol.AIRPLAY)
    control = airplay.properties if airplay is not None else {}
    return tuple(
        replace(
            service,
            pairing=_requirement(service, control),
            requires_password=service.protocol in _WITH_PASSWORD
            and _needs_password(service.properties),
        )
        for service in services.values()
    )


def _requirement(service: Service, control: Mapping[str, str]) -> PairingRequirement:
    """Apply the rules of one protocol; `control` is what AirPlay told."""
    match service.protocol:
        case AppleProtocol.COMPANION:
            return _companion_pairing(service.properties)
        case AppleProtocol.AIRPLAY:
            return _airplay_pairing(service.properties)
        case AppleProtocol.RAOP:
            return _access(control) or _airplay_pairing(service.properties)
        case AppleProtocol.MRP:
            return _mrp_pairing(service.properties, is_enabled=service.is_enabled)
        case AppleProtocol.DMAP if "hg" in service.properties:
            return PairingRequirement.OPTIONAL
        case AppleProtocol.DMAP:
            return PairingRequirement.MANDATORY


def _companion_pairing(properties: Mapping[str, str]) -> PairingRequirement:
    flags = _flags(properties.get("rpfl", ""))
    if flags & _COMPANION_DISABLED:
        return PairingRequirement.DISABLED
    if flags & _COMPANION_PIN:
        return PairingRequirement.MANDATORY
    return PairingRequirement.UNSUPPORTED


def _access(properties: Mapping[str, str]) -> PairingRequirement | None:
    """Return what the settings of the home allow, where they do not allow everything."""
    if properties.get("acl") == "1":
        return PairingRequirement.DISABLED
    if properties.get("act") == "2":
        return PairingRequirement.UNSUPPORTED
    return None


def _airplay_pairing(properties: Mapping[str, str]) -> PairingRequirement:
    access = _access(properties)
    if access is PairingRequirement.DISABLED:
        return access
    if _MAC_MODEL.fullmatch(properties.get("model") or properties.get("am", "")):
        return PairingRequirement.UNSUPPORTED
    if _status(properties) & _NEEDS_PIN:
        return PairingRequirement.MANDATORY
    return access or PairingRequirement.NOT_NEEDED


def _mrp_pairing(
    properties: Mapping[str, str], *, is_enabled: bool
) -> PairingRequirement:
    if not is_enabled:
        return PairingRequirement.NOT_NEEDED
    if properties.get("allowpairing", "").lower() == "yes":
        return PairingRequirement.OPTIONAL
    return PairingRequirement.DISABLED


def _needs_password(properties: Mapping[str, str]) -> bool:
    if properties.get("pw", "").lower() == "true":
        return True
    return bool(_status(properties) & StatusFlags.PASSWORD_REQUIRED)


def _status(properties: Mapping[str, str]) -> StatusFlags:
    return StatusFlags(_flags(properties.get("sf") or properties.get("flags", "")))


def _flags(text: str) -> int:
    try:
        return int(parse_status(text))
    except ProtocolError:
        return 0


# What a device is (section 1.10)


def _info(group: Iterable[Announcement], board: str) -> DeviceInfo:
    """Collect the facts; for each of them the first service that tells it goes first."""
    facts: dict[str, str] = {}
    systems: list[OperatingSystem] = []
    for one in group:
        for fact, value in _facts(one).items():
            if text := _printable(value)[:MAX_TEXT]:
                facts.setdefault(fact, text)
        if one.type is ServiceType.MRP:
            systems.append(OperatingSystem.TVOS)
        elif PROTOCOLS.get(one.type) is AppleProtocol.DMAP:
            systems.append(OperatingSystem.LEGACY)
    raw_model = facts.get("raw_model") or BOARDS.get(board)
    if raw_model is not None:
        system = system_of_model(raw_model)
        place = 0 if system is OperatingSystem.MACOS else len(systems)
        systems.insert(place, system)
    build = facts.get("build")
    return DeviceInfo(
        os=systems[0] if systems else OperatingSystem.UNKNOWN,
        version=facts.get("version") or (version_of_build(build) if build else None),
        build=build,
        model=_model_text(raw_model),
        raw_model=raw_model,
        mac=facts.get("mac", "").replace("-", ":").upper() or None,
        output_device_id=facts.get("output_device_id"),
    )


def _model_text(raw_model: str | None) -> str | None:
    if raw_model is None:
        return None
    if raw_model == _MUSIC_MODEL:
        return _MUSIC_TEXT
    return MODELS.get(raw_model, raw_model)


def _facts(one: Announcement) -> dict[str, str]:
    get = one.properties.get
    match one.type:
        case ServiceType.AIRPLAY:
            return {
                "raw_model": get("model", ""),
                "version": get("osvers", ""),
                "mac": get("deviceid", ""),
                "output_device_id": get("psi", "") or get("pi", ""),
            }
        case ServiceType.COMPANION:
            return {"raw_model": get("rpmd", "")}
        case ServiceType.RAOP:
            return {"raw_model": get("am", ""), "version": get("ov", "")}
        case ServiceType.MRP:
            return {
                "build": get("systembuildversion", ""),
                "mac": get("macaddress", ""),
            }
        case ServiceType.HSCP:
            return {"raw_model": _MUSIC_MODEL}
        case ServiceType.AIRPORT:
            return _airport_facts(get("wama", ""))
    return {}


def _airport_facts(text: str) -> dict[str, str]:
    """Read the one property of a base station: its MAC, then more properties."""
    mac, *entries = text.split(",")
    facts = {"mac": mac}
    for entry in entries:
        key, _, value = entry.partition("=")
        if key.lower() == "syvs":
            facts["version"] = value
    return facts


def merge(found: Iterable[FoundDevice]) -> tuple[FoundDevice, ...]:
    """Return each device once: those that share an identifier are one.

    A device that is awake goes before the same one behind its sleep proxy.
    """
    merged: list[tuple[FoundDevice, set[str]]] = []
    taken: set[str] = set()
    for device in sorted(found, key=lambda one: one.is_asleep):
        parts, names = [], set(device.identifiers)
        if taken.isdisjoint(names):
            taken |= names
            merged.append((device, names))
            continue
        taken |= names
        others: list[tuple[FoundDevice, set[str]]] = []
        place: int | None = None
        for known, theirs in merged:
            if names.isdisjoint(theirs):
                others.append((known, theirs))
                continue
            place = len(others) if place is None else place
            parts.append(known)
            names |= theirs
        place = len(others) if place is None else place
        others.insert(place, (reduce(join, [*parts, device]), names))
        merged = others
    return tuple(device for device, _ in merged)


def mark_proxied(announcements: Iterable[Announcement]) -> tuple[Announcement, ...]:
    """Return the same, those marked that are at the host of somebody else's sleep proxy."""
    known = tuple(announcements)
    proxies: dict[str, set[str]] = {}
    for one in known:
        if one.type is ServiceType.SLEEP_PROXY and one.host and one.name:
            proxies.setdefault(one.host, set()).add(one.name.casefold())
    if not proxies:
        return known
    return tuple(
        replace(one, is_proxied=True)
        if one.type in PROTOCOLS
        and one.host in proxies
        and one.name is not None
        and one.name.casefold() not in proxies[one.host]
        else one
        for one in known
    )
