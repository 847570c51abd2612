"""The remote control of an Apple TV: its keys, its touch pad and its power."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never, override

from homeassistant.components.remote import RemoteEntity
from homeassistant.components.remote.const import (
    ATTR_ACTIVITY,
    ATTR_ACTIVITY_LIST,
    ATTR_DELAY_SECS,
    ATTR_HOLD_SECS,
    ATTR_NUM_REPEATS,
    DEFAULT_DELAY_SECS,
    DEFAULT_HOLD_SECS,
    DEFAULT_NUM_REPEATS,
    RemoteEntityFeature,
)
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...entities import async_follow
from ...error_texts import NO_SPECIAL
from ...protocols.apple.device import AppleDevice
from ...protocols.apple.enums import Feature, InputAction
from ...protocols.errors import RumpusError, UnsupportedError
from .apps import app_names, async_launch, find_target
from .coordinator import AppleTvCoordinator
from .entity import AppleTvPowerEntity
from .errors import apple_tv_errors, refuse
from .remote_keys import (
    HOLD,
    MAX_HOLD,
    MAX_SECONDS,
    MAX_STEPS,
    Click,
    Power,
    Press,
    Skip,
    Step,
    Swipe,
    UnknownCommandError,
    Wait,
    known_commands,
    parse,
)

REMOTE: Final = "remote"
NOT_ONCE: Final[Mapping[type[RumpusError], str]] = {
    UnsupportedError: "apple_tv_press_not_supported"
}
"""What it means that a key cannot be pressed twice or held."""


@callback
def async_setup(
    coordinator: AppleTvCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the remote control of a device; a HomePod has no screen to move about on."""
    async_follow(
        coordinator,
        async_add_entities,
        lambda: () if coordinator.data.is_speaker else (REMOTE,),
        lambda _: AppleTvRemote(coordinator),
    )


class AppleTvRemote(AppleTvPowerEntity, RemoteEntity):
    """Presses keys and moves a finger over the touch pad."""

    # As with the sources of the media player, there is no use in a history of them.
    _unrecorded_attributes = frozenset({ATTR_ACTIVITY_LIST})

    def __init__(self, coordinator: AppleTvCoordinator) -> None:
        """Control the device."""
        super().__init__(coordinator, REMOTE)
        self._attr_name = None
        self._attr_translation_key = "apple_tv"
        self._show()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._show()
        super()._handle_coordinator_update()

    def _show(self) -> None:
        state = self.coordinator.data
        names = app_names(state)
        self._attr_is_on = state.is_connected and not state.is_off
        self._attr_supported_features = (
            RemoteEntityFeature.ACTIVITY
            if state.knows(Feature.LAUNCH_APP)
            else RemoteEntityFeature(0)
        )
        self._attr_activity_list = list(names.values()) or None
        self._attr_current_activity = (
            None if state.app is None else names.get(state.app.identifier)
        )

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        activity: str | None = kwargs.get(ATTR_ACTIVITY)
        if (
            activity is not None
            and find_target(self.coordinator.data, activity) is None
        ):
            # No device wakes up for what it cannot do.
            refuse("apple_tv_unknown_app", self.coordinator.entry.title)
        await self.coordinator.async_turn_on()
        if activity is not None:
            await async_launch(self.coordinator, activity)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self.coordinator.async_turn_off()

    @override
    async def async_send_command(self, command: Iterable[str], **kwargs: Any) -> None:
        repeats = kwargs.get(ATTR_NUM_REPEATS, DEFAULT_NUM_REPEATS)
        delay = max(0.0, kwargs.get(ATTR_DELAY_SECS, DEFAULT_DELAY_SECS))
        hold = max(0.0, kwargs.get(ATTR_HOLD_SECS, DEFAULT_HOLD_SECS))
        # Nothing is sent unless all of it makes sense.
        steps = [_held(step, hold) for step in self._read(command)]
        self._check_bounds(steps, repeats, delay, hold)
        for number in range(repeats * len(steps)):
            if number:
                await asyncio.sleep(delay)
            await self._async_step(steps[number % len(steps)])

    def _read(self, command: Iterable[str]) -> list[Step]:
        steps: list[Step] = []
        for number, text in enumerate(command, start=1):
            try:
                steps.append(parse(text))
            except UnknownCommandError:
                refuse(
                    "apple_tv_unknown_command",
                    self.coordinator.entry.title,
                    number=str(number),
                    known=known_commands(),
                )
        return steps

    def _check_bounds(
        self, steps: list[Step], repeats: int, delay: float, hold: float
    ) -> None:
        once = sum(delay + _seconds(step) for step in steps)
        # This is also refused when it is no number at all.
        if (
            hold > MAX_HOLD
            or len(steps) * repeats > MAX_STEPS
            or not once * repeats <= MAX_SECONDS
        ):
            refuse(
                "apple_tv_too_many_commands",
                self.coordinator.entry.title,
                steps=str(MAX_STEPS),
                seconds=f"{MAX_SECONDS:.0f}",
                hold=f"{MAX_HOLD:.0f}",
            )

    async def _async_step(self, step: Step) -> None:
        match step:
            case Power(is_on=True):
                await self.coordinator.async_turn_on()
            case Power():
                await self.coordinator.async_turn_off()
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case _:
                with apple_tv_errors(self.coordinator.entry.title, _special(step)):
                    await _async_touch(self.coordinator.device, step)


def _held(step: Step, hold: float) -> Step:
    """Return a step as it is when keys are to be held for so many seconds, unless for none."""
    if hold and isinstance(step, Press) and step.action is InputAction.SINGLE:
        return Press(step.key, InputAction.HOLD, hold)
    return step


def _special(step: Step) -> Mapping[type[RumpusError], str]:
    """Return what errors mean that a step may end in, beyond the usual."""
    if isinstance(step, Press) and step.action is not InputAction.SINGLE:
        return NOT_ONCE
    return NO_SPECIAL


def _seconds(step: Step) -> float:
    """Return how long a step takes."""
    match step:
        case Press(action=InputAction.HOLD, hold=hold):
            return HOLD if hold is None else hold
        case Click(action=InputAction.HOLD):
            return HOLD
        case Swipe(duration_ms=duration):
            return duration / 1000
        case Wait(seconds):
            return seconds
    return 0.0


async def _async_touch(device: AppleDevice, step: Press | Swipe | Click | Skip) -> None:
    """Do what needs a finger."""
    match step:
        case Press(key, _, float() as seconds):
            await device.hold(key, seconds)
        case Press(key, action):
            await device.press(key, action)
        case Swipe(start_x, start_y, end_x, end_y, duration):
            await device.swipe(start_x, start_y, end_x, end_y, duration)
        case Click(action):
            await device.click(action)
        case Skip(seconds):
            await device.skip(seconds)
        case _:
            assert_never(step)
