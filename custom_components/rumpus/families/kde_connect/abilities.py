"""What a device has that it does not say beforehand, or says though it has not."""

from typing import Final

from ...protocols.kdeconnect.const import DeviceType
from ...protocols.kdeconnect.plugins import battery, mousepad, telephony
from .coordinator import KdeConnectCoordinator

_PHONES: Final = frozenset({DeviceType.PHONE, DeviceType.TABLET})
_PORTABLE: Final = _PHONES | {DeviceType.LAPTOP}


def has_battery(coordinator: KdeConnectCoordinator) -> bool:
    """Tell whether a device has a battery to speak of.

    Every computer lists the battery among what it may tell of, but one without never does.
    """
    device = coordinator.device
    told = (
        coordinator.data.battery is not None
        and coordinator.data.battery.charge is not None
    )
    return told or (device.device_type in _PORTABLE and device.sends(battery.TYPE))


def has_telephony(coordinator: KdeConnectCoordinator) -> bool:
    """Tell whether a device makes calls.

    Computers list them for the sake of the few with a modem.
    """
    device = coordinator.device
    told = coordinator.data.call is not None
    return told or (device.device_type in _PHONES and device.sends(telephony.TYPE))


def has_text_fields(coordinator: KdeConnectCoordinator) -> bool:
    """Tell whether a device takes keys only while one of its text fields is open."""
    device = coordinator.device
    return device.device_type in _PHONES and device.sends(mousepad.TYPE_KEYBOARD_STATE)
