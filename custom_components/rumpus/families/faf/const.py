"""Names of the Forged Alliance Forever family."""

from enum import StrEnum
from typing import Final

FAMILY_KEY: Final = "faf"

CONF_SERVER: Final = "server"
CONF_FRAMING: Final = "framing"
CONF_ACCOUNT: Final = "account"
CONF_LOGIN: Final = "login"
CONF_PLAYER_ID: Final = "player_id"
CONF_HELPER: Final = "helper"

MANUFACTURER: Final = "Forged Alliance Forever"
MODEL: Final = "Lobby"
PLAYER_MODEL: Final = "Player"
OFFICIAL_NAME: Final = "FAF lobby"
OFFICIAL_HOST: Final = "faforever.com"
OFFICIAL_SITE: Final = "https://www.faforever.com"

MAX_LOGIN: Final = 64
"""Characters of a login that are looked at; those of the official server have 16."""
MAX_EVENT_TEXT: Final = 255
"""Characters of a text in an event."""


class ServerKind(StrEnum):
    """Whose server it is."""

    OFFICIAL = "official"
    OWN = "own"


class AccountKind(StrEnum):
    """What the lobby is told about who we are."""

    OAUTH = "oauth"
    TOKEN = "token"  # noqa: S105
    PASSWORD = "password"  # noqa: S105
    NONE = "none"


# The event entities of the lobby, by their keys, and what happens on them.
MATCH: Final = "match"
MATCH_FOUND: Final = "match_found"
MATCH_CANCELLED: Final = "match_cancelled"
MATCH_EVENTS: Final = (MATCH_FOUND, MATCH_CANCELLED)

GAME: Final = "game"
GAME_OPENED: Final = "opened"
GAME_STARTED: Final = "started"
GAME_ENDED: Final = "ended"
FRIEND_OPENED: Final = "friend_opened"
GAME_EVENTS: Final = (GAME_OPENED, GAME_STARTED, GAME_ENDED, FRIEND_OPENED)

NOTICE: Final = "notice"
NOTICE_OTHER: Final = "other"
NOTICE_EVENTS: Final = ("info", "warning", "error", NOTICE_OTHER)

# Those of a followed player; the key is `player_event_key(key)`.
PLAYER_ONLINE: Final = "online"
PLAYER_OFFLINE: Final = "offline"
PLAYER_MATCH_FOUND: Final = "match_found"
PLAYER_OPENED_GAME: Final = "opened_game"
PLAYER_JOINED_GAME: Final = "joined_game"
PLAYER_GAME_STARTED: Final = "game_started"
PLAYER_GAME_ENDED: Final = "game_ended"
PLAYER_RATING_CHANGED: Final = "rating_changed"
PLAYER_EVENTS: Final = (
    PLAYER_ONLINE,
    PLAYER_OFFLINE,
    PLAYER_MATCH_FOUND,
    PLAYER_OPENED_GAME,
    PLAYER_JOINED_GAME,
    PLAYER_GAME_STARTED,
    PLAYER_GAME_ENDED,
    PLAYER_RATING_CHANGED,
)


def player_event_key(key: str) -> str:
    """Return the key of the event entity of a followed player."""
    return f"player_{key}"
