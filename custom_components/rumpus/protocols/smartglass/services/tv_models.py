"""What a console tells about television (the SmartGlass reference, section 12.4).

Consoles write numbers and truth values as text as often as not, and leave members out:
None is what nobody told. An entry of a list that names nothing is left out of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class TvDeviceType(StrEnum):
    """What a device that the console controls is."""

    TV = "tv"
    SET_TOP_BOX = "stb"
    RECEIVER = "avr"
    TUNER = "tuner"


class TvSource(StrEnum):
    """Where live television comes from."""

    HDMI = "hdmi"
    TUNER = "tuner"


class StreamQuality(StrEnum):
    """How good a stream of live television shall be."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    BEST = "best"


class TvNotification(StrEnum):
    """What the console tells without being asked."""

    STREAMING_ERROR = "StreamingError"
    CHANNEL_CHANGED = "ChannelChanged"
    CHANNEL_TYPE_CHANGED = "ChannelTypeChanged"
    CONFIGURATION_CHANGED = "ConfigurationChanged"
    DEVICE_UI_CHANGED = "DeviceUIChanged"
    HEADEND_CHANGED = "HeadendChanged"
    VIDEO_FORMAT_CHANGED = "VideoFormatChanged"
    PROGRAM_CHANGED = "ProgrammChanged"
    TUNER_STATE_CHANGED = "TunerStateChanged"


@dataclass(frozen=True, slots=True)
class TvDevice:
    """A device that the console controls, and its buttons: ids such as btn.vol_up to labels."""

    device_id: str
    device_type: TvDeviceType | str
    brand: str | None = None
    model: str | None = None
    name: str | None = None
    buttons: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class HeadendProvider:
    """Where one source of channels comes from; title_id is a number."""

    name: str | None
    headend_id: str | None
    source: TvSource | str | None = None
    title_id: int | None = None
    filter_preference: str | None = None
    can_stream: bool | None = None


@dataclass(frozen=True, slots=True)
class HeadendInfo:
    """The television providers that are set up."""

    name: str | None
    headend_id: str | None
    locale: str | None = None
    blocks_explicit_content: bool | None = None
    dvr_enabled: bool | None = None
    streaming_port: int | None = None
    preferred_provider: HeadendProvider | None = None
    providers: tuple[HeadendProvider, ...] = ()


@dataclass(frozen=True, slots=True)
class PauseBuffer:
    """How far live television can be rewound; times are in 100-ns ticks since 1601."""

    is_enabled: bool | None
    is_dvr: bool | None
    max_size: int | None
    current: int | None
    start: int | None
    end: int | None
    now: int | None
    epoch: int | None


@dataclass(frozen=True, slots=True)
class LiveTvInfo:
    """What live television shows now."""

    is_hdmi: bool | None
    streaming_port: int | None = None
    tuner_channel_type: str | None = None
    tuner_channel_id: str | None = None
    hdmi_channel_id: str | None = None
    pause_buffer: PauseBuffer | None = None


@dataclass(frozen=True, slots=True)
class TvChannel:
    """A channel of a tuner; `number` is text, it may have a dot."""

    channel_id: str
    number: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class TvLineup:
    """The channels of one tuner."""

    headend_id: str
    channels: tuple[TvChannel, ...] = ()
    cqs_channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppChannel:
    """A channel of an app."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AppProvider:
    """An app with channels; colours are ARGB, title_id is a number."""

    id: str
    name: str | None = None
    title_id: int | None = None
    primary_color: int | None = None
    secondary_color: int | None = None
    image_url: str | None = None
    channels: tuple[AppChannel, ...] = ()


@dataclass(frozen=True, slots=True)
class RecentChannel:
    """A channel that was watched; `number` is None when the console says it has none."""

    channel_id: str
    provider_id: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Streaming:
    """How live television is streamed."""

    channel_id: str | None
    source: TvSource | str | None
    port: int | None
    tuner_channel_type: str | None = None
    can_view: bool | None = None
