"""What is kept of the lobbies over a restart."""

import asyncio
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store

from .common import PATIENCE
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.faf.options import MAX_FOLLOWED
from custom_components.rumpus.families.faf.store import (
    STORAGE_KEY,
    FafStore,
    LobbyRecord,
    OAuthSecret,
    Secrets,
    async_get_store,
)

UNIQUE_ID = "faf:faforever.com:9001"
OAUTH = OAuthSecret("access-secret", "refresh-secret", 1_800_000_000.0)


def stored(**lobbies: object) -> dict[str, Any]:
    """Return a file."""
    return {
        "version": 1,
        "minor_version": 1,
        "key": STORAGE_KEY,
        "data": {"lobbies": lobbies},
    }


def lobby(**changes: object) -> dict[str, Any]:
    """Return a record in a file."""
    return {
        "oauth": None,
        "token": None,
        "password_hash": None,
        "is_signed_out": False,
        "player_ids": {},
        **changes,
    }


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """An entry whose secrets are kept."""
    entry = MockConfigEntry(domain=DOMAIN, unique_id=UNIQUE_ID)
    entry.add_to_hass(hass)
    return entry


async def read(hass: HomeAssistant) -> FafStore:
    """Return a store that has read the file anew."""
    store = FafStore(hass)
    await store.async_load()
    return store


async def test_is_one(hass: HomeAssistant) -> None:
    """Everybody gets the same store, which is read once."""
    store = async_get_store(hass)
    assert async_get_store(hass) is store
    await store.async_load()
    await store.async_load()
    assert store.record(UNIQUE_ID) == LobbyRecord()


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "secrets",
    [
        Secrets(oauth=OAUTH),
        Secrets(token="pasted"),
        Secrets(password_hash="00" * 32),
        Secrets(),
    ],
)
async def test_secrets_are_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], secrets: Secrets
) -> None:
    """What proves who we are is in the file as soon as the call returns."""
    await async_get_store(hass).async_keep(UNIQUE_ID, secrets)
    assert UNIQUE_ID in hass_storage[STORAGE_KEY]["data"]["lobbies"]
    assert await (await read(hass)).async_get(UNIQUE_ID) == secrets


@pytest.mark.usefixtures("entry")
async def test_a_renewal_that_comes_too_late(hass: HomeAssistant) -> None:
    """Neither a newer sign-in is lost to it, nor what was forgotten comes back."""
    store = async_get_store(hass)
    newer, late = OAuthSecret("newer", "n", 1.0), OAuthSecret("late", "l", 1.0)
    await store.async_keep(UNIQUE_ID, Secrets(oauth=newer))
    await store.async_renew(UNIQUE_ID, OAUTH, late)
    assert await (await read(hass)).async_get(UNIQUE_ID) == Secrets(oauth=newer)
    await store.async_forget(UNIQUE_ID)
    await store.async_renew(UNIQUE_ID, newer, late)
    assert await (await read(hass)).async_get(UNIQUE_ID) == Secrets()


@pytest.mark.usefixtures("entry")
async def test_signing_in_takes_the_account_back(hass: HomeAssistant) -> None:
    """Who signs in on purpose wants to be signed in; a fresh token says nothing."""
    store = async_get_store(hass)
    await store.async_keep(UNIQUE_ID, Secrets(oauth=OAUTH))
    await store.async_set_signed_out(UNIQUE_ID, is_signed_out=True)
    await store.async_set_signed_out(UNIQUE_ID, is_signed_out=True)
    fresh = OAuthSecret("fresh", "fresher", 1.0)
    await store.async_renew(UNIQUE_ID, OAUTH, fresh)
    record = (await read(hass)).record(UNIQUE_ID)
    assert record.is_signed_out
    assert record.secrets == Secrets(oauth=fresh)
    await store.async_keep(UNIQUE_ID, Secrets(oauth=OAUTH))
    assert not (await read(hass)).record(UNIQUE_ID).is_signed_out


