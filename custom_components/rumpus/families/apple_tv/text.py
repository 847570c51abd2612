"""The text field that has the focus on an Apple TV."""

from typing import Final, override

from homeassistant.components.text import TextEntity
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.apple.enums import Feature
from .coordinator import AppleTvCoordinator
from .entity import AppleTvEntity
from .keyboard import async_set_text

KEYBOARD: Final = "keyboard"


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the keyboard of a device that has one."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: (KEYBOARD,) if coordinator.data.knows(Feature.TEXT_SET) else (),
        lambda _: AppleTvKeyboard(coordinator),
    )


class AppleTvKeyboard(AppleTvEntity, TextEntity):
    """Types into the field that has the focus.

    What is in the field may be a password: it is no state, so that nothing keeps it. An
    unknown state would be a text in the frontend, which one would have to delete first.
    """

    _attr_native_max = MAX_LENGTH_STATE_STATE
    _attr_native_value: str | None = ""

    def __init__(self, coordinator: AppleTvCoordinator) -> None:
        """Type on the coordinator's device."""
        super().__init__(coordinator, KEYBOARD)
        self._attr_translation_key = KEYBOARD

    @property
    @override
    def available(self) -> bool:
        return super().available and self.coordinator.data.is_focused is True

    @override
    async def async_set_value(self, value: str) -> None:
        await async_set_text(self.coordinator, value)
