"""The actions of consoles, see the table of them in services.py."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from homeassistant.core import ServiceResponse
from homeassistant.util.json import JsonObjectType, JsonValueType

from ...protocols.errors import RumpusError
from ...protocols.smartglass.enums import TitleLocation
from ...protocols.smartglass.errors import StumpError
from ...protocols.smartglass.services.tv import TvService
from .coordinator import XboxCoordinator
from .errors import check_connected, refuse, xbox_errors
from .launch import async_launch
from .lineup import (
    app_part,
    device_part,
    headend_part,
    lineup_part,
    live_part,
    recent_part,
)
from .remote_keys import TV_BUTTONS, TV_PREFIX, UnknownCommandError, tv_button_id
from .text_entry import async_send_text
from .tv import async_press, button_ids

LOCATIONS: Final = {
    "full": TitleLocation.FULL,
    "fill": TitleLocation.FILL,
    "snapped": TitleLocation.SNAPPED,
    "start_view": TitleLocation.START_VIEW,
    "system_ui": TitleLocation.SYSTEM_UI,
    "default": TitleLocation.DEFAULT,
}

type Handler = Callable[
    [XboxCoordinator, Mapping[str, Any]], Awaitable[ServiceResponse]
]


async def async_action(
    coordinator: XboxCoordinator, name: str, data: Mapping[str, Any]
) -> ServiceResponse:
    """Carry out an action on a console.

    Raises ServiceValidationError when consoles have no such action or cannot do it as it is
    asked for, HomeAssistantError when it fails.
    """
    if (handler := ACTIONS.get(name)) is None:
        refuse("xbox_no_action", coordinator.entry.title)
    check_connected(coordinator)
    return await handler(coordinator, data)


async def _async_get_lineup(
    coordinator: XboxCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Return all that the console knows of television.

    Consoles answer some of the questions with an error, others not at all: those are listed
    as missing.
    """
    questions = _questions(coordinator.console.tv)
    outcomes = await asyncio.gather(*questions.values(), return_exceptions=True)
    answer: dict[str, JsonValueType] = {}
    missing: list[JsonValueType] = []
    for part, outcome in zip(questions, outcomes, strict=True):
        if isinstance(outcome, RumpusError):
            missing.append(part)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            answer[part] = outcome
    if not answer:
        with xbox_errors(coordinator.entry.title):
            raise next(error for error in outcomes if isinstance(error, RumpusError))
    return {**answer, "missing": missing}


def _questions(tv: TvService) -> dict[str, Awaitable[JsonValueType]]:
    """Return what to ask, by the part of the answer that it becomes."""
    return {
        "devices": _async_part(tv.get_configuration(), device_part),
        "providers": _async_part(tv.get_headend_info(), headend_part),
        "lineups": _async_part(tv.get_tuner_lineups(), lineup_part),
        "apps": _async_part(tv.get_app_channel_lineups(), app_part),
        "recent": _async_part(tv.get_recent_channels(), recent_part),
    }


async def _async_part[T](
    question: Awaitable[T], read: Callable[[T], JsonValueType]
) -> JsonValueType:
    return read(await question)


async def _async_tune(
    coordinator: XboxCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Switch to a channel; return what live television shows then, if the console tells."""
    name = coordinator.entry.title
    channel_id: str | None = data.get("channel_id")
    lineup_id: str | None = data.get("lineup_id")
    channel_name: str | None = data.get("channel_name")
    tv = coordinator.console.tv
    with xbox_errors(name, {StumpError: "xbox_channel_failed"}):
        if channel_id is not None and lineup_id is not None and channel_name is None:
            await tv.set_channel(channel_id, lineup_id)
        elif channel_name is not None and channel_id is None and lineup_id is None:
            await tv.set_channel_by_name(channel_name)
        else:
            refuse("xbox_which_channel", name)
    try:
        return live_part(await tv.get_live_tv_info())
    except RumpusError:
        # The channel has been changed all the same.
        return {}


async def _async_press_tv_button(
    coordinator: XboxCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Press a button of the TV; return which device has got it."""
    known = button_ids(coordinator.data.tv)
    try:
        button_id = tv_button_id(data["button"], known)
    except UnknownCommandError:
        buttons = {*TV_BUTTONS, *(button.removeprefix(TV_PREFIX) for button in known)}
        refuse(
            "xbox_unknown_tv_button",
            coordinator.entry.title,
            known=", ".join(sorted(buttons)),
        )
    device = await async_press(coordinator, button_id, data.get("tv_device"))
    return {
        "button": button_id.removeprefix(TV_PREFIX),
        "device_id": device.device_id,
        "device_type": str(device.device_type),
        "device_name": device.name,
    }


async def _async_launch_title(
    coordinator: XboxCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Start a title; return its address."""
    response: JsonObjectType = {
        "uri": await async_launch(
            coordinator, data["title"], LOCATIONS[data["location"]]
        )
    }
    return response


ACTIONS: Final[Mapping[str, Handler]] = {
    "send_text": async_send_text,
    "get_tv_lineup": _async_get_lineup,
    "tune_channel": _async_tune,
    "press_tv_button": _async_press_tv_button,
    "launch_title": _async_launch_title,
}
"""What consoles can do, by the names of the table."""