@pytest.mark.usefixtures("entry")
async def test_player_ids_are_kept(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who the followed players are is written soon."""
    store = async_get_store(hass)
    store.keep_player_ids(UNIQUE_ID, {"rhiza": 3})  # nothing has been read yet
    await store.async_load()
    assert store.record(UNIQUE_ID).player_ids == {}
    store.keep_player_ids(UNIQUE_ID, {"rhiza": 3})
    store.keep_player_ids(UNIQUE_ID, {"rhiza": 3})
    await store.async_keep(UNIQUE_ID, Secrets(token="pasted"))
    assert (await read(hass)).record(UNIQUE_ID).player_ids == {"rhiza": 3}


@pytest.mark.usefixtures("entry")
async def test_forgetting(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Of an entry that is removed nothing stays, and without any there is no file."""
    store = async_get_store(hass)
    await store.async_keep(UNIQUE_ID, Secrets(token="pasted"))
    await store.async_keep("faf:localhost:8002:1", Secrets(token="other"))
    await store.async_forget(UNIQUE_ID)
    assert list(hass_storage[STORAGE_KEY]["data"]["lobbies"]) == [
        "faf:localhost:8002:1"
    ]
    await store.async_forget(UNIQUE_ID)
    await store.async_forget("faf:localhost:8002:1")
    assert STORAGE_KEY not in hass_storage


@pytest.mark.usefixtures("entry")
async def test_forgetting_what_is_being_written(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow disk leaves nothing behind that was to be forgotten, and loses nothing new."""
    store = async_get_store(hass)
    await store.async_load()
    save, is_writing, may_write = Store.async_save, asyncio.Event(), asyncio.Event()

    async def save_slowly(self: Store[Any], data: Any) -> None:
        is_writing.set()
        await may_write.wait()
        await save(self, data)

    async def release() -> None:
        may_write.set()

    monkeypatch.setattr(Store, "async_save", save_slowly)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        tasks.create_task(store.async_keep(UNIQUE_ID, Secrets(oauth=OAUTH)))
        await is_writing.wait()
        tasks.create_task(store.async_forget(UNIQUE_ID))
        tasks.create_task(release())
    assert STORAGE_KEY not in hass_storage

    await asyncio.gather(
        store.async_forget(UNIQUE_ID), store.async_keep("other", Secrets(oauth=OAUTH))
    )
    assert list(hass_storage[STORAGE_KEY]["data"]["lobbies"]) == ["other"]


@pytest.mark.usefixtures("entry")
async def test_without_an_entry(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """What belongs to no entry is not kept: it is of a flow that did not end."""
    hass_storage[STORAGE_KEY] = stored(
        **{UNIQUE_ID: lobby(token="pasted"), "faf:gone:1": lobby(token="other")}
    )
    store = await read(hass)
    assert store.record(UNIQUE_ID).secrets.token == "pasted"
    assert list(hass_storage[STORAGE_KEY]["data"]["lobbies"]) == [UNIQUE_ID]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize(
    "damaged",
    [
        {},
        "?",
        lobby(oauth={"access_token": "a-secret"}),
        lobby(
            oauth={"access_token": "a-secret", "refresh_token": "", "expires_at": "?"}
        ),
        lobby(player_ids=["a-secret"]),
        lobby(player_ids={"rhiza": "a-secret"}),
    ],
)
async def test_damaged_record(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    damaged: object,
) -> None:
    """What is damaged is lost, said so, and not told."""
    hass_storage[STORAGE_KEY] = stored(**{UNIQUE_ID: damaged})
    assert (await read(hass)).record(UNIQUE_ID) == LobbyRecord()
    assert "a FAF lobby is damaged" in caplog.text
    ours = [record.getMessage() for record in caplog.records if "rumpus" in record.name]
    assert "a-secret" not in "".join(ours)


@pytest.mark.parametrize("data", [{}, {"lobbies": []}, []])
async def test_damaged_file(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    data: object,
) -> None:
    """A file that is damaged as a whole is as good as none."""
    hass_storage[STORAGE_KEY] = {**stored(), "data": data}
    assert (await read(hass)).record(UNIQUE_ID) == LobbyRecord()
    assert "the FAF lobbies is damaged" in caplog.text


@pytest.mark.usefixtures("entry")
async def test_max_followed(hass: HomeAssistant, hass_storage: dict[str, Any]) -> None:
    """Of a file no more players are read than can be followed."""
    ids = {f"player{number}": number for number in range(MAX_FOLLOWED + 1)}
    hass_storage[STORAGE_KEY] = stored(**{UNIQUE_ID: lobby(player_ids=ids)})
    assert len((await read(hass)).record(UNIQUE_ID).player_ids) == MAX_FOLLOWED


def test_secrets_are_not_shown() -> None:
    """No secret is in what a log would have of it."""
    record = LobbyRecord(
        Secrets(OAUTH, "pasted-secret", "hash-secret"), player_ids={"rhiza": 3}
    )
    for shown in (repr(record), repr(record.secrets), repr(OAUTH)):
        assert "secret" not in shown.replace("Secret", "").replace("secrets", "")
        assert "rhiza" not in shown


def test_oauth_secret() -> None:
    """A token of an application becomes a secret and back."""
    assert OAuthSecret.from_token({**OAUTH.to_token(), "expires_in": 1}) == OAUTH
