"""The TV remote, known as Stump (the SmartGlass reference, section 12.4).

OneGuide is old: newer consoles may refuse the channel, stay silent or know no device.
"""

from collections.abc import Iterable
import re
import secrets
from typing import Final, override
from urllib.parse import urlencode

from ...errors import PeerTimeoutError, ProtocolError
from ...json_fields import get_bool
from ...json_lines import JsonObject, JsonValue
from ..errors import StumpError
from ..events import TvNotified
from .answers import Answer
from .link import ChannelLink, Emit, Service
from .tv_decode import (
    decode_app_providers,
    decode_configuration,
    decode_headend,
    decode_lineups,
    decode_live_tv,
    decode_recent_channels,
    decode_streaming,
)
from .tv_models import (
    AppProvider,
    HeadendInfo,
    LiveTvInfo,
    RecentChannel,
    Streaming,
    StreamQuality,
    TvDevice,
    TvDeviceType,
    TvLineup,
    TvNotification,
    TvSource,
)

RESPONSE_TIMEOUT: Final = 3.0
"""Seconds for the console to answer a request."""
RECENT_CHANNELS: Final = 50
"""Recent channels to ask for unless told otherwise."""
MAX_NOTIFICATION: Final = 64
"""Characters of a notification's name; one with a longer name is dropped."""
MAX_ERROR: Final = 200
"""Characters kept of what the console says about an error."""
MAX_ARGUMENT: Final = 256
"""Characters of an id or a name that is sent."""

_ERROR: Final = "Error"
_PREFIXES: Final = 0x8000_0000
_MAX_INDEX: Final = 0x7FFF_FFFF
_MAX_PORT: Final = 0xFFFF
_NOTIFICATION: Final = re.compile(r"[A-Za-z0-9_.]+", re.ASCII)
_STREAM_PATHS: Final = {TvSource.TUNER: "zurich", TvSource.HDMI: "hdmi-in"}
_NOTIFICATIONS: Final = {name.value: name for name in TvNotification}
_CONFIGURATION_CHANGES: Final = frozenset(
    {TvNotification.CONFIGURATION_CHANGED, TvNotification.DEVICE_UI_CHANGED}
)
_HEADEND_CHANGES: Final = frozenset(
    {TvNotification.CONFIGURATION_CHANGED, TvNotification.HEADEND_CHANGED}
)
_VOLUME_DEVICES: Final = (TvDeviceType.RECEIVER, TvDeviceType.TV)
_VOLUME_BUTTONS: Final = ("btn.vol_up", "btn.vol_down", "btn.vol_mute")


class TvRequestError(StumpError):
    """The console answered a request with an error.

    `detail` is what it said, cleaned and cut: for diagnostics of one's own, not for logs.
    """

    def __init__(self, request: str, detail: str) -> None:
        """Take the request's name and the console's words."""
        super().__init__(f"The console's TV remote could not do {request}")
        self.request = request
        self.detail = detail


