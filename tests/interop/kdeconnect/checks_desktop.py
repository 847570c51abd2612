"""What is checked of the daemon's display and sound: clipboard, pointer, outputs."""

from typing import Final

from .desktop import Sink
from .waiting import TooLateError, until
from .world import UNAVAILABLE, World
from tests.e2e.shapes import JsonObject
from tests.interop.report import CheckError

COPIED_THERE: Final = "copied there: Grüße\nand a second line"
COPIED_HERE: Final = "copied here \N{PARTY POPPER}"
PRIVATE: Final = (COPIED_THERE, COPIED_HERE)
_OUTPUT: Final = "headphones"
_VOLUME: Final = f"output_volume_{_OUTPUT}"
_MUTE: Final = f"output_mute_{_OUTPUT}"


async def outputs(world: World) -> str:
    """Volume, mute and default output of the daemon are shown and changed."""
    desktop = world.desktop
    await world.wait_state("number", _VOLUME, "100")
    await world.wait_state("switch", _MUTE, "off")
    await world.wait_state("number", "output_volume_speakers", "100")
    await world.call("number", "set_value", "number", _VOLUME, {"value": 40})
    await desktop.wait_sink(_OUTPUT, Sink(40, is_muted=False))
    await world.wait_state("number", _VOLUME, "40")
    await world.call("switch", "turn_on", "switch", _MUTE)
    await desktop.wait_sink(_OUTPUT, Sink(40, is_muted=True))
    await world.wait_state("switch", _MUTE, "on")
    # What happens there is seen here.
    await desktop.set_muted(_OUTPUT, muted=False)
    await world.wait_state("switch", _MUTE, "off")
    await desktop.set_volume(_OUTPUT, 75)
    await world.wait_state("number", _VOLUME, "75")
    return "volume and mute, both ways"


async def default_output(world: World) -> str:
    """The default output of the daemon is shown and changed."""
    desktop = world.desktop
    await world.wait_state("select", "audio_output", lambda s: s.state != UNAVAILABLE)
    await world.call(
        "select", "select_option", "select", "audio_output", {"option": "Headphones"}
    )

    async def is_default() -> bool:
        return await desktop.default_sink() == _OUTPUT

    await until(is_default, "the output is the default one")
    await world.wait_state("select", "audio_output", "Headphones")
    await desktop.set_default_sink("speakers")
    await world.wait_state("select", "audio_output", "Speakers")
    return "both ways"


async def pointer(world: World) -> str:
    """The remote entity moves the daemon's pointer."""
    desktop = world.desktop
    await desktop.move_pointer(200, 200)
    data: JsonObject = {"command": ["move:30,-40"]}
    await world.call("remote", "send_command", "remote", "remote", data)

    async def has_moved() -> bool:
        return await desktop.pointer() == (230, 160)

    try:
        await until(has_moved, "the pointer moves")
    except TooLateError as err:
        raise CheckError(f"the pointer is at {await desktop.pointer()}") from err
    return "moved by 30 and -40"


async def clipboard(world: World) -> str:
    """What is copied on one side is in the clipboard of the other."""
    desktop = world.desktop
    await world.allow("clipboard")
    await desktop.set_clipboard(COPIED_THERE)
    await world.wait_state("text", "clipboard", COPIED_THERE)
    await world.call("text", "set_value", "text", "clipboard", {"value": COPIED_HERE})
    await desktop.wait_clipboard(COPIED_HERE)
    await world.wait_state("text", "clipboard", COPIED_HERE)
    await desktop.set_clipboard(COPIED_THERE)
    await world.wait_state("text", "clipboard", COPIED_THERE)
    return "both ways, and once more"
