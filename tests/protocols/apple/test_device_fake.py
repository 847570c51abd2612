"""The facade with all its clients, connected to a device over real sockets."""

from collections.abc import Awaitable, Callable
import time

import pytest

from .world import QUICK, World, find
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.device import AppleDevice
from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    Feature,
    InputAction,
    Key,
    MediaType,
    PowerState,
    RepeatState,
    ShuffleState,
)
from custom_components.rumpus.protocols.apple.events import (
    FeaturesChanged,
    FocusChanged,
    OutputDevicesChanged,
    PlayingChanged,
    PowerChanged,
    VolumeChanged,
)
from custom_components.rumpus.protocols.apple.models import Account, App
from custom_components.rumpus.protocols.apple.pairing import start_pairing
from custom_components.rumpus.protocols.errors import UnsupportedError
from custom_components.rumpus.protocols.hap.errors import WrongPinError
from custom_components.rumpus.protocols.mrp.errors import CommandRejectedError
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_artwork import picture
from tests.fakes.apple_tv_core import OsName
from tests.fakes.apple_tv_models import MUSIC_COMMANDS, FakeItem, FakeOutput

pytestmark = pytest.mark.usefixtures("socket_enabled")

A, C, M = AppleProtocol.AIRPLAY, AppleProtocol.COMPANION, AppleProtocol.MRP
SONG = FakeItem(
    "song-1",
    title="Loopback",
    artist="The Sockets",
    album="Ports",
    duration=180.0,
    media_type=pb.MEDIA_TYPE_AUDIO,
    picture=picture("cover", size=(8, 8)),
)


@pytest.mark.parametrize(
    "os", ["tvos_14", "tvos_15", "tvos_17", "tvos_18", "tvos_26", "tvos_27"]
)
async def test_every_system(os: OsName) -> None:
    async with World(FakeAppleTv(os=os)) as world:
        assert world.up == {A, C}
        assert set(world.credentials) == {A, C}
        device = world.device
        assert device.info.build == world.fake.build
        assert device.info.raw_model == world.fake.model
        await world.until(lambda: device.power is PowerState.ON)
        assert await device.apps()
        assert device.volume == 50.0


async def test_a_homepod_needs_no_pairing() -> None:
    async with World(FakeAppleTv(kind="homepod")) as world:
        assert world.up == {A}
        assert not world.credentials
        device = world.device
        world.fake.mrp.media.play("com.apple.Music", SONG, name="Music")
        await world.until(lambda: device.playing.title == "Loopback")
        await device.set_volume(20)
        assert world.fake.volume == pytest.approx(0.2)
        with pytest.raises(UnsupportedError):
            await device.apps()


async def test_mrp_without_the_tunnel() -> None:
    async with World(FakeAppleTv(os="tvos_14")) as world:
        await world.device.stop()
        found = await find(world.fake)
        assert found is not None
        pairing = start_pairing(found, M, world.identity)
        await pairing.begin()
        text = await pairing.finish(world.fake.desk.pin)
        await pairing.close()
        for credentials in ({M: text}, {}):
            device = AppleDevice(
                found,
                credentials,
                world.identity,
                resolve=world._resolve,
                logger=world.device._logger,
                timing=QUICK,
            )
            device.start()
            await device.connected(5)
            assert {
                protocol
                for protocol, link in device.links.items()
                if link.state == "up"
            } == {M}
            await device.press(Key.UP)
            await world.fake.wait_for("button", name="up", via="mrp")
            await device.stop()


async def test_a_wrong_pin() -> None:
    async with FakeAppleTv() as fake:
        found = await find(fake)
        assert found is not None
        for protocol in (A, C):
            pairing = start_pairing(found, protocol, World(fake).identity)
            await pairing.begin()
            with pytest.raises(WrongPinError):
                await pairing.finish("9999" if fake.desk.pin != "9999" else "1111")
            await pairing.close()


