"""Pictures of what is played: from the device, from the web, or from nowhere."""

from typing import Any

import aiohttp
import pytest
from pytest_homeassistant_custom_component.test_util.aiohttp import AiohttpClientMocker
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant

from .common import get_state, set_up, wait_attribute, wait_state, wait_until
from .players import JPEG, PLAYER, PNG, call, vlc
from custom_components.rumpus.families.kde_connect import artwork as artwork_module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_media import FakePlayer
from tests.fakes.kdeconnect_wire import Body, FakePacket


async def picture(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> tuple[int, bytes, str]:
    """Fetch the player's picture as a browser does."""
    client = await hass_client()
    response = await client.get(get_state(hass, PLAYER).attributes["entity_picture"])
    return response.status, await response.read(), response.content_type


async def test_art_of_the_device(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """A picture is fetched from the device when somebody looks, and only once."""
    assert not computer.events.seen("payload_sent")
    assert await picture(hass, hass_client) == (200, PNG, "image/png")
    assert await picture(hass, hass_client) == (200, PNG, "image/png")
    assert computer.events.seen("payload_sent") == 1

    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")
    assert await picture(hass, hass_client) == (200, JPEG, "image/jpeg")

    # The device may have changed them while it was away.
    computer.drop_link()
    await wait_state(hass, PLAYER, "unavailable")
    await wait_state(hass, PLAYER, "idle")
    player.tracks[1].art = PNG
    assert await picture(hass, hass_client) == (200, PNG, "image/png")


async def test_same_address_for_every_picture(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """Another title has another picture, whatever its address says."""
    player.tracks[1].art_url = player.tracks[0].art_url
    before = get_state(hass, PLAYER).attributes["entity_picture"]
    assert await picture(hass, hass_client) == (200, PNG, "image/png")

    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")

    assert get_state(hass, PLAYER).attributes["entity_picture"] != before
    assert await picture(hass, hass_client) == (200, JPEG, "image/jpeg")


async def test_cache_is_bounded(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only the last pictures are kept."""
    monkeypatch.setattr(artwork_module, "MAX_CACHED", 1)
    await picture(hass, hass_client)
    await call(hass, "media_next_track")
    await wait_attribute(hass, PLAYER, "media_title", "Two")
    await picture(hass, hass_client)
    await call(hass, "media_previous_track")
    await wait_attribute(hass, PLAYER, "media_title", "One")

    assert await picture(hass, hass_client) == (200, PNG, "image/png")
    assert computer.events.seen("payload_sent") == 3


async def test_no_art(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """Where there is no picture none is offered."""
    player.tracks[0].art_url = ""
    await computer.media.change("VLC")
    await wait_until(
        hass, lambda: "entity_picture" not in get_state(hass, PLAYER).attributes
    )


async def test_device_that_sends_no_art(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A picture on the device's disk is of no use when it does not send pictures."""
    computer.media.offers_art = False
    await computer.media.add(vlc())
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")

    assert "entity_picture" not in get_state(hass, PLAYER).attributes


@pytest.mark.parametrize(
    "misbehave",
    [
        Misbehave.PAYLOAD_REFUSED,
        Misbehave.PAYLOAD_SHORT,
        Misbehave.PAYLOAD_WRONG_CERTIFICATE,
    ],
)
async def test_art_that_fails(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    misbehave: Misbehave,
) -> None:
    """A picture that cannot be had is none, and is not asked for again."""
    computer.misbehave = misbehave
    assert (await picture(hass, hass_client))[0] == 404
    computer.misbehave = Misbehave.NOTHING
    assert (await picture(hass, hass_client))[0] == 404
    assert get_state(hass, PLAYER).state == "idle"


async def test_art_that_is_no_picture(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """What a browser might run is not shown."""
    player.tracks[0].art = b"<script>alert(1)</script>"
    assert (await picture(hass, hass_client))[0] == 404


async def test_art_that_never_comes(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that does not answer is not waited for for ever."""
    monkeypatch.setattr(artwork_module, "ART_TIMEOUT", 0.05)
    player.tracks[0].art = b""
    assert (await picture(hass, hass_client))[0] == 404


async def test_art_too_large(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One byte more than the limit is too much."""
    monkeypatch.setattr(artwork_module, "MAX_ART", len(PNG) - 1)
    assert (await picture(hass, hass_client))[0] == 404


async def test_art_that_nobody_asked_for(
    hass: HomeAssistant,
    player: FakePlayer,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """Announced pictures wait until they are wanted."""
    (peer,) = computer.linked
    body: Body = {"player": "VLC", "albumArtUrl": "x:y", "transferringAlbumArt": True}
    peer.send_packet(FakePacket("kdeconnect.mpris", body, len(PNG), 1739))
    await computer.battery.set(50)
    await wait_state(hass, "sensor.tower_battery", "50")

    assert await picture(hass, hass_client) == (200, PNG, "image/png")


async def test_art_of_a_player_that_has_just_gone(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A picture of nothing is none."""
    entity = hass.data["entity_components"]["media_player"].get_entity(PLAYER)
    await computer.media.remove("VLC")
    await wait_state(hass, PLAYER, "unavailable")

    assert await entity.async_get_media_image() == (None, None)


async def test_art_that_has_just_gone(
    hass: HomeAssistant, player: FakePlayer, computer: FakeDevice
) -> None:
    """A picture of a song without one is none."""
    entity = hass.data["entity_components"]["media_player"].get_entity(PLAYER)
    player.tracks[0].art_url = ""
    await computer.media.change("VLC")
    await wait_until(
        hass, lambda: "entity_picture" not in get_state(hass, PLAYER).attributes
    )

    assert await entity.async_get_media_image() == (None, None)


def mock_cover(aioclient_mock: AiohttpClientMocker, **answer: Any) -> None:
    """Let the web answer so when it is asked for the cover."""
    get: Any = aioclient_mock.get
    get("https://example.com/cover.webp", **answer)


@pytest.fixture
async def web_player(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    aioclient_mock: AiohttpClientMocker,
) -> FakePlayer:
    """A player whose picture is on the web."""
    player = vlc()
    player.tracks[0].art_url = "https://example.com/cover.webp"
    computer.media.offers_art = False
    await computer.media.add(player)
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, PLAYER, "idle")
    return player


async def test_art_on_the_web(
    hass: HomeAssistant,
    web_player: FakePlayer,
    hass_client: ClientSessionGenerator,
    aioclient_mock: AiohttpClientMocker,
) -> None:
    """Home Assistant fetches it: a browser elsewhere tells nobody what is played."""
    webp = b"RIFF\0\0\0\0WEBPVP8 "
    mock_cover(aioclient_mock, content=webp)

    assert await picture(hass, hass_client) == (200, webp, "image/webp")
    assert "example.com" not in repr(get_state(hass, PLAYER).attributes)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"exc": aiohttp.ClientConnectionError()},
        {"exc": TimeoutError()},
        {"content": b"<html>"},
        {"content": PNG + bytes(1000)},
    ],
)
async def test_art_on_the_web_fails(
    hass: HomeAssistant,
    web_player: FakePlayer,
    hass_client: ClientSessionGenerator,
    aioclient_mock: AiohttpClientMocker,
    monkeypatch: pytest.MonkeyPatch,
    answer: dict[str, Any],
) -> None:
    """A web server's trouble is not the player's."""
    monkeypatch.setattr(artwork_module, "MAX_ART", 500)
    mock_cover(aioclient_mock, **answer)

    assert (await picture(hass, hass_client))[0] == 404
    assert get_state(hass, PLAYER).state == "idle"
