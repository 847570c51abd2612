"""What the fake KDE Connect computer offers and controls, tried against another."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_input import FakeKey
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_pairs import devices, pair
from tests.fakes.kdeconnect_sinks import FULL, FakeSink
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


def has(member: str, body: Body) -> bool:
    """Whether a packet has a member."""
    return member in body


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
    await phone.wait_for("fetch_failed")


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


# --- volumes ---


async def test_sinks(phone: FakeDevice, computer: FakeDevice) -> None:
    """A list at connect, then changes, each twice; a new volume unmutes."""
    await pair(phone, computer)
    assert (await phone.wait_for("sinks")).data["names"] == []
    await computer.sinks.add(FakeSink("speaker", "Speaker", muted=True))
    await computer.sinks.add(FakeSink("headset"))
    await phone.wait_for("sinks", lambda e: e.data["names"] == ["speaker", "headset"])
    sinks = phone.remote_sinks
    assert sinks.sinks["speaker"] == {
        "name": "speaker",
        "description": "Speaker",
        "muted": True,
        "volume": FULL,
        "maxVolume": FULL,
        "enabled": True,
    }
    await sinks.set_volume("speaker", 30_000)
    for body in ({"volume": 30_000}, {"muted": False}):
        for _ in range(2):
            got = await phone.wait_packet("systemvolume", predicate=partial(has, *body))
            assert got == {"name": "speaker", **body}
    assert not computer.sinks.sinks["speaker"].muted
    asked = await computer.wait_for("sink_request")
    assert asked.data == {"name": "speaker", "volume": 30_000}
    computer.sinks.repeats = False
    await sinks.set_default("headset")
    await sinks.set_muted("headset", muted=True)
    await sinks.set_volume("nothing", 1)
    for _ in range(3):
        await computer.wait_for("sink_request")
    for enabled, name in ((False, "speaker"), (True, "headset")):
        got = await phone.wait_packet("systemvolume", predicate=partial(has, "enabled"))
        assert got == {"name": name, "enabled": enabled}
    await phone.wait_for(
        "sink_change", lambda _: sinks.sinks["headset"]["muted"] is True
    )


async def test_sinks_at_the_computer(phone: FakeDevice, computer: FakeDevice) -> None:
    """What is done at the computer is told, too."""
    await computer.sinks.add(FakeSink("speaker"))
    await computer.sinks.add(FakeSink("headset"))
    await pair(phone, computer)
    await phone.wait_for("sinks", lambda e: e.data["names"] == ["speaker", "headset"])
    await computer.sinks.change("speaker", volume=FULL * 3 // 2, muted=True)
    await computer.sinks.set_default("headset")
    await computer.sinks.set_default("headset")
    known = phone.remote_sinks.sinks
    await phone.wait_for("sink_change", lambda _: known["headset"]["enabled"] is True)
    assert known["speaker"] | {"name": "speaker"} == known["speaker"]
    assert (known["speaker"]["volume"], known["speaker"]["enabled"]) == (98_304, False)
    await computer.sinks.remove("headset")
    assert computer.sinks.default == "speaker"
    await phone.wait_for("sinks", lambda e: e.data["names"] == ["speaker"])
    await phone.remote_sinks.request()
    await phone.wait_for("sinks", lambda e: e.data["names"] == ["speaker"])


# --- pointer and keys ---


async def test_input(phone: FakeDevice, computer: FakeDevice) -> None:
    """A computer takes everything and echoes nothing, unless it lists the echo."""
    computer.outgoing |= {"kdeconnect.mousepad.echo"}
    phone.incoming |= {"kdeconnect.mousepad.echo"}
    await pair(phone, computer)
    assert (await phone.wait_for("keyboard_state")).data == {"state": None}
    pad = phone.remote_input
    await pad.request(dx=1.5, dy=-2)
    await pad.request(scroll=True, dx=0, dy=3)
    await pad.request(x=10, y=20)
    for name in ("singleclick", "rightclick", "backclick", "singlehold"):
        await pad.request(**{name: True})
    await pad.press("hello")
    await pad.press(1)
    await pad.press(12)
    await pad.press("c", "ctrl", wants_echo=True)
    await phone.wait_for("key_echo")
    assert pad.echoes == [{"key": "c", "ctrl": True, "isAck": True}]
    done = computer.input
    assert done.moves == [(1.5, -2)]
    assert done.scrolls == [(0, 3)]
    assert done.positions == [(10, 20)]
    assert done.clicks == ["singleclick", "rightclick"]
    held = computer.input.is_held
    assert done.text == "hell\n"
    assert done.keys[-1] == FakeKey(0, "c", frozenset({"ctrl"}))
    await pad.request(singlerelease=True)
    await computer.wait_for("pointer", lambda e: e.data == {"singlerelease": True})
    assert (held, computer.input.is_held) == (True, False)
    assert computer.events.seen("pointer") == 7


async def test_phone_keyboard(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone takes keys only while a text field has the focus, and says so."""
    await pair(phone, computer)
    assert (await computer.wait_for("keyboard_state")).data == {"state": False}
    await computer.remote_input.press("lost", wants_echo=True)
    await phone.wait_packet("mousepad.request")
    await phone.input.set_takes_keys(True)
    assert (await computer.wait_for("keyboard_state")).data == {"state": True}
    await computer.remote_input.press("kept", wants_echo=True)
    await computer.wait_for("key_echo")
    assert phone.input.text == "kept"
    assert computer.remote_input.echoes == [{"key": "kept", "isAck": True}]


async def test_presenter_and_tablet(phone: FakeDevice, computer: FakeDevice) -> None:
    """A pointer on slides and a drawing tablet leave their traces."""
    await pair(phone, computer)
    await phone.send("presenter", {"dx": 0.1, "dy": -0.2})
    await computer.wait_for("presenter")
    assert computer.presenter.is_shown
    await phone.send("presenter", {"stop": True})
    await computer.wait_for("presenter")
    assert (computer.presenter.is_shown, computer.presenter.moves) == (
        False,
        [(0.1, -0.2)],
    )
    await phone.send("digitizer", {"active": True})
    await phone.send("digitizer.session", {"action": "start", "width": 100})
    await phone.send("digitizer", {"active": True, "x": 1})
    await phone.send("digitizer", {"x": 2})
    await phone.send("digitizer.session", {"action": "end"})
    await computer.wait_for("digitizer", lambda e: e.data == {"action": "end"})
    assert computer.digitizer.strokes == [
        {"active": True, "x": 1},
        {"active": True, "x": 2},
    ]
    assert computer.digitizer.session is None


async def test_virtual_monitor(computer: FakeDevice) -> None:
    """A computer tells of its screen at connect and fails to lend it."""
    async with FakeDevice("computer") as other:
        await pair(other, computer)
        assert (await other.wait_packet("virtualmonitor"))["resolutions"] == []
        await other.send("virtualmonitor.request", {"protocol": "rdp"})
        await computer.wait_for("virtual_monitor")
        assert await other.wait_packet("virtualmonitor") == {"failed": 0}
        assert computer.monitor.requests == [{"protocol": "rdp"}]
