"""What a console plays (the SmartGlass reference, sections 7.16 and 12.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
import re
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import urlsplit

from ..enums import MediaControlCommand, MediaType, PlaybackStatus, SoundLevel
from ..messages import MediaState, MetadataEntry

TICKS: Final = 10_000_000
"""Ticks of a second: positions are counted in 100 nanoseconds."""
MAX_TICKS: Final = 0xFFFF_FFFF_FFFF_FFFF
"""The largest position that a message can carry."""
MAX_DURATION: Final = 100 * 24 * 3600
"""Seconds of a medium; one that seems to last longer has no end that is known."""
MAX_METADATA: Final = 32
"""Entries kept of the metadata."""
MAX_METADATA_NAME: Final = 64
"""Characters of a metadata name; an entry with a longer one is dropped."""
MAX_METADATA_VALUE: Final = 1024
"""Characters kept of a metadata value."""
MAX_PICTURE_URL: Final = 2048
"""Characters of a picture's address; a longer one is dropped."""
MAX_RATE: Final = 64.0
"""Playback rate, in either direction, above which no position is computed."""

# No capture shows a picture; these are the names that apps on other platforms use.
_PICTURE_NAMES: Final = (
    "image",
    "imageurl",
    "imageuri",
    "picture",
    "pictureurl",
    "thumbnail",
    "thumbnailurl",
    "thumbnailuri",
    "artwork",
    "artworkurl",
    "arturl",
    "albumart",
    "albumarturl",
    "cover",
    "coverurl",
    "boxart",
    "boxarturl",
)
_NOT_A_LETTER: Final = re.compile(r"[^a-z]")
_NOT_IN_URL: Final = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Media:
    """What an app of the console plays.

    All positions are in seconds from the start of the medium. `updated_at` is the time of
    the event loop at which the console told this.
    """

    title_id: int
    aum_id: str
    # Often an address with a token of whoever plays it.
    asset_id: str = field(repr=False)
    media_type: MediaType | int
    sound_level: SoundLevel | int
    enabled_commands: MediaControlCommand
    playback_status: PlaybackStatus | int
    rate: float
    position: float
    duration: float | None
    min_seek: float
    max_seek: float
    media_start: int
    """The tick that positions are counted from."""
    updated_at: float
    metadata: Mapping[str, str] = field(repr=False, hash=False)
    picture_url: str | None = field(default=None, repr=False)
    """The http or https address of a picture, when the app tells one."""

    @classmethod
    def from_message(cls, message: MediaState, now: float) -> Self:
        """Take what the console tells at a time of the event loop."""
        start, end = message.media_start, message.media_end
        is_bounded = 0 < end - start <= MAX_DURATION * TICKS
        duration = (end - start) / TICKS if is_bounded else None
        return cls(
            title_id=message.title_id,
            aum_id=message.aum_id,
            asset_id=message.asset_id,
            media_type=message.media_type,
            sound_level=message.sound_level,
            enabled_commands=MediaControlCommand(message.enabled_commands),
            playback_status=message.playback_status,
            rate=_rate(message.rate),
            position=_within((message.position - start) / TICKS, duration),
            duration=duration,
            min_seek=max(message.min_seek - start, 0) / TICKS,
            max_seek=max(message.max_seek - start, 0) / TICKS,
            media_start=start,
            updated_at=now,
            metadata=_metadata(message.metadata),
            picture_url=_picture_url(message.metadata),
        )

    @property
    def is_playing(self) -> bool:
        """Whether the position moves."""
        return self.playback_status == PlaybackStatus.PLAYING

    @property
    def title(self) -> str | None:
        """The title, when the app tells one."""
        return self.metadata.get("title") or None

    @property
    def subtitle(self) -> str | None:
        """The second line: the artist of music, as a rule."""
        return self.metadata.get("subtitle") or None

    def position_at(self, now: float) -> float:
        """Return the position at a time of the event loop, within the medium."""
        position = self.position
        if self.is_playing:
            position += self.rate * max(now - self.updated_at, 0.0)
        return _within(position, self.duration)


def _within(position: float, duration: float | None) -> float:
    return max(position if duration is None else min(position, duration), 0.0)


def _rate(rate: float) -> float:
    return rate if math.isfinite(rate) and abs(rate) <= MAX_RATE else 0.0


def _metadata(entries: tuple[MetadataEntry, ...]) -> Mapping[str, str]:
    return MappingProxyType(
        {
            entry.name: entry.value[:MAX_METADATA_VALUE]
            for entry in entries[:MAX_METADATA]
            if len(entry.name) <= MAX_METADATA_NAME
        }
    )


def _picture_url(entries: tuple[MetadataEntry, ...]) -> str | None:
    values = {
        _NOT_A_LETTER.sub("", entry.name.lower()): entry.value
        for entry in entries[:MAX_METADATA]
        if len(entry.name) <= MAX_METADATA_NAME
    }
    for name in _PICTURE_NAMES:
        url = values.get(name, "")
        if _is_web_address(url):
            return url
    return None


def _is_web_address(url: str) -> bool:
    if len(url) > MAX_PICTURE_URL or _NOT_IN_URL.search(url) is not None:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and parts.username is None
