"""A client of a lobby that tests play: coming and going, and when it is over."""

import asyncio
import gc
import logging

import pytest

from .script import (
    AT_ONCE,
    BURST,
    LOGGER,
    LOGIN,
    PATIENT,
    Heard,
    ScriptedLobby,
    client_of,
    players,
)
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.faf.client import (
    BACKOFF,
    MAX_REFUSALS,
    ClientStatus,
    LobbyClient,
)
from custom_components.rumpus.protocols.faf.errors import (
    BannedError,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    ProofFailedError,
    ProofRefusedError,
    RefusedError,
)
from custom_components.rumpus.protocols.faf.events import (
    AttemptFailed,
    Connected,
    Disconnected,
    LobbyEvent,
    NoticeReceived,
    Refreshed,
    Stopped,
    Updated,
)
from custom_components.rumpus.protocols.faf.login import PasswordLogin
from custom_components.rumpus.protocols.faf.session import Session
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.json_lines import JsonObject
from custom_components.rumpus.protocols.oauth import OAuthError

KICK: JsonObject = {"command": "notice", "style": "kick", "text": "<i>secret</i> text"}


@pytest.fixture
def lobby() -> ScriptedLobby:
    return ScriptedLobby()


def is_at(client: LobbyClient, status: ClientStatus) -> bool:
    return client.status is status


