"""Pictures of what this home's media players play, on a device."""

import pytest

from homeassistant.components.media_player.const import MediaPlayerState
from homeassistant.core import HomeAssistant

from .common import wait_connected, wait_state
from .offered import DEN, KITCHEN, Speaker, add_speakers, listed, offer, told, wait_told
from .players import JPEG, PNG
from custom_components.rumpus.families.kde_connect.features import (
    offered_entities as entities_module,
    offered_players_art as art_module,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


@pytest.fixture
async def kitchen(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Speaker:
    """A player that plays, of which everything is told almost at once."""
    monkeypatch.setattr(entities_module, "TELL_INTERVAL", 0.001)
    return Speaker("Kitchen")


@pytest.fixture
async def den(hass: HomeAssistant, kitchen: Speaker) -> Speaker:
    """Another one that does not."""
    den = Speaker("Den", state=MediaPlayerState.IDLE, media_title=None)
    await add_speakers(hass, kitchen, den)
    return den


@pytest.fixture
async def shown(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, den: Speaker
) -> FakeDevice:
    """A phone that shows both players."""
    await offer(hass, ours, phone, "pixel", players=[KITCHEN, DEN])
    await phone.wait_for("players", listed("Kitchen", "Den"))
    await wait_told(phone, "Kitchen", isPlaying=True)
    await wait_told(phone, "Den", isPlaying=False)
    return phone


async def test_picture(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    """It is sent to who asks, under an address that changes with it."""
    first = shown.players.states["Kitchen"]["albumArtUrl"]
    assert await shown.players.fetch_art("Kitchen") == PNG
    kitchen.picture = JPEG
    kitchen.change(media_image_hash="3")
    second = (await wait_told(shown, "Kitchen", title="Two", volume=40))["albumArtUrl"]
    assert second != first
    assert await shown.players.fetch_art("Kitchen") == JPEG
    # Pictures of before are not to be had any more.
    await shown.players.request_art("Kitchen", str(first))
    await shown.players.request_art("Kitchen", "file:///etc/passwd")
    kitchen.change(media_image_hash=None)
    await wait_told(shown, "Kitchen", albumArtUrl="")
    arts = [body for body in told(shown, "mpris") if body.get("transferringAlbumArt")]
    assert [body["albumArtUrl"] for body in arts] == [first, second]


@pytest.mark.parametrize(
    "picture", [None, b"<svg>", PNG + bytes(200)], ids=["none", "no picture", "large"]
)
async def test_picture_that_is_not_sent(
    hass: HomeAssistant,
    shown: FakeDevice,
    kitchen: Speaker,
    den: Speaker,
    picture: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is no picture or too large is not sent; the next one's turn comes."""
    monkeypatch.setattr(art_module, "MAX_ART", 200)
    kitchen.picture = picture
    await shown.players.request_art("Kitchen")
    assert await shown.players.fetch_art("Den") == PNG
    assert len([b for b in told(shown, "mpris") if "transferringAlbumArt" in b]) == 1


async def test_picture_that_fails(
    hass: HomeAssistant, shown: FakeDevice, kitchen: Speaker
) -> None:
    kitchen.fails = True
    await shown.players.request_art("Kitchen")
    assert await shown.players.fetch_art("Den") == PNG


async def test_picture_that_nobody_fetches(
    hass: HomeAssistant,
    shown: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is given up after a while."""
    monkeypatch.setattr(art_module, "ART_TIMEOUT", 0.1)
    url = str(shown.players.states["Kitchen"]["albumArtUrl"])
    await shown.players.request("Kitchen", albumArtUrl=url)
    await wait_told(shown, "Kitchen", transferringAlbumArt=True)
    monkeypatch.setattr(art_module, "ART_TIMEOUT", 5)
    assert await shown.players.fetch_art("Den") == PNG
    assert "album art was not sent" in caplog.text


async def test_picture_of_a_lost_device(hass: HomeAssistant, shown: FakeDevice) -> None:
    """Nothing goes on when the link has gone."""
    url = str(shown.players.states["Kitchen"]["albumArtUrl"])
    await shown.players.request("Kitchen", albumArtUrl=url)
    await wait_told(shown, "Kitchen", transferringAlbumArt=True)
    shown.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    await wait_connected(hass, "pixel")
    await shown.wait_for("players", listed("Kitchen", "Den"))
    assert await shown.players.fetch_art("Kitchen") == PNG


async def test_picture_of_a_player_without_entity(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, den: Speaker
) -> None:
    """A state alone has no picture to fetch."""
    ghost = "media_player.ghost"
    hass.states.async_set(ghost, "playing", {"entity_picture": "/ghost.png"})
    await offer(hass, ours, phone, "pixel", players=[ghost, DEN])
    await wait_told(phone, "ghost")
    await wait_told(phone, "Den")
    await phone.players.request_art("ghost")
    assert await phone.players.fetch_art("Den") == PNG
