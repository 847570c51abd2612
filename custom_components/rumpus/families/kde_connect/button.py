"""Buttons of a KDE Connect device: what it can do, and the commands that it offers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.kdeconnect.plugins import findmyphone, photo, ping, telephony
from .abilities import has_telephony
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.calls import CallsFeature
from .features.commands import CommandsFeature
from .features.find import FindFeature
from .features.photo import PhotoFeature
from .features.ping import PingFeature

COMMAND: Final = "command_"
"""What the keys of the buttons for commands begin with; the command's own key follows."""


@dataclass(frozen=True, kw_only=True)
class KdeConnectButtonDescription(ButtonEntityDescription):
    """A button, what it does and the packet type that a device with it takes."""

    packet_type: str
    press_fn: Callable[[KdeConnectCoordinator], Awaitable[None]]
    exists_fn: Callable[[KdeConnectCoordinator], bool] = lambda _: True
    """Tells whether such a device really has it."""


BUTTONS: Final = (
    KdeConnectButtonDescription(
        key="ring",
        translation_key="ring",
        packet_type=findmyphone.TYPE_REQUEST,
        press_fn=lambda coordinator: coordinator.get(FindFeature).async_ring(),
    ),
    KdeConnectButtonDescription(
        key="mute_ringer",
        translation_key="mute_ringer",
        packet_type=telephony.TYPE_REQUEST_MUTE,
        exists_fn=has_telephony,
        press_fn=lambda coordinator: coordinator.get(CallsFeature).async_mute(),
    ),
    KdeConnectButtonDescription(
        key="take_picture",
        translation_key="take_picture",
        packet_type=photo.TYPE_REQUEST,
        press_fn=lambda coordinator: coordinator.get(PhotoFeature).async_take(),
    ),
    KdeConnectButtonDescription(
        key="ping",
        translation_key="ping",
        packet_type=ping.TYPE,
        press_fn=lambda coordinator: coordinator.get(PingFeature).async_ping(),
    ),
)


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the buttons of a device."""
    descriptions = {description.key: description for description in BUTTONS}
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (
            key
            for key, button in descriptions.items()
            if coordinator.device.supports(button.packet_type)
            and button.exists_fn(coordinator)
        ),
        lambda key: KdeConnectButton(coordinator, descriptions[key]),
    )
    commands = async_follow(
        coordinator,
        async_add_entities,
        lambda: coordinator.data.commands or (),
        lambda key: KdeConnectCommandButton(coordinator, key),
    )

    @callback
    def remove_old() -> None:
        """Remove the buttons of commands that the device does not offer any more."""
        # Without a list from the device nothing is known to be gone.
        if coordinator.data.commands is None:
            return
        registry = er.async_get(coordinator.hass)
        prefix = f"{coordinator.device_id}_{COMMAND}"
        for entry in er.async_entries_for_config_entry(
            registry, coordinator.entry.entry_id
        ):
            if entry.domain != Platform.BUTTON or not entry.unique_id.startswith(
                prefix
            ):
                continue
            key = entry.unique_id.removeprefix(prefix)
            if key not in coordinator.data.commands:
                registry.async_remove(entry.entity_id)
                commands.discard(key)

    coordinator.entry.async_on_unload(coordinator.async_add_listener(remove_old))
    remove_old()


class KdeConnectButton(KdeConnectEntity, ButtonEntity):
    """A button for something that the device can do."""

    def __init__(
        self,
        coordinator: KdeConnectCoordinator,
        description: KdeConnectButtonDescription,
    ) -> None:
        """Do what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._press = description.press_fn

    @override
    async def async_press(self) -> None:
        await self._press(self.coordinator)


class KdeConnectCommandButton(KdeConnectEntity, ButtonEntity):
    """A button for a command that the device offers."""

    def __init__(self, coordinator: KdeConnectCoordinator, key: str) -> None:
        """Run the command with this key."""
        super().__init__(coordinator, f"{COMMAND}{key}")
        self._key = key
        self._attr_translation_key = "command"
        self._attr_name = self._command

    @property
    def _command(self) -> str | None:
        """The command's name as its device tells it, None when it is not there."""
        return (self.coordinator.data.commands or {}).get(self._key)

    @property
    @override
    def available(self) -> bool:
        return super().available and self._command is not None

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if (name := self._command) is not None:
            self._attr_name = name
        super()._handle_coordinator_update()

    @override
    async def async_press(self) -> None:
        await self.coordinator.get(CommandsFeature).async_run(self._key)
