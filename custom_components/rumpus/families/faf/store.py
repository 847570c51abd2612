"""What is kept of the lobbies over a restart, in a file that only Home Assistant can read.

The file of the config entries is for everybody on the machine to read: what proves who we are
is here alone.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, TypedDict

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN, LOGGER
from .const import FAMILY_KEY, MAX_LOGIN
from .options import MAX_FOLLOWED

STORAGE_KEY: Final = f"{DOMAIN}.{FAMILY_KEY}"
STORAGE_VERSION: Final = 1
SAVE_DELAY: Final = 1.0
"""Seconds in which several players that were seen are written as one."""

_STORE: HassKey[FafStore] = HassKey(f"{DOMAIN}_{FAMILY_KEY}_store")


@dataclass(frozen=True, slots=True)
class OAuthSecret:
    """What a user who has signed in with FAF has left us; `expires_at` is epoch seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float

    @classmethod
    def from_token(cls, token: Mapping[str, Any]) -> Self:
        """Read what an application gives; raises KeyError, TypeError or ValueError."""
        return cls(
            access_token=str(token["access_token"]),
            refresh_token=str(token["refresh_token"]),
            expires_at=float(token["expires_at"]),
        )

    def to_token(self) -> dict[str, Any]:
        """Return it as an application takes it."""
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "expires_at": self.expires_at,
        }


@dataclass(frozen=True, slots=True)
class Secrets:
    """What proves to a lobby who we are; one of them, or none.

    `token` is one that the user has pasted, `password_hash` as `hash_password` makes it.
    """

    oauth: OAuthSecret | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    password_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LobbyRecord:
    """What is kept of one entry.

    `is_signed_out`: another program has signed in with the account, and the user has not
    said since that we may do so again.  `player_ids`: those of followed players by their keys.
    """

    secrets: Secrets = field(default_factory=Secrets, repr=False)
    is_signed_out: bool = False
    player_ids: Mapping[str, int] = field(default_factory=dict, repr=False)


class StoredLobby(TypedDict):
    """A record in the file."""

    oauth: dict[str, Any] | None
    token: str | None
    password_hash: str | None
    is_signed_out: bool
    player_ids: dict[str, int]


class Stored(TypedDict):
    """What the file holds; the lobbies by the unique ids of their entries."""

    lobbies: dict[str, StoredLobby]


@callback
def async_get_store(hass: HomeAssistant) -> FafStore:
    """Return the store, which may have to be loaded."""
    if (store := hass.data.get(_STORE)) is None:
        store = hass.data[_STORE] = FafStore(hass)
    return store


