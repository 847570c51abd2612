"""Our end: its key, where it listens, and how long it lives."""

import asyncio
from pathlib import Path
import stat
import sys
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.components.network.models import Adapter
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.setup import async_setup_component

from .common import flows, paired_entry, set_up, wait_device, wait_lost
from custom_components.rumpus.families.kde_connect import hub as hub_module
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.families.kde_connect.stored_key import (
    async_load_credentials,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.local import LocalPeer
from tests.fakes.kdeconnect import FakeDevice

STORE = "rumpus.kde_connect"
_OTHER = Credentials.generate()


def is_running(hass: HomeAssistant) -> bool:
    """Tell whether our end runs."""
    return async_get_hub(hass).peer is not None


async def test_key_is_made_once(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    """The id, the key and the certificate stay the same."""
    first = await async_load_credentials(hass)
    assert hass_storage[STORE]["data"] == {
        "device_id": first.device_id,
        "private_key": first.private_key_pem,
        "certificate": first.certificate_pem,
    }

    assert await async_load_credentials(hass) == first


async def test_key_is_for_the_owner_only(hass: HomeAssistant, tmp_path: Path) -> None:
    """Nobody else on the machine may read the file."""

    async def write(store: Store[Any], data: dict[str, Any]) -> None:
        # What the test plugin puts something else in the place of.
        await hass.async_add_executor_job(store._write_data, data)

    with (
        patch.object(hass.config, "config_dir", str(tmp_path)),
        patch.object(Store, "_async_write_data", write),
    ):
        await async_load_credentials(hass)

    path = tmp_path / ".storage" / STORE
    mode = await hass.async_add_executor_job(path.stat)
    assert stat.S_IMODE(mode.st_mode) == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        {"private_key": ""},
        {"private_key": None},
        {"private_key": _OTHER.private_key_pem},
        {"certificate": "nonsense"},
        {"certificate": _OTHER.certificate_pem},
        {"device_id": _OTHER.device_id},
        {"device_id": None},
    ],
)
async def test_damaged_key_is_replaced(
    hass: HomeAssistant,
    ours: Credentials,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    damage: dict[str, str | None],
) -> None:
    """Parts that do not belong together are of no use."""
    hass_storage[STORE]["data"] |= damage

    credentials = await async_load_credentials(hass)

    assert credentials.device_id != ours.device_id
    assert hass_storage[STORE]["data"]["device_id"] == credentials.device_id
    (record,) = (
        record
        for record in caplog.records
        if record.name == "custom_components.rumpus" and record.levelname == "ERROR"
    )
    assert "has to be paired again" in record.getMessage()
    assert "PRIVATE KEY" not in record.getMessage()


async def test_incomplete_key_is_replaced(
    hass: HomeAssistant, ours: Credentials, hass_storage: dict[str, Any]
) -> None:
    """A file that lacks a part is as good as none."""
    del hass_storage[STORE]["data"]["private_key"]

    assert (await async_load_credentials(hass)).device_id != ours.device_id


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


async def test_adapters_of_the_user(hass: HomeAssistant, loopback_undone: None) -> None:
    """We announce ourselves from the adapters that are switched on, not from loopback."""
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
    assert network.udp_port == network.peer_udp_port == 1716


async def test_shared_zeroconf(
    hass: HomeAssistant, loopback_undone: None, mock_async_zeroconf: object
) -> None:
    """There is one mDNS in a Home Assistant."""
    assert await hub_module.async_zeroconf(hass) is mock_async_zeroconf


@pytest.fixture
def loopback_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at what the other tests replace; nothing is sent."""
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("name", "announced"),
    [("Villa (East)", "Villa East"), ("...", "Home Assistant"), ("", "Home Assistant")],
)
async def test_name(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    name: str,
    announced: str,
) -> None:
    """Devices see the name of the home, as far as the protocol allows it."""
    hass.config.location_name = name
    lease = await async_get_hub(hass).async_lease()

    assert lease.peer.identity.name == announced
    await lease.async_release()


async def test_leases(hass: HomeAssistant, ours: Credentials) -> None:
    """Our end runs while somebody needs it, and only one does at a time."""
    hub = async_get_hub(hass)
    first, second = await asyncio.gather(hub.async_lease(), hub.async_lease())
    assert first.peer is second.peer

    await first.async_release()
    await first.async_release()
    assert hub.peer is second.peer

    await second.async_release()
    assert not is_running(hass)

    third = await hub.async_lease()
    assert third.peer is not first.peer
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert not is_running(hass)
    await third.async_release()


async def test_start_fails(
    hass: HomeAssistant, ours: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that fails leaves nothing behind, and the next one works."""
    hub = async_get_hub(hass)

    async def start(self: LocalPeer) -> None:
        raise OSError("no port to listen on")

    with monkeypatch.context() as patched:
        patched.setattr(LocalPeer, "start", start)
        with pytest.raises(OSError, match="no port"):
            await hub.async_lease()
        assert not is_running(hass)

    lease = await hub.async_lease()
    await lease.async_release()


async def test_pins_are_known_before_anybody_connects(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    computer: FakeDevice,
    our_udp_port: int,
) -> None:
    """The first entry that is set up does not make strangers of the others' devices."""
    paired_entry(hass, ours, computer)
    await set_up(hass, ours, phone, "pixel")

    computer.announce("127.0.0.1", our_udp_port)
    await computer.wait_for("link_up")
    await computer.wait_packet("mpris.request")
    await computer.ping.send()
    await hass.async_block_till_done()

    assert ours.device_id in computer.paired
    assert not computer.events.seen("unpaired")


async def test_strangers_are_forgotten(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Whoever connects under ever new ids leaves nothing behind."""
    hub = async_get_hub(hass)
    lease = await hub.async_lease()
    await phone.call("127.0.0.1", lease.peer.tcp_port)
    await wait_device(hass, phone.device_id)
    assert phone.device_id in hub._followed

    phone.drop_link()
    await wait_lost(hass, phone.device_id)

    assert not hub._followed
    for card in flows(hass):
        hass.config_entries.flow.async_abort(card["flow_id"])
    await lease.async_release()


async def test_entries_of_other_families(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """An entry of another family is not our end's matter."""
    MockConfigEntry(domain="rumpus", data={"family": "toaster"}).add_to_hass(hass)

    lease = await async_get_hub(hass).async_lease()

    assert not lease.peer.devices
    await lease.async_release()


async def test_nothing_is_imported_before_it_is_needed(hass: HomeAssistant) -> None:
    """Loading the component loads neither a family nor a protocol, only their errors."""
    code = (
        "import sys, custom_components.rumpus, custom_components.rumpus.config_flow\n"
        "loaded = [m for m in sys.modules if m.startswith('custom_components.rumpus')]\n"
        "loaded.remove('custom_components.rumpus.protocols.errors')\n"
        "assert not [m for m in loaded if 'protocols.' in m or 'families.' in m], loaded"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        cwd=Path(__file__).parents[3],
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()


async def test_yaml_and_entries_share(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """With the YAML key our end outlives the last entry."""
    assert await async_setup_component(hass, "rumpus", {"rumpus": None})
    peer = async_get_hub(hass).peer
    entry = await set_up(hass, ours, phone, "pixel")
    assert async_get_hub(hass).peer is peer

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert async_get_hub(hass).peer is peer
