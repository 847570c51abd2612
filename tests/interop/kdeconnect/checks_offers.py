"""What is checked of what Home Assistant offers the daemon: a player, its volume, a script."""

import asyncio
from collections.abc import Callable
import json
from typing import Final

from .container import HOME
from .device import DEVICE, Device
from .waiting import TooLateError, until, until_true
from .world import World
from tests.e2e.models import State
from tests.e2e.shapes import JsonObject, JsonValue, as_object, get_object, get_str
from tests.interop.report import CheckError

# What the interop probe and the configuration give Home Assistant.
PLAYER: Final = "media_player.interop_speaker"
PLAYER_NAME: Final = "Interop Speaker"
SCRIPT: Final = "script.interop_greet"
SCRIPT_NAME: Final = "Greet"
GREETED: Final = "interop_greeted"
# Milliseconds that a player may be off.
_NEAR: Final = 6_000
_LENGTH: Final = 180_000
_PATIENCE: Final = 45.0


async def player(world: World) -> str:
    """The daemon shows our player and controls it."""
    remote = await _remote_player(world)
    for name, value in (
        ("player", PLAYER_NAME),
        ("title", "Home Song 1"),
        ("artist", "The Home Artist"),
        ("album", "The Home Album"),
        ("isPlaying", True),
        ("volume", 50),
        ("length", _LENGTH),
    ):
        await remote.wait(name, value)
    await remote.act("Pause")
    await _wait(world, lambda s: s.state == "paused")
    await remote.wait("isPlaying", False)
    await remote.act("PlayPause")
    await _wait(world, lambda s: s.state == "playing")
    await remote.wait("isPlaying", True)
    await remote.act("Next")
    await _wait(world, lambda s: s.attributes.get("media_title") == "Home Song 2")
    await remote.wait("title", "Home Song 2")
    await remote.act("Previous")
    await remote.wait("title", "Home Song 1")
    await remote.set("volume", 30)
    await _wait(world, lambda s: s.attributes.get("volume_level") == 0.3)
    await remote.set("position", 90_000)
    await _wait(world, lambda s: s.attributes.get("media_position") == 90)
    # What happens here is seen there.
    await _do(world, "volume_set", volume_level=0.7)
    await remote.wait("volume", 70)
    await _do(world, "media_seek", seek_position=30)
    await remote.wait_near("position", 30_000)
    await _do(world, "media_pause")
    await remote.wait("isPlaying", False)
    if echoes := await _echoes(world):
        raise CheckError(f"it comes back as {echoes}")
    return "shown, controlled, followed"


async def artwork(world: World) -> str:
    """The daemon has the very picture of our player."""
    remote = await _remote_player(world)
    path = await remote.wait_file("localAlbumArtUrl")
    kind, picture = await world.api.picture(PLAYER)
    data = (world.daemon.home / path).read_bytes()
    if data != picture:
        raise CheckError(f"{len(data)} bytes instead of {len(picture)}")
    return f"{kind}, {len(data)} bytes"


async def volume(world: World) -> str:
    """The daemon shows the volume of our player and changes it."""
    await _ready(world)
    us = await world.us()
    await world.offer(players=[PLAYER])
    sink = await _sink(us, volume=50, muted=False)
    if sink.get("description") != PLAYER_NAME:
        raise CheckError(f"it is called {sink.get('description')}")
    key = get_str(sink, "name")
    # Its list stays as it was; what has changed is told besides.
    seen = await us.bus.watch(f"{DEVICE}.remotesystemvolume")

    async def shows(member: str, value: object) -> None:
        signal = (member, (key, value))
        await until_true(lambda: signal in seen, f"{member} to {value} there")

    await us.call_plugin("remotesystemvolume", "sendVolume", "si", key, 20)
    await _wait(world, lambda s: s.attributes.get("volume_level") == 0.2)
    await us.call_plugin("remotesystemvolume", "sendMuted", "sb", key, True)
    await _wait(world, lambda s: s.attributes.get("is_volume_muted") is True)
    await shows("volumeChanged", 20)
    await shows("mutedChanged", True)
    # What happens here is seen there.
    await _do(world, "volume_set", volume_level=0.6)
    await _do(world, "volume_mute", is_volume_muted=False)
    await shows("volumeChanged", 60)
    await shows("mutedChanged", False)
    return "shown, changed, followed"


async def command(world: World) -> str:
    """The daemon lists our script and runs it."""
    await world.offer(commands=[SCRIPT])
    us = await world.us()
    key = await until(lambda: _command_key(us), "our script is listed")
    async with await world.api.subscribe_events(GREETED) as events:
        await us.call_plugin("remotecommands", "triggerCommand", "s", key)
        async with asyncio.timeout(_PATIENCE):
            await events.get()
    return f"{SCRIPT_NAME} was run"


