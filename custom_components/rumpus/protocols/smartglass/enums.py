"""The values of SmartGlass (the SmartGlass reference, sections 2, 7, 8 and 9).

Decoders leave a value that nobody knows a plain int; flags keep the bits they do not know.
"""

from enum import Enum, IntEnum
from typing import Final
from uuid import UUID

from ..flags import WireFlag


class PacketType(IntEnum):
    """The first two bytes of every datagram (section 2)."""

    DISCOVERY_REQUEST = 0xDD00
    DISCOVERY_RESPONSE = 0xDD01
    POWER_ON_REQUEST = 0xDD02
    CONNECT_REQUEST = 0xCC00
    CONNECT_RESPONSE = 0xCC01
    MESSAGE = 0xD00D


class MessageType(IntEnum):
    """What a message is (section 7); some have a name, but no layout that is known."""

    ACK = 0x001
    GROUP = 0x002
    LOCAL_JOIN = 0x003
    STOP_ACTIVITY = 0x005
    AUXILIARY_STREAM = 0x019
    ACTIVE_SURFACE_CHANGE = 0x01A
    NAVIGATE = 0x01B
    JSON = 0x01C
    TUNNEL = 0x01D
    CONSOLE_STATUS = 0x01E
    TITLE_TEXT_CONFIGURATION = 0x01F
    TITLE_TEXT_INPUT = 0x020
    TITLE_TEXT_SELECTION = 0x021
    MIRRORING_REQUEST = 0x022
    TITLE_LAUNCH = 0x023
    START_CHANNEL_REQUEST = 0x026
    START_CHANNEL_RESPONSE = 0x027
    STOP_CHANNEL = 0x028
    SYSTEM = 0x029
    DISCONNECT = 0x02A
    TITLE_TOUCH = 0x02E
    ACCELEROMETER = 0x02F
    GYROMETER = 0x030
    INCLINOMETER = 0x031
    COMPASS = 0x032
    ORIENTATION = 0x033
    PAIRED_IDENTITY_STATE_CHANGED = 0x036
    UNSNAP = 0x037
    GAME_DVR_RECORD = 0x038
    POWER_OFF = 0x039
    MEDIA_CONTROLLER_REMOVED = 0xF00
    MEDIA_COMMAND = 0xF01
    MEDIA_COMMAND_RESULT = 0xF02
    MEDIA_STATE = 0xF03
    GAMEPAD = 0xF0A
    SYSTEM_TEXT_CONFIGURATION = 0xF2B
    SYSTEM_TEXT_INPUT = 0xF2C
    SYSTEM_TOUCH = 0xF2E
    SYSTEM_TEXT_ACK = 0xF34
    SYSTEM_TEXT_DONE = 0xF35


class DeviceType(IntEnum):
    """What a client or a console is (section 8.1)."""

    XBOX_ONE = 1
    XBOX_360 = 2
    WINDOWS_DESKTOP = 3
    WINDOWS_STORE = 4
    WINDOWS_PHONE = 5
    IPHONE = 6
    IPAD = 7
    ANDROID = 8


class PrimaryDeviceFlag(WireFlag):
    """Whom a console lets connect (section 8.2)."""

    ALLOW_CONSOLE_USERS = 1
    ALLOW_AUTHENTICATED_USERS = 2
    ALLOW_ANONYMOUS_USERS = 4
    CERTIFICATE_PENDING = 8


class PublicKeyType(IntEnum):
    """The curve of a connection (section 8.3)."""

    EC_DH_P256 = 0
    EC_DH_P384 = 1
    EC_DH_P521 = 2
    DEFAULT = 0xFFFF


class ConnectResult(IntEnum):
    """How a console answers who wants to connect (section 8.4)."""

    SUCCESS = 0
    PENDING = 1
    FAILURE_UNKNOWN = 2
    FAILURE_ANONYMOUS_CONNECTIONS_DISABLED = 3
    FAILURE_DEVICE_LIMIT_EXCEEDED = 4
    FAILURE_SMARTGLASS_DISABLED = 5
    FAILURE_USER_AUTH_FAILED = 6
    FAILURE_USER_SIGN_IN_FAILED = 7
    FAILURE_USER_SIGN_IN_TIMED_OUT = 8
    FAILURE_USER_SIGN_IN_REQUIRED = 9


