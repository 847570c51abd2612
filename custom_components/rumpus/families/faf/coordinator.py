"""Follows one lobby and carries our wishes to it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, override

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...coordinator import RumpusConfigEntry
from ...device_coordinator import DeviceCoordinator
from ...protocols.faf.client import LobbyClient
from .data import LobbyData
from .options import FafOptions
from .state import FafState
from .store import FafStore

type PlatformSetup = Callable[[FafCoordinator, AddConfigEntryEntitiesCallback], None]
type ActionHandler = Callable[
    [FafCoordinator, str, Mapping[str, Any]], Awaitable[ServiceResponse]
]


class FafCoordinator(DeviceCoordinator[FafState]):
    """One lobby: the connection to it, and what is known of it."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        store: FafStore,
        platforms: Mapping[Platform, PlatformSetup],
        action: ActionHandler,
    ) -> None:
        """Do nothing yet; the store has been loaded."""
        super().__init__(hass, entry, name=entry.title, state=FafState())
        self.lobby_data = LobbyData.from_entry(entry.data)
        self.options = FafOptions.from_entry(entry.options)
        self.client: LobbyClient | None = None
        """What speaks with the lobby; None where nobody signs in."""
        self._store = store
        self._platforms = platforms
        self._action = action

    @property
    @override
    def platforms(self) -> Collection[Platform]:
        return self._platforms.keys()

    @property
    @override
    def device_id(self) -> str:
        return self.entry.unique_id or self.lobby_data.unique_id

    @property
    @override
    def device_name(self) -> str:
        return self.lobby_data.name

    @property
    def followed_keys(self) -> tuple[str, ...]:
        """The keys of the players that are followed."""
        return tuple(self.options.players)

    def player_device_id(self, key: str) -> str:
        """Return the identifier of the device of a followed player."""
        return f"{self.device_id}_player_{key}"

    @override
    async def async_start(self) -> None:
        raise NotImplementedError

    @override
    async def async_stop(self) -> None:
        raise NotImplementedError

    @override
    def async_add_platform(
        self, platform: Platform, async_add_entities: AddConfigEntryEntitiesCallback
    ) -> None:
        self._platforms[platform](self, async_add_entities)

    @override
    async def async_action(self, name: str, data: Mapping[str, Any]) -> ServiceResponse:
        return await self._action(self, name, data)

    async def async_refresh_queues(self) -> None:
        """Ask for the matchmaker's queues; raises a translated error when it does not work."""
        raise NotImplementedError

    async def async_stop_search(self) -> None:
        """End every search for a match; raises a translated error when it does not work."""
        raise NotImplementedError

    async def async_select_avatar(self, url: str | None) -> None:
        """Wear one of the account's avatars, or none; raises a translated error."""
        raise NotImplementedError

    async def async_sign_in_again(self) -> None:
        """Sign in although another program has done so with the account since."""
        raise NotImplementedError

    @asynccontextmanager
    async def async_released(self) -> AsyncIterator[None]:
        """Keep away from the lobby meanwhile: a flow tries the same account."""
        raise NotImplementedError
        yield

    @override
    def diagnostics(self) -> Mapping[str, object]:
        raise NotImplementedError
