"""A player of a fake computer, for the tests of media players and of their pictures."""

from typing import Any

from homeassistant.const import ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant

from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack

PLAYER = "media_player.tower_vlc"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff" + bytes(100)


def vlc(**changes: Any) -> FakePlayer:
    """Return a player that can do everything."""
    tracks = [
        FakeTrack("One", "Ann", "First", 180_000, art_url="file:///1.png", art=PNG),
        FakeTrack("Two", "Ann", "First", 200_000, art_url="file:///2.jpg", art=JPEG),
    ]
    return FakePlayer(
        "VLC",
        **{
            "tracks": tracks,
            "volume": 40,
            "loop_status": "None",
            "shuffle": False,
            "clock": lambda: 0.0,
            **changes,
        },
    )


async def call(hass: HomeAssistant, service: str, **data: Any) -> None:
    """Call an action of the player."""
    await hass.services.async_call(
        Platform.MEDIA_PLAYER, service, {ATTR_ENTITY_ID: PLAYER, **data}, blocking=True
    )
