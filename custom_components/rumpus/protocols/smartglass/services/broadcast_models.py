"""What is said about game streaming (the Nano reference, section 3)."""

from dataclasses import dataclass, field, fields
from enum import IntEnum
import re
from typing import Final

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int
from ...json_lines import JsonObject

MAX_SESSION_ID: Final = 64
"""Characters of a session id; a longer one is dropped."""

_MAX_PORT: Final = 0xFFFF
_SESSION_ID: Final = re.compile(r"[0-9A-Za-z{}-]+", re.ASCII)


class BroadcastType(IntEnum):
    """What an object is."""

    START = 1
    STOP = 2
    STATE = 3
    ENABLED = 4
    ERROR = 5
    TELEMETRY = 6
    PREVIEW_STATUS = 7


class StreamState(IntEnum):
    """How far streaming is."""

    UNKNOWN = 0
    INITIALIZING = 1
    STARTED = 2
    STOPPED = 3
    PAUSED = 4


class BroadcastErrorType(IntEnum):
    """Why streaming does not work."""

    GENERAL = 1
    FAILED_TO_INSTANTIATE = 2
    FAILED_TO_INITIALIZE = 3
    FAILED_TO_START = 4
    FAILED_TO_STOP = 5
    NO_CONTROLLER = 6
    DIFFERENT_ACCOUNT_ACTIVE = 7
    DRM_VIDEO = 8
    HDCP_VIDEO = 9
    KINECT_TITLE = 10
    PROHIBITED_GAME = 11
    POOR_NETWORK = 12
    STREAMING_DISABLED = 13
    CANNOT_REACH_CONSOLE = 14
    GENERIC = 15
    VERSION_MISMATCH = 16
    NO_PROFILE = 17
    BROADCAST_IN_PROGRESS = 18


def _named[T](name: str, default: T) -> T:
    """Declare a value of the configuration by its name on the wire."""
    value: T = field(default=default, metadata={"name": name})
    return value


@dataclass(frozen=True, slots=True)
class StreamConfiguration:
    """How to stream (section 3.1); the defaults are what official clients send.

    Rates are in bits a second, windows in bytes, latencies in milliseconds.
    """

    urcp_type: int = _named("urcpType", 0)
    urcp_fixed_rate: int = _named("urcpFixedRate", -1)
    urcp_maximum_window: int = _named("urcpMaximumWindow", 1_310_720)
    urcp_minimum_rate: int = _named("urcpMinimumRate", 256_000)
    urcp_maximum_rate: int = _named("urcpMaximumRate", 10_000_000)
    urcp_keep_alive_timeout_ms: int = _named("urcpKeepAliveTimeoutMs", 0)
    audio_fec_type: int = _named("audioFecType", 0)
    video_fec_type: int = _named("videoFecType", 0)
    video_fec_level: int = _named("videoFecLevel", 3)
    video_packet_utilization: int = _named("videoPacketUtilization", 0)
    enable_dynamic_bitrate: bool = _named("enableDynamicBitrate", False)
    dynamic_bitrate_scale_factor: int = _named("dynamicBitrateScaleFactor", 1)
    dynamic_bitrate_update_ms: int = _named("dynamicBitrateUpdateMs", 5000)
    send_keyframes_over_tcp: bool = _named("sendKeyframesOverTCP", False)
    video_maximum_width: int = _named("videoMaximumWidth", 1280)
    video_maximum_height: int = _named("videoMaximumHeight", 720)
    video_maximum_frame_rate: int = _named("videoMaximumFrameRate", 60)
    video_packet_defrag_timeout_ms: int = _named("videoPacketDefragTimeoutMs", 16)
    enable_video_frame_acks: bool = _named("enableVideoFrameAcks", False)
    enable_audio_chat: bool = _named("enableAudioChat", True)
    audio_buffer_length_hns: int = _named("audioBufferLengthHns", 10_000_000)
    audio_sync_policy: int = _named("audioSyncPolicy", 1)
    audio_sync_min_latency: int = _named("audioSyncMinLatency", 10)
    audio_sync_desired_latency: int = _named("audioSyncDesiredLatency", 40)
    audio_sync_max_latency: int = _named("audioSyncMaxLatency", 170)
    audio_sync_compress_latency: int = _named("audioSyncCompressLatency", 100)
    audio_sync_compress_factor: float = _named("audioSyncCompressFactor", 0.99)
    audio_sync_lengthen_factor: float = _named("audioSyncLengthenFactor", 1.01)
    enable_opus_audio: bool = _named("enableOpusAudio", False)
    enable_opus_chat_audio: bool = _named("enableOpusChatAudio", True)
    input_reads_per_second: int = _named("inputReadsPerSecond", 120)
    udp_max_send_packets: int = _named("udpMaxSendPacketsInWinsock", 250)
    udp_sub_burst_groups: int = _named("udpSubBurstGroups", 5)
    udp_burst_duration_ms: int = _named("udpBurstDurationMs", 11)

    def to_json(self) -> JsonObject:
        """Return the object to send, all of whose values are text."""
        return {
            item.metadata["name"]: _to_text(getattr(self, item.name))
            for item in fields(self)
        }


