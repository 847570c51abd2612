"""The TV remote, known as Stump (the SmartGlass reference, section 12.4).

OneGuide is old: newer consoles may refuse the channel, stay silent or know no device.
"""

from collections.abc import Iterable
from typing import Final

from ...json_lines import JsonValue
from .link import Service
from .tv_models import (
    AppProvider,
    HeadendInfo,
    LiveTvInfo,
    RecentChannel,
    Streaming,
    StreamQuality,
    TvDevice,
    TvLineup,
    TvSource,
)

RESPONSE_TIMEOUT: Final = 3.0
"""Seconds for the console to answer a request."""
RECENT_CHANNELS: Final = 50
"""Recent channels to ask for unless told otherwise."""


class TvService(Service):
    """Requests to the TV remote.

    All of them raise StumpError when the console answers an error, PeerTimeoutError when
    it does not answer in time, ProtocolError for an answer that is of no use, and
    what ChannelLink.send_json raises.
    """

    async def get_configuration(
        self, *, is_fresh: bool = False
    ) -> tuple[TvDevice, ...]:
        """Return the devices that the console controls; kept until the console says so."""
        raise NotImplementedError

    async def get_headend_info(self, *, is_fresh: bool = False) -> HeadendInfo:
        """Return the television providers; kept until the console says so."""
        raise NotImplementedError

    async def get_live_tv_info(self) -> LiveTvInfo:
        """Return what live television shows."""
        raise NotImplementedError

    async def get_program_info(self) -> JsonValue:
        """Return what is known of the programme, as it came: nobody knows its shape."""
        raise NotImplementedError

    async def get_recent_channels(
        self, start: int = 0, count: int = RECENT_CHANNELS
    ) -> tuple[RecentChannel, ...]:
        """Return channels that were watched."""
        raise NotImplementedError

    async def get_tuner_lineups(self) -> tuple[TvLineup, ...]:
        """Return the channels of the tuners."""
        raise NotImplementedError

    async def get_app_channel_lineups(self) -> tuple[AppProvider, ...]:
        """Return the channels of apps."""
        raise NotImplementedError

    async def get_app_channel_data(
        self, provider_id: str, channel_id: str
    ) -> JsonValue:
        """Return what is known of an app's channel, as it came."""
        raise NotImplementedError

    async def get_app_channel_program_data(
        self, provider_id: str, program_id: str
    ) -> JsonValue:
        """Return what is known of a programme of an app, as it came."""
        raise NotImplementedError

    async def set_channel(self, channel_id: str, lineup_id: str) -> None:
        """Switch to a channel of a lineup."""
        raise NotImplementedError

    async def set_channel_by_name(self, name: str) -> None:
        """Switch to a channel by its name."""
        raise NotImplementedError

    async def send_key(self, button_id: str, device_id: str | None = None) -> bool:
        """Press a button of a device; return whether the console could."""
        raise NotImplementedError

    async def ensure_streaming_started(self, source: TvSource) -> Streaming:
        """Have the console stream live television."""
        raise NotImplementedError


def volume_device(devices: Iterable[TvDevice]) -> TvDevice | None:
    """Return the device whose volume is to be changed: a receiver, or else a TV."""
    raise NotImplementedError


def live_tv_url(
    host: str,
    port: int,
    source: TvSource,
    quality: StreamQuality = StreamQuality.BEST,
    xuid: str | None = None,
) -> str:
    """Return the address of the stream of live television."""
    raise NotImplementedError
