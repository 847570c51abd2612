"""From DNS records to devices (part A, sections 1.1, 1.2 and 1.7)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .services import FoundDevice


class ServiceType(StrEnum):
    """The types of services that devices of Apple's announce, without their domain."""

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


def announcement(
    type_: str,
    name: str,
    *,
    addresses: Iterable[str],
    port: int | None,
    properties: Mapping[str, str | bytes | None],
    host: str | None = None,
    is_proxied: bool = False,
) -> Announcement | None:
    """Return what somebody else has resolved, in the form of Home Assistant's discovery.

    Type and name are like `_airplay._tcp.local.` and `Name._airplay._tcp.local.`. None
    when the type is none of ours. Everything is cut to its bounds.
    """
    raise NotImplementedError


def devices(announcements: Iterable[Announcement]) -> tuple[FoundDevice, ...]:
    """Return the devices behind announcements, those included that are not ready."""
    raise NotImplementedError
