"""Typing into the text field that is open on a console.

What is typed may be a password: it is in no log, no error and no state.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.core import ServiceResponse

from .coordinator import XboxCoordinator
from .errors import refuse, xbox_errors

MAX_TEXT: Final = 4000
"""Characters that are typed at once."""


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
    if text is not None:
        _check_length(coordinator, text)
    with xbox_errors(name):
        if data["cancel"]:
            await service.cancel()
            return None
        if text is not None:
            await (service.append(text) if data["append"] else service.set_text(text))
        if data["submit"]:
            await service.accept()
    return None


def _makes_sense(text: str | None, data: Mapping[str, Any]) -> bool:
    if data["cancel"]:
        return text is None and not data["append"] and not data["submit"]
    if data["append"]:
        return text is not None
    return text is not None or bool(data["submit"])


def _check_length(coordinator: XboxCoordinator, text: str) -> None:
    field = coordinator.console.text.field
    # The field counts in UTF-16, as the system of the console does.
    limit = MAX_TEXT if field is None else field.max_length or MAX_TEXT
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > min(limit, MAX_TEXT):
        refuse("xbox_text_too_long", coordinator.entry.title, limit=str(limit))
