"""Carries out what is pressed, typed and dictated for one TV."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from homeassistant.components.remote.const import DATA_COMPONENT
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from ...const import DOMAIN, LOGGER
from ...protocols.kdeconnect.plugins.mousepad import TvKey
from .tv_data import EVENT_TV_TEXT, TvSettings
from .tv_presets import Keyboard

if TYPE_CHECKING:
    from .tv import TvCoordinator

MAX_WAITING: Final = 30
"""Key presses and texts that wait for those before them; what comes beyond is ignored."""
CALL_TIMEOUT: Final = 10.0
"""Seconds that a TV may take for a key before the next one is tried."""

type Done = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Press:
    """A key, or a private text, who wants it, and what to do when it is done."""

    phone: str
    done: Done
    key: TvKey | None = None
    text: str = field(default="", repr=False)


class NothingDoneError(HomeAssistantError):
    """A key press that came to nothing; its text is for the log."""


class TvKeys:
    """Does one thing after the other, in the order in which they were asked for."""

    def __init__(self, tv: TvCoordinator) -> None:
        """Start with nothing to do."""
        self._tv = tv
        self._waiting: deque[Press] = deque()
        self._is_working = False

    @callback
    def add(self, press: Press) -> None:
        """Do something soon."""
        if len(self._waiting) >= MAX_WAITING:
            LOGGER.debug("%s: too many keys wait", self._tv.name)
            return
        self._waiting.append(press)
        if not self._is_working:
            self._is_working = True
            self._tv.entry.async_create_background_task(
                self._tv.hass, self._async_work(), f"{DOMAIN} keys of a TV"
            )

    async def _async_work(self) -> None:
        try:
            while self._waiting:
                await self._async_do(self._waiting.popleft())
        finally:
            self._is_working = False

    async def _async_do(self, press: Press) -> None:
        context = Context()
        self._tv.show(press, context)
        try:
            async with asyncio.timeout(CALL_TIMEOUT):
                if press.key is not None:
                    await self._async_press(press.key, context)
                else:
                    await self._async_type(press, context)
        except NothingDoneError as err:
            LOGGER.debug("%s: %s", self._tv.name, err)
        except Exception as err:  # noqa: BLE001 - whatever another integration raises
            # What it says may contain the text.
            LOGGER.debug("%s: a key failed with %s", self._tv.name, type(err).__name__)
        else:
            press.done()

    async def _async_press(self, key: TvKey, context: Context) -> None:
        hass = self._tv.hass
        if (command := keyboard(hass, self._tv.settings).command(key)) is None:
            raise NothingDoneError(f"{key} has no command")
        _check(hass, command.entity_id)
        await hass.services.async_call(
            command.domain,
            command.service,
            dict(command.data),
            blocking=True,
            context=context,
        )

    async def _async_type(self, press: Press, context: Context) -> None:
        """Give a text to the remote, or to whoever listens where that takes none."""
        hass, tv = self._tv.hass, self._tv
        remote = tv.settings.remote
        command = keyboard(hass, tv.settings).text_command(press.text)
        if remote is None or command is None:
            tv.fire_bus(EVENT_TV_TEXT, {"phone": press.phone, "text": press.text})
            return
        _check(hass, remote)
        component = hass.data.get(DATA_COMPONENT)
        entity = None if component is None else component.get_entity(remote)
        if entity is None:
            raise NothingDoneError("the remote is gone")
        # Not as an action: its event would be recorded, and the text may be a password.
        entity.async_set_context(context)
        await entity.async_send_command(
            [command], num_repeats=1, delay_secs=0, hold_secs=0
        )


def keyboard(hass: HomeAssistant, settings: TvSettings) -> Keyboard:
    """Return what the keys do, by the integrations that the entities have now."""
    return Keyboard.create(
        settings,
        _platform(hass, settings.remote),
        _platform(hass, settings.media_player),
    )


def _platform(hass: HomeAssistant, entity_id: str | None) -> str | None:
    entry = er.async_get(hass).async_get(entity_id) if entity_id is not None else None
    return None if entry is None else entry.platform


def _check(hass: HomeAssistant, entity_id: str) -> None:
    """Raise NothingDoneError where an action would do nothing without a word."""
    state = hass.states.get(entity_id)
    if state is None or state.state == STATE_UNAVAILABLE:
        raise NothingDoneError(f"{entity_id} is not available")
