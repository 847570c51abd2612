"""Reading what the TV remote answers (the SmartGlass reference, section 12.4).

All functions raise ProtocolError for an answer whose shape is another one altogether; single
members that are of no use are taken as absent.
"""

from collections.abc import Mapping
import re
from types import MappingProxyType
from typing import Final

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int, get_object, get_objects, get_str
from ...json_lines import JsonObject, JsonValue
from .tv_models import (
    AppChannel,
    AppProvider,
    HeadendInfo,
    HeadendProvider,
    LiveTvInfo,
    PauseBuffer,
    RecentChannel,
    Streaming,
    TvChannel,
    TvDevice,
    TvDeviceType,
    TvLineup,
    TvSource,
)

MAX_TEXT: Final = 256
"""Characters kept of a name."""
MAX_ID: Final = 256
"""Characters of an id; what has a longer one is dropped, since half an id names nothing."""
MAX_URL: Final = 2048
"""Characters of an address; a longer one is dropped."""
MAX_DEVICES: Final = 32
"""Devices kept of a configuration."""
MAX_BUTTONS: Final = 256
"""Buttons kept of a device; 57 are known."""
MAX_PROVIDERS: Final = 32
"""Providers kept of a head-end, of tuners or of apps."""
MAX_CHANNELS: Final = 4000
"""Channels kept of one lineup or app."""
MAX_RECENT: Final = 500
"""Recent channels kept."""

_HEX: Final = re.compile(r"(?:0x|#)?([0-9a-f]{1,8})", re.IGNORECASE | re.ASCII)
_MAX_WORD: Final = 0xFFFF_FFFF
_MAX_PORT: Final = 0xFFFF
_NO_NUMBER: Final = "NumberUnused"


def decode_configuration(params: JsonValue) -> tuple[TvDevice, ...]:
    """Return the devices of GetConfiguration."""
    devices: list[TvDevice] = []
    for item in _items(params, MAX_DEVICES):
        device_id = _id(item, "device_id")
        if device_id is None:
            continue
        kind = _text(item, "device_type") or ""
        devices.append(
            TvDevice(
                device_id=device_id,
                device_type=_DEVICE_TYPES.get(kind.lower(), kind),
                brand=_text(item, "device_brand"),
                model=_text(item, "device_model"),
                name=_text(item, "device_name"),
                buttons=_buttons(item),
            )
        )
    return tuple(devices)


def decode_headend(params: JsonValue) -> HeadendInfo:
    """Return the providers of GetHeadendInfo."""
    body = _body(params)
    return HeadendInfo(
        name=_text(body, "providerName"),
        headend_id=_id(body, "headendId"),
        locale=_text(body, "headendLocale"),
        blocks_explicit_content=get_bool(body, "blockExplicitContentPerShow"),
        dvr_enabled=get_bool(body, "dvrEnabled"),
        streaming_port=_port(body),
        preferred_provider=_preferred_provider(body),
        providers=tuple(
            _provider(item)
            for item in get_objects(body, "providers", max_items=MAX_PROVIDERS) or ()
        ),
    )


def decode_live_tv(params: JsonValue) -> LiveTvInfo:
    """Return the state of GetLiveTVInfo."""
    body = _body(params)
    buffer = get_object(body, "pauseBufferInfo")
    return LiveTvInfo(
        is_hdmi=get_bool(body, "inHdmiMode"),
        streaming_port=_port(body),
        tuner_channel_type=_text(body, "tunerChannelType"),
        tuner_channel_id=_id(body, "currentTunerChannelId"),
        hdmi_channel_id=_id(body, "currentHdmiChannelId"),
        pause_buffer=None if buffer is None else _pause_buffer(buffer),
    )


def decode_lineups(params: JsonValue) -> tuple[TvLineup, ...]:
    """Return the lineups of GetTunerLineups."""
    lineups: list[TvLineup] = []
    items = get_objects(_body(params), "providers", max_items=MAX_PROVIDERS)
    for item in items or ():
        headend_id = _id(item, "headendId")
        if headend_id is None:
            continue
        lineups.append(
            TvLineup(
                headend_id=headend_id,
                channels=_channels(item),
                cqs_channels=_cqs_channels(item),
            )
        )
    return tuple(lineups)


def decode_app_providers(params: JsonValue) -> tuple[AppProvider, ...]:
    """Return the apps of GetAppChannelLineups."""
    providers: list[AppProvider] = []
    for item in _items(params, MAX_PROVIDERS):
        provider_id = _id(item, "id")
        if provider_id is None:
            continue
        providers.append(
            AppProvider(
                id=provider_id,
                name=_text(item, "providerName"),
                title_id=_hex(item, "titleId"),
                primary_color=_hex(item, "primaryColor"),
                secondary_color=_hex(item, "secondaryColor"),
                image_url=_url(item, "providerImageUrl"),
                channels=_app_channels(item),
            )
        )
    return tuple(providers)


