"""The fake lobby: transports, sessions, dispatch and login."""

from collections.abc import AsyncIterator
from typing import get_args

import aiohttp
import pytest

from tests.fakes.faf_json import JsonObject, JsonValue
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_login import make_token
from tests.fakes.faf_script_client import (
    CLIENTS,
    JsonClient,
    QdsClient,
    ScriptClient,
    WebSocketClient,
    objects,
)
from tests.fakes.faf_websocket import WebSocketMode

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def lobby() -> AsyncIterator[FakeLobby]:
    async with FakeLobby() as lobby:
        lobby.add_account("watcher", password="pass", id=7, country="DE", clan="ABC")
        yield lobby


@pytest.fixture(params=list(CLIENTS))
async def client(
    request: pytest.FixtureRequest, lobby: FakeLobby
) -> AsyncIterator[ScriptClient]:
    async with CLIENTS[request.param](lobby) as client:
        yield client


async def test_login_burst(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.sign_on("Rhiza", "Brutus")
    lobby.befriend("watcher", "Rhiza")
    uid = lobby.host_game("Rhiza", title="Setons")
    hidden = lobby.host_game("Brutus", visibility="friends")
    lobby.flush()

    number = await client.session()
    assert await client.session() == number
    assert client.received[0]["style"] == "info"
    client.received.clear()
    await client.auth(lobby.token_for("watcher"))
    await client.expect("game_info")

    assert [message["command"] for message in client.received] == [
        *("irc_password", "welcome", "player_info", "social", "game_info")
    ]
    _, welcome, players, social, games = client.received
    assert welcome["id"] == 7
    me = welcome["me"]
    assert isinstance(me, dict)
    assert list(me) == [
        *("id", "login", "country", "clan", "ratings"),
        *("global_rating", "ladder_rating", "number_of_games"),
    ]
    assert [p["login"] for p in objects(players["players"])] == [
        *("Rhiza", "Brutus", "watcher")
    ]
    assert social["friends"] == [lobby.account("Rhiza").id]
    assert social["channels"] == social["autojoin"] == ["#ABC_clan"]
    assert [game["uid"] for game in objects(games["games"])] == [uid] != [hidden]
    assert objects(games["games"])[0]["command"] == "game_info"

    delta = await client.expect("player_info")
    assert [player["login"] for player in objects(delta["players"])] == ["watcher"]
    event = await lobby.wait_for("signed_in")
    assert event.data["user_agent"] == "script"


async def test_password(lobby: FakeLobby, client: ScriptClient) -> None:
    await client.hello("watcher", "wrong")
    refused = await client.expect("authentication_failed")
    assert "incorrect" in str(refused["text"])
    await client.hello("watcher", "pass")
    assert (await client.read())["command"] == "welcome"


async def test_ping_before_and_after_login(
    lobby: FakeLobby, client: ScriptClient
) -> None:
    await client.send({"command": "ping"})
    assert await client.read() == {"command": "pong"}
    await client.sign_in("watcher")
    await client.send({"command": "ping"})
    await client.expect("pong")
    lobby.send({"command": "ping"})
    await client.expect("ping")
    await client.send({"command": "pong"})
    await lobby.wait_for("received", command="pong")


@pytest.mark.parametrize("mode", get_args(WebSocketMode.__value__))
async def test_websocket_modes(lobby: FakeLobby, mode: WebSocketMode) -> None:
    lobby.websocket_mode = mode
    assert lobby.websocket_mode == mode
    lobby.crowd(50, 10)
    async with WebSocketClient(lobby) as client:
        await client.sign_in("watcher")
        kinds = {frame.type for frame in client.frames}
        if mode == "bridge":
            assert kinds == {aiohttp.WSMsgType.BINARY}
            assert any(not frame.data.endswith(b"\n") for frame in client.frames)
            # Frames mean nothing: two and a half messages in two frames.
            await client.raw(b'{"command":"ping"}\n{"command":"ping"}\n{"comm')
            await client.raw(b'and":"ping"}\n')
            for _ in range(3):
                await client.expect("pong")
        else:
            assert kinds == {aiohttp.WSMsgType.TEXT}
            ends = {frame.data.endswith("\n") for frame in client.frames}
            assert ends == {mode == "lines"}
            await client.raw(b'{"command":"ping"}')
            await client.expect("pong")
            # Two objects in one frame are no JSON.
            await client.raw(b'{"command":"ping"}\n{"command":"ping"}\n')
            assert await client.read_to_end() == []


INVALID: list[JsonObject] = [{"command": "invalid"}]


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ([1], INVALID),
        ("x", INVALID),
        (5, INVALID),
        ({}, []),
        ({"command": 5}, []),
        ({"command": "matchmaker_info"}, []),
        ({"command": "nonsense"}, []),
        ({"command": "Bottleneck"}, INVALID),
        ({"command": "auth"}, []),
        ({"command": "auth", "token": 5, "unique_id": "x"}, []),
        ({"command": "hello", "login": "watcher"}, []),
    ],
)
async def test_bad_messages_before_login(
    client: ScriptClient, message: JsonValue, answer: list[JsonObject]
) -> None:
    await client.send(message)
    assert await client.read_to_end() == answer


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ({"command": "unready_party"}, INVALID),
        ({"command": "is_ready_response"}, INVALID),
        ({"command": "set_player_vetoes", "vetoes": []}, INVALID),
        ({"command": "social_add", "friend": 123456}, INVALID),
        ({"command": "social_remove"}, []),
        ({"command": "avatar", "action": "paint"}, []),
        ({"command": "game_matchmaking"}, []),
        ({"command": "game_matchmaking", "state": "start", "queue_name": "x"}, []),
        ({"command": "game_host"}, []),
        ({"command": "game_host", "visibility": "x"}, []),
        ({"command": "set_party_factions", "factions": ["x"]}, []),
    ],
)
async def test_bad_messages_after_login(
    client: ScriptClient, message: JsonValue, answer: list[JsonObject]
) -> None:
    await client.sign_in("watcher")
    await client.settle()
    await client.send(message)
    left = [m for m in await client.read_to_end() if m["command"] != "player_info"]
    assert left == answer


