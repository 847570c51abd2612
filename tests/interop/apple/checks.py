"""All checks, in their order: what is paired first is used by the others."""

from collections.abc import Awaitable, Callable
from typing import Final

from . import deeds, media, pairing
from .world import World

type Check = Callable[[World], Awaitable[str | None]]


def _paired(client: int, device: str, protocol: str) -> Check:
    def check(world: World) -> Awaitable[str | None]:
        return pairing.paired(
            world, world.clients[client], getattr(world, device), protocol
        )

    return check


_PAIRINGS: Final = (
    ("tv", "airplay", "AirPlay"),
    ("tv", "companion", "Companion"),
    ("old", "mrp", "MRP over TCP"),
)
_NAMES: Final = ("pyatv", "Rumpus")

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("found by both alike", pairing.found),
    *(
        (f"{title} paired by {name}", _paired(client, device, protocol))
        for device, protocol, title in _PAIRINGS
        for client, name in enumerate(_NAMES)
    ),
    ("AirPlay 1 paired and verified", pairing.legacy),
    ("the PIN of tvOS 27", pairing.nameless),
    ("refused", pairing.refused),
    (
        "tunnel with the other's credentials",
        lambda world: pairing.exchanged(world, world.tv, "airplay"),
    ),
    (
        "Companion with the other's credentials",
        lambda world: pairing.exchanged(world, world.tv, "companion"),
    ),
    (
        "MRP over TCP with the other's credentials",
        lambda world: pairing.exchanged(world, world.old, "mrp"),
    ),
    (
        "states through the tunnel",
        lambda world: media.states(world, world.tv, "airplay"),
    ),
    ("states over TCP", lambda world: media.states(world, world.old, "mrp")),
    ("states of a HomePod", lambda world: media.states(world, world.pod, "airplay")),
    ("apps and players", media.players),
    ("features", media.features),
    ("artwork", media.artwork),
    ("power is told", media.power_told),
    ("keys", deeds.keys),
    (
        "playback through the tunnel",
        lambda world: deeds.playback(world, world.tv, "airplay", "companion"),
    ),
    ("playback over TCP", lambda world: deeds.playback(world, world.old, "mrp")),
    (
        "playback of a HomePod",
        lambda world: deeds.playback(world, world.pod, "airplay"),
    ),
    ("playback by Companion", deeds.by_companion),
    ("a refused command", deeds.refused),
    ("volume and speakers", deeds.volume),
    ("apps and accounts", deeds.apps),
    ("text", deeds.text),
    ("gestures", deeds.gestures),
    ("off and on", deeds.switched),
    ("a device with bad manners", media.bad_device),
)
