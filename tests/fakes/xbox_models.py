"""What a fake console shows and plays."""

from dataclasses import dataclass, field, replace
from typing import Self

from tests.fakes.xbox_wire import Fields, Value

_NO_UUID = "00000000-0000-0000-0000-000000000000"
TICKS = 10_000_000  # per second

FULL, FILL, SNAPPED, START_VIEW, SYSTEM_UI, DEFAULT = range(6)
CLOSED, CHANGING, STOPPED, PLAYING, PAUSED = range(5)
PLAY, PAUSE, PLAY_PAUSE, STOP, RECORD = 0x02, 0x04, 0x08, 0x10, 0x20
NEXT, PREVIOUS, FAST_FORWARD, REWIND = 0x40, 0x80, 0x100, 0x200
SEEK = 0x8000


@dataclass(frozen=True, slots=True)
class FakeTitle:
    """A title that runs."""

    title_id: int
    aum: str
    has_focus: bool = True
    location: int = FULL
    product_id: str = _NO_UUID
    sandbox_id: str = _NO_UUID

    def fields(self) -> Fields:
        """Return it as ConsoleStatus has it."""
        place: Fields = {"has_focus": self.has_focus, "title_location": self.location}
        return {
            "title_id": self.title_id,
            "disposition": place,
            "product_id": self.product_id,
            "sandbox_id": self.sandbox_id,
            "aum": self.aum,
        }


HOME = FakeTitle(0x2A992D3A, "Xbox.Home_8wekyb3d8bbwe!Xbox.Home.Application")
DASHBOARD = FakeTitle(
    0xFFFE07D1,
    "Xbox.Dashboard_8wekyb3d8bbwe!Xbox.Dashboard.Application",
    has_focus=False,
    location=START_VIEW,
)
PLAYER = FakeTitle(0x18A7B2C3, "Example.Player_abc!App")
GAME = FakeTitle(0x4AE8F9B2, "BethesdaSoftworks.Fallout4_3275kfvn8vcwc!App")


@dataclass(frozen=True, slots=True)
class FakeMedia:
    """A media session; times in seconds, the position at the time it was set."""

    title_id: int = PLAYER.title_id
    aum: str = PLAYER.aum
    asset_id: str = "asset-42"
    media_type: int = 2
    sound_level: int = 2
    enabled_commands: int = (
        PLAY
        | PAUSE
        | PLAY_PAUSE
        | STOP
        | NEXT
        | PREVIOUS
        | FAST_FORWARD
        | REWIND
        | SEEK
    )
    status: int = PLAYING
    rate: float = 1.0
    position: float = 0.0
    start: float = 0.0
    end: float = 3600.0
    min_seek: float = 0.0
    max_seek: float = 3600.0
    metadata: dict[str, str] = field(
        default_factory=lambda: {"title": "The Fakes", "subtitle": "Loopback"}
    )

    def moved(self, elapsed: float) -> Self:
        """Return it after some seconds."""
        if self.status != PLAYING:
            return self
        position = self.position + self.rate * elapsed
        return replace(self, position=max(self.start, min(self.end, position)))

    def fields(self) -> Fields:
        """Return it as MediaState has it."""
        metadata: list[Value] = [
            {"name": name, "value": value} for name, value in self.metadata.items()
        ]
        return {
            "title_id": self.title_id,
            "aum_id": self.aum,
            "asset_id": self.asset_id,
            "media_type": self.media_type,
            "sound_level": self.sound_level,
            "enabled_commands": self.enabled_commands,
            "playback_status": self.status,
            "rate": self.rate,
            "position": round(self.position * TICKS),
            "media_start": round(self.start * TICKS),
            "media_end": round(self.end * TICKS),
            "min_seek": round(self.min_seek * TICKS),
            "max_seek": round(self.max_seek * TICKS),
            "metadata": metadata,
        }
