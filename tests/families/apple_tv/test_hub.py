"""Our ears: one pair for all, and how long they live."""

from dataclasses import replace
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant

from .common import add_entry, found
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import async_get_family
from custom_components.rumpus.families.apple_tv import hub as hub_module
from custom_components.rumpus.families.apple_tv.data import MAX_IDENTIFIERS
from custom_components.rumpus.families.apple_tv.hub import async_get_hub
from custom_components.rumpus.protocols.apple.records import Announcement, ServiceType
from custom_components.rumpus.protocols.apple.watch import Watcher
from tests.fakes.apple_tv import FakeAppleTv


async def test_one_for_all(hass: HomeAssistant) -> None:
    """They listen as long as somebody has a share, and none can be given back twice."""
    hub = async_get_hub(hass)
    first = await hub.async_lease()
    second = await hub.async_lease()
    assert first.watcher is second.watcher

    await first.async_release()
    await first.async_release()
    assert hub.watcher is not None
    await second.async_release()
    assert hub.watcher is None


async def test_starts_again_after_a_failure(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is taken back."""

    async def start(self: Watcher) -> None:
        raise OSError("no network")

    hub = async_get_hub(hass)
    with monkeypatch.context() as patched:
        patched.setattr(Watcher, "start", start)
        with pytest.raises(OSError, match="no network"):
            await hub.async_lease()
    assert hub.watcher is None
    await (await hub.async_lease()).async_release()


async def test_ends_with_home_assistant(hass: HomeAssistant) -> None:
    """Shares that are given back later do no harm."""
    hub = async_get_hub(hass)
    lease = await hub.async_lease()
    await hass.async_stop(force=True)
    assert hub.watcher is None
    await lease.async_release()


async def test_home_assistants_own_ears(
    hass: HomeAssistant, mock_async_zeroconf: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no second pair in one house."""
    monkeypatch.undo()
    used: list[object] = []

    async def scan(instance: object, *, timeout: float) -> tuple[()]:
        used.append(instance)
        return ()

    with patch(
        "homeassistant.components.zeroconf.async_get_async_instance",
        return_value=mock_async_zeroconf,
    ):
        watcher = await hub_module.async_watcher(hass)
        monkeypatch.setattr(hub_module, "scan_multicast", scan)
        assert await hub_module.async_search(hass, 1.0) == ()
    assert isinstance(watcher, Watcher)
    assert used == [mock_async_zeroconf]


async def test_where_a_device_is(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked where it was; else what was heard counts."""
    lease = await async_get_hub(hass).async_lease()
    device = await found(apple_tv)
    identifiers = device.identifiers
    asked = await lease.async_resolve(identifiers, ["127.0.0.1", "127.0.0.1"])
    assert asked is not None
    assert asked.services == device.services
    assert await lease.async_resolve(["other"], ["127.0.0.1"]) is None

    monkeypatch.setattr(hub_module, "MDNS_PORT", 1)
    assert await lease.async_resolve(identifiers, ["127.0.0.1"]) is None
    await lease.async_release()


async def test_identifiers_of_a_card(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Whoever announces ever more of them for one address is heard up to a point."""
    hub = async_get_hub(hass)
    device = await found(apple_tv)
    heard = Announcement(ServiceType.AIRPLAY, "Living Room", "127.0.0.1", 7000)
    card = hub.start_card("flow", heard, device)
    for number in range(MAX_IDENTIFIERS * 2):
        service = replace(device.services[0], identifier=f"00:00:00:00:00:{number}")
        assert hub.join_card(heard, replace(device, services=(service,)))
    assert len(card.identifiers) == MAX_IDENTIFIERS
    assert list(card.announcements) == [ServiceType.AIRPLAY]
    hub.forget_card("flow")
    hub.forget_card("flow")
    assert not hub.join_card(heard, device)


async def test_entry_without_a_unique_id(hass: HomeAssistant) -> None:
    """Nothing is known of it that could be forgotten."""
    family = await async_get_family(hass, "apple_tv")
    await family.async_remove_entry(hass, MockConfigEntry(domain=DOMAIN, data={}))


async def test_no_own_listener(hass: HomeAssistant) -> None:
    """Home Assistant discovers by itself, whether or not the YAML names us."""
    family = await async_get_family(hass, "apple_tv")
    await family.async_setup_listener(hass)
    assert async_get_hub(hass).watcher is None


async def test_failed_runtime_gives_its_share_back(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """Nobody else would."""
    entry = await add_entry(hass, apple_tv, credentials={})
    with patch(
        "custom_components.rumpus.families.apple_tv.AppleTvCoordinator",
        side_effect=ValueError,
    ):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert async_get_hub(hass).watcher is None
