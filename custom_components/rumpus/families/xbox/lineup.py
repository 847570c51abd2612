"""What a console knows of television, as the answer of an action.

Nothing here does input or output.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from homeassistant.util.json import JsonObjectType, JsonValueType

from ...protocols.smartglass.services.tv_models import (
    AppProvider,
    HeadendInfo,
    LiveTvInfo,
    RecentChannel,
    TvDevice,
    TvLineup,
)
from .remote_keys import TV_PREFIX

MAX_CHANNELS: Final = 5000
"""Channels of all tuners, and of all apps, that an answer holds."""


def device_part(devices: Iterable[TvDevice]) -> JsonValueType:
    """Return the devices with the buttons that they have."""
    return [
        {
            "id": device.device_id,
            "type": str(device.device_type),
            "name": device.name,
            "brand": device.brand,
            "model": device.model,
            "buttons": [button.removeprefix(TV_PREFIX) for button in device.buttons],
        }
        for device in devices
    ]


def headend_part(headend: HeadendInfo) -> JsonValueType:
    """Return where channels come from."""
    return [
        {
            "lineup_id": provider.headend_id,
            "name": provider.name,
            "source": None if provider.source is None else str(provider.source),
            "can_stream": provider.can_stream,
        }
        for provider in headend.providers
    ]


def lineup_part(lineups: Iterable[TvLineup]) -> JsonValueType:
    """Return the channels of the tuners."""
    return [
        {
            "lineup_id": lineup.headend_id,
            "channels": [
                {
                    "channel_id": channel.channel_id,
                    "number": channel.number,
                    "name": channel.name,
                }
                for channel in lineup.channels[:room]
            ],
        }
        for lineup, room in _with_room(lineups)
    ]


def app_part(providers: Iterable[AppProvider]) -> JsonValueType:
    """Return the channels of apps."""
    return [
        {
            "lineup_id": provider.id,
            "name": provider.name,
            "channels": [
                {"channel_id": channel.id, "name": channel.name}
                for channel in provider.channels[:room]
            ],
        }
        for provider, room in _with_room(providers)
    ]


def recent_part(channels: Iterable[RecentChannel]) -> JsonValueType:
    """Return the channels that were watched last."""
    return [
        {
            "channel_id": channel.channel_id,
            "lineup_id": channel.provider_id,
            "number": channel.number,
        }
        for channel in channels
    ]


def live_part(live: LiveTvInfo) -> JsonObjectType:
    """Return what live television shows."""
    return {
        "is_hdmi": live.is_hdmi,
        "tuner_channel_id": live.tuner_channel_id,
        "hdmi_channel_id": live.hdmi_channel_id,
    }


def _with_room[T: (TvLineup, AppProvider)](
    lists: Iterable[T],
) -> Iterator[tuple[T, int]]:
    """Return lists of channels, each with how many of its channels there is room for."""
    room = MAX_CHANNELS
    for channels in lists:
        yield channels, room
        room = max(0, room - len(channels.channels))