class PairedIdentityState(IntEnum):
    """Whether the console knows the user of the session (section 8.5)."""

    NOT_PAIRED = 0
    PAIRED = 1


class DeviceCapabilities(WireFlag):
    """What a client announces (section 8.6)."""

    STREAMING = 1
    AUDIO = 2
    ACCELEROMETER = 4
    COMPASS = 8
    GYROMETER = 16
    INCLINOMETER = 32
    ORIENTATION = 64
    ALL = 0xFFFF_FFFF_FFFF_FFFF


class TitleLocation(IntEnum):
    """Where a title is on the screen (section 8.7)."""

    FULL = 0
    FILL = 1
    SNAPPED = 2
    START_VIEW = 3
    SYSTEM_UI = 4
    DEFAULT = 5


class ActiveSurfaceType(IntEnum):
    """What the console shows (section 8.8)."""

    BLANK = 0
    DIRECT = 1
    HTML = 2
    TITLE_TEXT_ENTRY = 3


class DisconnectReason(IntEnum):
    """Why a session ends (section 8.9)."""

    UNSPECIFIED = 0
    ERROR = 1
    POWER_OFF = 2
    MAINTENANCE = 3
    APP_CLOSE = 4
    SIGN_OUT = 5
    REBOOT = 6
    DISABLED = 7
    LOW_POWER = 8


class GamepadButtons(WireFlag):
    """Buttons that are held down (section 8.10); 0 is all released."""

    ENROLL = 0x0001
    NEXUS = 0x0002
    MENU = 0x0004
    VIEW = 0x0008
    A = 0x0010
    B = 0x0020
    X = 0x0040
    Y = 0x0080
    DPAD_UP = 0x0100
    DPAD_DOWN = 0x0200
    DPAD_LEFT = 0x0400
    DPAD_RIGHT = 0x0800
    LEFT_SHOULDER = 0x1000
    RIGHT_SHOULDER = 0x2000
    LEFT_THUMBSTICK = 0x4000
    RIGHT_THUMBSTICK = 0x8000


class TouchAction(IntEnum):
    """What a finger does (section 8.11)."""

    NONE = 0
    DOWN = 1
    MOVE = 2
    UP = 3
    CANCEL = 4


class MediaType(IntEnum):
    """What is played (section 8.12)."""

    NONE = 0
    MUSIC = 1
    VIDEO = 2
    IMAGE = 3
    CONVERSATION = 4
    GAME = 5


class SoundLevel(IntEnum):
    """How loud an app is (section 8.12)."""

    MUTED = 0
    LOW = 1
    FULL = 2


class PlaybackStatus(IntEnum):
    """What a player does (section 8.12)."""

    CLOSED = 0
    CHANGING = 1
    STOPPED = 2
    PLAYING = 3
    PAUSED = 4


class MediaControlCommand(WireFlag):
    """Commands of a player: one in a MediaCommand, many in a MediaState (section 8.13)."""

    PLAY = 0x0002
    PAUSE = 0x0004
    PLAY_PAUSE_TOGGLE = 0x0008
    STOP = 0x0010
    RECORD = 0x0020
    NEXT_TRACK = 0x0040
    PREVIOUS_TRACK = 0x0080
    FAST_FORWARD = 0x0100
    REWIND = 0x0200
    CHANNEL_UP = 0x0400
    CHANNEL_DOWN = 0x0800
    BACK = 0x1000
    VIEW = 0x2000
    MENU = 0x4000
    SEEK = 0x8000


