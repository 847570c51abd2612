"""Choices of a lobby: the picture of the account that is signed in."""

from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.const import Platform
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_forget
from ...names import clean_text
from ...protocols.faf.models import Avatar
from .coordinator import FafCoordinator
from .entity import FafSignedInEntity

AVATAR: Final = "avatar"
NO_AVATAR: Final = "none"
"""The choice of no picture at all."""
UNNAMED: Final = "?"
"""A picture that the lobby says nothing about."""
MAX_AVATARS: Final = 200
"""Pictures that can be chosen from."""


@callback
def async_setup(
    coordinator: FafCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the choices of an account."""
    if coordinator.lobby_data.is_status_only:
        async_forget(coordinator, Platform.SELECT, [AVATAR])
        return
    async_add_entities([FafAvatar(coordinator)])


def avatar_labels(
    avatars: tuple[Avatar, ...], current: Avatar | None
) -> dict[str, str | None]:
    """Return the addresses of pictures by labels that all differ; None is no picture.

    What the account wears now can be chosen although it may not be on the list yet.
    """
    known = {avatar.url: avatar for avatar in avatars[:MAX_AVATARS]}
    if current is not None:
        known.setdefault(current.url, current)
    labels: dict[str, str | None] = {NO_AVATAR: None}
    for url, avatar in known.items():
        text = clean_text(avatar.tooltip) or UNNAMED
        label, number = text, 1
        while label in labels:
            number += 1
            label = f"{text} ({number})"
        labels[label] = url
    return labels


class FafAvatar(FafSignedInEntity, SelectEntity):
    """The picture beside the account's name."""

    def __init__(self, coordinator: FafCoordinator) -> None:
        """Show and change the picture."""
        super().__init__(coordinator, AVATAR)
        self._attr_translation_key = "faf_avatar"

    @property
    def _labels(self) -> dict[str, str | None]:
        state = self.coordinator.data
        return avatar_labels(state.avatars, state.avatar)

    @property
    @override
    def options(self) -> list[str]:
        return list(self._labels)

    @property
    @override
    def current_option(self) -> str | None:
        current = self.coordinator.data.avatar
        url = None if current is None else current.url
        return next(label for label, one in self._labels.items() if one == url)

    @override
    async def async_select_option(self, option: str) -> None:
        await self.coordinator.async_select_avatar(self._labels[option])