async def test_what_is_played_and_how() -> None:
    async with World(FakeAppleTv()) as world:
        device, media = world.device, world.fake.mrp.media
        media.play(
            "com.apple.Music", SONG, name="Music", position=3, commands=MUSIC_COMMANDS
        )
        await world.until(lambda: device.playing.title == "Loopback")
        playing = device.playing
        assert playing.device_state is DeviceState.PLAYING
        assert playing.media_type is MediaType.MUSIC
        assert (playing.artist, playing.album, playing.total_time) == (
            "The Sockets",
            "Ports",
            180,
        )
        assert playing.position is not None
        assert 3 <= playing.position <= 5
        assert playing.position_updated_at == pytest.approx(time.time(), abs=5)
        await world.until(lambda: device.app == App("com.apple.Music", "Music"))
        await world.until(lambda: device.is_available(Feature.SET_SHUFFLE))
        assert device.is_available(Feature.PAUSE, Feature.TITLE, Feature.ARTWORK)
        assert world.told(FeaturesChanged)

        for act, state in (
            (device.pause, DeviceState.PAUSED),
            (device.play, DeviceState.PLAYING),
            (device.play_pause, DeviceState.PAUSED),
        ):
            await act()
            await until_state(world, state)
        await device.seek(60)
        await world.until(lambda: (device.playing.position or 0) >= 60)
        await device.set_shuffle(ShuffleState.SONGS)
        await world.until(lambda: device.playing.shuffle is ShuffleState.SONGS)
        await device.set_repeat(RepeatState.ALL)
        await world.until(lambda: device.playing.repeat is RepeatState.ALL)
        await device.skip(30)
        await world.until(lambda: (device.playing.position or 0) >= 90)
        await device.press(Key.SKIP_BACKWARD)
        await world.until(lambda: (device.playing.position or 0) < 90)

        cover = await device.artwork()
        assert cover is not None
        assert SONG.picture is not None
        assert (cover.data, cover.mimetype) == (SONG.picture.data, "image/png")
        await device.stop_playing()
        await until_state(world, DeviceState.STOPPED)
        assert world.told(PlayingChanged)


async def until_state(world: World, state: DeviceState) -> None:
    await world.until(lambda: world.device.playing.device_state is state)


async def test_a_command_that_the_app_refuses() -> None:
    async with World(FakeAppleTv()) as world:
        world.fake.mrp.media.play("com.film", SONG)
        world.fake.mrp.results[pb.COMMAND_PAUSE] = pb.SEND_ERROR_NO_COMMAND_HANDLERS
        with pytest.raises(CommandRejectedError):
            await world.device.pause()
        assert world.up == {A, C}


async def test_keys_and_gestures() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        await device.press(Key.SELECT)
        event = await fake.wait_for("button", name="select")
        assert event.data["via"] == "mrp"
        await device.press(Key.MENU, InputAction.DOUBLE)
        await device.hold(Key.HOME, 0.1)
        await fake.wait_for("button", name="home")
        fake.mark()
        await device.press(Key.GUIDE)
        assert "guide" in repr(await fake.wait_for("button"))
        fake.mark()
        await device.screensaver()
        assert "screensaver" in repr(await fake.wait_for("button"))
        await device.swipe(100, 500, 900, 500, 50)
        await fake.wait_for("touch")
        await device.click()
        await fake.wait_for("button", name="select")


async def test_apps_and_accounts() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        apps = await device.apps()
        assert {app.identifier for app in apps} == set(fake.apps)
        await device.launch(apps[0].identifier)
        event = await fake.wait_for("launch")
        assert event.data["target"] == apps[0].identifier
        await device.launch("https://example.com/x")
        assert (await fake.wait_for("launch")).data["target"] == "https://example.com/x"
        accounts = await device.accounts()
        assert accounts == tuple(Account(*entry) for entry in fake.accounts.items())
        await device.switch_account(accounts[-1].identifier)
        assert fake.current_account == accounts[-1].identifier


