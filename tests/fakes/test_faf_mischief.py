"""What the fake lobby does wrong on purpose."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_mischief import wrong_types
from tests.fakes.faf_script_client import (
    CLIENTS,
    JsonClient,
    QdsClient,
    ScriptClient,
    WebSocketClient,
    objects,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def lobby() -> AsyncIterator[FakeLobby]:
    async with FakeLobby() as lobby:
        lobby.add_account("watcher", id=7)
        yield lobby


@pytest.fixture(params=list(CLIENTS))
async def client(
    request: pytest.FixtureRequest, lobby: FakeLobby
) -> AsyncIterator[ScriptClient]:
    async with CLIENTS[request.param](lobby) as client:
        yield client


@pytest.mark.parametrize("kind", CLIENTS.values())
async def test_refuse(lobby: FakeLobby, kind: type[ScriptClient]) -> None:
    lobby.mischief.refuse = True
    with pytest.raises((aiohttp.ClientError, EOFError)):
        async with kind(lobby) as client:
            await client.read()
    await lobby.wait_for("refused_connection")


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_status(lobby: FakeLobby, status: int) -> None:
    lobby.mischief.status = status
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        async with WebSocketClient(lobby):
            pass
    assert error.value.status == status


async def test_silent(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.mischief.silent = True
    await client.send({"command": "ping"})
    await lobby.wait_for("received", command="ping")
    lobby.mischief.reset()
    assert not lobby.mischief.silent
    assert await client.settle() == []


async def test_deaf(lobby: FakeLobby) -> None:
    lobby.mischief.deaf = True
    for kind in CLIENTS.values():
        async with kind(lobby) as client:
            await client.send({"command": "ping"})
            await lobby.wait_for("connected")
            for session in lobby.sessions:
                session.link.resume()
            await client.expect("pong")


async def test_never_answer(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.mischief.never_answer.add("ask_session")
    await client.send({"command": "ask_session"})
    assert await client.settle() == []


async def test_hold(lobby: FakeLobby, client: ScriptClient) -> None:
    release = lobby.mischief.hold("ping")
    await client.send({"command": "ping"})
    await lobby.wait_for("received", command="ping")
    assert client.received == []
    release()
    await client.expect("pong")
    lobby.mischief.hold("ping")
    await client.send({"command": "ping"})
    await lobby.wait_for("received", command="ping")
    lobby.mischief.reset()
    await client.expect("pong")
    # Held for ever: cut meanwhile, and nothing of it is left.
    lobby.mischief.hold("ping")
    await client.send({"command": "ping"})
    await lobby.wait_for("received", command="ping")
    lobby.drop()
    assert await client.read_to_end() == []


async def test_answer_delay(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.mischief.answer_delay = 0.05
    begun = asyncio.get_running_loop().time()
    await client.settle()
    assert asyncio.get_running_loop().time() - begun >= 0.045


async def test_drop_at(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.mischief.drop_at.add("auth")
    await client.session()
    await client.auth("x")
    assert await client.read_to_end() == []
    await lobby.wait_for("dropped", reason="drop_at auth")


@pytest.mark.parametrize("step", ["irc_password", "welcome", "social", "game_info"])
async def test_drop_before(lobby: FakeLobby, client: ScriptClient, step: str) -> None:
    lobby.mischief.drop_before.add(step)
    await client.auth(lobby.token_for("watcher"))
    # A broken connection may take what was sent before with it.
    assert step not in [m["command"] for m in await client.read_to_end()]
    await lobby.wait_for("dropped")


@pytest.mark.parametrize("step", ["welcome", "player_info", "game_info"])
async def test_drop_within(lobby: FakeLobby, client: ScriptClient, step: str) -> None:
    lobby.mischief.drop_within.add(step)
    await client.auth(lobby.token_for("watcher"))
    if isinstance(client, WebSocketClient):
        with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
            await client.read_to_end()
    else:
        assert step not in [m["command"] for m in await client.read_to_end()]
    await lobby.wait_for("closed", reason=f"drop_within {step}")


async def test_withhold(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.mischief.withhold.add("welcome")
    await client.auth(lobby.token_for("watcher"))
    await client.expect("game_info")
    assert "welcome" not in [message["command"] for message in client.received]


@pytest.mark.parametrize("kind", [JsonClient, QdsClient])
async def test_pieces(lobby: FakeLobby, kind: type[ScriptClient]) -> None:
    lobby.mischief.piece = 1
    async with kind(lobby) as client:
        await client.sign_in("watcher")


async def test_pieces_of_the_bridge(lobby: FakeLobby) -> None:
    lobby.mischief.piece = 3
    lobby.websocket_mode = "bridge"
    async with WebSocketClient(lobby) as client:
        await client.sign_in("watcher")


async def test_wrong_types(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.sign_on("a")
    lobby.mischief.mangle = wrong_types
    await client.auth(lobby.token_for("watcher"))
    welcome = await client.expect("welcome")
    assert isinstance(welcome["login"], int)
    assert isinstance(welcome["id"], str)
    players = await client.expect("player_info")
    assert isinstance(players["players"], dict)
    assert wrong_types({"a": None, "b": {"c": 1}}) == {"a": [], "b": [["c", "1"]]}
    lobby.mischief.mangle = lambda message: None
    lobby.notice("swallowed")
    lobby.mischief.reset()
    assert "notice" not in [m["command"] for m in await client.settle()]


async def test_login_troubles(lobby: FakeLobby, client: ScriptClient) -> None:
    lobby.mischief.refuse_login = True
    await client.auth(lobby.token_for("watcher"))
    await client.expect("authentication_failed")
    await client.hello("watcher")
    await client.expect("authentication_failed")
    lobby.mischief.reset()
    lobby.mischief.refuse_proof = True
    await client.auth(lobby.token_for("watcher"))
    assert await client.read_to_end() == [{"command": "invalid"}]
    lobby.mischief.reset()
    lobby.mischief.database_is_away = True
    async with type(client)(lobby) as other:
        await other.hello("watcher")
        (notice,) = await other.read_to_end()
        assert (notice["command"], notice["style"]) == ("notice", "error")
    lobby.mischief.reset()
    lobby.mischief.end_login = True
    async with type(client)(lobby) as other:
        await other.hello("watcher")
        assert await other.read_to_end() == []
    lobby.mischief.reset()
    lobby.mischief.kick_on_login = True
    async with type(client)(lobby) as other:
        await other.hello("watcher")
        assert (await other.read_to_end())[-1]["style"] == "kick"


async def test_flood_and_huge(lobby: FakeLobby, client: ScriptClient) -> None:
    await client.sign_in("watcher")
    lobby.mischief.flood(500)
    lobby.mischief.flood(10, {"command": "unheard_of"})
    lobby.mischief.huge(1_000_000, "watcher")
    messages = await client.settle()
    assert len([m for m in messages if m.get("style") == "scores"]) == 500
    assert len([m for m in messages if m["command"] == "unheard_of"]) == 10
    assert len(str(messages[-1].get("text"))) == 1_000_000


async def test_endless(lobby: FakeLobby) -> None:
    for kind in (JsonClient, QdsClient):
        async with kind(lobby) as client:
            await client.session()
            lobby.mischief.endless(1000)
            lobby.drop()
            assert await client.read_to_end() == []


async def test_garbage(lobby: FakeLobby) -> None:
    async with JsonClient(lobby) as client:
        await client.session()
        lobby.mischief.garbage()
        lobby.mischief.say([1, "x"])
        lobby.mischief.raw(b"end")
        for session in lobby.sessions:
            session.end("enough")
        assert await client.read_bytes() == (
            b'\x00\x00\x00\x09\xff\xfe{]garbage\n[1,"x"]\nend'
        )
    async with WebSocketClient(lobby) as websocket:
        await websocket.session()
        lobby.mischief.garbage()
        with pytest.raises(UnicodeDecodeError):
            await websocket.read()
        assert websocket.frames[-1].type is aiohttp.WSMsgType.BINARY


@pytest.mark.parametrize(
    ("order", "states"),
    [("offline_first", ["offline", None]), ("online_first", [None, "offline"])],
)
async def test_order(lobby: FakeLobby, order: str, states: list[str | None]) -> None:
    lobby.mischief.order = order  # type: ignore[assignment]
    lobby.sign_on("a")
    async with JsonClient(lobby) as client:
        await client.sign_in("watcher")
        lobby.flush()
        await client.settle()
        lobby.mischief.twice("a")
        (twice,) = await client.settle()
        assert [p.get("state") for p in objects(twice["players"])] == states
        # Both happen to one player within a report.
        lobby.sign_off("a")
        lobby.sign_on("a")
        lobby.flush()
        (twice,) = await client.settle()
        assert [p.get("state") for p in objects(twice["players"])] == states


async def test_ghost(lobby: FakeLobby) -> None:
    lobby.add_account("a")
    async with JsonClient(lobby) as client, QdsClient(lobby) as ghost:
        await ghost.sign_in("a")
        await client.sign_in("watcher")
        lobby.flush()
        await client.settle()
        lobby.mischief.ghost("a")
        (message,) = await client.settle()
        assert objects(message["players"])[0]["state"] == "offline"
        # It still has its connection, and comes back with its next change.
        await ghost.settle()
        lobby.account("a").avatars["x"] = "X"
        await ghost.send({"command": "avatar", "action": "select", "avatar": "x"})
        await ghost.settle()
        lobby.flush()
        (message,) = await client.settle()
        assert "state" not in objects(message["players"])[0]


async def test_logging_what_is_sent(lobby: FakeLobby) -> None:
    lobby.core.logs_sent = True
    async with JsonClient(lobby) as client:
        await client.session()
        sent = [event.data["command"] for event in lobby.seen("sent")]
        assert sent == ["notice", "session"]
        with pytest.raises(TimeoutError, match="sent:session"):
            await lobby.wait_for("kicked", timeout=0.01)


async def test_pings_of_the_server() -> None:
    lobby = FakeLobby()
    lobby.ping_interval = 0.01
    lobby.add_account("watcher")
    async with lobby, JsonClient(lobby) as client:
        await client.sign_in("watcher")
        for _ in range(2):
            await client.expect("ping")


async def test_reply_waits_for_a_slow_reader(lobby: FakeLobby) -> None:
    """Nothing is read of a client that does not read its answers."""
    lobby.crowd(300, 0)
    async with JsonClient(lobby) as client:
        await client.sign_in("watcher")
        client.pause()
        big: JsonObject = {"command": "notice", "style": "info", "text": "x" * 2**22}
        lobby.send(big, "watcher")
        lobby.send(big)
        lobby.mark()
        await client.send({"command": "ping"})
        await client.send({"command": "matchmaker_info"})
        await lobby.wait_for("received", command="ping")
        with pytest.raises(TimeoutError):
            await lobby.wait_for("received", timeout=0.05, command="matchmaker_info")
        client.resume()
        await client.expect("matchmaker_info")
