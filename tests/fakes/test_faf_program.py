"""The fake lobby as a program, and its evening."""

import asyncio
from collections.abc import AsyncIterator, Callable
import io
import json
from typing import override

import pytest

from tests.fakes.faf_commands import COMMANDS, run_command
from tests.fakes.faf_evening import Evening
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_models import Stage
from tests.fakes.faf_program import make_lobby, parser, run, stable_id
from tests.fakes.faf_script_client import JsonClient
from tests.fakes.line_program import CommandError

pytestmark = pytest.mark.usefixtures("socket_enabled")

PORTS = ("--json-port", "0", "--qds-port", "0", "--websocket-port", "0")


class Output(io.StringIO):
    """Calls back when it is ready."""

    def __init__(self, ready: Callable[[dict[str, object]], None]) -> None:
        super().__init__()
        self._ready = ready

    @override
    def flush(self) -> None:
        entry = json.loads(self.getvalue().splitlines()[-1])
        if entry["kind"] == "ready":
            self._ready(entry["data"])


async def told(*arguments: str, lines: str = "") -> list[tuple[str, dict[str, object]]]:
    """Run the program with commands; returns the kinds and data that it printed."""
    output = io.StringIO()
    commands = asyncio.StreamReader()
    commands.feed_data(f"{lines}\nquit\n".encode())
    async with asyncio.timeout(5):
        await run(parser().parse_args([*PORTS, *arguments]), output, commands)
    objects = [json.loads(line) for line in output.getvalue().splitlines()]
    return [(entry["kind"], entry["data"]) for entry in objects]


@pytest.fixture
async def lobby() -> AsyncIterator[FakeLobby]:
    async with FakeLobby() as lobby:
        yield lobby


async def test_commands(lobby: FakeLobby) -> None:
    first = lobby.core.next_game
    done = set()
    for line in (
        *("help", "state", "on a b c d", "befriend a b", "rate a 1200 80"),
        *("host a scmp_009 A title", f"set {first} max_players 6"),
        *(f"set {first} rating_min 500", f"set {first} password x"),
        *(f"join {first} b", f"join {first} c 2", f"launch {first}"),
        *(f"end {first} a=+12.5 b=-9", "notice info For all", "off d"),
        *("search e ladder1v1", "stop_search e", "match ladder1v1 e f"),
        *(f"cancel_match {first + 1}", "pop tmm2v2", "pop_in tmm2v2 20"),
        *("host g scmp_007", "leave g", "ban a", "unban a", "kick b"),
        *("silent on", "silent off", "refuse on", "refuse off", "drop", "crowd 8 2"),
        *("password a two words", "restart", "disappear", "reappear", "reappear"),
    ):
        answer = await run_command(lobby, line.split())
        done.add(line.split()[0])
        if line == "host a scmp_009 A title":
            assert answer == {"uid": first}
            assert lobby.game(first).title == "A title"
        if line.startswith("end"):
            assert lobby.account("a").rating("global").mean == 1212.5
        if line.startswith("match"):
            assert answer == {"games": [first + 1]}
    assert done == set(COMMANDS)
    assert lobby.account("a").password == "two words"
    assert lobby.is_running


@pytest.mark.parametrize(
    "line",
    [
        *("nonsense", "host", "launch x", "launch 1", "kick nobody", "set 1 uid 5"),
        *("silent perhaps", "set 1 title x", "pop nowhere"),
    ],
)
async def test_bad_commands(lobby: FakeLobby, line: str) -> None:
    with pytest.raises(CommandError):
        await run_command(lobby, line.split())


async def test_program() -> None:
    lines = await told(
        *("--account", "watcher:pa:ss", "--friends", "watcher:Ann,Bob"),
        *("--avatar", "watcher:https://avatars.example/1.png:First"),
        *("--crowd", "10", "--name", "Mine"),
        lines="on Ann\nstate\nnonsense",
    )
    assert lines[0][0] == "ready"
    assert lines[0][1]["name"] == "Mine"
    assert lines[1] == ("done", {"command": "on"})
    kind, state = lines[2]
    assert (kind, state["sessions"]) == ("done", 0)
    assert lines[3][0] == "error"


async def test_secrets_are_not_printed() -> None:
    commands = asyncio.StreamReader()
    ready = asyncio.get_running_loop().create_future()
    output = Output(ready.set_result)
    options = parser().parse_args([*PORTS, "--account", "watcher:pa:ss", "--verbose"])
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(run(options, output, commands))
        told = await ready
        target = FakeLobby(json_port=told["json_port"])
        async with JsonClient(target) as client:
            await client.hello("watcher", "pa:ss")
            await client.expect("game_info")
        commands.feed_data(b"quit\n")
    printed = output.getvalue()
    assert '"signed_in"' in printed
    assert '"how": "password"' in printed
    assert '"received"' in printed
    assert 'unique_id": "machine' in printed
    assert "pa:ss" not in printed


def test_numbers_are_stable() -> None:
    arguments = ["--account", "watcher:x", "--account", "Rhiza:y", "--pop", "30"]
    first, second = (
        make_lobby(parser().parse_args([*PORTS, *arguments])) for _ in range(2)
    )
    assert first.account("watcher").id == second.account("watcher").id
    assert first.account("watcher").id != first.account("Rhiza").id
    assert first.matchmaker.max_pop == 30.0
    taken = stable_id(first, "x")
    first.add_account("other", id=taken)
    assert stable_id(first, "x") == taken + 1


async def test_evening(lobby: FakeLobby) -> None:
    evening = Evening(lobby, 60.0, ("Friend",))
    evening.start()
    assert "Friend" in {player.login for player in lobby.core.players.values()}
    stages = set()
    for number in range(200):
        evening.step()
        if number % 7 == 0:
            lobby.pop()
        if number % 3 == 0:
            lobby.flush()
        stages |= {game.stage for game in lobby.core.games.values()}
    evening.stop()
    evening.stop()
    assert stages == set(Stage)
    for kind in ("signed_out", "match", "rating"):
        assert lobby.events.seen(kind)
    assert len(lobby.core.games) < 20
    assert 6 < len(lobby.core.players) <= 31


async def test_evening_by_itself(lobby: FakeLobby) -> None:
    Evening(lobby, 0.0).start()
    assert not lobby.core.players
    evening = Evening(lobby, 0.01)
    evening.start()
    lobby.mark()
    for _ in range(3):
        await lobby.wait_for("report")
    await lobby.stop()
    evening.stop()


async def test_evening_survives_a_restart(lobby: FakeLobby) -> None:
    evening = Evening(lobby, 60.0)
    evening.start()
    await lobby.restart()
    for _ in range(100):
        evening.step()
    evening.stop()
    assert len(lobby.core.players) > 6
