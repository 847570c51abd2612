"""What a user allows and offers one device."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Option(StrEnum):
    """What has to be allowed: it is private, or lets the device change something here."""

    NOTIFICATIONS = "notifications"
    CALLERS = "callers"
    MESSAGES = "messages"
    CONTACTS = "contacts"
    CLIPBOARD = "clipboard"
    STORAGE = "storage"
    RECEIVE_FILES = "receive_files"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of an entry."""

    allowed: frozenset[Option] = frozenset()

    @classmethod
    def from_entry(cls, options: Mapping[str, Any]) -> Self:
        """Read an entry's options; nothing is allowed that the user has not."""
        return cls(frozenset(option for option in Option if options.get(option)))

    def allows(self, option: Option | None) -> bool:
        """Tell whether something is allowed; None needs no permission."""
        return option is None or option in self.allowed
