"""The fake KDE Connect device's plugins and payloads, tried against another one."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_pairs import devices, link, pair
from tests.fakes.kdeconnect_payload import PayloadError, fetch_payload
from tests.fakes.kdeconnect_wire import Body, FakePacket

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def pair_of_devices() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that do not know each other."""
    async with devices() as both:
        yield both


@pytest.fixture
def phone(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A phone."""
    return pair_of_devices[0]


@pytest.fixture
def computer(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A computer that accepts pairing."""
    return pair_of_devices[1]


# --- plugins ---


async def test_find_and_lock(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone rings, a computer's lock answers and obeys."""
    await pair(phone, computer)
    assert await computer.find.send() == 1
    await phone.wait_for("ring")
    assert phone.find.rings == 1
    async with FakeDevice("computer", accept="auto") as desk:
        await link(desk, computer)
        await desk.request_pairing(computer.device_id)
        await desk.wait_for("paired")
        assert await desk.wait_packet("lock") == {"isLocked": False}
        await desk.send("lock.request", {"setLocked": True})
        await computer.wait_for("lock_set")
        assert await desk.wait_packet("lock") == {"lockResult": True}
        assert await desk.wait_packet("lock") == {"isLocked": True}
        assert desk.lock.peer_locked is True
        computer.lock.obeys = False
        await desk.send("lock.request", {"setLocked": False})
        await computer.wait_for("lock_set")
        assert computer.lock.locked
        await computer.lock.set(locked=False)
        assert await desk.wait_packet("lock") == {"isLocked": False}


async def test_commands(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone sees a computer's commands, also new ones, and runs them."""
    await computer.commands.add("k1", "Say hi", "echo hi")
    computer.commands.sends_output = True
    computer.outgoing |= {"kdeconnect.runcommand.output"}
    await pair(phone, computer)
    assert (await phone.wait_for("command_list")).data["names"] == ["Say hi"]
    await computer.commands.add("k2", "Say ho")
    await phone.wait_for(
        "command_list", lambda e: e.data["names"] == ["Say hi", "Say ho"]
    )
    await phone.remote_commands.run("k1")
    await phone.remote_commands.run("nothing")
    ran = await computer.wait_for("command_run")
    assert ran.data == {"key": "k1", "name": "Say hi"}
    for key in ("commandStarted", "commandOutput", "commandFinished"):
        assert (await phone.wait_packet("runcommand.output"))[key] is True
    await computer.commands.remove("k1")
    await phone.wait_for("command_list", lambda e: e.data["names"] == ["Say ho"])
    await phone.remote_commands.request()
    await phone.wait_for("command_list", lambda e: e.data["names"] == ["Say ho"])
    assert computer.commands.runs == ["k1"]
    await computer.send("runcommand", {"commandList": "[1"})
    await phone.wait_for("malformed")


async def test_battery(phone: FakeDevice, computer: FakeDevice) -> None:
    """A battery is told when it changes, and on request to old programs."""
    await pair(phone, computer)
    await computer.wait_packet("battery")
    await phone.battery.set(80)
    await phone.battery.set(10)
    assert (await computer.wait_packet("battery"))["thresholdEvent"] == 1
    assert computer.battery.peer_battery is not None
    await computer.battery.set(77)
    body = await phone.wait_packet("battery")
    assert (body["batteryQuantity"], body[""]) == (1, None)


@pytest.fixture
def player() -> FakePlayer:
    """A player that can do everything, with a clock that stands still."""
    tracks = [
        FakeTrack(
            f"Title {n}",
            "Artist",
            "Album",
            180_000,
            "file:///a.ogg",
            f"file:///{n}.png",
            b"art" * 99,
        )
        for n in (1, 2)
    ]
    return FakePlayer(
        "Fake Player",
        tracks,
        loop_status="None",
        shuffle=False,
        volume=50,
        clock=lambda: 0.0,
    )


async def test_computer_players(computer: FakeDevice, player: FakePlayer) -> None:
    """Players appear, tell differences, obey and vanish."""
    async with FakeDevice("computer") as remote:
        remote.players.asks_at_once = False
        await pair(remote, computer)
        await computer.media.add(player)
        listed = await remote.wait_packet(
            "mpris", predicate=lambda b: b.get("playerList") == ["Fake Player"]
        )
        assert listed["supportAlbumArtPayload"] is True
        state = await remote.wait_packet("mpris", predicate=lambda b: "title" in b)
        assert (state["title"], state["loopStatus"], state["volume"]) == (
            "Title 1",
            "None",
            50,
        )
        steps: list[tuple[Body, Body]] = [
            ({"action": "PlayPause"}, {"isPlaying": True, "pos": 0}),
            ({"action": "Pause"}, {"isPlaying": False, "pos": 0}),
            ({"SetPosition": 5000}, {"pos": 5000}),
            ({"Seek": -2_000_000}, {"pos": 3000}),
            ({"setVolume": 70}, {"pos": 3000, "volume": 70}),
            ({"setLoopStatus": "Track"}, {"pos": 3000, "loopStatus": "Track"}),
            ({"setShuffle": True}, {"pos": 3000, "shuffle": True}),
            (
                {"action": "Next"},
                {"pos": 0, "title": "Title 2", "albumArtUrl": "file:///2.png"},
            ),
            (
                {"action": "Previous"},
                {"pos": 0, "title": "Title 1", "albumArtUrl": "file:///1.png"},
            ),
        ]
        for request, answer in steps:
            await remote.send("mpris.request", {"player": "Fake Player", **request})
            assert (
                await computer.wait_for("player_action")
            ).data.items() >= request.items()
            got = await remote.wait_packet("mpris", predicate=lambda b: "pos" in b)
            assert got == {"player": "Fake Player", "canSeek": True, **answer}
        await remote.send("mpris.request", {"player": "Nobody", "action": "Play"})
        assert "playerList" in await remote.wait_packet("mpris")
        await computer.media.change("Fake Player", volume=1, is_playing=True)
        got = await remote.wait_packet("mpris", predicate=lambda b: "pos" in b)
        assert (got["volume"], got["isPlaying"]) == (1, True)
        await remote.send("mpris.request", {"player": "Fake Player", "action": "Stop"})
        await remote.send("mpris.request", {"player": "Fake Player", "action": "Play"})
        await remote.send("mpris.request", {"player": "Fake Player", "action": "Dance"})
        for action in ("Stop", "Play"):
            done = await computer.wait_for("player_action")
            assert done.data["action"] == action
        await computer.media.remove("Fake Player")
        await remote.wait_packet("mpris", predicate=lambda b: b.get("playerList") == [])
        assert computer.events.seen("player_action") == 11


async def test_phone_players(
    phone: FakeDevice, computer: FakeDevice, player: FakePlayer
) -> None:
    """A phone tells whole states and knows neither jumps nor loops."""
    computer.players.asks_at_once = False
    await phone.media.add(player)
    await pair(phone, computer)
    await computer.wait_packet(
        "mpris", predicate=lambda b: b.get("playerList") == ["Fake Player"]
    )
    assert computer.media.peer_players == ["Fake Player"]
    ask: Body = {
        "player": "Fake Player",
        "requestNowPlaying": True,
        "requestVolume": True,
    }
    await computer.send("mpris.request", ask)
    state = await computer.wait_packet("mpris", predicate=lambda b: "title" in b)
    assert state["nowPlaying"] == "Artist - Title 1"
    assert "loopStatus" not in state
    ignored: Body = {
        "player": "Fake Player",
        "Seek": 1,
        "setLoopStatus": "Track",
        "setShuffle": True,
    }
    await computer.send("mpris.request", ignored)
    await computer.send(
        "mpris.request", {"player": "Fake Player", "SetPosition": 999_999}
    )
    done = await phone.wait_for("player_action")
    assert done.data == {"player": "Fake Player", "SetPosition": 999_999}
    state = await computer.wait_packet("mpris", predicate=lambda b: "title" in b)
    assert state["pos"] == 180_000
    with pytest.raises(AttributeError):
        await phone.media.change("Fake Player", nonsense=1)


# --- payloads ---


async def art_packet(
    computer: FakeDevice, phone: FakeDevice, player: FakePlayer
) -> FakePacket:
    """Ask a computer for album art; returns its announcement."""
    await computer.media.add(player)
    await phone.send(
        "mpris.request", {"player": "Fake Player", "albumArtUrl": "file:///1.png"}
    )
    event = await phone.wait_for(
        "packet", lambda e: bool(e.packet and e.packet.payload_port)
    )
    assert event.packet is not None
    assert event.packet.body["transferringAlbumArt"] is True
    return event.packet


@pytest.mark.parametrize(
    "misbehave",
    [Misbehave.NOTHING, Misbehave.PAYLOAD_ABRUPT_END, Misbehave.PAYLOAD_UNKNOWN_SIZE],
)
async def test_album_art(
    phone: FakeDevice, computer: FakeDevice, player: FakePlayer, misbehave: Misbehave
) -> None:
    """Art arrives whole, with or without a proper end."""
    computer.misbehave = misbehave
    await pair(phone, computer)
    packet = await art_packet(computer, phone, player)
    assert await fetch_payload(phone.peer(), packet) == b"art" * 99
    assert (await computer.wait_for("payload_sent")).data["size"] == 297


@pytest.mark.parametrize(
    "misbehave",
    [
        Misbehave.PAYLOAD_SHORT,
        Misbehave.PAYLOAD_LONG,
        Misbehave.PAYLOAD_WRONG_CERTIFICATE,
        Misbehave.PAYLOAD_REFUSED,
    ],
)
async def test_bad_album_art(
    phone: FakeDevice, computer: FakeDevice, player: FakePlayer, misbehave: Misbehave
) -> None:
    """A receiver notices what a sender does wrong."""
    computer.misbehave = misbehave
    await pair(phone, computer)
    packet = await art_packet(computer, phone, player)
    with pytest.raises((PayloadError, OSError)):
        await fetch_payload(phone.peer(), packet)


@pytest.mark.parametrize(
    "misbehave",
    [
        Misbehave.PAYLOAD_NEVER_ACCEPT,
        Misbehave.PAYLOAD_STALL,
        Misbehave.PAYLOAD_ENDLESS,
    ],
)
async def test_stalled_album_art(
    phone: FakeDevice, computer: FakeDevice, player: FakePlayer, misbehave: Misbehave
) -> None:
    """A receiver that loses patience ends the transfer."""
    computer.misbehave = misbehave
    await pair(phone, computer)
    packet = await art_packet(computer, phone, player)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await fetch_payload(phone.peer(), packet)
    await computer.wait_for("payload_failed")


async def test_payload_reset(phone: FakeDevice, computer: FakeDevice) -> None:
    """A transfer may end in a reset."""
    await pair(phone, computer)
    computer.misbehave = Misbehave.PAYLOAD_RESET
    await computer.payloads.send(computer.peer(), "share.request", {}, b"x" * 9)
    event = await phone.wait_for(
        "packet", lambda e: bool(e.packet and e.packet.payload_port)
    )
    assert event.packet is not None
    with pytest.raises((PayloadError, OSError)):
        await fetch_payload(phone.peer(), event.packet)


async def test_payload_not_fetched(phone: FakeDevice, computer: FakeDevice) -> None:
    """A payload that nobody fetches is withdrawn."""
    await pair(phone, computer)
    computer.payloads.timeout = 0.05
    phone.share.fetches = False
    await computer.payloads.send(
        computer.peer(), "share.request", {"filename": "a"}, b"x"
    )
    failed = await computer.wait_for("payload_failed")
    assert failed.data["reason"] == "TimeoutError"
