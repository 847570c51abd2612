"""Qt as the lobby that our client is logged in to, and as a client of the fake."""

import asyncio
import json
from typing import Final

from .desk import SESSION, game
from .world import LOGIN, PASSWORD, TOKEN, World, password_login, require, token_login
from custom_components.rumpus.protocols.faf import DisconnectedError
from custom_components.rumpus.protocols.faf.client import ClientStatus
from custom_components.rumpus.protocols.faf.errors import KickedError
from custom_components.rumpus.protocols.faf.events import (
    Disconnected,
    GameOpened,
    NoticeReceived,
    Stopped,
)
from custom_components.rumpus.protocols.faf.login import hash_password
from custom_components.rumpus.protocols.faf.probe import probe, try_login
from tests.e2e.shapes import JsonObject, JsonValue, as_list, as_object
from tests.interop.report import CheckError

_CROWD: Final = 1500
_PATIENCE: Final = 15.0


def _sent(data: JsonObject) -> JsonObject:
    """Return the message in the only string of a block."""
    (text,) = as_list(data["texts"])
    return as_object(json.loads(str(text)))


async def probed(world: World) -> str:
    """A lobby is asked for an answer and a session."""
    world.qt.mark()
    found = await probe(world.connector(world.qt))
    require(found.session == SESSION, f"session {found.session}")
    await world.qt.wait("message", texts=["PING"])
    asked = _sent(await world.qt.wait("message", command="ask_session"))
    require(set(asked) == {"command", "user_agent", "version"}, f"asked {set(asked)}")
    return f"{found.latency * 1000:.1f} ms"


async def token(world: World) -> None:
    """A login with a token is what Qt reads in one string."""
    world.qt.mark()
    welcome = await try_login(world.connector(world.qt), token_login())
    require(welcome.player.login == LOGIN, "somebody else is welcome")
    sent = _sent(await world.qt.wait("message", command="auth"))
    require(
        (sent["token"], sent["session"]) == (TOKEN, SESSION)
        and bool(sent["unique_id"]),
        "another login",
    )


async def password(world: World) -> None:
    """A login with a password is what Qt reads in one string."""
    world.qt.mark()
    await try_login(world.connector(world.qt), password_login())
    sent = _sent(await world.qt.wait("message", command="hello"))
    require(
        (sent["login"], sent["password"]) == (LOGIN, hash_password(PASSWORD)),
        "another login",
    )


async def model(world: World) -> None:
    """What Qt tells of players and games is known."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        lobby = ours.client.lobby
        require(sorted(lobby.players) == [7, 8], f"players {sorted(lobby.players)}")
        rating = lobby.players[7].ratings["global"]
        require((rating.mean, rating.games) == (1200.5, 120), "another rating")
        require(lobby.is_friend(8), "no friend")
        await world.qt.do("send", message=game(1))
        await ours.happened(GameOpened)
        require(lobby.games[1].title == "Game 1", "another title")
        await world.qt.do("send", message=game(1, state="closed"))
        await ours.until("no game", lambda: 1 not in lobby.games)


async def foreign_text(world: World) -> None:
    """Text that Qt does not escape arrives, an emoji and NUL included."""
    text = "é € \U0001f600 \u2028 \x00 \x7f \U0010ffff end"
    async with world.ours(world.qt) as ours:
        await ours.online()
        notice: JsonObject = {"command": "game_info", **game(2, title=text)}
        await world.qt.do("send", message=notice)
        await ours.until("a game", lambda: 2 in ours.client.lobby.games)
        title = ours.client.lobby.games[2].title
        require("é € \U0001f600" in title and title.endswith("end"), repr(title))


async def pings(world: World) -> None:
    """Pings go both ways as bare strings."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        world.qt.mark()
        latency = await ours.client.ping()
        await world.qt.wait("message", texts=["PING"])
        await world.qt.do("texts", texts=["PING"])
        await world.qt.wait("message", texts=["PONG"])
        require(0 < latency < 5, f"latency {latency}")


