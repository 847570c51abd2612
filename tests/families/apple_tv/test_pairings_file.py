"""Where credentials are kept, and where they are not, in files as Home Assistant writes them."""

from pathlib import Path
from typing import Any

import pytest

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import PAIRINGS, STORE, go, secrets_of, start_user, through, wait_links
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.apple_tv.pairings import async_get_pairing_store
from tests.fakes.apple_tv import FakeAppleTv

ENTRIES = "core.config_entries"


@pytest.fixture
def hass_config_dir(tmp_path: Path) -> str:
    """A folder of its own."""
    return str(tmp_path)


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Files, in the place of what the other tests have for them."""
    return {}


@pytest.fixture
def storage(hass_config_dir: str) -> Path:
    """Where the files are."""
    return Path(hass_config_dir) / ".storage"


def read(storage: Path) -> dict[str, str]:
    """Return what is in the files."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in storage.iterdir()
        # Others are just being written, and are renamed any moment.
        if not path.name.startswith("tmp")
    }


async def add(hass: HomeAssistant) -> ConfigEntry:
    """Add the device that answers."""
    result = await go(hass, await start_user(hass), address="127.0.0.1")
    result = await through(hass, await go(hass, result), "apple_tv_look")
    result = await through(hass, await go(hass, result, pin="1234"), "apple_tv_begin")
    result = await go(hass, result, pin="1234")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry = result["result"]
    return entry


async def secret_texts(hass: HomeAssistant, entry: ConfigEntry) -> list[str]:
    """Return all that nobody but us may know."""
    pairings = await async_get_pairing_store(hass).async_get(str(entry.unique_id))
    assert pairings is not None
    identity = pairings.identity
    return [
        *(
            part
            for text in (await secrets_of(hass, entry)).values()
            # The first part is what the device tells everybody.
            for part in text.split(":")[1:]
        ),
        identity.mac,
        identity.device_id,
        identity.rp_id,
        identity.mrp_id,
    ]


async def test_files(hass: HomeAssistant, apple_tv: FakeAppleTv, storage: Path) -> None:
    """One file has what is secret, and only its owner may read it; it goes with the entry."""
    entry = await add(hass)
    await wait_links(entry)
    secrets = await secret_texts(hass, entry)
    await hass.config_entries._store.async_save(hass.config_entries._data_to_save())
    file = storage / PAIRINGS
    assert file.stat().st_mode & 0o777 == 0o600
    content = read(storage)
    assert str(entry.unique_id) in content[ENTRIES]
    for secret in secrets:
        assert secret not in str(entry.as_dict())
        assert [name for name, text in content.items() if secret in text] == [PAIRINGS]

    await hass.config_entries.async_remove(entry.entry_id)
    assert not file.exists()
    assert not (storage / STORE).exists()


async def test_paired_again(
    hass: HomeAssistant, apple_tv: FakeAppleTv, storage: Path
) -> None:
    """What counts no more is not kept."""
    entry = await add(hass)
    await wait_links(entry)
    before = await secrets_of(hass, entry)
    result = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": "reauth", "entry_id": entry.entry_id},
        data=dict(entry.data),
    )
    result = await through(hass, await go(hass, result), "apple_tv_look")
    result = await through(hass, await go(hass, result, pin="1234"), "apple_tv_begin")
    result = await go(hass, result, pin="1234")
    assert result["reason"] == "reauth_successful"
    # It was written before the entry was set up anew.
    content = (storage / PAIRINGS).read_text(encoding="utf-8")
    for text in (await secrets_of(hass, entry)).values():
        assert text in content
    for text in before.values():
        assert text not in content
    await hass.async_block_till_done()
    await wait_links(entry)
    assert (storage / PAIRINGS).stat().st_mode & 0o777 == 0o600
