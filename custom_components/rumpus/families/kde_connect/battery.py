"""Whether a device has a battery, which it does not say beforehand."""

from typing import Final

from ...protocols.kdeconnect.const import DeviceType
from ...protocols.kdeconnect.plugins import battery
from .coordinator import KdeConnectCoordinator

_PORTABLE: Final = frozenset({DeviceType.LAPTOP, DeviceType.PHONE, DeviceType.TABLET})


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
