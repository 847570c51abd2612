"""What strangers in the network may not do to what Home Assistant shows and keeps."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    flows,
    go,
    our_end,
    paired_entry,
    set_up,
    wait_connected,
    wait_flow,
    wait_until,
)
from .test_flow_discovery import discover, service
from custom_components.rumpus.cards import MAX_CARDS
from custom_components.rumpus.families.kde_connect.artwork import Artwork, art_key
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.discovery import UdpDiscovery
from custom_components.rumpus.protocols.kdeconnect.events import TrustReason
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins.mpris import AlbumArt, Player
from tests.fakes.kdeconnect import FakeCredentials, FakeDevice


async def test_mdns_does_not_move_a_connected_device(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Its link tells where it is; an announcement anybody can make."""
    entry = await set_up(hass, ours, phone, "pixel")
    result = await discover(hass, service(phone.device_id, addresses=["10.6.6.6"]))
    assert result["reason"] == "already_configured"
    assert entry.data["host"] == "127.0.0.1"


@pytest.mark.parametrize("address", ["8.8.8.8", "203.0.114.66"])
async def test_mdns_from_elsewhere_is_no_card(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, address: str
) -> None:
    """Nothing is sent out of the local networks."""
    result = await discover(hass, service(phone.device_id, addresses=[address]))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "invalid_discovery"


async def test_mdns_cards_are_bounded(
    hass: HomeAssistant, ours: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever makes up services sees the oldest of his cards withdrawn."""
    sent: list[str] = []

    def send(self: UdpDiscovery, identity: Identity, host: str) -> None:
        sent.append(host)

    monkeypatch.setattr(UdpDiscovery, "send", send)
    for number in range(MAX_CARDS + 5):
        await discover(hass, service(f"{number:032d}", addresses=["10.6.6.6"]))
    assert len(flows(hass)) == MAX_CARDS


async def test_no_card_is_withdrawn_for_another_while_its_device_is_there(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    our_udp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A made-up service gets no card when all cards are of devices that are there."""
    monkeypatch.setattr("custom_components.rumpus.cards.MAX_CARDS", 1)
    await discover(hass, service(phone.device_id))
    phone.announce("127.0.0.1", our_udp_port)
    await phone.wait_for("link_up")
    await wait_until(hass, lambda: phone.device_id in our_end(hass).devices)
    result = await discover(hass, service("0" * 32, addresses=["10.6.6.6"]))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "too_many_discovered"
    assert [flow["context"]["unique_id"] for flow in flows(hass)] == [phone.device_id]


async def test_repair_that_fails_leaves_the_genuine_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, our_udp_port: int
) -> None:
    """The stranger has gone, the question about his key is still open: the phone returns."""
    entry = paired_entry(hass, ours, phone, port=1)
    genuine, paired = phone.credentials, dict(phone.paired)
    phone.credentials = FakeCredentials.generate(phone.device_id)
    phone.paired.clear()
    assert await hass.config_entries.async_setup(entry.entry_id)
    phone.announce("127.0.0.1", our_udp_port)
    result = await wait_flow(hass, "reauth", phone.device_id)
    assert result["step_id"] == "kde_connect_reauth_changed"
    phone.credentials = genuine
    phone.paired.update(paired)

    result = await go(hass, result)
    assert result["errors"] == {"base": "cannot_connect"}
    await hass.async_block_till_done()
    await phone.call("127.0.0.1", our_end(hass).tcp_port)

    await wait_connected(hass, "pixel")
    assert our_end(hass).devices[phone.device_id].is_paired
    await phone.battery.set(50)
    assert phone.paired


async def test_impostor_in_the_grace_of_a_lost_link(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The genuine device replaces its link a moment later and is not told anew."""
    await set_up(hass, ours, phone, "pixel")
    device = our_end(hass).devices[phone.device_id]
    assert device._link is not None
    device._link.abort()
    device._lost(device._link)
    assert device.is_up
    assert not device.is_connected

    device.distrust(TrustReason.CERTIFICATE_CHANGED)

    assert flows(hass) == []


class AwayDevice:
    """A device that loses its link while a picture is asked for."""

    device_id = "0" * 32

    def __init__(self) -> None:
        self.asked = 0
        self.artwork: Artwork | None = None

    async def send(self, packet: Packet) -> None:
        """Lose the link, once; afterwards announce the picture."""
        assert self.artwork is not None
        self.asked += 1
        if self.asked == 1:
            self.artwork.clear()
            raise DisconnectedError("gone")
        self.artwork.received(AlbumArt("vlc", "file:///x", Payload(6, 1800)))

    async def fetch(self, payload: Payload, limit: int) -> bytes:
        """Return a picture."""
        return b"\xff\xd8\xffabc"


async def test_art_that_failed_with_the_link_is_asked_for_again(
    hass: HomeAssistant,
) -> None:
    """What came of a link that was lost is not remembered as "no picture"."""
    device = AwayDevice()
    artwork = Artwork(hass, device)  # type: ignore[arg-type]  # as much as it needs
    device.artwork = artwork
    player = Player("vlc", title="Title", album_art_url="file:///x")
    key = art_key(player, from_device=True)
    assert key is not None
    assert await artwork.async_get(player, key) is None
    assert await artwork.async_get(player, key) == (b"\xff\xd8\xffabc", "image/jpeg")
    assert device.asked == 2