async def more_strings(world: World) -> None:
    """Further strings of a block are merged, or left alone."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        first = json.dumps(game(3))
        more = json.dumps({"title": "Merged"})
        await world.qt.do("texts", texts=[first, more, "login", "123"])
        await ours.until("a game", lambda: 3 in ours.client.lobby.games)
        require(ours.client.lobby.games[3].title == "Merged", "not merged")


async def crowd(world: World) -> str:
    """A message with as many players as an evening has."""
    players: list[JsonValue] = [
        {
            "id": 100 + number,
            "login": f"Commander_{number}",
            "country": "DE",
            "ratings": {
                board: {"rating": [1000.5, 100.25], "number_of_games": number}
                for board in ("global", "ladder_1v1", "tmm_2v2", "tmm_4v4_full_share")
            },
        }
        for number in range(_CROWD)
    ]
    message: JsonObject = {"command": "player_info", "players": players}
    async with world.ours(world.qt) as ours:
        await ours.online()
        await world.qt.do("send", message=message)
        await ours.until(
            "a crowd", lambda: len(ours.client.lobby.players) == _CROWD + 2
        )
    return f"{len(json.dumps(message)) // 1024} KiB of JSON"


async def single_bytes(world: World) -> None:
    """A block that comes byte by byte."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        await world.qt.do("send", message=game(4), split=True)
        await ours.until("a game", lambda: 4 in ours.client.lobby.games)


async def broken_blocks(world: World) -> str:
    """What is no message ends the connection, and a new one is made."""
    broken = ("00000000", "0000000400000000", "ffffffff", "00000008ffffffff00000000")
    async with world.ours(world.qt) as ours:
        await ours.online()
        for number, data in enumerate(broken, 1):
            await world.qt.do("raw", data=data)
            await ours.happened(Disconnected, number)
            await ours.online(number + 1)
    return f"{len(broken)} of them"


async def gone_and_back(world: World) -> None:
    """A lobby that closes, cuts and comes back is found again."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        for number, deed in enumerate(("close", "abort"), 2):
            await world.qt.do(deed)
            await ours.online(number)
        await world.qt.do("unlisten")
        await world.qt.do("close")
        await ours.happened(Disconnected, 3)
        await world.qt.do("listen", port=world.qt_port)
        await ours.online(4)


async def kicked(world: World) -> None:
    """A kick is the end of it."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        kick: JsonObject = {"command": "notice", "style": "kick", "text": "<b>Bye</b>"}
        await world.qt.do("send", message=kick)
        await ours.happened(Stopped)
        client = ours.client
        require(client.status is ClientStatus.STOPPED, str(client.status))
        require(isinstance(client.stop_error, KickedError), repr(client.stop_error))


async def commands(world: World) -> None:
    """Commands are what Qt's JSON reads, whole numbers as such."""
    async with world.ours(world.qt) as ours:
        await ours.online()
        await ours.client.remove_friend(8)
        await ours.client.add_foe(8)
        removed = _sent(await world.qt.wait("message", command="social_remove"))
        added = _sent(await world.qt.wait("message", command="social_add"))
        require(removed == {"command": "social_remove", "friend": 8}, str(removed))
        require(added == {"command": "social_add", "foe": 8}, str(added))
        await ours.client.request_queues()
        await world.qt.wait("message", command="matchmaker_info")
        await world.qt.do(
            "send", message={"command": "notice", "style": "info", "text": "<i>x</i>"}
        )
        await ours.happened(NoticeReceived)


async def silent(world: World) -> None:
    """A lobby that does not answer is none."""
    await world.qt.do("lively", on=False)
    try:
        async with asyncio.timeout(1):
            await probe(world.connector(world.qt))
    except TimeoutError, DisconnectedError:
        return
    finally:
        await world.qt.do("lively", on=True)
    raise CheckError("probed a silent lobby")


async def client_of_fake(world: World) -> None:
    """Qt signs in to the fake lobby as old clients do, with further strings."""
    world.qt.mark()
    world.fake.mark()
    world.fake.sign_on("Rhiza")
    await world.qt.do("connect", port=world.fake.qds_port)
    await world.qt.wait("connected")
    asked = json.dumps({"command": "ask_session", "user_agent": "downlords-faf-client"})
    await world.qt.do("texts", texts=[asked, LOGIN, "123"])
    await world.qt.wait("message", command="session")
    event = await world.fake.wait_for("received", command="ask_session")
    message = event.data["message"]
    require(
        isinstance(message, dict) and message["legacy"] == [LOGIN, "123"],
        f"read {message}",
    )
    await world.qt.do("texts", texts=["PING"])
    await world.qt.wait("message", texts=["PONG"])
    hello: JsonObject = {
        "command": "hello",
        "login": LOGIN,
        "password": hash_password(PASSWORD),
        "unique_id": "x",
    }
    await world.qt.do("send", message=hello)
    for command in ("welcome", "player_info", "social", "game_info"):
        await world.qt.wait("message", command=command)
    await world.qt.do("raw", data="00000008ffffffff00000000")
    await world.qt.wait("lost")
    await world.fake.wait_for("signed_out", login=LOGIN)
