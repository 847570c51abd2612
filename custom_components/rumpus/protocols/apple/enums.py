"""The words that all of Apple's protocols share (part B, sections 6.1, 7 and 8).

Nothing of any one protocol: the clients of Companion and MRP import these.
"""

from enum import IntEnum, StrEnum


class PowerState(StrEnum):
    """Whether the device is awake."""

    UNKNOWN = "unknown"
    OFF = "off"
    ON = "on"


class DeviceState(StrEnum):
    """What the device does with its media (part B, section 5.2)."""

    IDLE = "idle"
    LOADING = "loading"
    PAUSED = "paused"
    PLAYING = "playing"
    STOPPED = "stopped"
    SEEKING = "seeking"


class MediaType(StrEnum):
    """What kind of media it is."""

    UNKNOWN = "unknown"
    VIDEO = "video"
    MUSIC = "music"
    TV = "tv"


class ShuffleState(StrEnum):
    """What is shuffled."""

    OFF = "off"
    ALBUMS = "albums"
    SONGS = "songs"


class RepeatState(StrEnum):
    """What is repeated."""

    OFF = "off"
    TRACK = "track"
    ALL = "all"


class InputAction(StrEnum):
    """How a key is pressed."""

    SINGLE = "single"
    DOUBLE = "double"
    HOLD = "hold"


class TouchPhase(IntEnum):
    """What a finger on the pad does; the numbers of Companion (part A, section 4.7)."""

    PRESS = 1
    HOLD = 3
    RELEASE = 4
    CLICK = 5


class Key(StrEnum):
    """Every key of a remote control (part B, section 8; part A, section 4.6)."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    SELECT = "select"
    MENU = "menu"
    HOME = "home"
    HOME_HOLD = "home_hold"
    TOP_MENU = "top_menu"
    PLAY = "play"
    PAUSE = "pause"
    PLAY_PAUSE = "play_pause"
    STOP = "stop"
    NEXT = "next"
    PREVIOUS = "previous"
    SKIP_FORWARD = "skip_forward"
    SKIP_BACKWARD = "skip_backward"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"
    CHANNEL_UP = "channel_up"
    CHANNEL_DOWN = "channel_down"
    PAGE_UP = "page_up"
    PAGE_DOWN = "page_down"
    SIRI = "siri"
    SCREENSAVER = "screensaver"
    GUIDE = "guide"
    CONTROL_CENTER = "control_center"
    SUSPEND = "suspend"
    WAKE_UP = "wakeup"


class FeatureState(StrEnum):
    """Whether something can be done now; unknown means that the device decides."""

    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"
    AVAILABLE = "available"


class Feature(StrEnum):
    """What a device may be able to do or tell (part B, section 7)."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    PLAY = "play"
    PLAY_PAUSE = "play_pause"
    PAUSE = "pause"
    STOP = "stop"
    NEXT = "next"
    PREVIOUS = "previous"
    SELECT = "select"
    MENU = "menu"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"
    HOME = "home"
    HOME_HOLD = "home_hold"
    TOP_MENU = "top_menu"
    SUSPEND = "suspend"
    WAKE_UP = "wakeup"
    SET_POSITION = "set_position"
    SET_SHUFFLE = "set_shuffle"
    SET_REPEAT = "set_repeat"
    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    GENRE = "genre"
    TOTAL_TIME = "total_time"
    POSITION = "position"
    SHUFFLE = "shuffle"
    REPEAT = "repeat"
    ARTWORK = "artwork"
    PLAY_URL = "play_url"
    POWER_STATE = "power_state"
    TURN_ON = "turn_on"
    TURN_OFF = "turn_off"
    APP = "app"
    SKIP_FORWARD = "skip_forward"
    SKIP_BACKWARD = "skip_backward"
    APP_LIST = "app_list"
    LAUNCH_APP = "launch_app"
    SERIES_NAME = "series_name"
    SEASON_NUMBER = "season_number"
    EPISODE_NUMBER = "episode_number"
    PUSH_UPDATES = "push_updates"
    STREAM_FILE = "stream_file"
    VOLUME = "volume"
    SET_VOLUME = "set_volume"
    CONTENT_IDENTIFIER = "content_identifier"
    CHANNEL_UP = "channel_up"
    CHANNEL_DOWN = "channel_down"
    ITUNES_STORE_IDENTIFIER = "itunes_store_identifier"
    TEXT_GET = "text_get"
    TEXT_CLEAR = "text_clear"
    TEXT_APPEND = "text_append"
    TEXT_SET = "text_set"
    ACCOUNT_LIST = "account_list"
    SWITCH_ACCOUNT = "switch_account"
    TEXT_FOCUS_STATE = "text_focus_state"
    SCREENSAVER = "screensaver"
    OUTPUT_DEVICES = "output_devices"
    ADD_OUTPUT_DEVICES = "add_output_devices"
    REMOVE_OUTPUT_DEVICES = "remove_output_devices"
    SET_OUTPUT_DEVICES = "set_output_devices"
    SWIPE = "swipe"
    TOUCH = "touch"
    CLICK = "click"
    GUIDE = "guide"
    CONTROL_CENTER = "control_center"
    MUTE = "mute"
    """Ours: the level is remembered and set to nothing."""