@pytest.mark.parametrize(
    "data",
    [b"\n", b"garbage\n", b'{"command"\n', b"\xff\xfe\n", b"{" * 100_000 + b"\n"],
)
async def test_lines_that_are_no_json(lobby: FakeLobby, data: bytes) -> None:
    async with JsonClient(lobby) as client:
        await client.raw(data)
        assert await client.read_bytes() == b""
        await lobby.wait_for("dropped")


async def test_lines_that_are_taken(lobby: FakeLobby) -> None:
    async with JsonClient(lobby) as client:
        for line in (
            b' {"command":"ping"} \r\n',
            b'\xef\xbb\xbf{"command":"ping"}\n',
            b'{"x":NaN,"y":"\xc3\xa9","command":"x","command":"ping"}\n',
            b'{"command":"ping","x":"' + b"x" * (9 * 1024 * 1024) + b'"}\n',
        ):
            await client.raw(line)
            await client.expect("pong")
        # The last line may lack its end.
        await client.raw(b'{"command":"ping"}')
        client.end()
        assert await client.read_bytes() == b'{"command":"pong"}\n'


async def test_line_without_end(lobby: FakeLobby) -> None:
    async with JsonClient(lobby) as client:
        await client.raw(b"x" * (10 * 1024 * 1024 + 10))
        assert await client.read_bytes() == b""


@pytest.mark.parametrize(
    "data",
    [
        bytes(4),
        bytes.fromhex("00000003 616161"),
        bytes.fromhex("00000004 00000000"),
        bytes.fromhex("0000000c 00000008 00700069006e0067"),
        bytes.fromhex("00000008 ffffffff 007b007d"),
        bytes.fromhex("00000007 00000003 006100"),
        bytes.fromhex("00000006 00000002 d800"),
        bytes.fromhex("ffffffff 00000000"),
    ],
)
async def test_blocks_that_are_none(lobby: FakeLobby, data: bytes) -> None:
    async with QdsClient(lobby) as client:
        await client.raw(data)
        assert await client.read_bytes() == b""
        await lobby.wait_for("dropped")


