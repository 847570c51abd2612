"""Typing into the text field that is open on a console.

What is typed may be a password: it is in no log, no error and no state.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import ServiceResponse

from ...protocols.errors import MessageTooLargeError
from ...protocols.smartglass.services.text import MAX_TITLE_TEXT
from ...protocols.smartglass.services.text_edit import MAX_TEXT
from ...protocols.smartglass.services.text_models import TextField
from .coordinator import XboxCoordinator
from .errors import refuse, xbox_errors


async def async_send_text(
    coordinator: XboxCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Type, confirm, or cancel.

    Raises ServiceValidationError when it is not said what to do, HomeAssistantError when no
    field is open.
    """
    name = coordinator.entry.title
    text: str | None = data.get("text")
    if not _makes_sense(text, data):
        refuse("xbox_text_what", name)
    service = coordinator.console.text
    with xbox_errors(name):
        if data["cancel"]:
            await service.cancel()
            return None
        if text is not None:
            field = service.field
            try:
                await (
                    service.append(text) if data["append"] else service.set_text(text)
                )
            except MessageTooLargeError:
                refuse("xbox_text_too_long", name, limit=str(_limit(field)))
        if data["submit"]:
            await service.accept()
    return None


def _makes_sense(text: str | None, data: Mapping[str, Any]) -> bool:
    if data["cancel"]:
        return text is None and not data["append"] and not data["submit"]
    if data["append"]:
        return text is not None
    return text is not None or bool(data["submit"])


def _limit(field: TextField | None) -> int:
    """Return how many characters a field takes, as far as anybody knows."""
    if field is not None and field.max_length:
        return field.max_length
    return MAX_TITLE_TEXT if field is not None and field.is_title else MAX_TEXT
