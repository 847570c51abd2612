"""A device as the data of a config entry."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
import re
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_ADDRESS, CONF_NAME
from homeassistant.core import HomeAssistant, callback

from ...const import CONF_FAMILY, DOMAIN
from ...names import plain_text
from ...protocols.apple.const import PAIRING_ORDER, AppleProtocol, PairingRequirement
from ...protocols.apple.info import MODELS
from ...protocols.apple.services import FoundDevice
from ...protocols.errors import ProtocolError
from .const import CONF_FOUND, CONF_IDENTIFIERS, CONF_PAIRED, FAMILY_KEY, MODEL

MAX_IDENTIFIERS: Final = 16
"""Identifiers of one device that are kept; it has one for each of its protocols."""

PASSWORD: Final = "apple_tv_password"  # noqa: S105 - a step's name
ONLY_HOME: Final = "apple_tv_only_home"
ONLY_USER: Final = "apple_tv_only_user"

_ROTATING: Final = frozenset({"rpad", "rpba", "rpha", "rphi", "rphn"})
"""Properties of Companion that hide who the device is from passers-by."""
_MODELS: Final = re.compile(
    r"(AppleTV|AudioAccessory)[A-Za-z]{0,16}[0-9,]{1,8}", re.ASCII
)


def is_ours(found: FoundDevice) -> bool:
    """Tell whether a device is an Apple TV or a HomePod, by what it says of itself.

    Computers, phones, tablets and speakers of others announce the same services.
    """
    raw_model = found.info.raw_model
    if raw_model is not None:
        return _MODELS.fullmatch(raw_model) is not None
    return found.service(AppleProtocol.MRP) is not None


def device_name(found: FoundDevice) -> str:
    """Return what a device calls itself, as it may be shown, in dialogs as well."""
    return plain_text(found.name) or MODEL


def model_name(found: FoundDevice) -> str:
    """Return what kind of device it is, in words."""
    if (known := MODELS.get(found.info.raw_model or "")) is not None:
        return known
    return plain_text(found.info.model or found.info.raw_model or "") or MODEL


def version_name(found: FoundDevice) -> str:
    """Return what runs on a device, in words; empty when it does not tell."""
    version = found.info.version
    return plain_text(f"{found.info.os} {version}") if version else ""


def device_data(
    found: FoundDevice,
    paired: Iterable[AppleProtocol],
    identifiers: Iterable[str] = (),
) -> dict[str, Any]:
    """Return what an entry keeps of a device; `identifiers` are those it had before.

    Everybody on the machine can read it: there is nothing secret in it.
    """
    return {
        CONF_FAMILY: FAMILY_KEY,
        CONF_NAME: device_name(found),
        CONF_PAIRED: [protocol.value for protocol in paired],
        **place(found, identifiers),
    }


def place(found: FoundDevice, identifiers: Iterable[str] = ()) -> dict[str, Any]:
    """Return where an entry looks for a device, and by what it knows it."""
    known = dict.fromkeys((*identifiers, *found.identifiers))
    return {
        CONF_ADDRESS: found.address,
        CONF_IDENTIFIERS: list(known)[:MAX_IDENTIFIERS],
        CONF_FOUND: lasting(found).to_dict(),
    }


def lasting(found: FoundDevice) -> FoundDevice:
    """Return a device without what it announces anew every few minutes."""
    return replace(
        found,
        services=tuple(
            replace(
                service,
                properties={
                    key: value
                    for key, value in service.properties.items()
                    if key not in _ROTATING
                },
            )
            for service in found.services
        ),
    )


def stored_found(data: Mapping[str, Any]) -> FoundDevice:
    """Return the device as an entry remembers it; what is damaged is left out."""
    address = str(data.get(CONF_ADDRESS, ""))
    try:
        # It may have announced another address while the entry was not set up.
        return replace(FoundDevice.from_dict(data[CONF_FOUND]), address=address)
    except KeyError, TypeError, AttributeError, ProtocolError:
        return FoundDevice(str(data.get(CONF_NAME, MODEL)), address, services=())


def paired_protocols(data: Mapping[str, Any]) -> tuple[AppleProtocol, ...]:
    """Return the protocols that are paired with an entry's device."""
    names = data.get(CONF_PAIRED, ())
    return tuple(protocol for protocol in AppleProtocol if protocol.value in names)


@callback
def async_entry_of(
    hass: HomeAssistant, identifiers: Iterable[str]
) -> ConfigEntry | None:
    """Return the entry of a device, be it ignored or not, by any of its identifiers."""
    wanted = set(identifiers)
    for entry in hass.config_entries.async_entries(DOMAIN):
        # One that is ignored has a unique id, and nothing else.
        if entry.unique_id in wanted:
            return entry
        if entry.data.get(CONF_FAMILY) == FAMILY_KEY and not wanted.isdisjoint(
            entry.data.get(CONF_IDENTIFIERS, ())
        ):
            return entry
    return None


def usable_protocols(found: FoundDevice) -> tuple[AppleProtocol, ...]:
    """Return what we can speak with a device, after pairing where it wants that."""
    usable: list[AppleProtocol] = []
    for protocol in PAIRING_ORDER:
        service = found.service(protocol)
        if (
            service is not None
            and service.can_pair
            and not service.requires_password
            and _is_of_use(found, protocol)
        ):
            usable.append(protocol)
    return tuple(usable)


def _is_of_use(found: FoundDevice, protocol: AppleProtocol) -> bool:
    """Tell whether a protocol of a device could do anything for us."""
    if protocol is AppleProtocol.COMPANION:
        return not found.info.is_homepod
    if protocol is AppleProtocol.AIRPLAY:
        return found.uses_tunnel  # what it could do besides that is nothing of ours
    airplay = found.service(AppleProtocol.AIRPLAY)
    return not (found.uses_tunnel and airplay is not None and airplay.can_pair)


def obstacles(found: FoundDevice) -> dict[AppleProtocol, str]:
    """Return what keeps protocols from being used that the user can change on the device.

    The values are the names of the steps that explain it.
    """
    found_obstacles: dict[AppleProtocol, str] = {}
    for protocol in (AppleProtocol.AIRPLAY, AppleProtocol.COMPANION):
        service = found.service(protocol)
        if service is None or not _is_of_use(found, protocol):
            continue
        if service.requires_password:
            found_obstacles[protocol] = PASSWORD
        elif service.pairing is PairingRequirement.DISABLED:
            found_obstacles[protocol] = ONLY_HOME
        elif (
            service.pairing is PairingRequirement.UNSUPPORTED
            and service.properties.get("act") == "2"
        ):
            found_obstacles[protocol] = ONLY_USER
    return found_obstacles
