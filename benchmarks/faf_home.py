"""A whole Home Assistant on a full lobby: what following it takes, and how the loop fares.

The lobby is the fake of the tests, in this process, with 1,500 players and 300 games. Then
it has a busy evening: each second, as real ones report, a fifth of its games are new.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
import shutil
import tempfile
import time
from typing import Final

from benchmarks.homeassistant import (
    PORT,
    QUIET,
    entry,
    go_private,
    measure,
    store,
    store_entries,
)
from custom_components.rumpus.protocols.faf.login import hash_password
from tests.e2e.api import HomeAssistantApi
from tests.e2e.server import HomeAssistantServer
from tests.e2e.shapes import JsonObject, as_object
from tests.fakes.faf_lobby import FakeLobby

PLAYERS: Final = 1500
GAMES: Final = 300
FOLLOWED: Final = 20
CHANGED: Final = GAMES // 5  # games that are new in a report
EVENING: Final = 20  # seconds
LOGIN: Final = "watcher"
PASSWORD: Final = "benchmark"  # noqa: S105
PROBE: Final = Path(__file__).parent.parent / "tests/interop/kdeconnect/interop_probe"
ONLINE: Final = "sensor.lobby_players_online"


async def run() -> None:
    """Measure and print."""
    go_private()
    with tempfile.TemporaryDirectory(prefix="rumpus-bench-") as folder:
        async with _server(Path(folder) / "without", None) as server:
            without = await measure(server)
        async with AsyncExitStack() as stack:
            lobby = FakeLobby(report_interval=1.0)
            me = lobby.add_account(LOGIN, password=PASSWORD)
            await stack.enter_async_context(lobby)
            lobby.crowd(PLAYERS, GAMES)
            server = _server(Path(folder) / "with", lobby, me.id)
            await stack.enter_async_context(server)
            await lobby.wait_for("signed_in", timeout=60)
            idle = await measure(server)
            api = await stack.enter_async_context(HomeAssistantApi(server.url))
            burst = await _watched(api, lambda: _reconnect(api, lobby))
            evening = await _watched(api, lambda: _evening(lobby))
    start, memory = idle.start - without.start, idle.memory - without.memory
    print(
        f"FAF in Home Assistant, {PLAYERS} players, {GAMES} games, {FOLLOWED} followed"
    )
    print(f"start-up {without.start:.2f} s without, {start:+.2f} s with the lobby")
    print(f"memory of the lobby {memory / 1024**2:.1f} MiB")
    print(
        f"CPU of a lobby that is asleep {(idle.cpu - without.cpu) * 100:.2f} % of a core"
    )
    for name, seen, seconds in (
        ("a new login", burst, None),
        (f"{CHANGED} games a second", evening, EVENING),
    ):
        text = f"{name}: longest stall {_number(seen, 'stall'):.0f} ms (50 ms at most),"
        text += f" {_number(seen, 'starved'):.0f} ms of them for want of a processor"
        if seconds is not None:
            text += f"; CPU {_number(seen, 'busy') / seconds * 100:.1f} % of a core"
        print(text)


def _server(
    folder: Path, lobby: FakeLobby | None, player_id: int = 0
) -> HomeAssistantServer:
    """Return a Home Assistant that knows the lobby, and watches itself."""
    entries = []
    if lobby is not None:
        unique_id = f"faf:{lobby.address}:{lobby.json_port}:{player_id}"
        data = {
            "family": "faf",
            "server": "own",
            "account": "password",
            "name": "Lobby",
            "host": lobby.address,
            "port": lobby.json_port,
            "framing": "json",
            "login": LOGIN,
            "player_id": player_id,
        }
        players = [f"Commander_{number:04}" for number in range(1, FOLLOWED + 1)]
        entries.append(
            entry(unique_id, "Lobby", data) | {"options": {"players": players}}
        )
        secrets: dict[str, object] = {
            "oauth": None,
            "token": None,
            "password_hash": hash_password(PASSWORD),
            "is_signed_out": False,
            "player_ids": {},
        }
        store(folder, "rumpus.faf", {"lobbies": {unique_id: secrets}})
    store_entries(folder, entries)
    server = HomeAssistantServer(
        folder, port=PORT, log_levels=QUIET, yaml="rumpus:\ninterop_probe:\n"
    )
    shutil.copytree(PROBE, folder / "custom_components" / PROBE.name)
    return server


async def _watched(
    api: HomeAssistantApi, work: Callable[[], Awaitable[None]]
) -> JsonObject:
    """Return how the loop of Home Assistant fared during some work."""
    await api.call_service(PROBE.name, "start")
    await work()
    return as_object(await api.call_service(PROBE.name, "stop", return_response=True))


async def _reconnect(api: HomeAssistantApi, lobby: FakeLobby) -> None:
    """Lose the connection, and be told of everybody anew."""
    lobby.drop()
    await api.wait_state(ONLINE, "unavailable", 30)
    await api.wait_state(ONLINE, str(PLAYERS + 1), 60)


async def _evening(lobby: FakeLobby) -> None:
    """Report as many changes as a busy lobby has, and more."""
    uids = [game.uid for game in lobby.core.games.values()]
    begin = time.monotonic()
    for second in range(EVENING):
        for number in range(CHANGED):
            uid = uids[(second * CHANGED + number) % len(uids)]
            lobby.change_game(uid, title=f"Game number {number}, round {second}")
        await asyncio.sleep(max(0.0, begin + second + 1 - time.monotonic()))


def _number(data: JsonObject, key: str) -> float:
    value = data[key]
    assert isinstance(value, int | float)
    return value
