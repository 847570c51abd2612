"""What a user wants of one console."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

CONF_PRESS_MS: Final = "press_ms"
CONF_RECORD_SECONDS: Final = "record_seconds"
CONF_TV_REMOTE: Final = "tv_remote"

DEFAULT_PRESS_MS: Final = 100
MIN_PRESS_MS: Final = 20
MAX_PRESS_MS: Final = 2000
DEFAULT_RECORD_SECONDS: Final = 60
MIN_RECORD_SECONDS: Final = 6
MAX_RECORD_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class XboxOptions:
    """The options of an entry.

    `record_seconds` is how much of the past "record that" keeps, `press_ms` how long a button
    is held down, `tv_remote` whether the TV is asked for.
    """

    record_seconds: int = DEFAULT_RECORD_SECONDS
    press_ms: int = DEFAULT_PRESS_MS
    tv_remote: bool = True

    @classmethod
    def from_entry(cls, options: Mapping[str, Any]) -> Self:
        """Read an entry's options."""
        return cls(
            record_seconds=int(
                options.get(CONF_RECORD_SECONDS, DEFAULT_RECORD_SECONDS)
            ),
            press_ms=int(options.get(CONF_PRESS_MS, DEFAULT_PRESS_MS)),
            tv_remote=bool(options.get(CONF_TV_REMOTE, True)),
        )