async def withdrawn(world: World) -> str:
    """What is not offered any more vanishes from the daemon."""
    us = await world.us()
    await world.offer(players=[PLAYER], commands=[SCRIPT])
    await Remote(us).wait("playerList", [PLAYER_NAME])
    await until(lambda: _command_key(us), "our script is listed")
    await world.offer()
    await Remote(us).wait("playerList", [])

    async def nothing() -> bool:
        return not await _commands(us) and not await _sinks(us)

    await until(nothing, "commands and outputs are gone")
    return "player, volume and command are gone"


class Remote:
    """Our player as the daemon shows it."""

    def __init__(self, us: Device) -> None:
        """Look at it through the daemon's view of us."""
        self._us = us

    async def act(self, action: str) -> None:
        """Press a button of the player."""
        await self._us.call_plugin("mprisremote", "sendAction", "s", action)

    async def set(self, name: str, value: int) -> None:
        """Move a slider of the player."""
        await self._us.set_plugin_property("mprisremote", name, "i", value)

    async def wait(self, name: str, wanted: object) -> None:
        """Wait until the daemon shows a value."""
        await self._wait(name, lambda value: value == wanted, f"{wanted!r}")

    async def wait_near(self, name: str, wanted: int) -> None:
        """Wait until the daemon shows about a number."""
        await self._wait(
            name,
            lambda value: isinstance(value, int) and abs(value - wanted) < _NEAR,
            f"about {wanted}",
        )

    async def wait_file(self, name: str) -> str:
        """Wait until the daemon has a file; return its path below its home."""
        start = f"file://{HOME}/"
        url = await self._wait(
            name, lambda value: str(value).startswith(start), "a file"
        )
        return str(url).removeprefix(start)

    async def _wait(
        self, name: str, fits: Callable[[object], bool], wanted: str
    ) -> object:
        seen: object = None

        async def look() -> bool:
            nonlocal seen
            seen = await self._us.plugin_property("mprisremote", name)
            return fits(seen)

        try:
            await until(look, f"the daemon shows {name} as {wanted}", _PATIENCE)
        except TooLateError as err:
            raise CheckError(f"{name} is {seen!r} instead of {wanted}") from err
        return seen


async def _remote_player(world: World) -> Remote:
    """Offer our player and wait until the daemon lists it."""
    await _ready(world)
    await world.offer(players=[PLAYER])
    remote = Remote(await world.us())
    await remote.wait("playerList", [PLAYER_NAME])
    return remote


async def _ready(world: World) -> None:
    """Bring our player to where each check begins."""
    await _do(world, "media_previous_track")
    await _do(world, "media_previous_track")
    await _do(world, "media_play")
    await _do(world, "volume_set", volume_level=0.5)
    await _do(world, "volume_mute", is_volume_muted=False)


async def _do(world: World, service: str, **data: JsonValue) -> None:
    await world.api.call_service("media_player", service, data, entity_id=PLAYER)


async def _wait(world: World, wanted: Callable[[State], bool]) -> None:
    await world.api.wait_state(PLAYER, wanted, _PATIENCE)


async def _echoes(world: World) -> list[str]:
    """Return entities that are our own player once more, told by the daemon."""
    return [
        entity.entity_id
        for entity in await world.api.entities()
        if entity.domain == "media_player"
        and entity.unique_id.startswith(f"{world.device_id}_")
        and PLAYER_NAME in entity.unique_id
    ]


async def _json(us: Device, plugin: str, name: str) -> JsonValue:
    value = await us.plugin_property(plugin, name)
    text = value.decode() if isinstance(value, bytes) else str(value)
    parsed: JsonValue = json.loads(text or "null")
    return parsed


async def _sinks(us: Device) -> list[JsonObject]:
    sinks = await _json(us, "remotesystemvolume", "sinks")
    return [as_object(sink) for sink in sinks] if isinstance(sinks, list) else []


async def _sink(us: Device, **wanted: JsonValue) -> JsonObject:
    """Wait until the daemon shows our only output so."""

    async def look() -> JsonObject | None:
        sinks = await _sinks(us)
        if len(sinks) == 1 and sinks[0].items() >= wanted.items():
            return sinks[0]
        return None

    return await until(look, f"the daemon shows {wanted}", _PATIENCE)


async def _commands(us: Device) -> JsonObject:
    commands = await _json(us, "remotecommands", "commands")
    return commands if isinstance(commands, dict) else {}


async def _command_key(us: Device) -> str | None:
    """Return the key of our script among the commands that the daemon lists."""
    commands = await _commands(us)
    for key in commands:
        if get_object(commands, key).get("name") == SCRIPT_NAME:
            return key
    return None
