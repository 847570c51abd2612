"""Doing things at once, but not too often."""

from collections.abc import Callable
from datetime import datetime

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later


class Pace:
    """Lets things be done at once, but each of them only once in an interval."""

    def __init__(
        self, hass: HomeAssistant, interval: float, act: Callable[[str], None]
    ) -> None:
        """Call `act` with the key of what is due."""
        self._hass = hass
        self._interval = interval
        self._act = act
        self._last: dict[str, float] = {}
        self._waiting: dict[str, CALLBACK_TYPE] = {}

    @callback
    def want(self, key: str) -> None:
        """Do something now or as soon as it may be done again."""
        if key in self._waiting:
            return
        now = self._hass.loop.time()
        rest = self._last.get(key, -self._interval) + self._interval - now
        if rest <= 0:
            self._last[key] = now
            self._act(key)
            return

        @callback
        def on_time(_: datetime) -> None:
            del self._waiting[key]
            self._last[key] = self._hass.loop.time()
            self._act(key)

        self._waiting[key] = async_call_later(
            self._hass, rest, HassJob(on_time, cancel_on_shutdown=True)
        )

    @callback
    def stop(self) -> None:
        """Forget what waits, and what has been done."""
        for cancel in self._waiting.values():
            cancel()
        self._waiting.clear()
        self._last.clear()
