"""Buttons of a lobby."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_forget
from .coordinator import FafCoordinator
from .entity import FafEntity
from .state import FafState


@dataclass(frozen=True, kw_only=True)
class FafButtonDescription(ButtonEntityDescription):
    """A button, what it does, and when there is something to be done."""

    press_fn: Callable[[FafCoordinator], Awaitable[None]]
    available_fn: Callable[[FafState], bool]


BUTTONS: Final = (
    FafButtonDescription(
        key="refresh_queues",
        translation_key="faf_refresh_queues",
        entity_category=EntityCategory.DIAGNOSTIC,
        press_fn=lambda coordinator: coordinator.async_refresh_queues(),
        available_fn=lambda state: state.is_signed_in,
    ),
    FafButtonDescription(
        key="sign_in_again",
        translation_key="faf_sign_in_again",
        press_fn=lambda coordinator: coordinator.async_sign_in_again(),
        available_fn=lambda state: state.is_signed_out_elsewhere,
    ),
    FafButtonDescription(
        key="stop_search",
        translation_key="faf_stop_search",
        press_fn=lambda coordinator: coordinator.async_stop_search(),
        available_fn=lambda state: state.is_signed_in and bool(state.searching),
    ),
)


@callback
def async_setup(
    coordinator: FafCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of a lobby; all of them are for those who sign in."""
    if coordinator.lobby_data.is_status_only:
        async_forget(coordinator, Platform.BUTTON, [button.key for button in BUTTONS])
        return
    async_add_entities([FafButton(coordinator, button) for button in BUTTONS])


class FafButton(FafEntity, ButtonEntity):
    """A button for something that a lobby can do."""

    def __init__(
        self, coordinator: FafCoordinator, description: FafButtonDescription
    ) -> None:
        """Do what the description says."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._press = description.press_fn
        self._is_available = description.available_fn

    @property
    @override
    def available(self) -> bool:
        return self._is_available(self.coordinator.data)

    @override
    async def async_press(self) -> None:
        await self._press(self.coordinator)
