"""Which protocol does what, and what becomes of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from .stubs import AIRPLAY, COMPANION, Bench, played, scenario
from custom_components.rumpus.protocols.apple.companion_session import CompanionSession
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.device import AppleDevice
from custom_components.rumpus.protocols.apple.enums import (
    InputAction,
    Key,
    RepeatState,
    ShuffleState,
    TouchPhase,
)
from custom_components.rumpus.protocols.apple.keys import COMPANION_KEYS, MRP_KEYS
from custom_components.rumpus.protocols.apple.models import Account, App, Artwork
from custom_components.rumpus.protocols.apple.mrp_session import MrpSession
from custom_components.rumpus.protocols.companion.enums import HidButton, MediaFlags
from custom_components.rumpus.protocols.companion.events import (
    VolumeChanged as CompanionVolume,
)
from custom_components.rumpus.protocols.errors import (
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.mrp.enums import (
    Command,
    HidUsage,
    VolumeCapability,
)
from custom_components.rumpus.protocols.mrp.errors import CommandRejectedError
from custom_components.rumpus.protocols.mrp.events import VolumeChanged
from custom_components.rumpus.protocols.mrp.models import CommandInfo, VolumeControls
from tests.protocols.virtual_time import run

type Act = Callable[[AppleDevice], Awaitable[object]]
BOTH, TV, PHONE = "both", "mrp", "companion"


def bench_of(kind: str) -> Bench:
    if kind == BOTH:
        return scenario()
    return scenario(AIRPLAY if kind == TV else COMPANION)


@pytest.mark.parametrize(
    ("act", "mrp", "companion"),
    [
        (lambda d: d.play(), ("play",), ("play",)),
        (lambda d: d.pause(), ("pause",), ("pause",)),
        (
            lambda d: d.play_pause(),
            ("toggle",),
            ("press", HidButton.PLAY_PAUSE, InputAction.SINGLE),
        ),
        (lambda d: d.stop_playing(), ("stop",), None),
        (lambda d: d.next_track(), ("next_track",), ("next",)),
        (lambda d: d.previous_track(), ("previous_track",), ("previous",)),
        (lambda d: d.skip(-7), ("skip", -7), ("skip", -7)),
        (lambda d: d.press(Key.SKIP_FORWARD), ("skip_forward",), ("skip", 10.0)),
        (lambda d: d.press(Key.SKIP_BACKWARD), ("skip_backward",), ("skip", -10.0)),
        (lambda d: d.seek(12.5), ("seek", 12.5), None),
        (
            lambda d: d.set_shuffle(ShuffleState.SONGS),
            ("set_shuffle", ShuffleState.SONGS),
            None,
        ),
        (
            lambda d: d.set_repeat(RepeatState.ALL),
            ("set_repeat", RepeatState.ALL),
            None,
        ),
        (
            lambda d: d.press(Key.UP, InputAction.DOUBLE),
            ("press", HidUsage.UP, InputAction.DOUBLE, None),
            ("press", HidButton.UP, InputAction.DOUBLE),
        ),
        (
            lambda d: d.hold(Key.MENU, 2.5),
            ("press", HidUsage.MENU, InputAction.HOLD, 2.5),
            ("hold", HidButton.MENU, 2.5),
        ),
        (
            lambda d: d.press(Key.HOME_HOLD),
            ("press", HidUsage.HOME, InputAction.HOLD, None),
            None,
        ),
        (
            lambda d: d.press(Key.TOP_MENU),
            ("press", HidUsage.TOP_MENU, InputAction.SINGLE, None),
            None,
        ),
        (
            lambda d: d.screensaver(),
            None,
            ("press", HidButton.SCREENSAVER, InputAction.SINGLE),
        ),
        (
            lambda d: d.press(Key.CONTROL_CENTER),
            None,
            ("press", HidButton.PAGE_DOWN, InputAction.SINGLE),
        ),
        (
            lambda d: d.press(Key.VOLUME_UP),
            ("volume_up",),
            ("press", HidButton.VOLUME_UP, InputAction.SINGLE),
        ),
        (
            lambda d: d.press(Key.VOLUME_DOWN),
            ("volume_down",),
            ("press", HidButton.VOLUME_DOWN, InputAction.SINGLE),
        ),
        (
            lambda d: d.hold(Key.VOLUME_UP, 1),
            ("press", HidUsage.VOLUME_UP, InputAction.HOLD, 1),
            ("hold", HidButton.VOLUME_UP, 1),
        ),
        (lambda d: d.artwork(300), ("artwork", 300, None), None),
        (lambda d: d.apps(), None, ("apps",)),
        (lambda d: d.launch("com.x"), None, ("launch", "com.x")),
        (lambda d: d.accounts(), None, ("accounts",)),
        (lambda d: d.switch_account("1"), None, ("switch_account", "1")),
        (lambda d: d.text_get(), None, ("text_get",)),
        (lambda d: d.text_set("a"), None, ("text_set", "a")),
        (lambda d: d.text_append("b"), None, ("text_append", "b")),
        (lambda d: d.text_clear(), None, ("text_clear",)),
        (lambda d: d.swipe(1, 2, 3, 4, 50), None, ("swipe", 1, 2, 3, 4, 50)),
        (
            lambda d: d.touch(1, 2, TouchPhase.PRESS),
            None,
            ("touch_point", 1, 2, TouchPhase.PRESS),
        ),
        (
            lambda d: d.click(InputAction.HOLD),
            None,
            ("click", InputAction.HOLD),
        ),
        (
            lambda d: d.add_output_devices("a", "b"),
            ("add_output_devices", "a", "b"),
            None,
        ),
        (lambda d: d.remove_output_devices("a"), ("remove_output_devices", "a"), None),
        (lambda d: d.set_output_devices("a"), ("set_output_devices", "a"), None),
    ],
)
@pytest.mark.parametrize("kind", [BOTH, TV, PHONE])
def test_who_serves_what(
    act: Act,
    mrp: tuple[object, ...] | None,
    companion: tuple[object, ...] | None,
    kind: str,
) -> None:
    async def scene(bench: Bench) -> None:
        toggle = Command.TOGGLE_PLAY_PAUSE
        for stub in bench.tunnels:
            stub.infos[toggle] = CommandInfo(toggle, True)
        expected_mrp = mrp if kind != PHONE else None
        expected_companion = companion if kind == PHONE or mrp is None else None
        if kind == TV:
            expected_companion = None
        if expected_mrp is None and expected_companion is None:
            with pytest.raises(UnsupportedError):
                await act(bench.device)
        else:
            await act(bench.device)
        made = [stub.calls for stub in bench.tunnels]
        assert made == (
            [] if kind == PHONE else [[expected_mrp] if expected_mrp else []]
        )
        said = [stub.calls for stub in bench.companions]
        wanted = [expected_companion] if expected_companion else []
        assert said == ([] if kind == TV else [wanted])

    run(played(bench_of(kind), scene))


def test_the_key_that_does_something_is_pressed() -> None:
    async def scene(bench: Bench) -> None:
        pressed = ("press", HidButton.PLAY_PAUSE, InputAction.SINGLE)
        # The app in front tells MRP nothing.
        await bench.device.play_pause()
        assert bench.companion.calls == [pressed]
        toggle = Command.TOGGLE_PLAY_PAUSE
        bench.tunnel.infos[toggle] = CommandInfo(toggle, True)
        await bench.device.play_pause()
        assert bench.tunnel.calls == [("toggle",)]
        await bench.device.press(Key.PLAY_PAUSE, InputAction.HOLD)
        assert bench.companion.calls[-1] == (
            "press",
            HidButton.PLAY_PAUSE,
            InputAction.HOLD,
        )

    run(played(scenario(), scene))


def test_what_commands_return() -> None:
    async def scene(bench: Bench) -> None:
        device = bench.device
        assert await device.apps() == (App("com.example", "Example"),)
        assert await device.accounts() == (Account("1", "Ada"),)
        assert await device.text_get() == "text"
        assert await device.artwork() == Artwork(b"picture", "image/png", 512, None)

    run(played(scenario(), scene))


@pytest.mark.parametrize("key", list(Key))
@pytest.mark.parametrize("action", list(InputAction))
@pytest.mark.parametrize("kind", [BOTH, TV, PHONE])
def test_every_key_is_pressed_or_refused(
    key: Key, action: InputAction, kind: str
) -> None:
    tables = {BOTH: [MRP_KEYS, COMPANION_KEYS], TV: [MRP_KEYS], PHONE: [COMPANION_KEYS]}
    is_there = any(action in table.get(key, ()) for table in tables[kind])

    async def scene(bench: Bench) -> None:
        if is_there:
            await bench.device.press(key, action)
        else:
            with pytest.raises(UnsupportedError):
                await bench.device.press(key, action)
        assert len(bench.calls) == int(is_there)

    run(played(bench_of(kind), scene))


def test_every_key_is_somewhere() -> None:
    assert set(MRP_KEYS) | set(COMPANION_KEYS) == set(Key)


def test_sessions_refuse_keys_that_they_do_not_have() -> None:
    async def scene(bench: Bench) -> None:
        for link in bench.device._links:
            session = link.session
            if not isinstance(session, MrpSession | CompanionSession):
                continue
            for key in (Key.PLAY, Key.STOP):
                with pytest.raises(UnsupportedError):
                    await session.press(key, InputAction.HOLD)
                with pytest.raises(UnsupportedError):
                    await session.hold(key, 1)

    run(played(scenario(), scene))


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_key_is_held_for_a_positive_time(seconds: float) -> None:
    async def scene(bench: Bench) -> None:
        with pytest.raises(ValueError, match="positive"):
            await bench.device.hold(Key.UP, seconds)
        with pytest.raises(ValueError, match="negative"):
            await bench.device.seek(seconds - 1)

    run(played(scenario(), scene))


@pytest.mark.parametrize(
    "error",
    [
        PeerTimeoutError("no answer"),
        CommandRejectedError(1, 8, 2),
        UnsupportedError("not now"),
    ],
)
def test_what_the_device_refuses_is_raised_as_it_is(error: RumpusError) -> None:
    async def scene(bench: Bench) -> None:
        bench.tunnel.errors["play"] = error
        with pytest.raises(type(error)) as caught:
            await bench.device.play()
        assert caught.value is error
        assert not bench.companion.calls

    run(played(scenario(), scene))


# Volume


@pytest.mark.parametrize("level", [-0.1, 100.1, float("nan")])
def test_a_volume_is_from_0_to_100(level: float) -> None:
    async def scene(bench: Bench) -> None:
        with pytest.raises(ValueError, match="0 to 100"):
            await bench.device.set_volume(level)

    run(played(scenario(), scene))


def test_the_best_source_has_the_volume() -> None:
    async def scene(bench: Bench) -> None:
        tv, phone, device = bench.tunnel, bench.companion, bench.device
        tv.volume, phone.volume = 40.0, 50.0
        phone.media_flags = MediaFlags.VOLUME
        tv.tell(VolumeChanged(40.0))
        assert device.volume == 40.0
        await device.set_volume(30)
        assert tv.calls == [("set_volume", 30, None)]
        # Without a level of its own the other one serves.
        tv.volume_controls = VolumeControls(True, VolumeCapability.RELATIVE)
        phone.tell(CompanionVolume(50.0))
        assert device.volume == 50.0
        await device.set_volume(20)
        assert phone.calls == [("set_volume", 20)]
        await device.volume_up()
        assert tv.calls[-1] == ("volume_up",)
        tv.volume_controls = VolumeControls()
        await device.volume_down()
        assert phone.calls[-1] == ("press", HidButton.VOLUME_DOWN, InputAction.SINGLE)
        phone.media_flags = MediaFlags(0)
        with pytest.raises(UnsupportedError):
            await device.set_volume(20)
        with pytest.raises(UnsupportedError):
            await device.set_mute(True)
        # The device decides, and says why it cannot.
        bench.companion.errors["press"] = UnsupportedError("no")
        await device.press(Key.UP)

    run(played(scenario(), scene))


def test_the_volume_of_a_device_that_plays_along() -> None:
    async def scene(bench: Bench) -> None:
        await bench.device.set_volume(30, "kitchen")
        assert bench.tunnel.calls == [("set_volume", 30, "kitchen")]

    run(played(scenario(), scene))


def test_companion_knows_no_device_that_plays_along() -> None:
    async def scene(bench: Bench) -> None:
        bench.companion.media_flags = MediaFlags.VOLUME
        with pytest.raises(UnsupportedError):
            await bench.device.set_volume(30, "kitchen")
        session = bench.device._links[2].session
        assert isinstance(session, CompanionSession)
        with pytest.raises(UnsupportedError):
            await session.set_volume(30, "kitchen")

    run(played(scenario(COMPANION), scene))


def test_mute_remembers_the_level() -> None:
    async def scene(bench: Bench) -> None:
        tv, device = bench.tunnel, bench.device

        def tell(volume: float) -> None:
            tv.volume = volume
            tv.tell(VolumeChanged(volume))

        def muted() -> bool | None:
            return device.is_muted

        assert muted() is None
        tell(35.0)
        assert muted() is False
        await device.set_mute(True)
        assert tv.calls.pop() == ("set_volume", 0.0, None)
        tell(0.0)
        assert muted() is True
        await device.set_mute(True)
        assert not tv.calls
        await device.set_mute(False)
        assert tv.calls.pop() == ("set_volume", 35.0, None)
        tell(35.0)
        assert muted() is False
        await device.set_mute(False)
        assert not tv.calls
        # Somebody else turns it up: not muted any more, and nothing to go back to.
        await device.set_mute(True)
        tell(10.0)
        assert muted() is False
        await device.set_mute(False)
        tell(0.0)
        assert muted() is False
        await device.set_mute(False)
        assert len(tv.calls) == 1
        # A mute that fails is none.
        tell(20.0)
        tv.errors["set_volume"] = PeerTimeoutError("no")
        with pytest.raises(PeerTimeoutError):
            await device.set_mute(True)
        tell(0.0)
        assert muted() is False

    run(played(scenario(AIRPLAY), scene))


def test_a_volume_that_somebody_else_changed_while_it_was_muted() -> None:
    async def scene(bench: Bench) -> None:
        tv, device = bench.tunnel, bench.device

        def tell(volume: float) -> None:
            tv.volume = volume
            tv.tell(VolumeChanged(volume))

        tell(35.0)
        await device.set_mute(True)
        tell(0.0)
        # Up, and down again by somebody else: that is not our muting any more.
        tell(20.0)
        tell(0.0)
        assert device.is_muted is False
        tv.calls.clear()
        await device.set_mute(False)
        assert not tv.calls

    run(played(scenario(AIRPLAY), scene))


def test_a_mute_that_takes_several_steps() -> None:
    async def scene(bench: Bench) -> None:
        tv, device = bench.tunnel, bench.device
        asked = asyncio.Event()
        gate = asyncio.Event()

        async def fade(level: float, /, output_device: str | None = None) -> None:
            asked.set()
            await gate.wait()
            tell(level)

        def tell(volume: float) -> None:
            tv.volume = volume
            tv.tell(VolumeChanged(volume))

        tell(35.0)
        tv.set_volume = fade  # type: ignore[method-assign]
        muting = asyncio.ensure_future(device.set_mute(True))
        await asked.wait()
        tell(20.0)
        again = asyncio.ensure_future(device.set_mute(True))
        gate.set()
        await muting
        await again
        assert device.is_muted is True
        await device.set_mute(False)
        assert device.volume == 35.0

    run(played(scenario(AIRPLAY), scene))


def test_the_level_is_kept_when_unmuting_fails() -> None:
    async def scene(bench: Bench) -> None:
        tv, device = bench.tunnel, bench.device
        tv.volume = 35.0
        await device.set_mute(True)
        tv.volume = 0.0
        tv.errors["set_volume"] = PeerTimeoutError("no")
        with pytest.raises(PeerTimeoutError):
            await device.set_mute(False)
        tv.errors.clear()
        await device.set_mute(False)
        assert tv.calls[-1] == ("set_volume", 35.0, None)

    run(played(scenario(AIRPLAY), scene))


def test_the_place_of_a_protocol_in_the_tables() -> None:
    async def scene(bench: Bench) -> None:
        router = bench.device._router
        serves = [link.offers.serves for link in router._links]
        assert serves == [AppleProtocol.MRP, AppleProtocol.MRP, AppleProtocol.COMPANION]
        power = [link.offers.serves for link in router._power_links]
        assert power == [AppleProtocol.COMPANION, AppleProtocol.MRP, AppleProtocol.MRP]

    run(played(scenario(), scene))
