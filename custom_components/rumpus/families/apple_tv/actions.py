"""The actions of Apple TVs and HomePods, see the table of them in services.py."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from homeassistant.core import ServiceResponse
from homeassistant.util.json import JsonValueType

from ...protocols.apple.enums import InputAction
from .apps import async_launch, named
from .coordinator import AppleTvCoordinator
from .errors import apple_tv_errors, check_connected, refuse
from .keyboard import async_append_text, async_clear_text, async_set_text
from .outputs import async_find_output, async_find_playing, async_outputs
from .store import bounded_apps

type Handler = Callable[
    [AppleTvCoordinator, Mapping[str, Any]], Awaitable[ServiceResponse]
]


async def async_action(
    coordinator: AppleTvCoordinator, name: str, data: Mapping[str, Any]
) -> ServiceResponse:
    """Carry out an action on a device.

    Raises ServiceValidationError when such devices have no such action or cannot do it as it
    is asked for, HomeAssistantError when it fails.
    """
    if (handler := ACTIONS.get(name)) is None:
        refuse("apple_tv_no_action", coordinator.entry.title)
    if coordinator.data.is_speaker and name not in FOR_SPEAKERS:
        refuse("apple_tv_no_screen", coordinator.entry.title)
    return await handler(coordinator, data)


# Text


async def _async_send_text(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Type as on other devices; a field is neither confirmed nor closed from afar."""
    text: str | None = data.get("text")
    if text is None or data["submit"] or data["cancel"]:
        refuse("apple_tv_text_what", coordinator.entry.title)
    await (async_append_text if data["append"] else async_set_text)(coordinator, text)
    return None


async def _async_set_text(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    await async_set_text(coordinator, data["text"])
    return None


async def _async_append_text(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    await async_append_text(coordinator, data["text"])
    return None


async def _async_clear_text(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    await async_clear_text(coordinator)
    return None


# Apps


async def _async_launch_app(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    await async_launch(coordinator, data["app"])
    return None


async def _async_get_apps(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Return the apps that can be started, as the device lists them now."""
    check_connected(coordinator)
    with apple_tv_errors(coordinator.entry.title):
        listed = bounded_apps(await coordinator.device.apps())
    apps: list[JsonValueType] = [
        {"id": identifier, "name": name} for identifier, name in named(listed).items()
    ]
    return {"apps": apps}


# The touch pad


async def _async_swipe(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.swipe(
            data["start_x"],
            data["start_y"],
            data["end_x"],
            data["end_y"],
            data["duration_ms"],
        )
    return None


async def _async_click(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.click(InputAction(data["click"]))
    return None


async def _async_skip(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.skip(data["seconds"])
    return None


# The devices that play along


async def _async_get_outputs(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    """Return the output devices that are known and what is heard from them."""
    check_connected(coordinator)
    active = {one.identifier: one for one in coordinator.data.output_devices}
    outputs: list[JsonValueType] = []
    for identifier, name in async_outputs(coordinator).items():
        volume = active[identifier].volume if identifier in active else None
        outputs.append(
            {
                "id": identifier,
                "name": name,
                "active": identifier in active,
                "volume_level": None if volume is None else volume / 100,
            }
        )
    return {"output_devices": outputs}


def _outputs(coordinator: AppleTvCoordinator, data: Mapping[str, Any]) -> list[str]:
    return [async_find_output(coordinator, text) for text in data["output_devices"]]


async def _async_set_outputs(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    outputs = _outputs(coordinator, data)
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.set_output_devices(*outputs)
    return None


async def _async_add_outputs(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    outputs = _outputs(coordinator, data)
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.add_output_devices(*outputs)
    return None


async def _async_remove_outputs(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    outputs = _outputs(coordinator, data)
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.remove_output_devices(*outputs)
    return None


async def _async_set_output_volume(
    coordinator: AppleTvCoordinator, data: Mapping[str, Any]
) -> ServiceResponse:
    check_connected(coordinator)
    output = async_find_playing(coordinator, data["output_device"])
    with apple_tv_errors(coordinator.entry.title):
        await coordinator.device.set_volume(data["volume_level"] * 100, output)
    return None


ACTIONS: Final[Mapping[str, Handler]] = {
    "send_text": _async_send_text,
    "set_text": _async_set_text,
    "append_text": _async_append_text,
    "clear_text": _async_clear_text,
    "launch_app": _async_launch_app,
    "get_apps": _async_get_apps,
    "swipe": _async_swipe,
    "click": _async_click,
    "skip": _async_skip,
    "get_output_devices": _async_get_outputs,
    "set_output_devices": _async_set_outputs,
    "add_output_devices": _async_add_outputs,
    "remove_output_devices": _async_remove_outputs,
    "set_output_volume": _async_set_output_volume,
}
"""What such devices can do, by the names of the table."""
FOR_SPEAKERS: Final = frozenset(
    {
        "skip",
        "get_output_devices",
        "set_output_devices",
        "add_output_devices",
        "remove_output_devices",
        "set_output_volume",
    }
)
"""Those that need no screen."""