async def test_text() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        await world.until(lambda: device.focus is False)
        field = fake.open_text("Hello")
        await world.until(lambda: device.focus is True)
        assert FocusChanged(True) in world.events
        assert await device.text_get() == "Hello"
        await device.text_append(" World")
        await fake.wait_for("text")
        assert field.text == "Hello World"
        await device.text_set("Anew")
        assert await device.text_get() == "Anew"
        await device.text_clear()
        assert await device.text_get() == ""
        fake.close_text()
        await world.until(lambda: device.focus is False)


async def test_volume_and_output_devices() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        await device.set_volume(33)
        assert device.volume == 33.0
        await device.set_mute(True)
        assert (device.volume, device.is_muted) == (0.0, True)
        await device.set_mute(False)
        assert (device.volume, device.is_muted) == (33.0, False)
        await device.volume_up()
        await world.until(lambda: (device.volume or 0) > 33)
        await device.press(Key.VOLUME_DOWN)
        fake.set_volume(0.7)
        await world.until(lambda: device.volume == 70.0)
        assert VolumeChanged(70.0) in world.events
        before = device.output_devices
        assert len(before) == 1
        await device.set_output_devices(before[0].identifier)
        fake.mrp.set_capabilities(pb.VOLUME_CAPABILITIES_RELATIVE)
        await world.until(lambda: device.volume is None)
        assert not device.is_available(Feature.SET_VOLUME)
        with pytest.raises(UnsupportedError):
            await device.set_volume(10)


async def test_speakers_that_play_along() -> None:
    async with World(FakeAppleTv()) as world:
        device, fake = world.device, world.fake
        speaker = FakeOutput("speaker-1", "Kitchen", volume=0.3)
        fake.mrp.add_speaker(speaker)
        await device.add_output_devices("speaker-1")
        await world.until(lambda: len(device.output_devices) == 2)
        assert world.told(OutputDevicesChanged)
        await device.set_volume(60, "speaker-1")
        await world.until(
            lambda: 60.0 in {output.volume for output in device.output_devices}
        )
        await device.remove_output_devices("speaker-1")
        await world.until(lambda: len(device.output_devices) == 1)


@pytest.mark.parametrize("os", ["tvos_14", "tvos_18", "tvos_26"])
async def test_power(os: OsName) -> None:
    async with World(FakeAppleTv(os=os)) as world:
        device, fake = world.device, world.fake
        await world.until(lambda: device.power is PowerState.ON)
        await device.turn_off()
        assert len(fake.seen("power", state="asleep")) == 1
        assert power(device) is PowerState.OFF
        await device.turn_on()
        assert len(fake.seen("power", state="awake")) == 1
        assert power(device) is PowerState.ON
        fake.sleep(deep=False)
        await world.until(lambda: device.power is PowerState.OFF)
        fake.wake()
        await world.until(lambda: device.power is PowerState.ON)
        fake.screensaver()
        assert PowerChanged(PowerState.OFF, PowerState.ON) in world.events


def power(device: AppleDevice) -> PowerState:
    return device.power


type Act = Callable[[AppleDevice], Awaitable[object]]


@pytest.mark.parametrize(
    "act",
    [
        lambda device: device.turn_on(),
        lambda device: device.press(Key.MENU),
        lambda device: device.apps(),
    ],
)
async def test_commands_wake_a_device_from_its_deepest_sleep(act: Act) -> None:
    async with World(FakeAppleTv(knock_ports=())) as world:
        device, fake = world.device, world.fake
        fake.sleep()
        await world.until(lambda: not device.is_connected)
        found = await find(fake)
        assert found is not None
        assert found.is_asleep
        device.announce(found)
        assert device.power is PowerState.OFF
        await act(device)
        await world.until(lambda: world.up == {A, C})
        assert not fake.is_deeply_asleep
        assert not device.is_asleep