class TvService(Service):
    """Requests to the TV remote.

    All of them raise StumpError when the console answers an error, PeerTimeoutError when
    it does not answer in time, ProtocolError for an answer that is of no use or for what
    cannot be asked, and what ChannelLink.send_json raises.
    """

    def __init__(self, link: ChannelLink, emit: Emit) -> None:
        """Use a channel that may not be open yet."""
        super().__init__(link, emit)
        self._prefix = secrets.randbelow(_PREFIXES)
        self._count = 0
        self._waiting: dict[str, tuple[str, Answer[JsonValue]]] = {}
        self._configuration: tuple[TvDevice, ...] | None = None
        self._headend: HeadendInfo | None = None
        # How often what is kept was called outdated: an answer may be so on its way.
        self._changes = 0

    @override
    def closed(self) -> None:
        """The channel is gone: nothing is known, and answers will not come."""
        self._configuration = None
        self._headend = None
        self._changes += 1
        for _, answer in self._waiting.values():
            answer.lose()
        self._waiting.clear()
        super().closed()

    @override
    def received_json(self, obj: JsonObject) -> None:
        """Take an answer or a notification; what is neither is ignored."""
        name = obj.get("notification")
        if isinstance(name, str):
            self._notified(name, obj)
            return
        found = self._find(obj)
        if found is None:
            return
        request, answer = found
        if obj.get("response") == _ERROR or obj.get("error") is not None:
            answer.fail(TvRequestError(request, _cleaned(obj.get("error"))))
        else:
            answer.give(obj.get("params"))

    # Requests.

    async def get_configuration(
        self, *, is_fresh: bool = False
    ) -> tuple[TvDevice, ...]:
        """Return the devices that the console controls; kept until the console says so."""
        if self._configuration is not None and not is_fresh:
            return self._configuration
        changes = self._changes
        found = decode_configuration(await self._ask("GetConfiguration"))
        if changes == self._changes:
            self._configuration = found
        return found

    async def get_headend_info(self, *, is_fresh: bool = False) -> HeadendInfo:
        """Return the television providers; kept until the console says so."""
        if self._headend is not None and not is_fresh:
            return self._headend
        changes = self._changes
        found = decode_headend(await self._ask("GetHeadendInfo"))
        if changes == self._changes:
            self._headend = found
        return found

    async def get_live_tv_info(self) -> LiveTvInfo:
        """Return what live television shows."""
        return decode_live_tv(await self._ask("GetLiveTVInfo"))

    async def get_program_info(self) -> JsonValue:
        """Return what is known of the programme, as it came: nobody knows its shape."""
        return await self._ask("GetProgrammInfo")

    async def get_recent_channels(
        self, start: int = 0, count: int = RECENT_CHANNELS
    ) -> tuple[RecentChannel, ...]:
        """Return channels that were watched, so many of them from an index on."""
        if not (0 <= start <= _MAX_INDEX and 0 < count <= _MAX_INDEX):
            raise ProtocolError("No such range of channels")
        params: JsonObject = {"startindex": start, "count": count}
        return decode_recent_channels(await self._ask("GetRecentChannels", params))

    async def get_tuner_lineups(self) -> tuple[TvLineup, ...]:
        """Return the channels of the tuners."""
        return decode_lineups(await self._ask("GetTunerLineups"))

    async def get_app_channel_lineups(self) -> tuple[AppProvider, ...]:
        """Return the channels of apps."""
        return decode_app_providers(await self._ask("GetAppChannelLineups"))

    async def get_app_channel_data(
        self, provider_id: str, channel_id: str
    ) -> JsonValue:
        """Return what is known of an app's channel, as it came."""
        params: JsonObject = {
            "providerId": _argument(provider_id),
            "channelId": _argument(channel_id),
            "id": channel_id,
        }
        return await self._ask("GetAppChannelData", params)

    async def get_app_channel_program_data(
        self, provider_id: str, program_id: str
    ) -> JsonValue:
        """Return what is known of a programme of an app, as it came."""
        params: JsonObject = {
            "providerId": _argument(provider_id),
            "programId": _argument(program_id),
        }
        return await self._ask("GetAppChannelProgramData", params)

    async def set_channel(self, channel_id: str, lineup_id: str) -> None:
        """Switch to a channel of a lineup."""
        params: JsonObject = {
            "channelId": _argument(channel_id),
            "lineupInstanceId": _argument(lineup_id),
        }
        await self._ask("SetChannel", params)

    async def set_channel_by_name(self, name: str) -> None:
        """Switch to a channel by its name."""
        await self._ask("SetChannel", {"channel_name": _argument(name)})

    async def send_key(self, button_id: str, device_id: str | None = None) -> bool:
        """Press a button of a device; return False when the console says it could not."""
        params: JsonObject = {"button_id": _argument(button_id)}
        if device_id is not None:
            params["device_id"] = _argument(device_id)
        answer = await self._ask("SendKey", params)
        return get_bool({"answer": answer}, "answer") is not False

    async def ensure_streaming_started(self, source: TvSource) -> Streaming:
        """Have the console stream live television."""
        params: JsonObject = {"source": source.value}
        return decode_streaming(await self._ask("EnsureStreamingStarted", params))

    async def _ask(self, request: str, params: JsonObject | None = None) -> JsonValue:
        """Send a request and return the params of its answer."""
        self._count += 1
        msgid = f"{self._prefix:08x}.{self._count}"
        answer = Answer[JsonValue]()
        self._waiting[msgid] = (request, answer)
        body: JsonObject = {"request": request, "msgid": msgid}
        if params is not None:
            body["params"] = params
        try:
            try:
                await self._link.send_json(body)
            except PeerTimeoutError:
                # The answer is worth more than the acks.
                if not answer.is_given:
                    raise
            return await answer.wait(RESPONSE_TIMEOUT)
        finally:
            self._waiting.pop(msgid, None)

    # What comes.

    def _find(self, obj: JsonObject) -> tuple[str, Answer[JsonValue]] | None:
        """Return what waits for an answer: by its msgid or, without one, by its name."""
        msgid = obj.get("msgid")
        if isinstance(msgid, str) and msgid:
            return self._waiting.get(msgid.strip("{}").lower())
        name = obj.get("response")
        waiting = list(self._waiting.values())
        if name == _ERROR:
            # It is only known whose it is when just one request waits.
            return waiting[0] if len(waiting) == 1 else None
        return next((found for found in waiting if found[0] == name), None)

    def _notified(self, name: str, body: JsonObject) -> None:
        if len(name) > MAX_NOTIFICATION or _NOTIFICATION.fullmatch(name) is None:
            return
        known = _NOTIFICATIONS.get(name)
        if known in _CONFIGURATION_CHANGES:
            self._configuration = None
            self._changes += 1
        if known in _HEADEND_CHANGES:
            self._headend = None
            self._changes += 1
        self._emit(TvNotified(known or name, body))


def volume_device(devices: Iterable[TvDevice]) -> TvDevice | None:
    """Return the device whose volume is to be changed: a receiver, or else a TV.

    None when none of them has a button for the volume.
    """
    able = [
        device
        for device in devices
        if any(button in device.buttons for button in _VOLUME_BUTTONS)
    ]
    for kind in _VOLUME_DEVICES:
        for device in able:
            if device.device_type == kind:
                return device
    return None


def live_tv_url(
    host: str,
    port: int,
    source: TvSource,
    quality: StreamQuality = StreamQuality.BEST,
    xuid: str | None = None,
) -> str:
    """Return the address of the stream of live television.

    `port` is the streaming port that the console told, `xuid` a user's id. Raises
    ProtocolError for what is no port.
    """
    if not 0 < port <= _MAX_PORT:
        raise ProtocolError("Ports go from 1 to 65535")
    query = {"quality": quality.value}
    if xuid is not None:
        query["xuid"] = xuid
    place = f"[{host}]" if ":" in host else host
    return f"http://{place}:{port}/{_STREAM_PATHS[source]}?{urlencode(query)}"


def _argument(text: str) -> str:
    if not 0 < len(text) <= MAX_ARGUMENT:
        raise ProtocolError(f"Ids and names have 1 to {MAX_ARGUMENT} characters")
    return text


def _cleaned(error: JsonValue) -> str:
    text = error[: 2 * MAX_ERROR] if isinstance(error, str) else ""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:MAX_ERROR]
