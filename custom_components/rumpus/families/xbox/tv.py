"""The TV, the receiver and the set-top box that a console controls by infrared."""

from collections.abc import Iterable

from homeassistant.exceptions import HomeAssistantError

from ...const import DOMAIN
from ...protocols.smartglass.services.tv import volume_device
from ...protocols.smartglass.services.tv_models import TvDevice
from .coordinator import XboxCoordinator
from .errors import check_connected, refuse, xbox_errors
from .remote_keys import TV_PREFIX
from .state import TvState


def button_ids(tv: TvState | None) -> frozenset[str]:
    """Return the buttons of all devices, as the console calls them."""
    if tv is None:
        return frozenset()
    return frozenset(button for device in tv.devices for button in device.buttons)


def is_called(device: TvDevice, text: str) -> bool:
    """Tell whether a user means this device: by its id, kind, name, brand or model."""
    names = (
        device.device_id,
        device.device_type,
        device.name,
        device.brand,
        device.model,
    )
    wanted = text.strip().casefold()
    return any(name is not None and name.casefold() == wanted for name in names)


def find_device(
    name: str, tv: TvState | None, button_id: str, wanted: str | None
) -> TvDevice:
    """Return the device of a console that has a button, of those that the user means.

    Raises ServiceValidationError when there is none.
    """
    devices = () if tv is None else tv.devices
    if not devices:
        refuse("xbox_no_tv", name)
    meant = [
        device for device in devices if wanted is None or is_called(device, wanted)
    ]
    if not meant:
        refuse("xbox_unknown_tv_device", name, known=_list(map(_describe, devices)))
    # The volume is that of the receiver, where there is one.
    first = volume_device(meant)
    having = [device for device in meant if button_id in device.buttons]
    if not having:
        known = {button for device in meant for button in device.buttons}
        refuse(
            "xbox_no_tv_button",
            name,
            button=button_id.removeprefix(TV_PREFIX),
            known=_list(sorted(button.removeprefix(TV_PREFIX) for button in known)),
        )
    return first if first is not None and first in having else having[0]


async def async_press(
    coordinator: XboxCoordinator, button_id: str, wanted: str | None = None
) -> TvDevice:
    """Press a button of the TV; return the device that has it.

    Raises ServiceValidationError when there is no such button, HomeAssistantError when the
    console does not press it.
    """
    check_connected(coordinator)
    name = coordinator.entry.title
    device = find_device(name, coordinator.data.tv, button_id, wanted)
    with xbox_errors(name):
        is_done = await coordinator.console.tv.send_key(button_id, device.device_id)
    if not is_done:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="xbox_tv_refused",
            translation_placeholders={"name": name},
        )
    return device


def _describe(device: TvDevice) -> str:
    named = device.name or device.model or device.brand
    kind = f"{device.device_id} ({device.device_type})"
    return kind if named is None else f"{kind} {named}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "-"
