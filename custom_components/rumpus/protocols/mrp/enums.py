"""The numbers of MRP (the Apple TV reference, part B, section 10).

Those that a device sends are kept as plain numbers where ours may not have them all.
"""

from enum import Enum, IntEnum, IntFlag


class Command(IntEnum):
    """What a device can be told (section 4.2)."""

    UNKNOWN = 0
    PLAY = 1
    PAUSE = 2
    TOGGLE_PLAY_PAUSE = 3
    STOP = 4
    NEXT_TRACK = 5
    PREVIOUS_TRACK = 6
    ADVANCE_SHUFFLE_MODE = 7
    ADVANCE_REPEAT_MODE = 8
    BEGIN_FAST_FORWARD = 9
    END_FAST_FORWARD = 10
    BEGIN_REWIND = 11
    END_REWIND = 12
    REWIND_15_SECONDS = 13
    FAST_FORWARD_15_SECONDS = 14
    REWIND_30_SECONDS = 15
    FAST_FORWARD_30_SECONDS = 16
    SKIP_FORWARD = 18
    SKIP_BACKWARD = 19
    CHANGE_PLAYBACK_RATE = 20
    RATE_TRACK = 21
    LIKE_TRACK = 22
    DISLIKE_TRACK = 23
    BOOKMARK_TRACK = 24
    NEXT_CHAPTER = 25
    PREVIOUS_CHAPTER = 26
    NEXT_ALBUM = 27
    PREVIOUS_ALBUM = 28
    NEXT_PLAYLIST = 29
    PREVIOUS_PLAYLIST = 30
    BAN_TRACK = 31
    ADD_TRACK_TO_WISH_LIST = 32
    REMOVE_TRACK_FROM_WISH_LIST = 33
    NEXT_IN_CONTEXT = 34
    PREVIOUS_IN_CONTEXT = 35
    RESET_PLAYBACK_TIMEOUT = 41
    SEEK_TO_PLAYBACK_POSITION = 45
    CHANGE_REPEAT_MODE = 46
    CHANGE_SHUFFLE_MODE = 47
    SET_PLAYBACK_QUEUE = 48
    ADD_NOW_PLAYING_ITEM_TO_LIBRARY = 49
    CREATE_RADIO_STATION = 50
    ADD_ITEM_TO_LIBRARY = 51
    INSERT_INTO_PLAYBACK_QUEUE = 52
    ENABLE_LANGUAGE_OPTION = 53
    DISABLE_LANGUAGE_OPTION = 54
    REORDER_PLAYBACK_QUEUE = 55
    REMOVE_FROM_PLAYBACK_QUEUE = 56
    PLAY_ITEM_IN_PLAYBACK_QUEUE = 57
    PREPARE_FOR_SET_QUEUE = 58
    SET_PLAYBACK_SESSION = 59
    PRELOADED_PLAYBACK_SESSION = 60
    SET_PRIORITY_FOR_PLAYBACK_SESSION = 61
    DISCARD_PLAYBACK_SESSION = 62
    RESHUFFLE = 63
    CHANGE_QUEUE_END_ACTION = 135


class SendError(IntEnum):
    """Whether a command reached somebody."""

    NO_ERROR = 0
    APPLICATION_NOT_FOUND = 1
    CONNECTION_FAILED = 2
    IGNORED = 3
    COULD_NOT_LAUNCH_APPLICATION = 4
    TIMED_OUT = 5
    ORIGIN_DOES_NOT_EXIST = 6
    INVALID_OPTIONS = 7
    NO_COMMAND_HANDLERS = 8
    APPLICATION_NOT_INSTALLED = 9
    NOT_SUPPORTED = 10


class HandlerReturnStatus(IntEnum):
    """What the app made of a command."""

    SUCCESS = 0
    NO_SUCH_CONTENT = 1
    COMMAND_FAILED = 2
    UIKIT_LEGACY = 3
    NO_ACTIONABLE_NOW_PLAYING_ITEM = 10
    DEVICE_NOT_FOUND = 20
    SKIP_AD_PROHIBITED = 100
    QUEUE_IS_USER_CURATED = 101
    USER_MODIFIED_QUEUE_DISABLED = 102
    USER_QUEUE_MODIFICATION_NOT_SUPPORTED_FOR_CURRENT_ITEM = 103
    SUBSCRIPTION_REQUIRED_FOR_SHARED_QUEUE = 104
    INSERTION_POSITION_NOT_SPECIFIED = 105
    INVALID_INSERTION_POSITION = 106
    REQUEST_PARAMETERS_OUT_OF_BOUNDS = 107
    SKIP_LIMIT_REACHED = 108
    AUTHENTICATION_FAILURE = 401
    MEDIA_SERVICE_UNAVAILABLE = 501


class KeyboardState(IntEnum):
    """What the keyboard on the screen does."""

    UNKNOWN = 0
    NOT_EDITING = 1
    DID_BEGIN_EDITING = 2
    EDITING = 3
    TEXT_DID_CHANGE = 4
    DID_END_EDITING = 5
    RESPONSE = 6


class KeyboardType(IntEnum):
    """What the focused field is for."""

    DEFAULT = 0
    ASCII_CAPABLE = 1
    NUMBERS_AND_PUNCTUATION = 2
    URL = 3
    NUMBER_PAD = 4
    PHONE_PAD = 5
    NAME_PHONE_PAD = 6
    EMAIL_ADDRESS = 7
    DECIMAL_PAD = 8
    TWITTER = 9
    WEB_SEARCH = 10
    ALPHANET = 11
    PASSCODE_PAD = 12


class PlaybackState(IntEnum):
    """What a player says that it does."""

    UNKNOWN = 0
    PLAYING = 1
    PAUSED = 2
    STOPPED = 3
    INTERRUPTED = 4
    SEEKING = 5


class ShuffleMode(IntEnum):
    """What is shuffled."""

    UNKNOWN = 0
    OFF = 1
    ALBUMS = 2
    SONGS = 3


class RepeatMode(IntEnum):
    """What is repeated."""

    UNKNOWN = 0
    OFF = 1
    ONE = 2
    ALL = 3


class VolumeCapability(IntFlag):
    """What a volume can be told."""

    NONE = 0
    RELATIVE = 1
    ABSOLUTE = 2


class TouchPhase(IntEnum):
    """What a finger on the touch pad does (section 4.4)."""

    BEGAN = 1
    MOVED = 2
    STATIONARY = 3
    ENDED = 4
    CANCELLED = 5


class TextAction(IntEnum):
    """What is done to the text of the focused field (section 4.5)."""

    INSERT = 1
    SET = 2
    DELETE = 3
    CLEAR = 4


class HidUsage(Enum):
    """The keys of a remote control: usage page and usage (section 4.3)."""

    UP = (1, 0x8C)
    DOWN = (1, 0x8D)
    LEFT = (1, 0x8B)
    RIGHT = (1, 0x8A)
    SELECT = (1, 0x89)
    MENU = (1, 0x86)
    SUSPEND = (1, 0x82)
    WAKE_UP = (1, 0x83)
    HOME = (12, 0x40)
    TOP_MENU = (12, 0x60)
    SIRI = (12, 0x04)
    STOP = (12, 0xB7)
    NEXT = (12, 0xB5)
    PREVIOUS = (12, 0xB6)
    VOLUME_UP = (12, 0xE9)
    VOLUME_DOWN = (12, 0xEA)

    @property
    def page(self) -> int:
        """Return the usage page."""
        return self.value[0]

    @property
    def usage(self) -> int:
        """Return the usage in that page."""
        return self.value[1]
