"""The state of a console as Home Assistant sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ...protocols.smartglass.enums import (
    PairedIdentityState,
    ServiceChannel,
    TitleLocation,
)
from ...protocols.smartglass.messages import (
    ActiveSurfaceChange,
    ActiveTitle,
    ConsoleStatus,
)
from ...protocols.smartglass.services.media import Media
from ...protocols.smartglass.services.tv_models import TvDevice


class Power(StrEnum):
    """Whether a console runs."""

    ON = "on"
    OFF = "off"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class SeenTitle:
    """A title that has run on the console; `aum` is the application user model id."""

    title_id: int
    name: str
    aum: str = ""


@dataclass(frozen=True, slots=True)
class OpenField:
    """A text field that waits for text on the screen; what is in it is not kept here.

    `max_length` is in characters, 0 when it is not limited.
    """

    session_id: int
    prompt: str
    is_password: bool = False
    max_length: int = 0


@dataclass(frozen=True, slots=True)
class TvState:
    """The devices that the console can control by infrared."""

    devices: tuple[TvDevice, ...] = ()

    def has_button(self, button_id: str) -> bool:
        """Tell whether one of the devices has a button."""
        return any(button_id in device.buttons for device in self.devices)


@dataclass(frozen=True, slots=True)
class XboxState:
    """All that is known of a console now; None is what it has not told since it connected.

    `is_off` is its last word: it stays when Home Assistant is started anew.  `titles_seen`
    are the titles by their ids, those that ran last at the end; `media_updated_at` is when
    the position in `media` was true.
    """

    is_connected: bool = False
    is_off: bool = False
    status: ConsoleStatus | None = None
    media: Media | None = None
    media_updated_at: datetime | None = None
    text_field: OpenField | None = None
    pairing_state: PairedIdentityState | int | None = None
    surface: ActiveSurfaceChange | None = None
    tv: TvState | None = None
    titles_seen: Mapping[int, SeenTitle] = field(default_factory=dict)
    channels: frozenset[ServiceChannel] = frozenset()

    @property
    def power(self) -> Power:
        """Whether the console runs: off only when it has said so itself."""
        if self.is_connected:
            return Power.ON
        return Power.OFF if self.is_off else Power.UNAVAILABLE

    @property
    def titles(self) -> tuple[ActiveTitle, ...]:
        """The titles that run now."""
        return () if self.status is None else self.status.active_titles

    @property
    def active_title(self) -> ActiveTitle | None:
        """The title that has the focus."""
        return next((title for title in self.titles if title.has_focus), None)

    def title_at(self, location: TitleLocation) -> ActiveTitle | None:
        """Return the title that runs at a place of the screen."""
        return next(
            (title for title in self.titles if title.location == location), None
        )
