"""What a user wants of one device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

CONF_START_OFF: Final = "start_off"


@dataclass(frozen=True, slots=True)
class AppleTvOptions:
    """The options of an entry.

    `start_off` is whether a device is left alone when Home Assistant starts, until somebody
    turns it on: some devices wake up as soon as they are connected to.
    """

    start_off: bool = False

    @classmethod
    def from_entry(cls, options: Mapping[str, Any]) -> Self:
        """Read an entry's options."""
        return cls(start_off=bool(options.get(CONF_START_OFF, False)))
