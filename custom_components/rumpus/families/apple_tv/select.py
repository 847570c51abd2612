"""Choices of an Apple TV: who uses it, and where its sound comes from."""

from collections import Counter
from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...protocols.apple.enums import Feature
from .coordinator import AppleTvCoordinator
from .entity import AppleTvEntity
from .errors import apple_tv_errors
from .outputs import GROUPS_CHANGED, async_outputs

ACCOUNT: Final = "account"
SOUND_OUTPUT: Final = "sound_output"


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the choices that a device has."""

    def keys() -> list[str]:
        state = coordinator.data
        found = [ACCOUNT] if state.accounts else []
        # A HomePod is its own output; others play along with it as its group.
        if state.knows(Feature.SET_OUTPUT_DEVICES) and not state.is_speaker:
            found.append(SOUND_OUTPUT)
        return found

    async_follow(
        coordinator, async_add_entities, keys, lambda key: _SELECTS[key](coordinator)
    )


def labels(names: dict[str, str]) -> dict[str, str]:
    """Return identifiers by names that all differ, from names by identifier."""
    counts = Counter(names.values())
    return {
        name if counts[name] == 1 else f"{name} ({identifier})": identifier
        for identifier, name in names.items()
    }


class AppleTvAccount(AppleTvEntity, SelectEntity):
    """The account of the family that the device is used with.

    The device tells nobody which one that is until it is changed from here.
    """

    def __init__(self, coordinator: AppleTvCoordinator) -> None:
        """Show and change the account."""
        super().__init__(coordinator, ACCOUNT)
        self._attr_translation_key = ACCOUNT

    @property
    def _labels(self) -> dict[str, str]:
        return labels(
            {one.identifier: one.name for one in self.coordinator.data.accounts}
        )

    @property
    @override
    def options(self) -> list[str]:
        return list(self._labels)

    @property
    @override
    def current_option(self) -> str | None:
        current = self.coordinator.data.account
        return next(
            (
                name
                for name, identifier in self._labels.items()
                if current is not None and identifier == current.identifier
            ),
            None,
        )

    @override
    async def async_select_option(self, option: str) -> None:
        await self.coordinator.async_switch_account(self._labels[option])


class AppleTvSoundOutput(AppleTvEntity, SelectEntity):
    """The one device that the sound comes from; several of them are a group."""

    def __init__(self, coordinator: AppleTvCoordinator) -> None:
        """Show and change the output."""
        super().__init__(coordinator, SOUND_OUTPUT)
        self._attr_translation_key = SOUND_OUTPUT

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        # Another device that comes or goes is an output less or more.
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass, GROUPS_CHANGED, self.async_write_ha_state
            )
        )

    @property
    def _labels(self) -> dict[str, str]:
        return labels(async_outputs(self.coordinator))

    @property
    @override
    def options(self) -> list[str]:
        return list(self._labels)

    @property
    @override
    def current_option(self) -> str | None:
        outputs = self.coordinator.data.output_devices
        if len(outputs) != 1:
            return None
        current = outputs[0].identifier
        return next(
            (name for name, one in self._labels.items() if one == current), None
        )

    @override
    async def async_select_option(self, option: str) -> None:
        with apple_tv_errors(self.coordinator.entry.title):
            await self.coordinator.device.set_output_devices(self._labels[option])


_SELECTS: Final = {ACCOUNT: AppleTvAccount, SOUND_OUTPUT: AppleTvSoundOutput}
