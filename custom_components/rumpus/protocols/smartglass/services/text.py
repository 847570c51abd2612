"""Typing into a console's text field (the SmartGlass reference, sections 7.17 and 12.3)."""

from .link import Service
from .text_models import TextField

__all__ = ["TextField", "TextService"]


class TextService(Service):
    """The dialogue about the text field that is open, if one is."""

    @property
    def field(self) -> TextField | None:
        """The open field, None when there is none."""
        raise NotImplementedError

    async def set_text(self, text: str) -> None:
        """Replace the whole text."""
        raise NotImplementedError

    async def append(self, text: str) -> None:
        """Add to the end of the text."""
        raise NotImplementedError

    async def select(self, start: int, length: int) -> None:
        """Select a part of the text of a title's own field."""
        raise NotImplementedError

    async def accept(self) -> None:
        """Close the field and take its text."""
        raise NotImplementedError

    async def cancel(self) -> None:
        """Close the field and drop its text."""
        raise NotImplementedError
