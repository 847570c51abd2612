"""What a user allows and offers one device."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

CONF_SHARE_FOLDER: Final = "share_folder"
CONF_MAX_FILE_SIZE: Final = "max_file_size"
DEFAULT_MAX_FILE_SIZE: Final = 4096
"""MiB of a file that a device shares, unless the user says otherwise."""
MAX_MAX_FILE_SIZE: Final = 1024 * 1024
"""MiB that the user may say."""


class Option(StrEnum):
    """What has to be allowed: it is private, or lets the device change something here."""

    NOTIFICATIONS = "notifications"
    CALLERS = "callers"
    MESSAGES = "messages"
    CONTACTS = "contacts"
    CLIPBOARD = "clipboard"
    STORAGE = "storage"
    RECEIVE_FILES = "receive_files"
    PLAYERS = "players"
    COMMANDS = "commands"


MAX_OFFERED: Final[Mapping[Option, int]] = {Option.PLAYERS: 20, Option.COMMANDS: 50}
"""Entities that can be offered to a device; these options are lists of them."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an entry; sizes are in MiB, no folder stands for the device's own."""

    allowed: frozenset[Option] = frozenset()
    players: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    share_folder: str | None = None
    max_file_size: int = DEFAULT_MAX_FILE_SIZE

    @classmethod
    def from_entry(cls, options: Mapping[str, Any]) -> Self:
        """Read an entry's options; nothing is allowed that the user has not."""
        return cls(
            frozenset(option for option in Option if options.get(option)),
            players=_entities(options, Option.PLAYERS),
            commands=_entities(options, Option.COMMANDS),
            share_folder=options.get(CONF_SHARE_FOLDER) or None,
            max_file_size=int(options.get(CONF_MAX_FILE_SIZE, DEFAULT_MAX_FILE_SIZE)),
        )

    def allows(self, option: Option | None) -> bool:
        """Tell whether something is allowed; None needs no permission."""
        return option is None or option in self.allowed

    def offered(self, option: Option) -> tuple[str, ...]:
        """Return the ids of the entities that are offered; none where it is no such option."""
        match option:
            case Option.PLAYERS:
                return self.players
            case Option.COMMANDS:
                return self.commands
        return ()


def _entities(options: Mapping[str, Any], option: Option) -> tuple[str, ...]:
    return tuple(options.get(option, ()))[: MAX_OFFERED[option]]
