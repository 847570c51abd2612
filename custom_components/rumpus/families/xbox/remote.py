"""The remote control of a console: gamepad, media keys and the buttons of the TV."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, assert_never, override

from homeassistant.components.remote import RemoteEntity
from homeassistant.components.remote.const import (
    ATTR_ACTIVITY,
    ATTR_ACTIVITY_LIST,
    ATTR_DELAY_SECS,
    ATTR_DEVICE,
    ATTR_HOLD_SECS,
    ATTR_NUM_REPEATS,
    DEFAULT_DELAY_SECS,
    DEFAULT_HOLD_SECS,
    DEFAULT_NUM_REPEATS,
    RemoteEntityFeature,
)
from homeassistant.core import callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ...protocols.smartglass.services.input import MAX_HOLD, GamepadState, InputService
from .coordinator import XboxCoordinator
from .entity import XboxPowerEntity
from .errors import check_connected, refuse, xbox_errors
from .launch import async_launch, find_uri, source_names
from .remote_keys import (
    MAX_SECONDS,
    MAX_STEPS,
    MediaKey,
    Press,
    Step,
    TvKey,
    UnknownCommandError,
    Wait,
    known_commands,
    parse,
)
from .tv import async_press, button_ids, find_device

REMOTE: Final = "remote"


@callback
def async_setup(
    coordinator: XboxCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the remote control of a console."""
    async_add_entities([XboxRemote(coordinator)])


class XboxRemote(XboxPowerEntity, RemoteEntity):
    """Presses buttons of a gamepad, media keys and buttons of the TV."""

    _attr_supported_features = RemoteEntityFeature.ACTIVITY
    # As with the sources of the media player, there is no use in a history of them.
    _unrecorded_attributes = frozenset({ATTR_ACTIVITY_LIST})

    def __init__(self, coordinator: XboxCoordinator) -> None:
        """Control the console."""
        super().__init__(coordinator, REMOTE)
        self._attr_name = None
        self._attr_translation_key = "console"
        self._show()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._show()
        super()._handle_coordinator_update()

    def _show(self) -> None:
        state = self.coordinator.data
        names = source_names(state)
        title = state.active_title
        self._attr_is_on = state.is_connected
        self._attr_activity_list = list(names.values())
        self._attr_current_activity = None if title is None else names[title.title_id]

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        activity: str | None = kwargs.get(ATTR_ACTIVITY)
        if activity is not None:
            # No console wakes up for what it cannot do.
            find_uri(self.coordinator, activity)
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
        device = kwargs.get(ATTR_DEVICE)
        check_connected(self.coordinator)
        # Nothing is sent unless all of it makes sense.
        steps = self._read(command, device)
        usual = hold or self.coordinator.options.press_ms / 1000
        self._check_bounds(steps, repeats, delay, usual)
        for number in range(repeats * len(steps)):
            if number:
                await asyncio.sleep(delay)
            await self._async_step(steps[number % len(steps)], usual, device)

    def _read(self, command: Iterable[str], device: str | None) -> list[Step]:
        name = self.coordinator.entry.title
        tv = self.coordinator.data.tv
        steps: list[Step] = []
        for number, text in enumerate(command, start=1):
            try:
                step = parse(text, button_ids(tv))
            except UnknownCommandError:
                refuse(
                    "xbox_unknown_command",
                    name,
                    number=str(number),
                    known=known_commands(),
                )
            if isinstance(step, TvKey):
                find_device(name, tv, step.button_id, device)
            steps.append(step)
        return steps

    def _check_bounds(
        self, steps: list[Step], repeats: int, delay: float, usual: float
    ) -> None:
        once = sum(delay + _seconds(step, usual) for step in steps)
        # This is also refused when it is no number at all.
        if (
            usual > MAX_HOLD
            or len(steps) * repeats > MAX_STEPS
            or not once * repeats <= MAX_SECONDS
        ):
            refuse(
                "xbox_too_many_commands",
                self.coordinator.entry.title,
                steps=str(MAX_STEPS),
                seconds=f"{MAX_SECONDS:.0f}",
                hold=f"{MAX_HOLD:.0f}",
            )

    async def _async_step(self, step: Step, usual: float, device: str | None) -> None:
        console = self.coordinator.console
        with xbox_errors(self.coordinator.entry.title):
            match step:
                case Press():
                    hold = usual if step.hold is None else step.hold
                    await _async_press(console.input, step, hold)
                case MediaKey(command):
                    await console.media.command(command)
                case TvKey(button_id):
                    await async_press(self.coordinator, button_id, device)
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case _:
                    assert_never(step)


def _seconds(step: Step, usual: float) -> float:
    """Return how long a step takes."""
    match step:
        case Press(hold=hold):
            return usual if hold is None else hold
        case Wait(seconds):
            return seconds
    return 0.0


async def _async_press(pad: InputService, press: Press, hold: float) -> None:
    """Hold something on the gamepad for some seconds."""
    await pad.chord(
        GamepadState(
            press.buttons,
            press.left_trigger,
            press.right_trigger,
            *press.left_stick,
            *press.right_stick,
        ),
        hold,
    )
