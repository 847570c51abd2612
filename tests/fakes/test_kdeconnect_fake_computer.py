"""What the fake KDE Connect computer offers and controls, tried against another."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_pairs import devices, pair
from tests.fakes.kdeconnect_wire import Body

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


# --- players, as their controller ---


@pytest.fixture
def player() -> FakePlayer:
    """A player with two tracks and a clock that stands still."""
    tracks = [
        FakeTrack(f"Title {n}", length=180_000, art_url=f"file:///{n}.png", art=art)
        for n, art in ((1, b"first picture"), (2, b"second picture"))
    ]
    return FakePlayer(
        "Den", tracks, loop_status="None", shuffle=False, volume=50, clock=lambda: 0.0
    )


async def test_controller(
    phone: FakeDevice, computer: FakeDevice, player: FakePlayer
) -> None:
    """A controller sees players come, change on its word, and go."""
    await pair(phone, computer)
    await computer.media.add(player)
    await phone.wait_for("players", lambda e: e.data["names"] == ["Den"])
    asked = await computer.wait_packet(
        "mpris.request", predicate=lambda body: "player" in body
    )
    assert asked == {"player": "Den", "requestNowPlaying": True, "requestVolume": True}
    state = await phone.players.now_playing("Den")
    assert (state["title"], state["volume"]) == ("Title 1", 50)
    controls = phone.players
    await controls.act("Den", "Play")
    await controls.seek("Den", 7_000_000)
    await controls.set_position("Den", 5000)
    await controls.set_volume("Den", 70)
    await controls.set_loop("Den", "Track")
    await controls.set_shuffle("Den", on=True)
    await controls.act("Den", "Next")
    await phone.wait_for(
        "player_state", lambda _: phone.players.states["Den"]["title"] == "Title 2"
    )
    state = phone.players.states["Den"]
    assert (state["isPlaying"], state["loopStatus"], state["shuffle"]) == (
        True,
        "Track",
        True,
    )
    assert state["volume"] == 70
    assert computer.events.seen("player_action") == 7
    await computer.media.remove("Den")
    await phone.wait_for("players", lambda e: e.data["names"] == [])
    assert phone.players.states == {}
    assert await controls.request_list() == 1
    await phone.wait_for("players", lambda e: e.data["names"] == [])


async def test_controller_art(
    phone: FakeDevice, computer: FakeDevice, player: FakePlayer
) -> None:
    """A controller fetches pictures: when told to, or each new one by itself."""
    await computer.media.add(player)
    await pair(phone, computer)
    await phone.players.now_playing("Den")
    assert phone.players.offers_art
    assert await phone.players.fetch_art("Den") == b"first picture"
    phone.players.fetches_art = True
    await phone.players.act("Den", "Next")
    await phone.wait_for("album_art", lambda e: e.data["url"] == "file:///2.png")
    assert phone.players.art["file:///2.png"] == b"second picture"
    computer.misbehave = Misbehave.PAYLOAD_SHORT
    await phone.players.request_art("Den")
    await phone.wait_for("payload_failed")


async def test_controller_ignores_what_it_did_not_ask_for(
    phone: FakeDevice, computer: FakeDevice
) -> None:
    """A picture that nobody asked for stays where it is; a state without a name too."""
    await pair(phone, computer)
    computer.payloads.timeout = 0.05
    body: Body = {
        "player": "Den",
        "albumArtUrl": "file:///x",
        "transferringAlbumArt": True,
    }
    await computer.payloads.send(computer.peer(), "mpris", body, b"x")
    await computer.wait_for("payload_failed")
    await computer.send("mpris", {"title": "Nobody's"})
    await computer.ping.send()
    await phone.wait_for("ping")
    assert phone.players.art == {}
    assert phone.players.states == {}
