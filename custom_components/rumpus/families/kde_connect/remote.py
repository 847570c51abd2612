"""The remote control of a KDE Connect device."""

from collections.abc import Iterable
from typing import Any, Final, override

from homeassistant.components.remote import RemoteEntity
from homeassistant.components.remote.const import (
    ATTR_DELAY_SECS,
    ATTR_HOLD_SECS,
    ATTR_NUM_REPEATS,
    DEFAULT_DELAY_SECS,
    DEFAULT_HOLD_SECS,
    DEFAULT_NUM_REPEATS,
)
from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...const import DOMAIN
from ...entities import async_follow
from ...protocols.kdeconnect.plugins import mousepad, presenter
from .coordinator import KdeConnectCoordinator
from .entity import KdeConnectEntity
from .features.input import InputFeature
from .remote_commands import UnknownCommandError, parse

REMOTE: Final = "remote"


@callback
def async_setup(
    coordinator: KdeConnectCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the remote control of a device that can be controlled."""

    def keys() -> tuple[str, ...]:
        takes = coordinator.device.supports
        can = takes(mousepad.TYPE_REQUEST) or takes(presenter.TYPE)
        return (REMOTE,) if can else ()

    async_follow(
        coordinator, async_add_entities, keys, lambda _: KdeConnectRemote(coordinator)
    )


class KdeConnectRemote(KdeConnectEntity, RemoteEntity):
    """Types, points, clicks and scrolls on the device."""

    def __init__(self, coordinator: KdeConnectCoordinator) -> None:
        """Control the device."""
        super().__init__(coordinator, REMOTE)
        self._attr_translation_key = REMOTE

    @property
    @override
    def is_on(self) -> bool:
        # What can be controlled is on.
        return self.coordinator.data.is_connected

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        self._refuse("cannot_turn_on")

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        self._refuse("cannot_turn_off")

    def _refuse(self, key: str) -> None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={"name": self.coordinator.device.name},
        )

    @override
    async def async_send_command(self, command: Iterable[str], **kwargs: Any) -> None:
        parsed = []
        # Nothing is sent unless all of it makes sense.
        for number, text in enumerate(command, start=1):
            try:
                parsed.append(parse(text))
            except UnknownCommandError as err:
                raise ServiceValidationError(
                    translation_domain=DOMAIN,
                    translation_key="unknown_command",
                    translation_placeholders={"number": str(number)},
                ) from err
        await self.coordinator.get(InputFeature).async_send(
            parsed,
            repeats=kwargs.get(ATTR_NUM_REPEATS, DEFAULT_NUM_REPEATS),
            delay=kwargs.get(ATTR_DELAY_SECS, DEFAULT_DELAY_SECS),
            hold=kwargs.get(ATTR_HOLD_SECS, DEFAULT_HOLD_SECS),
        )