class ResultCode(IntEnum):
    """How a console answers a request (section 8.14)."""

    SUCCESS = 0
    ABORT = 0x8000_0004
    ACCESS_DENIED = 0x8000_0005
    FAIL = 0x8000_0006
    HANDLE = 0x8000_0007
    INVALID_ARGUMENT = 0x8000_0008
    NO_INTERFACE = 0x8000_0009
    NOT_IMPLEMENTED = 0x8000_000A
    OUT_OF_MEMORY = 0x8000_000B
    POINTER = 0x8000_000C
    UNEXPECTED = 0x8000_000D
    PENDING = 0x8000_000E
    INVALID_DATA = 0x8000_000F
    CANCELED = 0x8000_0010
    INVALID_STATE = 0x8000_0011
    NOT_FOUND = 0x8000_0012
    NO_MORE_CAPACITY = 0x8000_0013
    FAILED_TO_START_THREAD = 0x8000_0014
    MESSAGE_EXPIRED = 0x8000_0015
    TIMED_OUT = 0x8000_0016
    NOT_INITIALIZED = 0x8000_0017
    JSON_LENGTH_EXCEEDED = 0x8000_0018
    MESSAGE_LENGTH_EXCEEDED = 0x8000_0019
    INVALID_CONFIGURATION = 0x8000_001A
    EXPIRED_CONFIGURATION = 0x8000_001B
    AUTHENTICATION_REQUIRED = 0x8000_001D
    TIMED_OUT_PRESENCE = 0x8000_001E
    TIMED_OUT_CONNECT = 0x8000_001F
    SOCKET_ERROR = 0x8001_0001
    HTTP_ERROR = 0x8002_0001
    CANCEL_SHUTDOWN = 0x8002_0002
    HTTP_STATUS = 0x8002_0003
    UNEXPECTED_CRYPTO_ERROR = 0x8003_0001
    INVALID_CRYPT_ARGUMENT = 0x8003_0002
    CRYPTO_INVALID_SIGNATURE = 0x8003_0003
    INVALID_CERTIFICATE = 0x8003_0004
    CHANNEL_REQUEST_UNKNOWN_ERROR = 0x8004_0105
    FAILED_TO_JOIN = 0x8006_0001
    ALREADY_CONNECTED = 0x8006_0002
    NOT_CONNECTED = 0x8006_0003
    CONSOLE_NOT_RESPONDING = 0x8006_0004
    CONSOLE_DISCONNECTING = 0x8006_0005
    STREAM_STRING_NOT_TERMINATED = 0x8007_0001
    CHANNEL_ALREADY_STARTED = 0x8008_0001
    CHANNEL_FAILED_TO_START = 0x8008_0002
    MAXIMUM_CHANNELS_STARTED = 0x8008_0003
    JNI_CLASS_NOT_FOUND = 0x8009_0001
    JNI_METHOD_NOT_FOUND = 0x8009_0002
    JNI_RUNTIME_ERROR = 0x8009_0003


class TextResult(IntEnum):
    """How text input ends (section 8.15)."""

    CANCEL = 0
    ACCEPT = 1
    NULL = 0xFFFF


class TextOption(WireFlag):
    """What a text field is like (section 8.15)."""

    ACCEPTS_RETURN = 0x0001
    PASSWORD = 0x0002
    MULTI_LINE = 0x0004
    SPELL_CHECK = 0x0008
    PREDICTION = 0x0010
    RIGHT_TO_LEFT = 0x0020
    DISMISS = 0x4000