class FafStore:
    """One file for all lobbies; what is secret is in it as soon as a call returns."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Read nothing yet."""
        self._hass = hass
        self._store: Store[Stored] = Store(
            hass, STORAGE_VERSION, STORAGE_KEY, private=True, atomic_writes=True
        )
        self._loading = asyncio.Lock()
        self._saving = asyncio.Lock()
        self.lock: Final = asyncio.Lock()
        """For those who do several things that belong together."""
        self._records: dict[str, LobbyRecord] | None = None

    async def async_load(self) -> dict[str, LobbyRecord]:
        """Return what is kept, from the file when it is the first time.

        What belongs to no entry is forgotten then.
        """
        async with self._loading:
            if self._records is None:
                stored = await self._store.async_load()
                records = {} if stored is None else _records(stored)
                # Home Assistant may have ended between a sign-in and its entry.
                entries = {
                    entry.unique_id
                    for entry in self._hass.config_entries.async_entries(DOMAIN)
                }
                self._records = {
                    unique_id: record
                    for unique_id, record in records.items()
                    if unique_id in entries
                }
                if len(self._records) < len(records):
                    await self._async_save()
            return self._records

    def record(self, unique_id: str) -> LobbyRecord:
        """Return what is kept of a lobby; the file has been read."""
        return (self._records or {}).get(unique_id, LobbyRecord())

    async def async_get(self, unique_id: str) -> Secrets:
        """Return what proves who we are; empty where there is nothing, or it is damaged."""
        await self.async_load()
        return self.record(unique_id).secrets

    async def async_keep(self, unique_id: str, secrets: Secrets) -> None:
        """Write what a user has just signed in with; the entry is there or follows.

        Who signs in on purpose takes the account back from other programs.
        """
        await self._async_change(unique_id, secrets=secrets, is_signed_out=False)

    async def async_renew(
        self, unique_id: str, before: OAuthSecret, oauth: OAuthSecret
    ) -> None:
        """Write the token that has taken the place of the one before.

        If the entry was removed meanwhile, or the user has signed in anew, nothing is written.
        """
        if self.record(unique_id).secrets.oauth == before:
            await self._async_change(unique_id, secrets=Secrets(oauth=oauth))

    async def async_set_signed_out(self, unique_id: str, is_signed_out: bool) -> None:
        """Write whether the account was taken over by another program."""
        if self.record(unique_id).is_signed_out != is_signed_out:
            await self._async_change(unique_id, is_signed_out=is_signed_out)

    @callback
    def keep_player_ids(self, unique_id: str, player_ids: Mapping[str, int]) -> None:
        """Keep who the followed players are; they may be called otherwise one day."""
        record = self.record(unique_id)
        if self._records is not None and record.player_ids != player_ids:
            self._records[unique_id] = replace(record, player_ids=dict(player_ids))
            self._store.async_delay_save(self._data, SAVE_DELAY)

    async def async_forget(self, unique_id: str) -> None:
        """Keep nothing of a lobby any more."""
        if (await self.async_load()).pop(unique_id, None) is not None:
            await self._async_save()

    async def _async_change(self, unique_id: str, **changes: Any) -> None:
        records = await self.async_load()
        records[unique_id] = replace(self.record(unique_id), **changes)
        await self._async_save()

    async def _async_save(self) -> None:
        """Write the file; without any lobby there is none."""
        # One after another: what is removed must not be written once more after that.
        async with self._saving:
            await self._store.async_save(self._data())
            if not self._records:
                await self._store.async_remove()

    def _data(self) -> Stored:
        return {
            "lobbies": {
                unique_id: _stored(record)
                for unique_id, record in (self._records or {}).items()
            }
        }


def _stored(record: LobbyRecord) -> StoredLobby:
    secrets = record.secrets
    oauth = secrets.oauth
    return {
        "oauth": (None if oauth is None else oauth.to_token()),
        "token": secrets.token,
        "password_hash": secrets.password_hash,
        "is_signed_out": record.is_signed_out,
        "player_ids": dict(record.player_ids),
    }


def _records(stored: Stored) -> dict[str, LobbyRecord]:
    """Return what is whole of a file."""
    try:
        items = stored["lobbies"].items()
    except KeyError, TypeError, AttributeError:
        LOGGER.error(
            "What was stored of the FAF lobbies is damaged: sign in to them again"
        )
        return {}
    records: dict[str, LobbyRecord] = {}
    for unique_id, lobby in items:
        try:
            records[unique_id] = _record(lobby)
        except KeyError, TypeError, AttributeError, ValueError:
            # Of the error nothing is told: it may quote what is secret.
            LOGGER.error(
                "What was stored of a FAF lobby is damaged: sign in to it again"
            )
    return records


def _record(stored: Mapping[str, Any]) -> LobbyRecord:
    oauth, token, password = (
        stored[key] for key in ("oauth", "token", "password_hash")
    )
    player_ids = list(stored["player_ids"].items())[:MAX_FOLLOWED]
    return LobbyRecord(
        secrets=Secrets(
            oauth=None if oauth is None else OAuthSecret.from_token(oauth),
            token=None if token is None else str(token),
            password_hash=None if password is None else str(password),
        ),
        is_signed_out=bool(stored["is_signed_out"]),
        player_ids={str(key)[:MAX_LOGIN]: int(number) for key, number in player_ids},
    )
