"""Our ends that are TVs of this home: one for each entry, all on the airwaves of the hub."""

from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ...const import DOMAIN, LOGGER
from ...protocols.kdeconnect import tv
from ...protocols.kdeconnect.airwaves import Airwaves
from ...protocols.kdeconnect.local import LocalPeer
from .stored_key import STORAGE_KEY, async_load_credentials, async_remove_credentials
from .tv_data import MAX_TVS, TvSettings, is_tv

_STORAGE_PREFIX: Final = f"{STORAGE_KEY}.tv."


def storage_key(tv_id: str) -> str:
    """Return the name of the private file of a TV, by its entry's unique id."""
    return f"{_STORAGE_PREFIX}{tv_id}"


async def async_forget_key(hass: HomeAssistant, tv_id: str) -> None:
    """Delete the key of a TV that is not shown any more."""
    await async_remove_credentials(hass, storage_key(tv_id))


class TvPeers:
    """Makes the ends, and ends them with the hub at the latest.

    They are known by the unique ids of their entries.
    """

    def __init__(self, hass: HomeAssistant, airwaves: Airwaves) -> None:
        """Share these airwaves, which another end leads."""
        self._hass = hass
        self._airwaves = airwaves
        self._prepared: dict[str, LocalPeer] = {}
        self._running: dict[str, LocalPeer] = {}
        # Unique ids of the cards of phones that ask for pairing with a TV.
        self.requests: set[str] = set()

    async def async_prepare(self) -> None:
        """Make the ends of all entries: before any of them starts, all should be known."""
        for entry in self._hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        ):
            if is_tv(entry.data) and len(self._prepared) < MAX_TVS:
                try:
                    self._prepared[_id(entry)] = await self._async_make(entry)
                except (HomeAssistantError, OSError) as err:
                    # That is this TV's trouble; its own set-up will tell of it.
                    LOGGER.debug("The key of a TV cannot be read: %s", err)

    async def async_take(self, entry: ConfigEntry) -> LocalPeer:
        """Return the end of an entry, not started; whoever takes it stops it."""
        tv_id = _id(entry)
        peer = self._prepared.pop(tv_id, None) or await self._async_make(entry)
        self._running[tv_id] = peer
        return peer

    async def async_put_back(self, tv_id: str) -> None:
        """Stop the end of an entry; safe to call twice."""
        if (peer := self._running.pop(tv_id, None)) is not None:
            await peer.stop()

    async def async_stop(self) -> None:
        """Stop all of them."""
        for tv_id in list(self._running):
            await self.async_put_back(tv_id)
        self._prepared.clear()

    async def _async_make(self, entry: ConfigEntry) -> LocalPeer:
        return LocalPeer(
            await async_load_credentials(self._hass, storage_key(_id(entry))),
            TvSettings.from_entry(entry.data, entry.options).name,
            airwaves=self._airwaves,
            device_type=tv.DEVICE_TYPE,
            incoming=tv.INCOMING,
            outgoing=tv.OUTGOING,
        )


def _id(entry: ConfigEntry) -> str:
    """Return the unique id that every entry of a TV has."""
    if TYPE_CHECKING:
        assert entry.unique_id is not None
    return entry.unique_id
