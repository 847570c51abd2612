"""What is kept of the devices over a restart: the last word of each; nothing secret."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN, LOGGER
from ...names import clean_text
from ...protocols.apple.models import Account, App
from .const import FAMILY_KEY

STORAGE_KEY: Final = f"{DOMAIN}.{FAMILY_KEY}"
STORAGE_VERSION: Final = 1
SAVE_DELAY: Final = 1.0
"""Seconds in which several changes are written as one."""
MAX_APPS: Final = 300
"""Apps of a device that are known."""
MAX_ACCOUNTS: Final = 32
"""Accounts of a device that are known."""
MAX_ID: Final = 256
"""Characters of the identifier of an app or an account."""

_STORE: HassKey[AppleTvStore] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_store")


class StoredDevice(TypedDict):
    """A device in the file; apps and accounts are pairs of an identifier and a name."""

    was_asleep: bool
    apps: list[tuple[str, str | None]]
    accounts: list[tuple[str, str]]


class Stored(TypedDict):
    """What the private storage file holds; the devices by the unique ids of their entries."""

    devices: dict[str, StoredDevice]


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """What is kept of a device; `was_asleep` tells its last word about that."""

    was_asleep: bool = False
    apps: tuple[App, ...] = ()
    accounts: tuple[Account, ...] = ()


@callback
def async_get_store(hass: HomeAssistant) -> AppleTvStore:
    """Return the store, which may have to be loaded."""
    if (store := hass.data.get(_STORE)) is None:
        store = hass.data[_STORE] = AppleTvStore(hass)
    return store


class AppleTvStore:
    """One file for all devices."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Read nothing yet."""
        self._store: Store[Stored] = Store(
            hass, STORAGE_VERSION, STORAGE_KEY, private=True, atomic_writes=True
        )
        self._lock = asyncio.Lock()
        self._is_loaded = False
        self._records: dict[str, DeviceRecord] = {}

    async def async_load(self) -> None:
        """Read the file, once."""
        async with self._lock:
            if self._is_loaded:
                return
            stored = await self._store.async_load()
            self._is_loaded = True
            if stored is None:
                return
            try:
                self._records = {
                    device_id: _record(device)
                    for device_id, device in stored["devices"].items()
                }
            except KeyError, TypeError, AttributeError, ValueError:
                LOGGER.warning(
                    "What was stored of the Apple devices is damaged: it is lost"
                )

    def record(self, device_id: str) -> DeviceRecord:
        """Return what is kept of a device."""
        return self._records.get(device_id, DeviceRecord())

    @callback
    def keep(self, device_id: str, record: DeviceRecord) -> None:
        """Keep something of a device."""
        if record != self._records.get(device_id):
            self._records[device_id] = record
            self._store.async_delay_save(self._data, SAVE_DELAY)

    async def async_forget(self, device_id: str) -> None:
        """Keep nothing of a device any more; without any device there is no file."""
        await self.async_load()
        if self._records.pop(device_id, None) is None:
            return
        if self._records:
            await self._store.async_save(self._data())
        else:
            await self._store.async_remove()

    def _data(self) -> Stored:
        return {
            "devices": {
                device_id: {
                    "was_asleep": record.was_asleep,
                    "apps": [(app.identifier, app.name) for app in record.apps],
                    "accounts": [
                        (account.identifier, account.name)
                        for account in record.accounts
                    ],
                }
                for device_id, record in self._records.items()
            }
        }


def bounded_apps(apps: tuple[App, ...]) -> tuple[App, ...]:
    """Return the apps of a device as they may be kept and shown."""
    return tuple(
        App(app.identifier, clean_text(app.name) or None if app.name else None)
        for app in apps[:MAX_APPS]
        if 0 < len(app.identifier) <= MAX_ID
    )


def bounded_accounts(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    """Return the accounts of a device as they may be kept and shown."""
    return tuple(
        Account(account.identifier, name)
        for account in accounts[:MAX_ACCOUNTS]
        if 0 < len(account.identifier) <= MAX_ID and (name := clean_text(account.name))
    )


def _record(stored: Mapping[str, Any]) -> DeviceRecord:
    return DeviceRecord(
        was_asleep=bool(stored["was_asleep"]),
        apps=bounded_apps(
            tuple(
                App(str(identifier), None if name is None else str(name))
                for identifier, name in stored["apps"]
            )
        ),
        accounts=bounded_accounts(
            tuple(
                Account(str(identifier), str(name))
                for identifier, name in stored["accounts"]
            )
        ),
    )
