"""Our ears: where they listen, how often they ask, and how long they live."""

from unittest.mock import patch

import pytest

from homeassistant.components.network.models import Adapter
from homeassistant.core import HomeAssistant

from .common import add_entry, set_up, wait_state
from custom_components.rumpus.families.xbox import hub as hub_module, link
from custom_components.rumpus.families.xbox.hub import async_get_hub
from custom_components.rumpus.protocols.reconnect import Backoff
from custom_components.rumpus.protocols.smartglass.discovery import Discoverer
from tests.fakes.xbox import FakeConsole


def adapter(*addresses: str, enabled: bool = True) -> Adapter:
    """Return a network adapter with some addresses."""
    return Adapter(
        name="eth0",
        index=0,
        enabled=enabled,
        auto=True,
        default=True,
        ipv4=[{"address": address, "network_prefix": 24} for address in addresses],
        ipv6=[],
    )


async def test_adapters_of_the_user(hass: HomeAssistant) -> None:
    """We search from the adapters that are switched on, not from loopback."""
    adapters = [
        adapter("127.0.0.1"),
        adapter("192.168.1.2", "10.0.0.2"),
        adapter("172.16.0.2", enabled=False),
    ]
    with patch(
        "homeassistant.components.network.async_get_adapters", return_value=adapters
    ):
        network = await hub_module.async_network(hass)

    assert network.source_addresses == ("192.168.1.2", "10.0.0.2")
    assert network.bind == "0.0.0.0"  # noqa: S104
    assert network.port == 5050


async def test_one_for_all(hass: HomeAssistant, console: FakeConsole) -> None:
    """It runs as long as somebody has a share, and none can be given back twice."""
    hub = async_get_hub(hass)
    first = await hub.async_lease()
    second = await hub.async_lease()
    assert first.discoverer is second.discoverer
    assert first.client_uuid == second.client_uuid

    await first.async_release()
    await first.async_release()
    assert hub.discoverer is not None
    with pytest.raises(RuntimeError):
        first.miss("FD00112233445566")
    await second.async_release()
    assert hub.discoverer is None


async def test_starts_again_after_a_failure(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was begun is taken back."""

    async def start(self: Discoverer) -> None:
        raise OSError("no network")

    hub = async_get_hub(hass)
    with monkeypatch.context() as patched:
        patched.setattr(Discoverer, "start", start)
        with pytest.raises(OSError, match="no network"):
            await hub.async_lease()
    assert hub.discoverer is None

    lease = await hub.async_lease()
    assert lease.discoverer.is_running
    await lease.async_release()


async def test_ends_with_home_assistant(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Shares that are given back later do no harm."""
    hub = async_get_hub(hass)
    lease = await hub.async_lease()

    await hass.async_stop(force=True)

    assert hub.discoverer is None
    await lease.async_release()


async def test_asks_again_and_again(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every now and then, and more often at first after somebody is missed."""
    monkeypatch.setattr(hub_module, "SEARCH_BACKOFF", (0.11, 0.11))
    monkeypatch.setattr(hub_module, "SEARCH_INTERVAL", 3600.0)
    monkeypatch.setattr(hub_module, "MISSED_INTERVAL", 3600.0)
    hub = async_get_hub(hass)
    lease = await hub.async_lease()
    for _ in range(3):
        await console.wait_for("discovery_request")
    # Now it would wait for an hour.
    lease.miss(console.live_id)
    for _ in range(2):
        await console.wait_for("discovery_request")
    await lease.async_release()


async def test_searches_while_a_console_is_missed(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that comes back is found long before the next attempt is due, however late."""
    monkeypatch.setattr(link, "BACKOFF", Backoff((3600.0,)))
    monkeypatch.setattr(hub_module, "SEARCH_BACKOFF", (0.11, 0.11))
    monkeypatch.setattr(hub_module, "SEARCH_INTERVAL", 3600.0)
    await set_up(hass, console)
    console.press_power_button()
    await wait_state(hass, "media_player.living_room", "off")
    for _ in range(5):
        await console.wait_for("dropped")

    console.press_power_button()

    await wait_state(hass, "media_player.living_room", "idle")


def test_how_soon_a_console_is_found() -> None:
    """One that its user has switched on is found within 5 seconds after it answers."""
    assert max(*hub_module.SEARCH_BACKOFF, hub_module.MISSED_INTERVAL) <= 5.0


async def test_failed_runtime_gives_its_share_back(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Nobody else would."""
    entry = add_entry(hass, console)
    with patch(
        "custom_components.rumpus.families.xbox.XboxCoordinator",
        side_effect=ValueError,
    ):
        assert not await hass.config_entries.async_setup(entry.entry_id)

    assert async_get_hub(hass).discoverer is None
