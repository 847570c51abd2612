"""What is known about one item of a queue (the Apple TV reference, part B, section 5.4)."""

from math import isfinite
from typing import Final

from .proto import mrp_pb2 as pb

MAX_TEXT: Final = 1024
"""Characters of a title or a name; what is longer is cut."""
MAX_IDENTIFIER: Final = 512
"""Characters of an id; a longer one is none."""
MAX_URL: Final = 4096
"""Characters of the address of a picture; a longer one is none."""
MAX_NUMBER: Final = 1e12
"""Of seconds, years and rates; what goes past it is none."""

_TEXTS: Final = (
    ("title", MAX_TEXT),
    ("track_artist_name", MAX_TEXT),
    ("album_name", MAX_TEXT),
    ("genre", MAX_TEXT),
    ("series_name", MAX_TEXT),
)
_IDENTIFIERS: Final = (
    ("content_identifier", MAX_IDENTIFIER),
    ("artwork_identifier", MAX_URL),  # which may be an address
    ("artwork_url", MAX_URL),
    ("artwork_mime_type", MAX_IDENTIFIER),
)
_NUMBERS: Final = (
    "duration",
    "elapsed_time",
    "elapsed_time_timestamp",
    "playback_rate",
)
_INTEGERS: Final = (
    "season_number",
    "episode_number",
    "itunes_store_identifier",
    "media_type",
    "artwork_available",
)


class Metadata:
    """The fields that the device told of; None stands for one that it did not."""

    __slots__ = (
        "album_name",
        "artwork_available",
        "artwork_identifier",
        "artwork_mime_type",
        "artwork_url",
        "content_identifier",
        "duration",
        "elapsed_time",
        "elapsed_time_timestamp",
        "episode_number",
        "genre",
        "itunes_store_identifier",
        "media_type",
        "playback_rate",
        "season_number",
        "series_name",
        "title",
        "track_artist_name",
    )

    def __init__(self) -> None:
        """Begin with nothing."""
        self.title: str | None = None
        self.track_artist_name: str | None = None
        self.album_name: str | None = None
        self.genre: str | None = None
        self.series_name: str | None = None
        self.content_identifier: str | None = None
        self.artwork_identifier: str | None = None
        self.artwork_url: str | None = None
        self.artwork_mime_type: str | None = None
        self.duration: float | None = None
        self.elapsed_time: float | None = None
        self.elapsed_time_timestamp: float | None = None
        self.playback_rate: float | None = None
        self.season_number: int | None = None
        self.episode_number: int | None = None
        self.itunes_store_identifier: int | None = None
        self.media_type: int | None = None
        self.artwork_available: bool | None = None

    def merge(self, message: pb.ContentItemMetadata) -> None:
        """Take over what a message has; the rest stays (section 4.1)."""
        has = message.HasField
        for name, limit in _TEXTS:
            if has(name):
                text: str = getattr(message, name)
                setattr(self, name, text if len(text) <= limit else text[:limit])
        for name, limit in _IDENTIFIERS:
            if has(name):
                text = getattr(message, name)
                setattr(self, name, text if len(text) <= limit else None)
        for name in _NUMBERS:
            if has(name):
                number: float = getattr(message, name)
                setattr(self, name, number if is_sane(number) else None)
        for name in _INTEGERS:
            if has(name):
                setattr(self, name, getattr(message, name))

    @property
    def total_time(self) -> int | None:
        """Return the duration in whole seconds (section 5.3)."""
        duration = self.duration
        return None if duration is None or duration < 0 else int(duration)


def is_sane(number: float) -> bool:
    """Return whether one can calculate with a number that a device has sent."""
    return isfinite(number) and abs(number) <= MAX_NUMBER