class TextInputScope(IntEnum):
    """What a text field is for (section 8.16)."""

    DEFAULT = 0x00
    URL = 0x01
    FULL_FILE_PATH = 0x02
    FILE_NAME = 0x03
    EMAIL_USER_NAME = 0x04
    EMAIL_SMTP_ADDRESS = 0x05
    LOG_ON_NAME = 0x06
    PERSONAL_FULL_NAME = 0x07
    PERSONAL_NAME_PREFIX = 0x08
    PERSONAL_GIVEN_NAME = 0x09
    PERSONAL_MIDDLE_NAME = 0x0A
    PERSONAL_SURNAME = 0x0B
    PERSONAL_NAME_SUFFIX = 0x0C
    POSTAL_ADDRESS = 0x0D
    POSTAL_CODE = 0x0E
    ADDRESS_STREET = 0x0F
    ADDRESS_STATE_OR_PROVINCE = 0x10
    ADDRESS_CITY = 0x11
    ADDRESS_COUNTRY_NAME = 0x12
    ADDRESS_COUNTRY_SHORT_NAME = 0x13
    CURRENCY_AMOUNT_AND_SYMBOL = 0x14
    CURRENCY_AMOUNT = 0x15
    DATE = 0x16
    DATE_MONTH = 0x17
    DATE_DAY = 0x18
    DATE_YEAR = 0x19
    DATE_MONTH_NAME = 0x1A
    DATE_DAY_NAME = 0x1B
    DIGITS = 0x1C
    NUMBER = 0x1D
    ONE_CHAR = 0x1E
    PASSWORD = 0x1F
    TELEPHONE_NUMBER = 0x20
    TELEPHONE_COUNTRY_CODE = 0x21
    TELEPHONE_AREA_CODE = 0x22
    TELEPHONE_LOCAL_NUMBER = 0x23
    TIME = 0x24
    TIME_HOUR = 0x25
    TIME_MINOR_SEC = 0x26
    NUMBER_FULL_WIDTH = 0x27
    ALPHANUMERIC_HALF_WIDTH = 0x28
    ALPHANUMERIC_FULL_WIDTH = 0x29
    CURRENCY_CHINESE = 0x2A
    BOPOMOFO = 0x2B
    HIRAGANA = 0x2C
    KATAKANA_HALF_WIDTH = 0x2D
    KATAKANA_FULL_WIDTH = 0x2E
    HANJA = 0x2F
    HANGUL_HALF_WIDTH = 0x30
    HANGUL_FULL_WIDTH = 0x31
    SEARCH = 0x32
    SEARCH_TITLE_TEXT = 0x33
    SEARCH_INCREMENTAL = 0x34
    CHINESE_HALF_WIDTH = 0x35
    CHINESE_FULL_WIDTH = 0x36
    NATIVE_SCRIPT = 0x37


class SystemTitle(IntEnum):
    """Titles that belong to the console itself (section 8.18)."""

    DASHBOARD = 0xFFFE_07D1
    HOME = 0x2A99_2D3A
    ONE_GUIDE = 0x7A80_15DD
    LIVE_TV = 0x1626_15AD
    STORE = 0x53E9_1323
    EDGE = 0x3D8B_930F
    BROWSER = 0x5848_0880
    BLU_RAY_PLAYER = 0x6A52_97CD
    MUSIC = 0x18FF_C9F4
    VIDEO = 0x3D70_5025
    ZUNE = 0x5848_085B
    AVATAR_EDITOR = 0x584D_07D1
    SNAP_AN_APP = 0x6A53_FD52
    OUT_OF_BOX_EXPERIENCE = 0x38B0_B8C2
    CONSOLE_UPDATE = 0xFFFF_FFFF


class ServiceChannel(Enum):
    """The channels of a session (section 9); the value is the uuid to open one with.

    CORE and ACK are always open and have no uuid; the one of TITLE is all zero, its title's
    id tells which title is meant.
    """

    CORE = "core"
    ACK = "ack"
    SYSTEM_INPUT = "fa20b8ca-66fb-46e0-adb6-0b978a59d35f"
    SYSTEM_INPUT_TV_REMOTE = "d451e3b3-60bb-4c71-b3db-f994b1aca3a7"
    SYSTEM_MEDIA = "48a9ca24-eb6d-4e12-8c43-d57469edd3cd"
    SYSTEM_TEXT = "7af3e6a2-488b-40cb-a931-79c04b7da3a0"
    SYSTEM_BROADCAST = "b6a117d8-f5e2-45d7-862e-8fd8e3156476"
    TITLE = "00000000-0000-0000-0000-000000000000"

    @property
    def service_uuid(self) -> UUID | None:
        """What a StartChannelRequest names; None where there is nothing to open."""
        return _SERVICE_UUIDS.get(self)


_SERVICE_UUIDS: Final = {
    channel: UUID(channel.value) for channel in ServiceChannel if "-" in channel.value
}
