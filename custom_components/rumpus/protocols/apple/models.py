"""What a device tells, whatever protocol it is told with (part B, sections 5 and 6)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from .enums import DeviceState, MediaType, RepeatState, ShuffleState

type ArtworkFetcher = Callable[[str], Awaitable[tuple[bytes, str] | None]]
"""Gets the picture behind a URL: its data and its media type, None without one.

Whoever gives it bounds how much is read and how long that takes.
"""


@dataclass(frozen=True, slots=True)
class App:
    """An app; the name is unknown for those that were started before we came."""

    identifier: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A user account of the device."""

    identifier: str
    name: str


@dataclass(frozen=True, slots=True)
class OutputDevice:
    """A device that plays along; its volume in percent where it is known."""

    identifier: str
    name: str | None
    volume: float | None = None


@dataclass(frozen=True, slots=True)
class Artwork:
    """A picture; sizes in pixels, as far as they are known."""

    data: bytes = field(repr=False)
    mimetype: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Playing:
    """What is played right now; without arguments nothing is (part B, section 5.4).

    Times are in seconds. The position was taken at `position_updated_at`, a Unix time;
    while the device plays it goes on from there at normal speed.
    """

    media_type: MediaType = MediaType.UNKNOWN
    device_state: DeviceState = DeviceState.IDLE
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    total_time: int | None = None
    position: int | None = None
    position_updated_at: float | None = None
    rate: float | None = None
    shuffle: ShuffleState = ShuffleState.OFF
    repeat: RepeatState = RepeatState.OFF
    series_name: str | None = None
    season_number: int | None = None
    episode_number: int | None = None
    content_identifier: str | None = None
    itunes_store_identifier: int | None = None
    item_identifier: str | None = None
    app: App | None = None
    artwork_id: str | None = None

    @property
    def hash(self) -> str:
        """Return what changes with what is played (part B, section 5.7)."""
        if self.item_identifier:
            return self.item_identifier
        text = f"{self.title}{self.artist}{self.album}{self.total_time}"
        import hashlib  # noqa: PLC0415 - few need it

        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


IDLE = Playing()
