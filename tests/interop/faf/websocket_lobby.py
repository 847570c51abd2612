"""`websockets` as the lobby of our client, and as a client of the fake."""

import json
from typing import Final, cast

from .desk import SESSION, game
from .world import LOGIN, PASSWORD, World, password_login, require, token_login
from custom_components.rumpus.protocols.faf.errors import GatewayRefusedError
from custom_components.rumpus.protocols.faf.events import Disconnected
from custom_components.rumpus.protocols.faf.login import hash_password
from custom_components.rumpus.protocols.faf.probe import probe, try_login
from tests.e2e.shapes import JsonObject
from tests.fakes.faf_websocket import WebSocketMode
from tests.interop.report import CheckError

_GAMES: Final = 200
_MODES: Final = ("lines", "frames", "fragments", "bridge")


async def probed(world: World) -> str:
    """A lobby is asked for an answer and a session, each in one text frame and line."""
    peer = world.websockets
    peer.mark()
    found = await probe(world.connector(peer, "?verify=1-a%2Bb%3D"))
    require(found.session == SESSION, f"session {found.session}")
    request = await peer.wait("request")
    require(request["path"] == "/?verify=1-a%2Bb%3D", f"path {request['path']}")
    await peer.wait("lost", code=1000)
    frames = peer.seen("frame")
    require(len(frames) == 2, f"{len(frames)} frames")
    for frame in frames:
        text = str(frame["text"])
        require(frame["is_text"] is True and text.endswith("}\n"), repr(text))
        require(text.count("\n") == 1, "more than a line")
    return f"{found.latency * 1000:.1f} ms"


async def logins(world: World) -> None:
    """Both logins."""
    peer = world.websockets
    for login, command in ((token_login(), "auth"), (password_login(), "hello")):
        peer.mark()
        welcome = await try_login(world.connector(peer), login)
        require(welcome.player.login == LOGIN, "somebody else is welcome")
        await peer.wait("frame", command=command)
        await peer.wait("lost")


async def framings(world: World) -> str:
    """Lines, frames without a newline, fragments of frames, and frames cut anywhere."""
    peer = world.websockets
    try:
        for mode in _MODES:
            await peer.do("behave", mode=mode)
            async with world.ours(peer) as ours:
                await ours.online()
                games = [
                    cast(JsonObject, game(uid, title=f"é {uid} \U0001f600"))
                    for uid in range(_GAMES)
                ]
                await peer.do("send", messages=[*games])
                await ours.knows(_GAMES)
                title = ours.client.lobby.games[7].title
                require("7 \U0001f600" in title, repr(title))
    finally:
        await peer.do("behave")
    return ", ".join(_MODES)


async def control_frames(world: World) -> str:
    """Pings of the WebSocket are answered, and are a sign of life."""
    peer = world.websockets
    async with world.ours(peer) as ours:
        await ours.online()
        told = await peer.do("ping")
        latency = told["latency"]
        require(isinstance(latency, float) and latency < 5, f"latency {latency}")
        await ours.client.ping()
        await peer.wait("frame", command="ping")
    return f"{told['latency']:.4f} s" if isinstance(told["latency"], float) else ""


async def large_frame(world: World) -> str:
    """A frame of megabytes, whatever extensions both agree on."""
    peer = world.websockets
    async with world.ours(peer) as ours:
        await ours.online()
        names = (await peer.wait("connected"))["extensions"]
        big: JsonObject = {"command": "notice", "style": "scores", "text": "x" * 2**21}
        await peer.do("send", messages=[big, cast(JsonObject, game(1))])
        await ours.until("a game", lambda: 1 in ours.client.lobby.games)
    return f"extensions {names}"


async def broken_frames(world: World) -> None:
    """What is no message ends the connection, and a new one is made."""
    peer = world.websockets
    async with world.ours(peer) as ours:
        await ours.online()
        for number, text in enumerate(("garbage\n", "[1]\n", "\n\n{]\n"), 1):
            await peer.do("raw", text=text)
            await ours.happened(Disconnected, number)
            await ours.online(number + 1)


async def gone_and_back(world: World) -> None:
    """A lobby that closes, cuts and goes is found again."""
    peer = world.websockets
    async with world.ours(peer) as ours:
        await ours.online()
        await peer.do("close", code=1001)
        await ours.online(2)
        await peer.do("abort")
        await ours.online(3)
        await peer.do("unlisten")
        await ours.happened(Disconnected, 3)
        await peer.do("listen", port=world.websocket_port)
        await ours.online(4)


async def refused(world: World) -> None:
    """A gateway that refuses says so with a status."""
    peer = world.websockets
    try:
        for status in (401, 403):
            await peer.do("behave", refusal=status)
            try:
                await probe(world.connector(peer))
            except GatewayRefusedError:
                continue
            raise CheckError(f"no refusal with {status}")
    finally:
        await peer.do("behave")


async def client_of_fake(world: World) -> str:
    """`websockets` signs in to the fake lobby, whatever kind of server it is."""
    peer = world.websockets
    hello = json.dumps(
        {
            "command": "hello",
            "login": LOGIN,
            "password": hash_password(PASSWORD),
            "unique_id": "x",
        }
    )
    modes: tuple[WebSocketMode, ...] = ("lines", "frames", "bridge")
    for mode in modes:
        world.fake.websocket_mode = mode
        world.fake.mark()
        peer.mark()
        await peer.do("connect", url=world.fake.url)
        await peer.do("tell", text=hello + "\n")
        await world.fake.wait_for("signed_in", login=LOGIN)
        await peer.do("tell", text='{"command":"ping"}\n')
        await peer.wait("got", is_text=mode != "bridge")
        if mode == "frames":
            await peer.wait("got", text='{"command":"pong"}')
        elif mode == "lines":
            await peer.wait("got", text='{"command":"pong"}\n')
        await peer.do("leave")
        await world.fake.wait_for("signed_out", login=LOGIN)
        await peer.wait("ended", code=1000)
    return ", ".join(modes)
