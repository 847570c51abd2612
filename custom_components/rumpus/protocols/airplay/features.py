"""What an AirPlay service says that it can do and needs (part A, section 1.9)."""

from enum import Enum
import re
from typing import Final

from ..errors import ProtocolError
from ..flags import WireFlag

# One text of flags as it is announced: a low word, and perhaps a high word behind it.
_FEATURES: Final = re.compile(
    r"0x([0-9a-f]{1,8})(?:,0x([0-9a-f]{1,8}))?", re.ASCII | re.IGNORECASE
)
_FLAGS: Final = re.compile(r"(?:0x)?([0-9a-f]{1,16})", re.ASCII | re.IGNORECASE)


class AirPlayFlags(WireFlag):
    """The feature bits; unknown ones are kept."""

    VIDEO_V1 = 1 << 0
    PHOTO = 1 << 1
    SLIDESHOW = 1 << 5
    SCREEN = 1 << 7
    AUDIO = 1 << 9
    REDUNDANT_AUDIO = 1 << 11
    FAIRPLAY_AUTHENTICATION = 1 << 14
    METADATA_ARTWORK = 1 << 15
    METADATA_PROGRESS = 1 << 16
    METADATA_TEXT = 1 << 17
    AUDIO_FORMAT_1 = 1 << 18
    AUDIO_FORMAT_2 = 1 << 19
    AUDIO_FORMAT_3 = 1 << 20
    AUDIO_FORMAT_4 = 1 << 21
    RSA_AUTHENTICATION = 1 << 23
    MFI_AUTHENTICATION = 1 << 26
    LEGACY_PAIRING = 1 << 27
    UNIFIED_ADVERTISER_INFO = 1 << 30
    CAR_PLAY = 1 << 32
    VIDEO_PLAY_QUEUE = 1 << 33
    AIRPLAY_FROM_CLOUD = 1 << 34
    TLS_PSK = 1 << 35
    UNIFIED_MEDIA_CONTROL = 1 << 38
    BUFFERED_AUDIO = 1 << 40
    PTP = 1 << 41
    SCREEN_MULTI_CODEC = 1 << 42
    SYSTEM_PAIRING = 1 << 43
    VALERIA_SCREEN_SENDER = 1 << 44
    HOMEKIT_PAIRING_AND_ACCESS_CONTROL = 1 << 46
    COREUTILS_PAIRING_AND_ENCRYPTION = 1 << 48
    VIDEO_V2 = 1 << 49
    METADATA_BPLIST = 1 << 50
    UNIFIED_PAIR_SETUP_AND_MFI = 1 << 51
    SETPEERS_EXTENDED = 1 << 52
    AP_SYNC = 1 << 54
    WAKE_ON_LAN_1 = 1 << 55
    WAKE_ON_LAN_2 = 1 << 56
    HANGDOG_REMOTE_CONTROL = 1 << 58
    AUDIO_STREAM_CONNECTION_SETUP = 1 << 59
    AUDIO_METADATA_CONTROL = 1 << 60
    RFC2198_REDUNDANCY = 1 << 61


class StatusFlags(WireFlag):
    """What state an AirPlay service is in; unknown bits are kept."""

    PROBLEM = 1 << 0
    NOT_CONFIGURED = 1 << 1
    AUDIO_CABLE_ATTACHED = 1 << 2
    PIN_REQUIRED = 1 << 3
    AIRPLAY_FROM_CLOUD = 1 << 6
    PASSWORD_REQUIRED = 1 << 7
    ONE_TIME_PAIRING_REQUIRED = 1 << 9
    HOMEKIT_ACCESS_CONTROL = 1 << 10
    SUPPORTS_RELAY = 1 << 11
    RECEIVER_SESSION_ACTIVE = 1 << 17


class AirPlayVersion(Enum):
    """Which AirPlay a service speaks at best."""

    V1 = 1
    V2 = 2


def parse_features(text: str) -> AirPlayFlags:
    """Return the bits of `0x<low>` or `0x<low>,0x<high>`, of 32 bits each.

    Raises ProtocolError for everything else.
    """
    match = _FEATURES.fullmatch(text.strip())
    if match is None:
        raise ProtocolError("AirPlay features in an unknown form")
    low, high = match.groups()
    return AirPlayFlags(int(high or "0", 16) << 32 | int(low, 16))


def parse_status(text: str) -> StatusFlags:
    """Return the bits of a hexadecimal number. Raises ProtocolError."""
    match = _FLAGS.fullmatch(text.strip())
    if match is None:
        raise ProtocolError("AirPlay flags in an unknown form")
    return StatusFlags(int(match[1], 16))


def airplay_version(features: AirPlayFlags) -> AirPlayVersion:
    """Return the version that features speak of."""
    second = (
        AirPlayFlags.UNIFIED_MEDIA_CONTROL
        | AirPlayFlags.COREUTILS_PAIRING_AND_ENCRYPTION
    )
    return AirPlayVersion.V2 if features & second else AirPlayVersion.V1


def has_transient_pairing(features: AirPlayFlags) -> bool:
    """Tell whether everybody can pair for the time of one connection, without a PIN."""
    return bool(
        features
        & (AirPlayFlags.SYSTEM_PAIRING | AirPlayFlags.COREUTILS_PAIRING_AND_ENCRYPTION)
    )
