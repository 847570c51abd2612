"""Typing into the text field that has the focus; what is typed is kept nowhere."""

from typing import Final

from .coordinator import AppleTvCoordinator
from .errors import apple_tv_errors, check_connected, refuse

MAX_TEXT: Final = 16_384
"""Bytes of a text that is typed at once."""


def _check(coordinator: AppleTvCoordinator, text: str) -> None:
    """Raise an error for what cannot be typed now."""
    check_connected(coordinator)
    if len(text.encode(errors="replace")) > MAX_TEXT:
        refuse("apple_tv_text_too_long", coordinator.entry.title, limit=str(MAX_TEXT))
    if coordinator.data.is_focused is False:
        refuse("apple_tv_no_text_field", coordinator.entry.title)


async def async_set_text(coordinator: AppleTvCoordinator, text: str) -> None:
    """Replace what is in the field.

    Raises ServiceValidationError when no field waits for text, HomeAssistantError when
    it fails.
    """
    _check(coordinator, text)
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.text_set(text)


async def async_append_text(coordinator: AppleTvCoordinator, text: str) -> None:
    """Add to what is in the field; raises what async_set_text does."""
    _check(coordinator, text)
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.text_append(text)


async def async_clear_text(coordinator: AppleTvCoordinator) -> None:
    """Empty the field; raises what async_set_text does."""
    _check(coordinator, "")
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.text_clear()
