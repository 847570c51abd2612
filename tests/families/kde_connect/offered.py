"""Things of this home to offer to a device, for the tests of what is offered."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, override

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    setup_test_component_platform,
)

from homeassistant.components.media_player import MediaPlayerEntity
from homeassistant.components.media_player.const import (
    MediaPlayerEntityFeature,
    MediaPlayerState,
    RepeatMode,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util

from .common import PATIENCE, paired_entry, wait_connected
from .players import PNG
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_events import FakeEvent

F = MediaPlayerEntityFeature
EVERYTHING = (
    F.PLAY
    | F.PAUSE
    | F.STOP
    | F.NEXT_TRACK
    | F.PREVIOUS_TRACK
    | F.SEEK
    | F.REPEAT_SET
    | F.SHUFFLE_SET
    | F.VOLUME_SET
    | F.VOLUME_MUTE
    | F.TURN_ON
)
KITCHEN = "media_player.kitchen"
DEN = "media_player.den"


class Speaker(MediaPlayerEntity):
    """A media player that does what it is told, and remembers it."""

    _attr_should_poll = False

    def __init__(self, name: str, **attributes: Any) -> None:
        """Play the second song unless told otherwise."""
        self._attr_name = name
        self._attr_unique_id = f"speaker-{name}"
        self.done: list[tuple[str, Any]] = []
        self.did = asyncio.Event()
        self.fails = False
        self.picture: bytes | None = PNG
        for key, value in {
            "supported_features": EVERYTHING,
            "state": MediaPlayerState.PLAYING,
            "media_title": "Two",
            "media_artist": "Ann",
            "media_album_name": "First",
            "media_content_id": "https://radio.example/two",
            "media_duration": 200,
            "media_position": 10,
            "media_image_hash": "2",
            "volume_level": 0.4,
            "is_volume_muted": False,
            "shuffle": False,
            "repeat": RepeatMode.OFF,
            **attributes,
        }.items():
            setattr(self, f"_attr_{key}", value)

    def change(self, **attributes: Any) -> None:
        """Change by itself."""
        for key, value in attributes.items():
            setattr(self, f"_attr_{key}", value)
        self.async_write_ha_state()

    @property
    @override
    def media_position_updated_at(self) -> datetime | None:
        return getattr(self, "_attr_media_position_updated_at", None)

    @override
    async def async_get_media_image(self) -> tuple[bytes | None, str | None]:
        if self.fails:
            raise ConnectionError("no picture")
        return self.picture, "image/png"

    def _do(self, what: str, value: object = None, **attributes: Any) -> None:
        self.done.append((what, value))
        self.did.set()
        if self.fails:
            raise HomeAssistantError("it does not work")
        self.change(**attributes)

    @override
    async def async_turn_on(self) -> None:
        self._do("turn_on", state=MediaPlayerState.IDLE)

    @override
    async def async_media_play(self) -> None:
        self._do("play", state=MediaPlayerState.PLAYING)

    @override
    async def async_media_pause(self) -> None:
        self._do("pause", state=MediaPlayerState.PAUSED)

    @override
    async def async_media_stop(self) -> None:
        self._do("stop", state=MediaPlayerState.IDLE)

    @override
    async def async_media_next_track(self) -> None:
        self._do("next", media_title="Three")

    @override
    async def async_media_previous_track(self) -> None:
        self._do("previous", media_title="One")

    @override
    async def async_media_seek(self, position: float) -> None:
        self._do(
            "seek",
            position,
            media_position=position,
            media_position_updated_at=dt_util.utcnow(),
        )

    @override
    async def async_set_volume_level(self, volume: float) -> None:
        self._do("volume", volume, volume_level=volume)

    @override
    async def async_mute_volume(self, mute: bool) -> None:
        self._do("mute", mute, is_volume_muted=mute)

    @override
    async def async_set_shuffle(self, shuffle: bool) -> None:
        self._do("shuffle", shuffle, shuffle=shuffle)

    @override
    async def async_set_repeat(self, repeat: RepeatMode) -> None:
        self._do("repeat", repeat, repeat=repeat)


async def add_speakers(hass: HomeAssistant, *speakers: Speaker) -> None:
    """Add media players to Home Assistant."""
    setup_test_component_platform(hass, "media_player", speakers)
    assert await async_setup_component(
        hass, "media_player", {"media_player": {"platform": "test"}}
    )
    await hass.async_block_till_done()


async def offer(
    hass: HomeAssistant,
    ours: Credentials,
    fake: FakeDevice,
    name: str,
    **options: list[str],
) -> MockConfigEntry:
    """Set up the entry of a fake device to which entities are offered."""
    entry = paired_entry(hass, ours, fake)
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, name)
    return entry


def told(fake: FakeDevice, packet_type: str) -> list[dict[str, Any]]:
    """Return the bodies of all packets of a type that a device has got."""
    return [
        dict(packet.body)
        for packet in fake.received
        if packet.type == f"kdeconnect.{packet_type}"
    ]


def listed(*names: str) -> Callable[[FakeEvent], bool]:
    """Return the check for a list of players."""
    return lambda event: event.data["names"] == list(names)


async def wait_told(fake: FakeDevice, player: str, **members: object) -> dict[str, Any]:
    """Wait for a packet about a player with some members."""
    body = await fake.wait_packet(
        "mpris",
        predicate=lambda body: (
            body.get("player") == player
            and all(body.get(key) == value for key, value in members.items())
        ),
    )
    return dict(body)


async def wait_done(speaker: Speaker, *done: tuple[str, Any]) -> None:
    """Wait until the last things that a player did are these."""
    try:
        async with asyncio.timeout(PATIENCE):
            while speaker.done[-len(done) :] != list(done):
                await speaker.did.wait()
                speaker.did.clear()
    except TimeoutError:
        raise AssertionError(f"it did {speaker.done}") from None
