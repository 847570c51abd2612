"""What is kept of the consoles over a restart: who we are, and the last word of each."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypedDict
from uuid import UUID, uuid4

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN, LOGGER
from ...names import MAX_NAME
from .const import FAMILY_KEY
from .state import SeenTitle
from .titles import MAX_AUM

STORAGE_KEY: Final = f"{DOMAIN}.{FAMILY_KEY}"
STORAGE_VERSION: Final = 1
SAVE_DELAY: Final = 1.0
"""Seconds in which several changes are written as one."""
MAX_TITLES: Final = 50
"""Titles that are kept of a console; those that ran longest ago go."""
MAX_VERSION: Final = 64
"""Characters of a version that are kept."""

_STORE: HassKey[XboxStore] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_store")


class StoredConsole(TypedDict):
    """A console in the file; a title is its id, its name and its application's id."""

    was_off: bool
    sw_version: str | None
    titles: list[tuple[int, str, str]]


class Stored(TypedDict):
    """What the private storage file holds; the consoles by their Live IDs."""

    client_uuid: str
    consoles: dict[str, StoredConsole]


@dataclass(frozen=True, slots=True)
class ConsoleRecord:
    """What is kept of a console.

    `was_off` tells whether its last word was that it goes off.  `titles` are by their ids,
    those that ran last at the end.
    """

    was_off: bool = False
    sw_version: str | None = None
    titles: Mapping[int, SeenTitle] = field(default_factory=dict)

    def seen(self, title: SeenTitle) -> ConsoleRecord:
        """Return it with a title as the one that ran last."""
        titles = {
            title_id: other
            for title_id, other in self.titles.items()
            if title_id != title.title_id
        }
        titles[title.title_id] = title
        while len(titles) > MAX_TITLES:
            del titles[next(iter(titles))]
        return replace(self, titles=titles)


@callback
def async_get_store(hass: HomeAssistant) -> XboxStore:
    """Return the store, which may have to be loaded."""
    if (store := hass.data.get(_STORE)) is None:
        store = hass.data[_STORE] = XboxStore(hass)
    return store


class XboxStore:
    """One file for all consoles."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Read nothing yet."""
        self._store: Store[Stored] = Store(
            hass, STORAGE_VERSION, STORAGE_KEY, private=True, atomic_writes=True
        )
        self._lock = asyncio.Lock()
        self._client_uuid: UUID | None = None
        self._records: dict[str, ConsoleRecord] = {}

    async def async_load(self) -> UUID:
        """Read the file, once; return what this installation calls itself.

        Consoles count clients by that, so it stays the same.
        """
        async with self._lock:
            if self._client_uuid is None:
                self._client_uuid = await self._async_read()
            return self._client_uuid

    async def _async_read(self) -> UUID:
        stored = await self._store.async_load()
        if stored is not None:
            try:
                client_uuid = UUID(stored["client_uuid"])
                self._records = {
                    live_id: _record(console)
                    for live_id, console in stored["consoles"].items()
                }
            except KeyError, TypeError, AttributeError, ValueError:
                LOGGER.warning("What was stored of the consoles is damaged: it is lost")
            else:
                return client_uuid
        client_uuid = uuid4()
        await self._store.async_save({"client_uuid": str(client_uuid), "consoles": {}})
        return client_uuid

    def record(self, live_id: str) -> ConsoleRecord:
        """Return what is kept of a console."""
        return self._records.get(live_id, ConsoleRecord())

    @callback
    def keep(self, live_id: str, record: ConsoleRecord) -> None:
        """Keep something of a console."""
        if record != self._records.get(live_id):
            self._records[live_id] = record
            self._store.async_delay_save(self._data, SAVE_DELAY)

    async def async_forget(self, live_id: str) -> None:
        """Keep nothing of a console any more."""
        await self.async_load()
        if self._records.pop(live_id, None) is not None:
            await self._store.async_save(self._data())

    def _data(self) -> Stored:
        return {
            "client_uuid": str(self._client_uuid),
            "consoles": {
                live_id: {
                    "was_off": record.was_off,
                    "sw_version": record.sw_version,
                    "titles": [
                        (title.title_id, title.name, title.aum)
                        for title in record.titles.values()
                    ],
                }
                for live_id, record in self._records.items()
            },
        }


def _record(stored: Mapping[str, Any]) -> ConsoleRecord:
    version = stored["sw_version"]
    return ConsoleRecord(
        was_off=bool(stored["was_off"]),
        sw_version=None if version is None else str(version)[:MAX_VERSION],
        titles={
            int(title_id): SeenTitle(
                int(title_id), str(name)[:MAX_NAME], str(aum)[:MAX_AUM]
            )
            for title_id, name, aum in stored["titles"][-MAX_TITLES:]
        },
    )