async def test_life(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        assert is_at(client, ClientStatus.OFFLINE)
        assert client.latency is None
        client.start()
        client.start()
        assert await client.wait_attempt()
        assert await client.wait_attempt()
        assert is_at(client, ClientStatus.ONLINE)
        assert client.lobby.me is not None
        await heard.wait_for(Refreshed)
        assert client.lobby.social.friends == {9002}
        assert client.clock_skew is not None
        assert [type(event) for event in heard.events[:2]] == [Connected, Updated]
        assert heard.of(Connected)[0].welcome.player.login == "ha_user"
    assert is_at(client, ClientStatus.OFFLINE)
    assert client.latency is None
    assert lobby.last.is_closed
    assert not lobby.last.is_aborted
    assert len(lobby.connections) == 1
    assert heard.of(Disconnected) == []


async def test_it_begins_anew_after_stop(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        for count in (1, 2):
            client.start()
            await heard.wait_for(Refreshed, count)
            await client.stop()
        assert not await client.wait_attempt()


async def test_stop_at_once(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, _):
        await client.stop()
        client.start()
        await client.stop()
        client.wake()
    assert lobby.connections == []


@pytest.mark.parametrize("command", ["ask_session", "hello"])
async def test_stop_during_an_attempt(command: str, lobby: ScriptedLobby) -> None:
    lobby.forget(command)
    async with client_of(lobby) as (client, _):
        client.start()
        attempt = asyncio.create_task(client.wait_attempt())
        await (await lobby.wait_connection()).wait_sent(command)
        assert is_at(client, ClientStatus.SIGNING_IN)
        await client.stop()
        assert not await attempt
        assert is_at(client, ClientStatus.OFFLINE)
        assert lobby.last.is_closed


@pytest.mark.parametrize(
    "loss",
    [
        DisconnectedError("Connection closed by the peer"),
        ProtocolError("Invalid JSON"),
        {"command": "invalid"},
    ],
)
async def test_it_comes_back(
    loss: Exception | JsonObject,
    lobby: ScriptedLobby,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        first = lobby.last
        first.say(loss)
        await heard.wait_for(Disconnected)
        assert is_at(client, ClientStatus.OFFLINE)
        error = client.last_error
        assert isinstance(error, RumpusError)
        await heard.wait_for(Refreshed, 2)
        assert client.last_error is None
        assert is_at(client, ClientStatus.ONLINE)
        assert first.is_closed
    assert caplog.text.count("is lost") == 1
    assert caplog.text.count("is back") == 1
    assert heard.of(Stopped) == []


async def test_many_reconnects(lobby: ScriptedLobby) -> None:
    # A lobby that hangs up on every login is waited for as if it failed.
    async with client_of(lobby) as (client, heard):
        client.start()
        for count in range(1, 21):
            await heard.wait_for(Refreshed, count)
            lobby.last.hang_up()
            await heard.wait_for(Disconnected, count)
            client.wake()
        assert len(client._tasks) <= 1
    # None of them is left.
    lobby.connections.clear()
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, Session)]


async def test_it_tries_again(lobby: ScriptedLobby) -> None:
    lobby.error = DisconnectedError("Cannot connect")
    async with client_of(lobby) as (client, heard):
        client.start()
        for _ in range(5):
            assert not await client.wait_attempt()
            assert client.last_error is lobby.error
            assert not is_at(client, ClientStatus.ONLINE)
        lobby.error = None
        await heard.wait_for(Connected)


async def test_it_is_woken(lobby: ScriptedLobby) -> None:
    lobby.error = DisconnectedError("Cannot connect")
    client = LobbyClient(lobby, LOGIN, logger=LOGGER, name="lobby", timing=PATIENT)
    client.start()
    assert not await client.wait_attempt()
    lobby.error = None
    client.wake()
    assert await client.wait_attempt()
    await client.stop()
    assert BACKOFF.delays[0] >= 5


# When it is over


async def test_kick(lobby: ScriptedLobby, caplog: pytest.LogCaptureFixture) -> None:
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        lobby.last.say(KICK)
        stopped = await heard.wait_for(Stopped)
        assert isinstance(stopped.error, KickedError)
        assert stopped.error.notice == "secret text"
        assert "secret" not in str(stopped.error)
        error = client.stop_error
        assert error is stopped.error
        assert is_at(client, ClientStatus.STOPPED)
        assert [type(event) for event in heard.events[-2:]] == [Disconnected, Stopped]
        assert heard.of(AttemptFailed) == []
        # It stays so, whoever wants it to come back by itself.
        client.wake()
        assert not await client.wait_attempt()
        with pytest.raises(DisconnectedError):
            await client.ping()
        assert len(lobby.connections) == 1
        assert is_at(client, ClientStatus.STOPPED)
        # The user says so.
        client.start()
        await heard.wait_for(Refreshed, 2)
        assert client.stop_error is None
    assert caplog.text.count("No further attempts") == 1
    assert "secret" not in caplog.text


async def test_kick_at_the_door(lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [KICK]
    await _over(lobby, KickedError)


async def test_kick_without_a_word(lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [{"command": "notice", "style": "kick"}]
    error = await _over(lobby, KickedError)
    assert isinstance(error, KickedError)
    assert error.notice == ""


async def test_refused_login(lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [{"command": "authentication_failed", "text": "wrong"}]
    await _over(lobby, LoginRefusedError)


async def test_no_token(lobby: ScriptedLobby) -> None:
    lobby.error = OAuthError("invalid_grant")
    await _over(lobby, OAuthError, connections=0)


async def _over(
    lobby: ScriptedLobby, kind: type[RumpusError], connections: int = 1
) -> RumpusError:
    """Expect that there is no second attempt."""
    async with client_of(lobby) as (client, heard):
        client.start()
        assert not await client.wait_attempt()
        stopped = heard.of(Stopped)
        assert [type(event.error) for event in stopped] == [kind]
        assert is_at(client, ClientStatus.STOPPED)
        assert client.last_error is client.stop_error is stopped[0].error
        assert not await client.wait_attempt()
        assert len(lobby.connections) == connections
        assert all(connection.is_closed for connection in lobby.connections)
        assert heard.of(Disconnected) == []
    return stopped[0].error


async def test_ban(lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [
        {"command": "notice", "style": "error", "text": "You are banned"}
    ]
    async with client_of(lobby) as (client, heard):
        client.start()
        await (await lobby.wait_connection()).wait_sent("hello")
        lobby.last.hang_up()
        stopped = await heard.wait_for(Stopped)
        assert isinstance(stopped.error, BannedError)


class NoProof:
    async def prove(self, session: int) -> str:
        raise ProofFailedError("The helper cannot be started")


@pytest.mark.parametrize(
    "kind", [ProofRefusedError, ProofFailedError, GatewayRefusedError]
)
async def test_max_refusals(kind: type[RumpusError], lobby: ScriptedLobby) -> None:
    login = LOGIN
    if kind is ProofRefusedError:
        lobby.answers["hello"] = [{"command": "invalid"}]
    elif kind is GatewayRefusedError:
        lobby.error = AuthenticationError("403")
    else:
        login = PasswordLogin("ha_user", "hash", NoProof())
    async with client_of(lobby, login=login) as (client, heard):
        client.start()
        for number in range(1, MAX_REFUSALS + 1):
            assert not await client.wait_attempt()
            assert type(client.last_error) is kind
            assert is_at(client, ClientStatus.STOPPED) is (number == MAX_REFUSALS)
        assert type(heard.of(Stopped)[0].error) is kind


async def test_refusals_that_are_not_in_a_row(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        for number in range(1, MAX_REFUSALS + 1):
            lobby.answers["hello"] = [{"command": "invalid"}]
            lobby.last.hang_up()
            await heard.wait_for(Disconnected, number)
            for _ in range(MAX_REFUSALS - 1):
                assert not await client.wait_attempt()
                assert isinstance(client.last_error, ProofRefusedError)
            lobby.error = DisconnectedError("away")
            assert not await client.wait_attempt()
            lobby.error = None
            lobby.answers["hello"] = list(BURST)
            assert await client.wait_attempt()
        assert heard.of(Stopped) == []


async def test_a_notice_that_may_pass(lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [{"command": "notice", "style": "error", "text": "DB"}]
    timing = Timing(welcome=0.01)
    async with client_of(lobby, timing=timing) as (client, heard):
        client.start()
        for _ in range(MAX_REFUSALS + 1):
            assert not await client.wait_attempt()
            assert isinstance(client.last_error, RefusedError)
        assert [type(event.error) for event in heard.of(AttemptFailed)] == [
            RefusedError
        ] * (MAX_REFUSALS + 1)
        lobby.answers["hello"] = list(BURST)
        await heard.wait_for(Refreshed)


@pytest.mark.parametrize("welcome", [{}, {"me": None}, {"me": {"id": "x"}}, {"me": []}])
async def test_welcome_to_nobody(welcome: JsonObject, lobby: ScriptedLobby) -> None:
    lobby.answers["hello"] = [{"command": "welcome", **welcome}]
    async with client_of(lobby) as (client, heard):
        client.start()
        assert not await client.wait_attempt()
        assert isinstance(client.last_error, ProtocolError)
        assert lobby.connections[0].is_closed
        lobby.answers["hello"] = list(BURST)
        await heard.wait_for(Connected)


# What it tells


async def test_listeners(
    lobby: ScriptedLobby, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(lobby) as (client, heard):
        told: list[LobbyEvent] = []

        def fail(event: LobbyEvent) -> None:
            told.append(event)
            end_other()
            raise ValueError("a bug")

        client.subscribe(fail)
        other = Heard(client)
        end_other = other.end
        client.start()
        await heard.wait_for(Refreshed)
        assert other.events == []
        assert told == heard.events
        heard.end()
        heard.end()
        lobby.last.say({"command": "notice", "style": "info", "text": "hello"})
        lobby.last.say({"command": "ping"})
        await lobby.last.wait_sent("pong")
        assert heard.of(NoticeReceived) == []
        assert any(isinstance(event, NoticeReceived) for event in told)
    assert "A listener of lobby failed" in caplog.text


async def test_notices(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        for text in ("You are using an unofficial client version!", "Shut <b>down</b>"):
            lobby.last.say({"command": "notice", "style": "info", "text": text})
        assert (await heard.wait_for(NoticeReceived)).notice.text == "Shut down"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"command": None},
        {"command": 5},
        {"command": ["welcome"]},
        {"command": "nobody_knows"},
        {"command": "pong"},
        {"command": "ConnectToPeer", "target": "game", "args": ["x", 1, True]},
        {"command": "player_info", "target": "game", "players": list(players(3))},
        {"command": "player_info", "players": [None, 5, {}, "x", []]},
        {"command": "game_info", "games": {}},
        {"command": "session", "session": 5},
        {"command": "authentication_failed"},
    ],
)
async def test_what_changes_nothing(message: JsonObject, lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        lobby.last.say(message, {"command": "ping"})
        await lobby.last.wait_sent("pong")
        assert is_at(client, ClientStatus.ONLINE)
        assert list(client.lobby.players) == [9001]


async def test_what_cannot_happen(
    lobby: ScriptedLobby,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fault of ours costs the connection and nothing else."""
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        with monkeypatch.context() as patched:
            patched.setattr(client.lobby, "apply", lambda *_: 1 / 0)
            lobby.last.say({"command": "social"})
            await heard.wait_for(Disconnected)
        assert isinstance(client.last_error, ProtocolError)
        await heard.wait_for(Refreshed, 2)
    assert "Unexpected error" in caplog.text


async def test_second_welcome(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        lobby.last.say(*BURST)
        await heard.wait_for(Refreshed, 2)
        assert client.lobby.welcome is not None
        assert len(heard.of(Connected)) == 1


def test_user_agent(lobby: ScriptedLobby) -> None:
    with pytest.raises(ValueError, match="user agent"):
        LobbyClient(lobby, LOGIN, logger=LOGGER, name="x", user_agent=51 * "x")


async def test_task_factory(lobby: ScriptedLobby) -> None:
    names: list[str] = []

    def create_task(work: object) -> asyncio.Task[None]:
        assert asyncio.iscoroutine(work)
        names.append(str(getattr(work, "__name__", "")))
        return asyncio.get_running_loop().create_task(work)

    client = LobbyClient(
        lobby,
        LOGIN,
        logger=LOGGER,
        name="lobby",
        user_agent="mine",
        create_task=create_task,
        backoff=AT_ONCE,
    )
    client.start()
    assert await client.wait_attempt()
    assert lobby.last.sent[0]["user_agent"] == "mine"
    await client.stop()
    assert names == ["_run", "_stay"]


async def test_stop_in_the_moment_of_the_login(lobby: ScriptedLobby) -> None:
    """The connection is closed also when nobody has begun to read from it."""
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Connected)
        await client.stop()
        assert lobby.last.is_aborted or lobby.last.is_closed

    ended: list[asyncio.Task[None]] = []

    def create_task(work: object) -> asyncio.Task[None]:
        assert asyncio.iscoroutine(work)
        task = asyncio.get_running_loop().create_task(work)
        if getattr(work, "__name__", "") == "_stay":
            task.cancel()
            ended.append(task)
        return task

    client = LobbyClient(
        *(lobby, LOGIN), logger=LOGGER, name="lobby", create_task=create_task
    )
    client.start()
    assert await client.wait_attempt()
    await asyncio.wait(ended)
    await asyncio.sleep(0)
    assert lobby.last.is_aborted
    await client.stop()


async def test_commands_may_follow_at_once(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, _):
        pings: list[asyncio.Task[float]] = []

        def take(event: LobbyEvent) -> None:
            if isinstance(event, Connected):
                loop = asyncio.get_running_loop()
                pings.append(asyncio.Task(client.ping(), loop=loop, eager_start=True))

        client.subscribe(take)
        client.start()
        assert await client.wait_attempt()
        assert await pings[0] < 5


async def test_nobody_waits_any_more(lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, _):
        client.start()
        waiting = asyncio.create_task(client.wait_attempt())
        await asyncio.sleep(0)
        waiting.cancel()
        client._end_attempt(is_online=False)
        with pytest.raises(asyncio.CancelledError):
            await waiting


@pytest.mark.parametrize("is_kicked", [False, True])
async def test_lost_while_it_is_stopped(is_kicked: bool, lobby: ScriptedLobby) -> None:
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        reconnector = client._reconnector
        assert reconnector is not None
        client._reconnector = None
        if is_kicked:
            lobby.last.say(KICK)
            assert isinstance((await heard.wait_for(Stopped)).error, KickedError)
        else:
            lobby.last.hang_up()
            await heard.wait_for(Disconnected)
        await reconnector.stop()
    assert len(lobby.connections) == 1
