"""What is said once a client is in: signs of life, answers, floods and slices."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
import itertools
import time
from types import SimpleNamespace
from typing import Final, override

from hypothesis import given, strategies as st
import pytest

from .script import (
    PATIENT,
    Heard,
    ScriptedConnection,
    ScriptedLobby,
    client_of,
    players,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.faf import session as session_module
from custom_components.rumpus.protocols.faf.client import LobbyClient
from custom_components.rumpus.protocols.faf.errors import KickedError, RefusedError
from custom_components.rumpus.protocols.faf.events import (
    Disconnected,
    LatencyMeasured,
    LobbyEvent,
    Refreshed,
)
from custom_components.rumpus.protocols.faf.lobby import Lobby
from custom_components.rumpus.protocols.faf.session import (
    MAX_BURST,
    MAX_PINGS,
    MAX_RATE,
    MAX_SLICE,
    MAX_SMALL,
    Session,
    Slices,
)
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.json_lines import JsonObject

SESSION: Final = session_module.__name__
QUEUES: JsonObject = {"command": "matchmaker_info", "queues": []}
PING: JsonObject = {"command": "ping"}
PONG: JsonObject = {"command": "pong"}
SHORT = Timing(pong=0.05, silence=0.05, ping=0.1, reply=0.05, change=0.05, queues=0.05)

type Online = tuple[LobbyClient, Heard, ScriptedLobby]


@pytest.fixture
async def online() -> AsyncIterator[Online]:
    """A client that is in."""
    lobby = ScriptedLobby()
    async with client_of(lobby) as (client, heard):
        client.start()
        await heard.wait_for(LatencyMeasured)
        yield client, heard, lobby


# Signs of life


async def test_ping(online: Online) -> None:
    client, heard, lobby = online
    lobby.forget("ping")
    ping = asyncio.create_task(client.ping())
    await lobby.last.wait_sent("ping", 2)
    lobby.last.say(PONG)
    seconds = await ping
    assert 0 <= seconds < 1
    assert client.latency == seconds
    assert heard.of(LatencyMeasured)[-1].seconds == seconds


async def test_pings_of_the_lobby_are_answered(online: Online) -> None:
    _, _, lobby = online
    lobby.last.say(PING, PING)
    await lobby.last.wait_sent("pong", 2)


async def test_it_pings_once_a_minute_and_asks_for_queues() -> None:
    lobby = ScriptedLobby()
    timing = Timing(pong=5, silence=60, ping=0.01, queues=0.01)
    async with client_of(lobby, timing=timing) as (client, heard):
        client.start()
        await heard.wait_for(LatencyMeasured, 3)
        await lobby.last.wait_sent("matchmaker_info", 3)
        assert heard.of(Disconnected) == []


async def test_it_asks_for_a_word_after_silence() -> None:
    lobby = ScriptedLobby()
    timing = Timing(pong=5, silence=0.01, ping=60)
    async with client_of(lobby, timing=timing) as (client, heard):
        client.start()
        await heard.wait_for(LatencyMeasured, 4)


async def test_dead_link() -> None:
    lobby = ScriptedLobby()
    lobby.forget("ping")
    async with client_of(lobby, timing=SHORT) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        lobby.forget("matchmaker_info")
        await heard.wait_for(Disconnected)
        assert isinstance(client.last_error, PeerTimeoutError)
        assert lobby.connections[0].is_aborted


async def test_a_lobby_that_talks_is_not_dead() -> None:
    """Some answer no ping while they have much to say."""
    lobby = ScriptedLobby()
    lobby.answers["ping"] = [{"command": "stray"}]
    async with client_of(lobby, timing=SHORT) as (client, heard):
        client.start()
        await heard.wait_for(Refreshed)
        await lobby.last.wait_sent("ping", 4)
        assert heard.of(Disconnected) == []
        assert client.latency is None


async def test_a_burst_that_does_not_end() -> None:
    lobby = ScriptedLobby()
    lobby.answers["hello"] = lobby.answers["hello"][:1]
    async with client_of(lobby, timing=SHORT) as (client, heard):
        client.start()
        await heard.wait_for(LatencyMeasured)


async def test_late_pongs(online: Online) -> None:
    """A late answer is not taken for that to the next ping."""
    client, _, lobby = online
    lobby.forget("ping")
    first = asyncio.create_task(client.ping())
    await lobby.last.wait_sent("ping", 2)
    first.cancel()
    await asyncio.wait({first})
    second = asyncio.create_task(client.ping())
    await lobby.last.wait_sent("ping", 3)
    lobby.last.say(PONG, PING)
    await lobby.last.wait_sent("pong")
    assert not second.done()
    lobby.last.say(PONG)
    assert await second < 5


async def test_max_pings(online: Online) -> None:
    client, _, lobby = online
    lobby.forget("ping")
    pings = [asyncio.create_task(client.ping()) for _ in range(MAX_PINGS + 5)]
    await lobby.last.wait_sent("ping", MAX_PINGS + 6)
    lobby.last.say(*[PONG] * (MAX_PINGS + 5), PING)
    await lobby.last.wait_sent("pong")
    assert sum(ping.done() for ping in pings) == MAX_PINGS
    for ping in pings:
        ping.cancel()
    await asyncio.wait(pings)


async def test_no_pong(online: Online) -> None:
    _, heard, lobby = online
    lobby.forget("ping")
    connection = await lobby.connect()
    session = Session(connection, Lobby(), SHORT, heard.events.append)
    with pytest.raises(PeerTimeoutError):
        await session.ping()


@pytest.mark.parametrize("sender", ["pong", "keeper"])
async def test_a_kick_is_read_though_nothing_can_be_sent(sender: str) -> None:
    """To come back after a kick would throw the user out of a game."""
    lobby = ScriptedLobby()
    connection = await lobby.connect()
    connection.is_closed = True
    if sender == "pong":
        connection.say(PING)
    told: list[LobbyEvent] = []
    session = Session(connection, Lobby(), PATIENT, told.append)
    running = asyncio.create_task(session.run())
    for _ in range(5):
        await asyncio.sleep(0)
    connection.say({"command": "notice", "style": "kick"})
    with pytest.raises(KickedError):
        await running


# Requests


async def test_request(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["matchmaker_info"] = []
    request = asyncio.create_task(client.request_queues())
    await lobby.last.wait_sent("matchmaker_info", 2)
    # What others cause comes in between.
    lobby.last.say({"command": "notice", "style": "info", "text": "x"}, PING)
    await lobby.last.wait_sent("pong")
    assert not request.done()
    lobby.last.say(QUEUES)
    await request


async def test_refused_request(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["matchmaker_info"] = [
        {"command": "notice", "style": "error", "text": "You <b>must</b> not"}
    ]
    with pytest.raises(RefusedError) as caught:
        await client.request_queues()
    assert caught.value.notice == "You must not"
    assert "must not" not in str(caught.value)


async def test_disabled_request(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["matchmaker_info"] = [
        {"command": "disabled", "request": "matchmaker_info"}
    ]
    with pytest.raises(UnsupportedError):
        await client.request_queues()


async def test_request_without_an_answer() -> None:
    lobby = ScriptedLobby()
    timing = Timing(reply=0.05, pong=5, silence=60)
    async with client_of(lobby, timing=timing) as (client, heard):
        client.start()
        await heard.wait_for(LatencyMeasured)
        lobby.forget("matchmaker_info")
        with pytest.raises(PeerTimeoutError):
            await client.request_queues()
        # What comes later is nobody's.
        lobby.last.say(QUEUES)
        lobby.answers["matchmaker_info"] = [QUEUES, QUEUES]
        await client.request_queues()


async def test_one_request_after_another(online: Online) -> None:
    client, _, lobby = online
    lobby.forget("matchmaker_info")
    requests = [asyncio.create_task(client.request_queues()) for _ in range(2)]
    await lobby.last.wait_sent("matchmaker_info", 2)
    lobby.last.say(PING)
    await lobby.last.wait_sent("pong")
    assert lobby.last.commands().count("matchmaker_info") == 2
    lobby.last.say(QUEUES)
    await lobby.last.wait_sent("matchmaker_info", 3)
    assert requests[0].done()
    assert not requests[1].done()
    lobby.last.say(QUEUES)
    await asyncio.gather(*requests)


async def test_lost_while_somebody_waits(online: Online) -> None:
    client, heard, lobby = online
    lobby.forget("matchmaker_info", "ping")
    waiting = [
        asyncio.create_task(client.request_queues()),
        asyncio.create_task(client.request_queues()),
        asyncio.create_task(client.ping()),
        asyncio.create_task(client.add_friend(9002)),
    ]
    await lobby.last.wait_sent("ping", 2)
    lobby.last.hang_up()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [
        *[DisconnectedError] * 3,
        type(None),  # a friend already
    ]
    await heard.wait_for(Disconnected)
    with pytest.raises(DisconnectedError):
        await client.request_queues()


async def test_a_session_that_is_over(online: Online) -> None:
    _, heard, lobby = online
    connection = await lobby.connect()
    session = Session(connection, Lobby(), PATIENT, heard.events.append)
    connection.hang_up()
    with pytest.raises(DisconnectedError):
        await session.run()
    with pytest.raises(DisconnectedError):
        await session.ping()
    with pytest.raises(DisconnectedError):
        await session.send(PING)
    with pytest.raises(DisconnectedError):
        await session.request(PING, lambda _: True, 5)


async def test_cancelled_request(online: Online) -> None:
    client, _, lobby = online
    lobby.forget("matchmaker_info")
    request = asyncio.create_task(client.request_queues())
    await lobby.last.wait_sent("matchmaker_info", 2)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    lobby.answers["matchmaker_info"] = [QUEUES]
    await client.request_queues()


# Slices and floods


async def test_max_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work ends after MAX_SLICE of the clock, whatever a step takes."""
    clock = itertools.count()
    monkeypatch.setattr(
        session_module,
        "time",
        SimpleNamespace(perf_counter=lambda: next(clock) * MAX_SLICE / 3.9),
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    slices = Slices()
    # One step to start the clock, and four that take more than a quarter each.
    for step in range(50):
        await slices.give_way()
        assert turns == (step + 1) // 5
    other.cancel()


class Endless(Lobby):
    """A model that takes long to merge anything."""

    def __init__(self, steps: int, seconds: float) -> None:
        super().__init__()
        self.steps = steps
        self.seconds = seconds

    @override
    def apply(
        self, message: JsonObject, now: float, utc: datetime
    ) -> Iterator[LobbyEvent | None]:
        for _ in range(self.steps):
            begin = time.perf_counter()
            while time.perf_counter() - begin < self.seconds:
                pass
            yield None


async def test_the_loop_has_its_turns(online: Online) -> None:
    _, heard, lobby = online
    connection = await lobby.connect()
    session = Session(
        connection, Endless(100, MAX_SLICE / 10), PATIENT, heard.events.append
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    await session.merge({"command": "player_info", "players": []})
    other.cancel()
    assert turns >= 5


@pytest.mark.parametrize("key", ["players", "games"])
async def test_max_small(key: str, online: Online) -> None:
    """What has just been decoded is not merged in the same turn, if it is much."""
    _, heard, lobby = online
    connection = await lobby.connect()
    session = Session(connection, Lobby(), PATIENT, heard.events.append)
    now = asyncio.get_running_loop().time()
    just_now, before = now + 3600, now - 2 * MAX_SLICE
    for count, heard_at, turns in (
        (MAX_SMALL, just_now, 0),
        (MAX_SMALL + 1, just_now, 1),
        # Whatever is in it, it has taken long to decode.
        (1, before, 1),
    ):
        connection.last_heard = heard_at
        ran = 0

        def turn() -> None:
            nonlocal ran
            ran += 1

        asyncio.get_running_loop().call_soon(turn)
        await session.merge({"command": "x", key: [None] * count})
        assert ran == turns
        await asyncio.sleep(0)


async def test_max_burst(monkeypatch: pytest.MonkeyPatch, online: Online) -> None:
    """More than MAX_BURST messages have to wait, and MAX_RATE a second go on."""
    _, _, lobby = online
    pauses: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if seconds == session_module._FLOOD_PAUSE:
            pauses.append(seconds)
        await real(min(seconds, 0.001))

    stray: JsonObject = {"command": "stray"}
    lobby.last.say(*[stray] * (MAX_BURST - 100), PING)
    await lobby.last.wait_sent("pong")
    monkeypatch.setattr(f"{SESSION}.asyncio.sleep", sleep)
    assert pauses == []
    lobby.last.say(*[stray] * 200, PING)
    await lobby.last.wait_sent("pong", 2)
    assert pauses
    assert MAX_RATE < MAX_BURST


async def test_flood_with_real_pauses(online: Online) -> None:
    """The loop stays free, and the flood ends."""
    client, _, lobby = online
    lobby.last.say(*players_one_by_one(MAX_BURST + 50), PING)
    await lobby.last.wait_sent("pong")
    assert len(client.lobby.players) == MAX_BURST + 51


def players_one_by_one(count: int) -> Iterator[JsonObject]:
    for player in players(count):
        yield {"command": "player_info", "players": [player]}


COMMANDS = (
    *("ping", "pong", "invalid", "notice", "welcome", "player_info", "game_info"),
    *("matchmaker_info", "social", "search_info", "match_found", "match_cancelled"),
    *("game_launch", "update_party", "party_invite", "avatar", "disabled", "session"),
    *("search_timeout", "search_violation", "kicked_from_party", "vetoes_info"),
)
FIELDS = (
    *("players", "games", "queues", "style", "text", "me", "id", "login", "state"),
    *("uid", "teams", "teams_ids", "ratings", "avatarlist", "target", "friends"),
    *("queue_name", "count", "sender", "owner", "members", "request", "current_time"),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["offline", "open", "playing", "closed", "kick", "start"])
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
    ),
    max_leaves=10,
)
MESSAGES = st.builds(
    lambda command, fields: {"command": command} | fields,
    st.sampled_from(COMMANDS) | VALUES,
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5),
)


@given(st.lists(MESSAGES, max_size=8))
async def test_any_messages(messages: list[JsonObject]) -> None:
    """Whatever comes, it is survived or ends the session with an error of ours."""
    connection = ScriptedConnection(lambda _: [])
    told: list[LobbyEvent] = []
    session = Session(connection, Lobby(), PATIENT, told.append)
    connection.say(*messages)
    connection.hang_up()
    with pytest.raises((DisconnectedError, KickedError, ProtocolError)):
        await session.run()


async def test_scripted_connections_are_connections(online: Online) -> None:
    connection = await online[2].connect()
    assert isinstance(connection, ScriptedConnection)
    assert connection.is_connected()
    connection.abort()
    with pytest.raises(DisconnectedError):
        await connection.send_message(PING)
