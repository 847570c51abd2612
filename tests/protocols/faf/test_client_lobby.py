"""The client and the fake lobby on loopback, over each transport."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import logging
import time

import aiohttp
import pytest

from .lobbies import HASTY, TIMING, WATCHER, Entrance, password, token
from .script import Heard
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.faf.client import (
    MAX_REFUSALS,
    ClientStatus,
    LobbyClient,
)
from custom_components.rumpus.protocols.faf.errors import (
    BannedError,
    GatewayRefusedError,
    KickedError,
    LoginRefusedError,
    ProofRefusedError,
    RefusedError,
)
from custom_components.rumpus.protocols.faf.events import (
    Connected,
    Disconnected,
    GameEnded,
    GameLaunched,
    GameOpened,
    LatencyMeasured,
    MatchFound,
    NoticeReceived,
    PlayerCameOnline,
    PlayerWentOffline,
    RatingChanged,
    Refreshed,
    SearchChanged,
    Stopped,
    Updated,
)
from custom_components.rumpus.protocols.faf.models import PlayerStatus
from custom_components.rumpus.protocols.faf.probe import probe, try_login
from custom_components.rumpus.protocols.faf.session import MAX_BURST
from custom_components.rumpus.protocols.faf.transports import Framing
from tests.fakes.faf_gateway import sign
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_mischief import wrong_types

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def lobby(socket_enabled: None) -> AsyncIterator[FakeLobby]:
    async with FakeLobby(report_interval=0.01) as fake:
        fake.add_account(WATCHER)
        yield fake


@pytest.fixture(params=list(Framing))
async def entrance(
    request: pytest.FixtureRequest, lobby: FakeLobby
) -> AsyncIterator[Entrance]:
    async with aiohttp.ClientSession() as session:
        yield Entrance(lobby, request.param, session)


async def up(client: LobbyClient, heard: Heard, count: int = 1) -> None:
    """Wait until all that a login brings is in, for the count-th time."""
    client.start()
    await heard.wait_for(Refreshed, count)


async def test_login(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.sign_on("Rhiza", "Zorin")
    lobby.befriend(WATCHER, "Rhiza")
    async with entrance.client() as (client, heard):
        await up(client, heard)
        event = await lobby.wait_for("signed_in", login=WATCHER)
        assert event.data["transport"] == entrance.framing.value
        assert event.data["user_agent"] == "rumpus"
        assert {player.login for player in client.lobby.players.values()} == {
            *(WATCHER, "Rhiza", "Zorin")
        }
        assert client.lobby.is_friend("rhiza")
        await heard.wait_for(LatencyMeasured)
        await client.request_queues()
        assert set(client.lobby.queues) == {
            *("ladder1v1", "tmm2v2", "tmm4v4_full_share")
        }
        assert client.clock_skew == pytest.approx(0, abs=2)
    await lobby.wait_for("signed_out", login=WATCHER)


async def test_login_by_token(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client(login=token(lobby)) as (client, heard):
        await up(client, heard)
        assert client.lobby.me is not None
        assert client.lobby.me.login == WATCHER


async def test_evening(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.sign_on("Rhiza", "Zorin")
        await heard.wait_for(PlayerCameOnline, 2)
        uid = lobby.host_game("Rhiza", title="Setons", map_name="scmp_009")
        opened = await heard.wait_for(GameOpened)
        assert (opened.game.uid, opened.game.title) == (uid, "Setons")
        lobby.join("Zorin", uid)
        lobby.launch(uid)
        await heard.wait_for(GameLaunched)
        zorin = client.lobby.find_player("zorin")
        assert zorin is not None
        assert client.lobby.status_of(zorin.id) is PlayerStatus.PLAYING
        lobby.end_game(uid, {"Zorin": (1600.0, 90.0)})
        ended = await heard.wait_for(GameEnded)
        assert ended.was_running
        changed = await heard.wait_for(RatingChanged)
        assert changed.player.login == "Zorin"
        assert changed.after.mean == 1600.0
        lobby.sign_off("Zorin")
        assert (await heard.wait_for(PlayerWentOffline)).player.login == "Zorin"
        lobby.notice("The <b>server</b> is fine")
        assert (await heard.wait_for(NoticeReceived)).notice.text == (
            "The server is fine"
        )
        assert client.status is ClientStatus.ONLINE


async def test_pings_of_the_lobby(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.mark()
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.send({"command": "ping"})
        await lobby.wait_for("received", command="pong")


# Coming back


async def test_restart(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.sign_on("Rhiza")
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.sign_on("Gone")
        await heard.wait_for(PlayerCameOnline)
        await lobby.restart()
        lobby.sign_on("Rhiza", "New")
        await heard.wait_for(Disconnected)
        await heard.wait_for(Refreshed, 2)
        # What the lobby does not tell of any more is forgotten.
        assert {player.login for player in client.lobby.players.values()} == {
            *(WATCHER, "Rhiza", "New")
        }
        assert len(heard.of(Connected)) == 2


async def test_cut(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.drop(WATCHER)
        await heard.wait_for(Disconnected)
        await heard.wait_for(Refreshed, 2)


@pytest.mark.parametrize("step", ["ask_session", "hello", "matchmaker_info", "ping"])
async def test_it_vanishes_at_each_step(
    step: str, entrance: Entrance, lobby: FakeLobby
) -> None:
    lobby.mischief.drop_at.add(step)
    async with entrance.client() as (client, heard):
        client.start()
        if step in {"ask_session", "hello"}:
            assert not await client.wait_attempt()
            expected = ProofRefusedError if step == "hello" else DisconnectedError
            assert type(client.last_error) is expected
        else:
            await heard.wait_for(Disconnected)
        lobby.mischief.reset()
        await heard.wait_for(LatencyMeasured)
        assert client.last_error is None


@pytest.mark.parametrize(
    "step", ["session", "welcome", "player_info", "social", "game_info"]
)
@pytest.mark.parametrize("how", ["drop_before", "drop_within"])
async def test_it_vanishes_within_a_message(
    step: str, how: str, entrance: Entrance, lobby: FakeLobby
) -> None:
    getattr(lobby.mischief, how).add(step)
    async with entrance.client() as (client, heard):
        client.start()
        if step in {"session", "welcome"}:
            assert not await client.wait_attempt()
        else:
            await heard.wait_for(Disconnected)
        assert isinstance(client.last_error, RumpusError)
        lobby.mischief.reset()
        await heard.wait_for(Refreshed)
        assert client.lobby.is_complete


@pytest.mark.parametrize("step", ["ask_session", "hello"])
async def test_silence_at_each_step(
    step: str, entrance: Entrance, lobby: FakeLobby
) -> None:
    lobby.mischief.never_answer.add(step)
    async with entrance.client(timing=HASTY) as (client, heard):
        client.start()
        assert not await client.wait_attempt()
        assert isinstance(client.last_error, PeerTimeoutError)
        lobby.mischief.reset()
        await heard.wait_for(Refreshed)


async def test_dead_link(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client(timing=HASTY) as (client, heard):
        await up(client, heard)
        lobby.mischief.silent = True
        await heard.wait_for(Disconnected)
        assert isinstance(client.last_error, PeerTimeoutError)
        lobby.mischief.silent = False
        await heard.wait_for(Refreshed, 2)


async def test_small_pieces(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.sign_on("Rhiza")
    lobby.mischief.piece = 1
    async with entrance.client() as (client, heard):
        await up(client, heard)
        assert client.lobby.find_player("Rhiza") is not None


@pytest.mark.parametrize("mode", ["lines", "bare", "bridge"])
async def test_kinds_of_websockets(mode: str, lobby: FakeLobby) -> None:
    lobby.websocket_mode = mode  # type: ignore[assignment]
    lobby.crowd(50, 10)
    async with aiohttp.ClientSession() as session:
        entrance = Entrance(lobby, Framing.WEBSOCKET, session)
        async with entrance.client() as (client, heard):
            await up(client, heard)
            assert len(client.lobby.players) == 51
            assert len(client.lobby.games) == 10
            await client.ping()


# When it is over


async def test_kick(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        async with entrance.client() as (second, second_heard):
            await up(second, second_heard)
            stopped = await heard.wait_for(Stopped)
            assert isinstance(stopped.error, KickedError)
            assert "elsewhere" in stopped.error.notice
            client.wake()
            assert not await client.wait_attempt()
            # The one that came later is not thrown out in turn.
            assert await second.ping() < 5
            assert second.status is ClientStatus.ONLINE
    assert len(lobby.seen("signed_in")) == 2


@pytest.mark.parametrize("text", [None, "Go <b>away</b>"])
async def test_kick_by_an_administrator(
    text: str | None, entrance: Entrance, lobby: FakeLobby
) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.kick(WATCHER, text)
        stopped = await heard.wait_for(Stopped)
        assert isinstance(stopped.error, KickedError)
        assert stopped.error.notice == ("" if text is None else "Go away")


async def test_kick_right_after_the_login(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.mischief.kick_on_login = True
    async with entrance.client() as (client, heard):
        client.start()
        assert isinstance((await heard.wait_for(Stopped)).error, KickedError)
    assert len(lobby.seen("signed_in")) == 1


async def test_wrong_credentials(entrance: Entrance, lobby: FakeLobby) -> None:
    async def nonsense() -> str:
        return "a.b.c"

    by_token = token(lobby)
    by_token._token = nonsense
    for login in (password(text="wrong"), password("nobody"), by_token):
        async with entrance.client(login=login) as (client, heard):
            client.start()
            stopped = await heard.wait_for(Stopped)
            assert type(stopped.error) is LoginRefusedError
    assert len(lobby.seen("login_refused", reason="credentials")) >= 2


async def test_ban(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.ban(WATCHER)
    async with entrance.client() as (client, heard):
        client.start()
        error = (await heard.wait_for(Stopped)).error
        assert isinstance(error, BannedError)
        assert "banned" in error.notice
        assert "<" not in error.notice


@pytest.mark.parametrize("switch", ["refuse_proof", "end_login"])
async def test_proof(switch: str, entrance: Entrance, lobby: FakeLobby) -> None:
    setattr(lobby.mischief, switch, True)
    async with entrance.client() as (client, heard):
        client.start()
        assert isinstance((await heard.wait_for(Stopped)).error, ProofRefusedError)
        assert client.stop_error is client.last_error
    assert len(lobby.seen("received", command="hello")) == MAX_REFUSALS


async def test_password_logins_are_off(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.desk.password_login = False
    with pytest.raises(RefusedError) as caught:
        await try_login(entrance.connector(), password(), TIMING)
    assert "oauth" in caught.value.notice


# Gateway


async def test_gateway(lobby: FakeLobby) -> None:
    lobby.gateway_key = "banana"
    addresses = 0

    async def address() -> str:
        nonlocal addresses
        addresses += 1
        verify = sign("banana", "/", int(time.time()))
        return f"{lobby.url.rstrip('/')}?verify={verify}"

    async with aiohttp.ClientSession() as session:
        entrance = Entrance(lobby, Framing.WEBSOCKET, session)
        connector = entrance.connector(address)
        async with entrance.client(connector=connector) as (client, heard):
            await up(client, heard)
            lobby.drop()
            await heard.wait_for(Refreshed, 2)
        assert addresses == 2
        async with entrance.client() as (client, heard):
            client.start()
            error = (await heard.wait_for(Stopped)).error
            assert isinstance(error, GatewayRefusedError)
        assert len(lobby.seen("refused_connection")) == MAX_REFUSALS


async def test_gateway_of_another_opinion(lobby: FakeLobby) -> None:
    lobby.mischief.status = 502
    async with aiohttp.ClientSession() as session:
        entrance = Entrance(lobby, Framing.WEBSOCKET, session)
        async with entrance.client() as (client, heard):
            client.start()
            assert not await client.wait_attempt()
            assert isinstance(client.last_error, DisconnectedError)
            lobby.mischief.status = None
            await heard.wait_for(Refreshed)


# What lobbies should not send


async def test_garbage(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.mischief.garbage(WATCHER)
        await heard.wait_for(Disconnected)
        await heard.wait_for(Refreshed, 2)


@pytest.mark.parametrize("method", ["huge", "endless"])
async def test_too_much(method: str, entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        getattr(lobby.mischief, method)(login=WATCHER)
        await heard.wait_for(Disconnected)
        assert isinstance(client.last_error, ProtocolError)
        await heard.wait_for(Refreshed, 2)


async def test_wrong_types(entrance: Entrance, lobby: FakeLobby) -> None:
    """What cannot be read is left out, and the link survives it."""
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.mischief.mangle = wrong_types
        lobby.sign_on("Rhiza")
        lobby.host_game("Rhiza")
        lobby.flush()
        await client.ping()
        lobby.mischief.mangle = None
        lobby.sign_on("Zorin")
        await heard.wait_for(PlayerCameOnline)
        assert heard.of(Disconnected) == []


async def test_flood(entrance: Entrance, lobby: FakeLobby) -> None:
    """The loop stays free while more comes than anybody can want."""
    async with entrance.client() as (client, heard):
        await up(client, heard)
        count = MAX_BURST + 100
        lobby.mischief.flood(count)
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        await heard.wait_for(NoticeReceived, count)
        beating.cancel()
        assert beats > 50
        await client.ping()
        assert heard.of(Disconnected) == []


async def test_burst(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.crowd(1500, 300)
    async with entrance.client() as (client, heard):
        await up(client, heard)
        assert len(client.lobby.players) == 1501
        assert len(client.lobby.games) == 300
        lobby.drop()
        await heard.wait_for(Refreshed, 2)
        assert len(client.lobby.players) == 1501
        assert heard.of(PlayerCameOnline) == []
        assert heard.of(GameOpened) == []


# Commands


async def test_friends_and_foes(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.sign_on("Rhiza")
    rhiza = lobby.account("Rhiza").id
    async with entrance.client() as (client, heard):
        await up(client, heard)
        await client.add_friend(rhiza)
        await lobby.wait_for("friend_added", login=WATCHER, other=rhiza)
        await client.add_foe(rhiza)
        await lobby.wait_for("friend_removed", login=WATCHER, other=rhiza)
        await lobby.wait_for("foe_added", login=WATCHER, other=rhiza)
        await client.remove_foe(rhiza)
        await lobby.wait_for("foe_removed", login=WATCHER, other=rhiza)
        with pytest.raises(UnsupportedError):
            await client.add_friend(123_456)
        # The lists are what the lobby has, too.
        await client.add_friend(rhiza)
        lobby.drop()
        await heard.wait_for(Refreshed, 2)
        assert client.lobby.social.friends == {rhiza}
        assert client.lobby.social.foes == set()


async def test_avatars(entrance: Entrance, lobby: FakeLobby) -> None:
    url = "http://example.com/1.png"
    lobby.add_avatar(WATCHER, url, "First")
    async with entrance.client() as (client, heard):
        await up(client, heard)
        avatars = await client.list_avatars()
        assert [avatar.url for avatar in avatars] == [url]
        await client.select_avatar(url)
        await lobby.wait_for("avatar", url=url)
        await client.select_avatar(None)
        await lobby.wait_for("avatar", url=None)


async def test_search(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.search(WATCHER, "ladder1v1")
        await heard.wait_for(SearchChanged)
        await client.stop_search("ladder1v1")
        assert client.lobby.searching == set()
        lobby.search(WATCHER, "ladder1v1")
        lobby.search("Rhiza", "ladder1v1")
        lobby.pop("ladder1v1")
        assert (await heard.wait_for(MatchFound)).queue_name == "ladder1v1"


async def test_shutdown(entrance: Entrance, lobby: FakeLobby) -> None:
    async with entrance.client() as (client, heard):
        await up(client, heard)
        lobby.begin_shutdown(5)
        notice = (await heard.wait_for(NoticeReceived)).notice
        assert "5 minutes" in notice.text
        lobby.finish_shutdown()
        await heard.wait_for(Disconnected)
        assert heard.of(Stopped) == []


# Probes


async def test_probe(entrance: Entrance, lobby: FakeLobby) -> None:
    probed = await probe(entrance.connector(), TIMING)
    assert 0 <= probed.latency < 5
    assert 0 <= probed.session < 2**32
    assert lobby.seen("signed_in") == []
    await lobby.wait_for("closed")


@pytest.mark.parametrize("step", ["ping", "ask_session"])
async def test_probe_fails(step: str, entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.mischief.never_answer.add(step)
    with pytest.raises(PeerTimeoutError):
        await probe(entrance.connector(), HASTY)
    lobby.mischief.reset()
    lobby.mischief.drop_at.add(step)
    with pytest.raises(DisconnectedError):
        await probe(entrance.connector(), TIMING)
    lobby.mischief.reset()
    lobby.mischief.refuse = True
    with pytest.raises(DisconnectedError):
        await probe(entrance.connector(), TIMING)


async def test_try_login(
    entrance: Entrance, lobby: FakeLobby, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    welcome = await try_login(entrance.connector(), password(), TIMING)
    assert welcome.player.login == WATCHER
    assert welcome.server_time is not None
    await lobby.wait_for("signed_out", login=WATCHER)
    with pytest.raises(LoginRefusedError):
        await try_login(entrance.connector(), password(text="wrong"), TIMING)
    assert "secret" not in caplog.text


async def test_try_login_without_a_name(entrance: Entrance, lobby: FakeLobby) -> None:
    lobby.mischief.mangle = lambda message: (
        {"command": "welcome"} if message["command"] == "welcome" else message
    )
    with pytest.raises(ProtocolError):
        await try_login(entrance.connector(), password(), TIMING)


async def test_defaults(entrance: Entrance, lobby: FakeLobby) -> None:
    assert (await probe(entrance.connector())).latency < 5
    assert (await try_login(entrance.connector(), password())).player.login == WATCHER


async def test_updates_come_at_the_end(entrance: Entrance, lobby: FakeLobby) -> None:
    timing = replace(TIMING, queues=0.05)
    async with entrance.client(timing=timing) as (client, heard):
        await up(client, heard)
        lobby.sign_on("Rhiza")
        await heard.wait_for(PlayerCameOnline)
        await client.ping()
        kinds = [type(event) for event in heard.events]
        assert Updated in kinds[kinds.index(PlayerCameOnline) :]
