"""What was got by pairing, in a file that nobody but Home Assistant's own user can read.

The file of the config entries is for everybody on the machine to read: of pairings, entries
have only the names of the protocols.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypedDict

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN, LOGGER
from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.identity import ClientIdentity
from ...protocols.errors import RumpusError
from ...protocols.hap.credentials import parse_credentials
from .const import CLIENT_NAME, FAMILY_KEY
from .data import paired_protocols

STORAGE_KEY: Final = f"{DOMAIN}.{FAMILY_KEY}_pairings"
STORAGE_VERSION: Final = 1

_STORE: HassKey[PairingStore] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_pairings")


class StoredPairings(TypedDict):
    """A device in the file; the credentials are by the names of their protocols."""

    identity: dict[str, str]
    credentials: dict[str, str]


class Stored(TypedDict):
    """What the file holds; the devices by the unique ids of their entries."""

    devices: dict[str, StoredPairings]


@dataclass(frozen=True, slots=True)
class Pairings:
    """Who we are to one device, and what proves that; both are secret."""

    identity: ClientIdentity = field(repr=False)
    credentials: Mapping[AppleProtocol, str] = field(default_factory=dict, repr=False)

    def to_dict(self) -> StoredPairings:
        """Return them in the form that is stored."""
        return {
            "identity": self.identity.to_dict(),
            "credentials": {
                protocol.value: text for protocol, text in self.credentials.items()
            },
        }


@callback
def async_get_pairing_store(hass: HomeAssistant) -> PairingStore:
    """Return the store."""
    if (store := hass.data.get(_STORE)) is None:
        store = hass.data[_STORE] = PairingStore(hass)
    return store


async def async_pairings_of(hass: HomeAssistant, entry: ConfigEntry) -> Pairings:
    """Return the pairings of an entry that is to be set up.

    Raises ConfigEntryAuthFailed when one of them is lost.
    """
    store = async_get_pairing_store(hass)
    device_id = entry.unique_id
    if TYPE_CHECKING:
        assert device_id is not None
    pairings = await store.async_get(device_id)
    known = {} if pairings is None else pairings.credentials
    if not known.keys() >= set(paired_protocols(entry.data)):
        raise ConfigEntryAuthFailed(
            translation_domain=DOMAIN,
            translation_key="apple_tv_pairings_lost",
            translation_placeholders={"name": entry.title},
        )
    if pairings is None:
        # It lets everybody in: all that is lost is what we called ourselves.
        pairings = Pairings(ClientIdentity.create(CLIENT_NAME))
        async with store.lock:
            await store.async_keep(device_id, pairings)
    return pairings


class PairingStore:
    """One file for all devices, in which everything is as soon as a call returns.

    Whoever holds `lock` is alone in changing it.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Read nothing yet."""
        self._hass = hass
        self._store: Store[Stored] = Store(
            hass, STORAGE_VERSION, STORAGE_KEY, private=True, atomic_writes=True
        )
        self._loading = asyncio.Lock()
        self._devices: dict[str, Pairings] | None = None
        self.lock: Final = asyncio.Lock()

    async def async_get(self, device_id: str) -> Pairings | None:
        """Return the pairings of a device, None where there are none, or damaged ones."""
        return (await self._async_load()).get(device_id)

    async def async_keep(self, device_id: str, pairings: Pairings) -> None:
        """Write the pairings of a device; the caller holds the lock."""
        devices = await self._async_load()
        devices[device_id] = pairings
        await self._async_save(devices)

    async def async_forget(self, device_id: str) -> None:
        """Delete the pairings of a device; the caller holds the lock."""
        devices = await self._async_load()
        devices.pop(device_id, None)
        # What is damaged is in the file alone.
        await self._async_save(devices)

    async def _async_load(self) -> dict[str, Pairings]:
        """Return what is known of all devices, from the file when it is the first time."""
        async with self._loading:
            if self._devices is None:
                stored = await self._store.async_load()
                devices = {} if stored is None else _devices(stored)
                # Home Assistant may have ended between a pairing and its entry.
                entries = {
                    entry.unique_id
                    for entry in self._hass.config_entries.async_entries(DOMAIN)
                }
                self._devices = {
                    device_id: pairings
                    for device_id, pairings in devices.items()
                    if device_id in entries
                }
                if len(self._devices) < len(devices):
                    await self._async_save(self._devices)
            return self._devices

    async def _async_save(self, devices: Mapping[str, Pairings]) -> None:
        """Write the file; without any device there is none."""
        if devices:
            await self._store.async_save(
                {
                    "devices": {
                        device_id: pairings.to_dict()
                        for device_id, pairings in devices.items()
                    }
                }
            )
        else:
            await self._store.async_remove()


def _devices(stored: Stored) -> dict[str, Pairings]:
    """Return what is whole of a file."""
    try:
        items = stored["devices"].items()
    except KeyError, TypeError, AttributeError:
        LOGGER.error(
            "The stored pairings of Apple devices are damaged: "
            "all of them have to be paired again"
        )
        return {}
    devices: dict[str, Pairings] = {}
    for device_id, device in items:
        try:
            devices[device_id] = _pairings(device)
        except KeyError, TypeError, AttributeError, ValueError, RumpusError:
            # Of the error nothing is told: it may quote what is secret.
            LOGGER.error(
                "Stored pairings of an Apple device are damaged: "
                "it has to be paired again"
            )
    return devices


def _pairings(stored: Mapping[str, Any]) -> Pairings:
    return Pairings(
        ClientIdentity.from_dict(stored["identity"]),
        {
            AppleProtocol(name): str(parse_credentials(text))
            for name, text in stored["credentials"].items()
        },
    )