async def test_half_a_block(lobby: FakeLobby) -> None:
    async with QdsClient(lobby) as client:
        await client.raw(bytes.fromhex("0000000c 0000"))
        client.end()
        assert await client.read_bytes() == b""
        await lobby.wait_for("closed", reason="end of stream")


async def test_messages_to_a_game_before_login(
    lobby: FakeLobby, client: ScriptClient
) -> None:
    await client.send({"command": "ask_session", "target": "game"})
    assert await client.settle() == []


async def test_connectivity_test(lobby: FakeLobby, client: ScriptClient) -> None:
    await client.sign_in("watcher")
    await client.send({"command": "InitiateTest", "target": "connectivity"})
    assert "no longer supported" in str((await client.expect("notice"))["text"])
    await client.send({"command": "game_host", "visibility": "public"})
    assert "no longer supported" in str((await client.expect("notice"))["text"])


# --- refusals ---


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("garbage", "signature"),
        (make_token(7, -5), "signature"),
        (make_token(7, scopes=["openid"]), "permission"),
        (make_token(7, scp=None), "signature"),
        (make_token(7, sub=None), "signature"),
        (make_token(12345), "cannot find"),
    ],
)
async def test_bad_tokens(
    lobby: FakeLobby, client: ScriptClient, token: str, text: str
) -> None:
    await client.auth(token)
    refused = await client.read()
    assert refused["command"] == "authentication_failed"
    assert text in str(refused["text"]).lower()
    await client.auth(make_token(7, sub=7))
    await client.expect("welcome")


