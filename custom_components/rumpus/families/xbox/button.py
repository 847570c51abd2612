"""Buttons of a console."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...const import DOMAIN
from .account import is_signed_in
from .coordinator import XboxCoordinator
from .entity import XboxEntity
from .errors import xbox_errors


async def _async_record(coordinator: XboxCoordinator) -> None:
    """Keep what was played in the last seconds."""
    name = coordinator.entry.title
    if not coordinator.console.is_authenticated:
        # The console would take the wish and do nothing.
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=(
                "xbox_account_not_used"
                if is_signed_in(coordinator.entry.data)
                else "xbox_not_signed_in"
            ),
            translation_placeholders={"name": name},
        )
    with xbox_errors(name):
        await coordinator.console.record(-coordinator.options.record_seconds, 0)


@dataclass(frozen=True, kw_only=True)
class XboxButtonDescription(ButtonEntityDescription):
    """A button and what it does."""

    press_fn: Callable[[XboxCoordinator], Awaitable[None]]
    always_available: bool = False


BUTTONS: Final = (
    XboxButtonDescription(
        key="record_that",
        translation_key="record_that",
        press_fn=_async_record,
    ),
    XboxButtonDescription(
        key="turn_on",
        translation_key="turn_on",
        press_fn=lambda coordinator: coordinator.async_turn_on(),
        # Home Assistant calls no entity that is unavailable: this is how to wake a console
        # that went silent without a word.
        always_available=True,
    ),
)


@callback
def async_setup(
    coordinator: XboxCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of a console."""
    async_add_entities([XboxButton(coordinator, button) for button in BUTTONS])


class XboxButton(XboxEntity, ButtonEntity):
    """A button for something that a console can do."""

    def __init__(
        self, coordinator: XboxCoordinator, description: XboxButtonDescription
    ) -> None:
        """Do what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._press = description.press_fn
        self._always_available = description.always_available

    @property
    @override
    def available(self) -> bool:
        return self._always_available or super().available

    @override
    async def async_press(self) -> None:
        await self._press(self.coordinator)
