"""The check of Apple TVs: off and asleep, restarted and lost, and back each time."""

import asyncio
import time
from typing import Final

from .apple_devices import is_kind
from .check_apple_tv_use import COMMAND, hears, is_running
from .report import Report, require
from .subject import Subject

BACK_WITHIN: Final = 5.0  # seconds from the moment that it answers
GONE_WITHIN: Final = 20.0  # seconds from the moment that it is silent
ASLEEP: Final = 8.0  # seconds that it is left alone
LINKS: Final = ("companion_verified", "mrp_ready")


async def check_power(report: Report, tv: Subject) -> None:
    """Switch it off and on, and let it sleep."""
    name, fake = tv.fake.name, tv.fake
    async with report.step(f"{name}: switched off"):
        async with hears(fake, "power", state="asleep"):
            await tv.do("media_player.turn_off")
        await tv.wait_state("media_player", "", "off")
    async with report.step(f"{name}: asleep behind its sleep proxy, and left alone"):
        mark = fake.position
        await fake.say("deep")
        await tv.wait_state("binary_sensor", "link_companion", "off")
        await tv.wait_state("binary_sensor", "link_airplay", "off")
        await asyncio.sleep(ASLEEP)
        await tv.wait_state("media_player", "", "off")
        knocks = [event for event in fake.events[mark:] if is_kind("knocked")(event)]
        require(not knocks, f"it was woken: {knocks}")
    async with report.step(f"{name}: woken"):
        async with hears(fake, "power", state="awake"):
            await tv.do("media_player.turn_on")
        await tv.wait_state("media_player", "", is_running)
        await tv.wait_state("binary_sensor", "link_airplay", "on")
    async with report.step(f"{name}: sleeps and wakes by its own remote"):
        await fake.say("deep")
        await tv.wait_state("media_player", "", "off")
        await fake.say("on")
        await fake.wait(is_kind("done", command="on"), "wake", COMMAND)
        begun = time.monotonic()
        await tv.wait_state("media_player", "", is_running)
        _require_quick(begun, BACK_WITHIN)


async def check_losses(report: Report, tv: Subject) -> None:
    """Restart it, and let it vanish."""
    name, fake = tv.fake.name, tv.fake
    async with report.step(
        f"{name}: restarts with other ports, back within {BACK_WITHIN:g} s"
    ):
        await _follow(tv, "restart ports", "restarted")
    async with report.step(f"{name}: vanishes, unavailable within {GONE_WITHIN:g} s"):
        begun = time.monotonic()
        await fake.say("vanish")
        await tv.wait_state("media_player", "", "unavailable")
        _require_quick(begun, GONE_WITHIN)
        await tv.wait_state("remote", "", "unavailable")
    async with report.step(f"{name}: answers again, back within {BACK_WITHIN:g} s"):
        begun = time.monotonic()
        await fake.say("back")
        await tv.wait_state("media_player", "", is_running)
        await tv.wait_state("binary_sensor", "link_companion", "on")
        _require_quick(begun, BACK_WITHIN)


async def check_move(report: Report, tv: Subject, address: str) -> None:
    """Give it another address, which it announces."""
    async with report.step(
        f"{tv.fake.name}: has another address, followed within {BACK_WITHIN:g} s"
    ):
        await _follow(tv, f"move {address}", "moved")


async def _follow(tv: Subject, command: str, told: str) -> None:
    """Tell it to go away and come back, and wait until we have followed."""
    fake = tv.fake
    mark = fake.position
    await fake.say(command)
    await fake.wait(is_kind(told), told, COMMAND, start=mark)
    begun = time.monotonic()
    for kind in LINKS:
        await fake.wait(is_kind(kind), kind, COMMAND, start=mark)
    await tv.wait_state("binary_sensor", "link_companion", "on")
    await tv.wait_state("binary_sensor", "link_airplay", "on")
    await tv.wait_state("media_player", "", is_running)
    _require_quick(begun, BACK_WITHIN)


def _require_quick(begun: float, within: float) -> None:
    seconds = time.monotonic() - begun
    require(seconds <= within, f"it took {seconds:.1f} s")