async def test_ban(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.ban("watcher")
    await client.auth(lobby.token_for("watcher"))
    (notice,) = await client.read_to_end()
    assert (notice["command"], notice["style"]) == ("notice", "error")
    assert "banned" in str(notice["text"])
    lobby.ban("watcher", None)
    assert lobby.account("watcher").ban is None


async def test_proof(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.proof_check = lambda session, proof: proof == f"proof-{session}"
    assert lobby.proof_check is not None
    number = await client.session()
    await client.auth(lobby.token_for("watcher"), f"proof-{number}")
    await client.expect("welcome")
    async with type(client)(lobby) as other:
        await other.session()
        await other.auth(lobby.token_for("watcher"), "proof-x")
        assert await other.read_to_end() == INVALID
    assert lobby.seen("proof", accepted=False)


async def test_user_agent_too_long(lobby: FakeLobby, client: ScriptClient) -> None:
    await client.session("x" * 51)
    await client.auth(lobby.token_for("watcher"))
    assert await client.read_to_end() == INVALID


async def test_password_login_switched_off(
    lobby: FakeLobby, client: ScriptClient
) -> None:
    lobby.desk.password_login = False
    await client.hello("watcher", "pass")
    (notice,) = await client.read_to_end()
    assert notice["style"] == "error"
    async with type(client)(lobby) as other:
        await other.send({"command": "create_account"})
        await other.expect("notice", style="error")


async def test_login_timeout(lobby: FakeLobby) -> None:
    lobby.desk.timeout = 0.0
    async with JsonClient(lobby) as client:
        assert await client.read_to_end() == []
        await lobby.wait_for("dropped", reason="login time-out")


# --- one connection per account ---


async def test_second_login_evicts_the_first(
    lobby: FakeLobby, client: ScriptClient
) -> None:
    await client.sign_in("watcher")
    lobby.flush()
    await client.settle()
    async with JsonClient(lobby) as other:
        await other.sign_in("watcher")
        left = await client.read_to_end()
        assert left[-1]["style"] == "kick"
        assert "elsewhere" in str(left[-1]["text"])
        lobby.flush()
        delta = await other.expect("player_info")
        players = objects(delta["players"])
        assert {player.get("state") for player in players} == {None, "offline"}
        assert {player["id"] for player in players} == {7}
        assert lobby.session_of("watcher").link.transport == "json"


async def test_login_again_on_the_same_connection(
    lobby: FakeLobby, client: ScriptClient
) -> None:
    lobby.add_account("other")
    await client.sign_in("watcher")
    await client.auth("garbage")
    await client.expect("authentication_failed")
    assert lobby.session_of("watcher")
    await client.auth(lobby.token_for("other"))
    assert (await client.expect("welcome"))["login"] == "other"
    await client.auth(lobby.token_for("other"))
    *_, last = await client.read_to_end()
    assert last["style"] == "kick"


async def test_kick(lobby: FakeLobby, client: ScriptClient) -> None:
    await client.sign_in("watcher")
    lobby.kill_game("watcher")
    await client.expect("notice", style="kill")
    lobby.kick("watcher", None)
    assert (await client.read_to_end())[-1] == {"command": "notice", "style": "kick"}
    await lobby.wait_for("kicked", login="watcher")
    lobby.sign_on("puppet")
    lobby.kick("puppet")
    with pytest.raises(LookupError):
        lobby.session_of("puppet")


# --- life ---


async def test_restart_keeps_ports_and_accounts(
    lobby: FakeLobby, client: ScriptClient
) -> None:
    await client.sign_in("watcher")
    lobby.host_game("Rhiza")
    ports = (lobby.json_port, lobby.qds_port, lobby.websocket_port)
    await lobby.restart()
    await client.read_to_end()
    assert ports == tuple(
        lobby.port_of(name) for name in ("json", "qdatastream", "websocket")
    )
    assert lobby.is_running
    assert not lobby.core.games
    async with type(client)(lobby) as again:
        await again.sign_in("watcher")


async def test_failures_of_the_fake_are_told_of() -> None:
    lobby = FakeLobby()
    await lobby.start()
    async with JsonClient(lobby) as client:

        async def fail(*arguments: object) -> None:
            raise RuntimeError("a mistake in the fake")

        lobby.dispatcher.add({"ping": fail})
        await client.send({"command": "ping"})
        assert await client.read_to_end() == INVALID
    with pytest.raises(ExceptionGroup):
        await lobby.stop()


async def test_port_in_use(lobby: FakeLobby) -> None:
    other = FakeLobby(websocket_port=lobby.json_port)
    with pytest.raises(OSError, match="in use"):
        await other.start()
    assert not other.is_running


async def test_cutting_connections(lobby: FakeLobby, client: ScriptClient) -> None:
    await client.sign_in("watcher")
    lobby.drop("nobody")
    assert len(lobby.sessions) == 1
    lobby.drop()
    await client.read_to_end()
    await lobby.wait_for("signed_out", login="watcher")


async def test_bridge_at_its_end(lobby: FakeLobby) -> None:
    """The rest behind a bridge is a line, too, and one of its lines can be too long."""
    lobby.websocket_mode = "bridge"
    async with WebSocketClient(lobby) as client:
        await client.raw(b'{"command":"ping"}')
    await lobby.wait_for("received", command="ping")
    async with WebSocketClient(lobby) as client:
        for _ in range(11):
            await client.raw(b"x" * 1024 * 1024)
        assert await client.read_to_end() == []
    await lobby.wait_for("dropped", reason="a line without an end")


async def test_nothing_is_left_of_connections(lobby: FakeLobby) -> None:
    for kind in CLIENTS.values():
        async with kind(lobby) as client:
            await client.sign_in("watcher")
        await lobby.wait_for("closed")
    # What reports, pings and pops.
    assert len(lobby.core._timers) == 4
    assert lobby.sessions == []


async def test_fast_pings_are_not_limited(lobby: FakeLobby) -> None:
    async with JsonClient(lobby) as client:
        await client.raw(b'{"command":"ping"}\n' * 2000)
        for _ in range(2000):
            await client.expect("pong")


async def test_reports_are_batched(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.report_interval = 60.0
    assert lobby.report_interval == 60.0
    await client.sign_in("watcher")
    lobby.flush()
    await client.settle()
    uid = lobby.host_game("Rhiza")
    for number in range(5):
        lobby.change_game(uid, title=f"Number {number}")
        lobby.set_rating("Rhiza", 1000.0 + number, 80.0)
    lobby.search("Brutus")
    assert await client.settle() == []
    lobby.flush()
    told = await client.settle()
    assert [message["command"] for message in told] == [
        *("matchmaker_info", "player_info", "game_info")
    ]
    assert told[-1]["title"] == "Number 4"
