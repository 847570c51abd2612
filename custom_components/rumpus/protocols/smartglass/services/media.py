"""What plays, and commands for it (the SmartGlass reference, sections 7.16 and 12.2)."""

from typing import Final

from ..enums import MediaControlCommand
from .link import Service
from .media_models import Media

__all__ = ["RESULT_TIMEOUT", "Media", "MediaService"]

RESULT_TIMEOUT: Final = 0.5
"""Seconds to wait for the result of a command that was acked."""


class MediaService(Service):
    """The player of the app that owns the media session."""

    @property
    def current(self) -> Media | None:
        """What is played, None when there is no media session."""
        raise NotImplementedError

    def supports(self, command: MediaControlCommand) -> bool:
        """Tell whether the app takes a command now, by itself or by another that does it."""
        raise NotImplementedError

    async def command(self, command: MediaControlCommand) -> None:
        """Give one command other than SEEK."""
        raise NotImplementedError

    async def seek(self, seconds: float) -> None:
        """Go to a position, from the start of the medium."""
        raise NotImplementedError