OFFICIAL: Final = StreamConfiguration()
"""What official clients send."""


@dataclass(frozen=True, slots=True)
class StartStream:
    """Begin to stream; `requery_preview_status` asks for a PreviewStatus, too."""

    configuration: StreamConfiguration = OFFICIAL
    requery_preview_status: bool = False

    def to_json(self) -> JsonObject:
        """Return the object to send."""
        return {
            "type": int(BroadcastType.START),
            "configuration": self.configuration.to_json(),
            "reQueryPreviewStatus": self.requery_preview_status,
        }


@dataclass(frozen=True, slots=True)
class StopStream:
    """Stream no longer."""

    def to_json(self) -> JsonObject:
        """Return the object to send."""
        return {"type": int(BroadcastType.STOP)}


@dataclass(frozen=True, slots=True)
class StreamStateChanged:
    """Streaming has got this far; each state tells what is known by then.

    The ports come with INITIALIZING, the network with STARTED; the link's speed is in bits
    a second. `session_id` ties the states of one stream together.
    """

    state: StreamState | int
    session_id: str | None = None
    udp_port: int | None = None
    tcp_port: int | None = None
    is_wireless: bool | None = None
    wireless_channel: int | None = None
    link_speed: int | None = None


@dataclass(frozen=True, slots=True)
class StreamingEnabled:
    """Whether the console allows streaming, and which version of the protocol it speaks."""

    is_enabled: bool
    can_be_enabled: bool | None = None
    major_version: int | None = None
    minor_version: int | None = None


@dataclass(frozen=True, slots=True)
class StreamFailed:
    """Streaming does not work."""

    error: BroadcastErrorType | int
    value: int | None = None


@dataclass(frozen=True, slots=True)
class PreviewStatus:
    """Whether the console takes part in previews."""

    is_public: bool | None
    is_internal: bool | None


@dataclass(frozen=True, slots=True)
class UnknownBroadcast:
    """An object of a type whose members nobody knows, as it came."""

    type: BroadcastType | int
    body: JsonObject = field(repr=False, hash=False)


type BroadcastMessage = (
    StreamStateChanged
    | StreamingEnabled
    | StreamFailed
    | PreviewStatus
    | UnknownBroadcast
)


def decode_broadcast(body: JsonObject) -> BroadcastMessage:
    """Return what the console says.

    Raises ProtocolError for an object without a type or without what its type needs.
    """
    kind = get_int(body, "type")
    match kind:
        case None:
            raise ProtocolError("A broadcast object without a type")
        case BroadcastType.STATE:
            return _state(body)
        case BroadcastType.ENABLED:
            return _enabled(body)
        case BroadcastType.ERROR:
            error = get_int(body, "errorType")
            if error is None:
                raise ProtocolError("A broadcast error without a type")
            return StreamFailed(
                _known(BroadcastErrorType, error), get_int(body, "errorValue")
            )
        case BroadcastType.PREVIEW_STATUS:
            return PreviewStatus(
                get_bool(body, "isPublicPreview"), get_bool(body, "isInternalPreview")
            )
        case _:
            return UnknownBroadcast(_known(BroadcastType, kind), body)


def _state(body: JsonObject) -> StreamStateChanged:
    state = get_int(body, "state")
    if state is None:
        raise ProtocolError("A broadcast state without a number")
    return StreamStateChanged(
        state=_known(StreamState, state),
        session_id=_session_id(body),
        udp_port=_port(body, "udpPort"),
        tcp_port=_port(body, "tcpPort"),
        is_wireless=get_bool(body, "isWirelessConnection"),
        wireless_channel=get_int(body, "wirelessChannel"),
        link_speed=get_int(body, "transmitLinkSpeed"),
    )


def _enabled(body: JsonObject) -> StreamingEnabled:
    enabled = get_bool(body, "enabled")
    if enabled is None:
        raise ProtocolError(
            "A broadcast object that does not say whether it is enabled"
        )
    return StreamingEnabled(
        is_enabled=enabled,
        can_be_enabled=get_bool(body, "canBeEnabled"),
        major_version=get_int(body, "majorProtocolVersion"),
        minor_version=get_int(body, "minorProtocolVersion"),
    )


def _session_id(body: JsonObject) -> str | None:
    value = body.get("sessionId")
    if not isinstance(value, str) or len(value) > MAX_SESSION_ID:
        return None
    return value if _SESSION_ID.fullmatch(value) is not None else None


def _port(body: JsonObject, key: str) -> int | None:
    port = get_int(body, key)
    return port if port is not None and 0 < port <= _MAX_PORT else None


def _known[E: IntEnum](kind: type[E], value: int) -> E | int:
    """Return the enum's member, or the number itself when there is none."""
    try:
        return kind(value)
    except ValueError:
        return value


def _to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
