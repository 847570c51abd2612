"""Buttons of an Apple TV."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.apple.enums import Feature
from .coordinator import AppleTvCoordinator
from .entity import AppleTvEntity
from .errors import apple_tv_errors
from .state import AppleTvState


@dataclass(frozen=True, kw_only=True)
class AppleTvButtonDescription(ButtonEntityDescription):
    """A button, what it does, and when there is reason to have it."""

    press_fn: Callable[[AppleTvCoordinator], Awaitable[None]]
    exists_fn: Callable[[AppleTvState], bool]
    always_available: bool = False


async def _async_screensaver(coordinator: AppleTvCoordinator) -> None:
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.screensaver()


BUTTONS: Final = {
    button.key: button
    for button in (
        AppleTvButtonDescription(
            key="wake",
            translation_key="wake",
            press_fn=lambda coordinator: coordinator.async_turn_on(),
            exists_fn=lambda state: not state.is_speaker,
            # Home Assistant calls no entity that is unavailable: this is how to wake a
            # device that went silent without a word.
            always_available=True,
        ),
        AppleTvButtonDescription(
            key="sleep",
            translation_key="sleep",
            press_fn=lambda coordinator: coordinator.async_turn_off(),
            exists_fn=lambda state: (
                not state.is_speaker and state.knows(Feature.TURN_OFF)
            ),
        ),
        AppleTvButtonDescription(
            key="screensaver",
            translation_key="screensaver",
            press_fn=_async_screensaver,
            exists_fn=lambda state: state.knows(Feature.SCREENSAVER),
        ),
    )
}


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of a device, those without a reason when there is one."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: [
            key for key, button in BUTTONS.items() if button.exists_fn(coordinator.data)
        ],
        lambda key: AppleTvButton(coordinator, BUTTONS[key]),
    )


class AppleTvButton(AppleTvEntity, ButtonEntity):
    """A button for something that a device can do."""

    def __init__(
        self, coordinator: AppleTvCoordinator, description: AppleTvButtonDescription
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
