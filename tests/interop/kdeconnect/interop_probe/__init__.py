"""An integration that watches the Home Assistant it runs in, and gives it a player.

The action ``interop_probe.start`` begins a measurement and ``interop_probe.stop`` ends
it and answers what it saw:

- ``stall``: the longest that the event loop did not get round to its timers, in ms;
- ``starved``: the part of it for which the loop was ready to run and the kernel ran
  something else, in ms: other programs on the machine, not Home Assistant;
- ``memory``: the growth of the resident memory up to its peak, in bytes;
- ``busy``: the time that the process was on a processor, in seconds.
"""

import asyncio
from pathlib import Path
import resource
import time
from typing import Final

from homeassistant.const import Platform
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
)
from homeassistant.helpers.discovery import async_load_platform
from homeassistant.helpers.typing import ConfigType

DOMAIN: Final = "interop_probe"
_PAUSE: Final = 0.005
_SCHEDULE: Final = Path("/proc/thread-self/schedstat")
_STATUS: Final = Path("/proc/self/status")
_PEAK_RESET: Final = Path("/proc/self/clear_refs")


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the two actions."""
    probe = Probe()

    async def start(call: ServiceCall) -> None:
        probe.start()

    async def stop(call: ServiceCall) -> ServiceResponse:
        return await probe.stop()

    hass.services.async_register(DOMAIN, "start", start)
    hass.services.async_register(
        DOMAIN, "stop", stop, supports_response=SupportsResponse.ONLY
    )
    hass.async_create_task(
        async_load_platform(hass, Platform.MEDIA_PLAYER, DOMAIN, {}, config)
    )
    return True


class Probe:
    """One measurement at a time."""

    def __init__(self) -> None:
        """Nothing is measured yet."""
        self._task: asyncio.Task[None] | None = None
        self._worst = (0.0, 0.0)
        self._memory = 0
        self._busy = 0.0

    def start(self) -> None:
        """Begin; a measurement that runs is forgotten."""
        if self._task is not None:
            self._task.cancel()
        self._worst = (0.0, 0.0)
        _PEAK_RESET.write_text("5", encoding="ascii")
        self._memory = _status("VmRSS")
        self._busy = _busy()
        self._task = asyncio.get_running_loop().create_task(self._tick())

    async def stop(self) -> ServiceResponse:
        """End, and return what was seen."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        stall, starved = self._worst
        return {
            "stall": round(stall * 1000, 1),
            "starved": round(starved * 1000, 1),
            "memory": _status("VmHWM") - self._memory,
            "busy": round(_busy() - self._busy, 3),
        }

    async def _tick(self) -> None:
        last, waited = time.monotonic(), _waited()
        while True:
            await asyncio.sleep(_PAUSE)
            now, waits = time.monotonic(), _waited()
            stall, starved = now - last - _PAUSE, waits - waited
            # The worst is the one that Home Assistant itself has most part in.
            if stall - starved > self._worst[0] - self._worst[1]:
                self._worst = (stall, min(stall, starved))
            last, waited = now, waits


def _waited() -> float:
    """Return for how long this thread was ready but not on a processor, in seconds."""
    return int(_SCHEDULE.read_text(encoding="ascii").split()[1]) / 1e9


def _busy() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _status(name: str) -> int:
    """Return an amount of memory of this process, in bytes."""
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    return 0