def decode_recent_channels(params: JsonValue) -> tuple[RecentChannel, ...]:
    """Return the channels of GetRecentChannels."""
    channels: list[RecentChannel] = []
    for item in _items(params, MAX_RECENT):
        channel_id = _id(item, "channelId")
        if channel_id is None:
            continue
        number = _text(item, "channelNum")
        channels.append(
            RecentChannel(
                channel_id=channel_id,
                provider_id=_id(item, "providerId"),
                number=None if number == _NO_NUMBER else number,
            )
        )
    return tuple(channels)


def decode_streaming(params: JsonValue) -> Streaming:
    """Return the state of EnsureStreamingStarted."""
    body = _body(params)
    return Streaming(
        channel_id=_id(body, "currentChannelId"),
        source=_source(body),
        port=_port(body),
        tuner_channel_type=_text(body, "tunerChannelType"),
        can_view=get_bool(body, "userCanViewChannel"),
    )


_DEVICE_TYPES: Final = {kind.value: kind for kind in TvDeviceType}
_SOURCES: Final = {source.value: source for source in TvSource}


def _body(params: JsonValue) -> JsonObject:
    if not isinstance(params, dict):
        raise ProtocolError("An answer of the TV remote that is no object")
    return params


def _items(params: JsonValue, limit: int) -> tuple[JsonObject, ...]:
    items = get_objects({"params": params}, "params", max_items=limit)
    if items is None:
        raise ProtocolError("An answer of the TV remote that is no list")
    return items


def _text(body: JsonObject, key: str) -> str | None:
    """Return text that is shown; numbers are turned into it, as ids are."""
    value = body.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return get_str(body, key, limit=MAX_TEXT) or None


def _id(body: JsonObject, key: str) -> str | None:
    value = body.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID else None


def _url(body: JsonObject, key: str) -> str | None:
    value = body.get(key)
    if not isinstance(value, str) or len(value) > MAX_URL:
        return None
    return value if value.startswith(("http://", "https://")) else None


def _hex(body: JsonObject, key: str) -> int | None:
    """Return 32 bits, sent as hexadecimal text or as a number."""
    value = body.get(key)
    if isinstance(value, str):
        found = _HEX.fullmatch(value.strip()) if len(value) <= MAX_ID else None
        return None if found is None else int(found[1], 16)
    number = get_int(body, key)
    return number if number is not None and 0 <= number <= _MAX_WORD else None


def _port(body: JsonObject) -> int | None:
    port = get_int(body, "streamingPort")
    return port if port is not None and 0 < port <= _MAX_PORT else None


def _source(body: JsonObject) -> TvSource | str | None:
    source = _text(body, "source")
    return None if source is None else _SOURCES.get(source.lower(), source)


def _provider(body: JsonObject) -> HeadendProvider:
    return HeadendProvider(
        name=_text(body, "providerName"),
        headend_id=_id(body, "headendId"),
        source=_source(body),
        title_id=_hex(body, "titleId"),
        filter_preference=_text(body, "filterPreference"),
        can_stream=get_bool(body, "canStream"),
    )


def _preferred_provider(body: JsonObject) -> HeadendProvider | None:
    """Return a provider that is told whole, or by its id alone."""
    whole = get_object(body, "preferredProvider")
    if whole is not None:
        return _provider(whole)
    headend_id = _id(body, "preferredProvider")
    return None if headend_id is None else HeadendProvider(None, headend_id)


def _buttons(body: JsonObject) -> Mapping[str, str]:
    buttons = get_object(body, "buttons") or {}
    found: dict[str, str] = {}
    for button_id in buttons:
        if len(found) == MAX_BUTTONS:
            break
        if 0 < len(button_id) <= MAX_ID:
            found[button_id] = _text(buttons, button_id) or button_id
    return MappingProxyType(found)


def _pause_buffer(body: JsonObject) -> PauseBuffer:
    return PauseBuffer(
        is_enabled=get_bool(body, "Enabled"),
        is_dvr=get_bool(body, "IsDvr"),
        max_size=get_int(body, "MaxBufferSize"),
        current=get_int(body, "BufferCurrent"),
        start=get_int(body, "BufferStart"),
        end=get_int(body, "BufferEnd"),
        now=get_int(body, "CurrentTime"),
        epoch=get_int(body, "Epoch"),
    )


def _channels(body: JsonObject) -> tuple[TvChannel, ...]:
    channels: list[TvChannel] = []
    for item in get_objects(body, "foundChannels", max_items=MAX_CHANNELS) or ():
        channel_id = _id(item, "channelId")
        if channel_id is not None:
            number, name = _text(item, "channelNumber"), _text(item, "displayName")
            channels.append(TvChannel(channel_id, number, name))
    return tuple(channels)


def _cqs_channels(body: JsonObject) -> tuple[str, ...]:
    value = body.get("cqsChannels")
    if not isinstance(value, list):
        return ()
    return tuple(
        item
        for item in value[:MAX_CHANNELS]
        if isinstance(item, str) and 0 < len(item) <= MAX_ID
    )


def _app_channels(body: JsonObject) -> tuple[AppChannel, ...]:
    channels: list[AppChannel] = []
    for item in get_objects(body, "channels", max_items=MAX_CHANNELS) or ():
        channel_id = _id(item, "id")
        if channel_id is not None:
            channels.append(AppChannel(channel_id, _text(item, "name")))
    return tuple(channels)
