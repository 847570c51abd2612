"""What a game and the lobby say to each other."""

from collections.abc import Callable, Sequence
from typing import Any, override

import pytest

from custom_components.rumpus.protocols.faf import (
    GpgNetClientProtocol,
    GpgNetServerProtocol,
)
from custom_components.rumpus.protocols.faf.gpgnet import (
    MAX_ARGS,
    MAX_COMMAND,
    GpgNetMessage,
    GpgNetState,
    LaunchStatus,
    unwrap,
    wrap,
)
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue


class Lobby(GpgNetServerProtocol):
    def __init__(self) -> None:
        self.sent: list[JsonObject] = []

    @override
    async def send(self, message: JsonObject) -> None:
        self.sent.append(message)


class Game(GpgNetClientProtocol):
    def __init__(self) -> None:
        self.sent: list[tuple[str, list[JsonValue]]] = []

    @override
    def send_gpgnet_message(
        self, command_id: str, arguments: Sequence[JsonValue]
    ) -> None:
        self.sent.append((command_id, list(arguments)))


async def test_what_the_lobby_says() -> None:
    lobby = Lobby()
    await lobby.send_HostGame("scmp_009")
    await lobby.send_JoinGame("Rhiza", 3)
    await lobby.send_ConnectToPeer("test", 1, True)
    await lobby.send_DisconnectFromPeer(3)
    await lobby.send_IceMsg(3, {"type": "candidate"})
    await lobby.send_gpgnet_message("Other", (1, "a"))
    assert lobby.sent == [
        {"command": command, "args": args, "target": "game"}
        for command, args in (
            ("HostGame", ["scmp_009"]),
            ("JoinGame", ["Rhiza", 3]),
            ("ConnectToPeer", ["test", 1, True]),
            ("DisconnectFromPeer", [3]),
            ("IceMsg", [3, {"type": "candidate"}]),
            ("Other", [1, "a"]),
        )
    ]


SAID: list[tuple[Callable[[Game], None], str, list[Any]]] = [
    (lambda game: game.send_GameState([GpgNetState.IDLE]), "GameState", ["Idle"]),
    (lambda game: game.send_GameOption("Slots", 8), "GameOption", ["Slots", 8]),
    (lambda game: game.send_GameMods_activated(0), "GameMods", ["activated", 0]),
    (lambda game: game.send_GameMods_uids(["a", "b"]), "GameMods", ["uids", "a b"]),
    (
        lambda game: game.send_PlayerOption(1, "Team", 2),
        "PlayerOption",
        [1, "Team", 2],
    ),
    (
        lambda game: game.send_AIOption("AI: Easy", "Team", 2),
        "AIOption",
        ["AI: Easy", "Team", 2],
    ),
    (lambda game: game.send_ClearSlot(3), "ClearSlot", [3]),
    (
        lambda game: game.send_GameResult(1, "victory 10"),
        "GameResult",
        [1, "victory 10"],
    ),
    (lambda game: game.send_GameEnded(), "GameEnded", []),
    (lambda game: game.send_JsonStats("{}"), "JsonStats", ["{}"]),
    (lambda game: game.send_EnforceRating(), "EnforceRating", []),
    (lambda game: game.send_Desync(), "Desync", []),
    (
        lambda game: game.send_OperationComplete(True, False, "00:10:00"),
        "OperationComplete",
        [1, 0, "00:10:00"],
    ),
    (
        lambda game: game.send_TeamkillHappened(10.5, (1, "a"), (2, "b")),
        "TeamkillHappened",
        [10.5, 1, "a", 2, "b"],
    ),
    (
        lambda game: game.send_TeamkillReport(10.5, (1, "a"), (2, "b")),
        "TeamkillReport",
        [10.5, 1, "a", 2, "b"],
    ),
    (lambda game: game.send_IceMsg(2, "x"), "IceMsg", [2, "x"]),
    (
        lambda game: game.send_LaunchStatus(LaunchStatus.READY),
        "LaunchStatus",
        ["Ready"],
    ),
    (lambda game: game.send_Chat("hello"), "Chat", ["hello"]),
    (lambda game: game.send_GameFull(), "GameFull", []),
    (lambda game: game.send_Rehost(), "Rehost", []),
    (lambda game: game.send_Bottleneck(["1"]), "Bottleneck", ["1"]),
    (lambda game: game.send_BottleneckCleared(), "BottleneckCleared", []),
    (lambda game: game.send_Disconnected(), "Disconnected", []),
]


@pytest.mark.parametrize(("say", "command", "args"), SAID, ids=lambda v: str(v)[:20])
def test_what_a_game_says(
    say: Callable[[Game], None], command: str, args: list[Any]
) -> None:
    game = Game()
    say(game)
    assert game.sent == [(command, args)]


def test_wrapped_messages() -> None:
    message = wrap("IceMsg", (3, {"a": [None]}))
    assert list(message) == ["command", "args", "target"]
    assert unwrap(message) == GpgNetMessage("IceMsg", (3, {"a": [None]}))
    assert wrap("GameEnded") == {"command": "GameEnded", "args": [], "target": "game"}
    assert unwrap({"command": "GameEnded", "target": "game"}) == GpgNetMessage(
        "GameEnded"
    )


@pytest.mark.parametrize(
    "message",
    [
        {"command": "HostGame", "args": []},
        {"command": "InitiateTest", "target": "connectivity"},
        {"args": [], "target": "game"},
        {"command": 5, "args": [], "target": "game"},
        {"command": "HostGame", "args": "scmp_009", "target": "game"},
        {"command": "HostGame", "args": None, "target": "game"},
    ],
)
def test_no_wrapped_message(message: JsonObject) -> None:
    assert unwrap(message) is None


def test_limit_args() -> None:
    assert unwrap(wrap("Desync", [0] * MAX_ARGS)) is not None
    assert unwrap(wrap("Desync", [0] * (MAX_ARGS + 1))) is None


def test_limit_command() -> None:
    assert unwrap(wrap("x" * MAX_COMMAND)) is not None
    assert unwrap(wrap("x" * (MAX_COMMAND + 1))) is None


def test_arguments_are_not_shown() -> None:
    assert "secret" not in repr(GpgNetMessage("Chat", ("secret",)))
