"""What happens to a console, as typed events."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from .enums import DisconnectReason, PairedIdentityState, ResultCode, ServiceChannel

if TYPE_CHECKING:
    from ..json_lines import JsonObject
    from .messages import ActiveSurfaceChange, ConsoleStatus
    from .services.media_models import Media
    from .services.text_models import TextField


class LossReason(StrEnum):
    """Why there is no link any more."""

    DISCONNECTED = "disconnected"
    """The console ended the session; its reason comes along."""
    SILENCE = "silence"
    """Nothing valid has come from the console for too long."""
    POWERED_OFF = "powered_off"
    """We have switched it off."""
    FAILED = "failed"
    """Our own end could not go on."""


#: Reasons of a console that ends a session because it goes off.
OFF_REASONS = frozenset({DisconnectReason.POWER_OFF, DisconnectReason.LOW_POWER})


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link is gone, and it was not `Console.disconnect` that ended it.

    `disconnect_reason` is what the console said, if it said anything; `was_empty` tells
    whether the last list of titles it sent had none in it.
    """

    reason: LossReason
    disconnect_reason: DisconnectReason | int | None = None
    was_empty: bool = False

    @property
    def says_off(self) -> bool:
        """Whether the console has said that it goes off, in one way or another.

        Consoles that go off send an empty list of titles first (the SmartGlass reference,
        section 7.5), so that one followed by silence stands for the word that got lost, and
        by an end without a reason for the reason.
        """
        if self.reason is LossReason.POWERED_OFF:
            return True
        if self.reason is LossReason.FAILED:
            return False
        if self.disconnect_reason in {None, DisconnectReason.UNSPECIFIED}:
            return self.was_empty
        return self.disconnect_reason in OFF_REASONS


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Build, locale, live TV provider or the titles that are active have changed."""

    status: ConsoleStatus


@dataclass(frozen=True, slots=True)
class PairingStateChanged:
    """The console knows the user of the session now, or does not know them any more."""

    state: PairedIdentityState | int


@dataclass(frozen=True, slots=True)
class SurfaceChanged:
    """The console shows another kind of picture."""

    surface: ActiveSurfaceChange


@dataclass(frozen=True, slots=True)
class MediaChanged:
    """What plays has changed; None when nothing does."""

    media: Media | None


@dataclass(frozen=True, slots=True)
class TextOpened:
    """The console waits for text."""

    field: TextField


@dataclass(frozen=True, slots=True)
class TextChanged:
    """The text in the open field is another one."""

    field: TextField


@dataclass(frozen=True, slots=True)
class TextClosed:
    """The text field is gone; `accepted` is None when nobody said what became of it."""

    session_id: int
    accepted: bool | None


@dataclass(frozen=True, slots=True)
class TvNotified:
    """The TV remote has something new to ask for: see the notifications of section 12.4.

    `body` is the whole object, since nobody knows what else is in it.
    """

    name: str
    body: JsonObject = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ChannelOpened:
    """A channel can be used from now on."""

    channel: ServiceChannel


@dataclass(frozen=True, slots=True)
class ChannelFailed:
    """A channel stays shut; `result` is None when the console said nothing about it."""

    channel: ServiceChannel
    result: ResultCode | int | None


type ConsoleEvent = (
    LinkLost
    | StatusChanged
    | PairingStateChanged
    | SurfaceChanged
    | MediaChanged
    | TextOpened
    | TextChanged
    | TextClosed
    | TvNotified
    | ChannelOpened
    | ChannelFailed
)
