"""What the facade tells, out of all its sessions, and only once."""

from dataclasses import replace
from typing import get_args

import pytest

from .stubs import AIRPLAY, Bench, StubMrp, found, played, scenario
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import (
    DeviceState,
    Feature,
    MediaType,
    PowerState,
)
from custom_components.rumpus.protocols.apple.events import (
    ArtworkChanged,
    FeaturesChanged,
    FocusChanged,
    InfoChanged,
    LinkLost,
    OutputDevicesChanged,
    PlayingChanged,
    PowerChanged,
    VolumeChanged,
)
from custom_components.rumpus.protocols.apple.models import (
    IDLE,
    App,
    Artwork,
    OutputDevice,
    Playing,
)
from custom_components.rumpus.protocols.apple.mrp_session import MrpSession
from custom_components.rumpus.protocols.apple.session import Aspect
from custom_components.rumpus.protocols.companion import events as companion
from custom_components.rumpus.protocols.companion.enums import (
    AttentionState,
    MediaFlags,
)
from custom_components.rumpus.protocols.errors import RumpusError
from custom_components.rumpus.protocols.mrp import events as mrp
from custom_components.rumpus.protocols.mrp.models import (
    KeyboardSession,
    MrpDeviceInfo,
    VolumeControls,
)
from tests.protocols.virtual_time import run

SONG = Playing(
    MediaType.MUSIC,
    DeviceState.PLAYING,
    title="Song",
    position=3,
    app=App("com.music", "Music"),
)


def power(bench: Bench) -> PowerState:
    return bench.device.power


def volume(bench: Bench) -> float | None:
    return bench.device.volume


def test_what_is_played() -> None:
    async def scene(bench: Bench) -> None:
        device, tv = bench.device, bench.tunnel
        assert (device.playing, device.app) == (IDLE, None)
        bench.events.clear()
        tv.playing = SONG
        tv.tell(mrp.PlayingChanged(SONG))
        tv.tell(mrp.PlayingChanged(SONG))
        assert bench.events == [PlayingChanged(SONG), FeaturesChanged()]
        assert device.playing is SONG
        assert device.app == App("com.music", "Music")
        # The same shape: the same features.
        bench.events.clear()
        tv.playing = replace(SONG, title="Other", position=0)
        tv.tell(mrp.PlayingChanged(tv.playing))
        assert bench.events == [PlayingChanged(tv.playing)]
        bench.events.clear()
        tv.tell(mrp.ArtworkChanged())
        tv.tell(mrp.CommandsChanged())
        assert bench.events == [ArtworkChanged(), FeaturesChanged()]
        bench.events.clear()
        tv.tell(mrp.Lost(None))
        assert device.playing == IDLE
        assert bench.events[:2] == [
            LinkLost(AppleProtocol.AIRPLAY, None),
            PlayingChanged(IDLE),
        ]
        # It is told anew as soon as the link is back.
        await bench.until(lambda: len(bench.tunnels) == 2)

    run(played(scenario(), scene))


def test_the_state_at_the_time_of_a_link() -> None:
    async def scene(bench: Bench) -> None:
        assert bench.device.power is PowerState.UNKNOWN
        bench.tunnel.tell(mrp.Lost(None))
        await bench.until(lambda: len(bench.tunnels) == 2)

    run(played(scenario(AIRPLAY), scene))


def test_two_witnesses_of_the_power() -> None:
    async def scene(bench: Bench) -> None:
        tv, phone = bench.tunnel, bench.companion
        tv.power = PowerState.ON
        tv.tell(mrp.PowerChanged(PowerState.OFF, PowerState.ON))
        assert power(bench) is PowerState.ON
        # Attention goes first as soon as it says anything.
        phone.power = PowerState.OFF
        phone.tell(companion.AttentionChanged(AttentionState.ASLEEP))
        assert power(bench) is PowerState.OFF
        tv.tell(mrp.PowerChanged(PowerState.OFF, PowerState.ON))
        assert power(bench) is PowerState.OFF
        assert bench.told(PowerChanged) == [
            PowerChanged(PowerState.UNKNOWN, PowerState.ON),
            PowerChanged(PowerState.ON, PowerState.OFF),
        ]
        # With its link the witness goes.
        phone.tell(companion.Lost(None))
        assert power(bench) is PowerState.ON
        tv.tell(mrp.Lost(None))
        assert power(bench) is PowerState.UNKNOWN
        assert bench.told(PowerChanged)[-1] == PowerChanged(
            PowerState.ON, PowerState.UNKNOWN
        )

    run(played(scenario(), scene))


def test_volume_outputs_and_focus() -> None:
    async def scene(bench: Bench) -> None:
        device, tv, phone = bench.device, bench.tunnel, bench.companion
        assert (device.volume, device.output_devices, device.focus) == (None, (), None)
        tv.volume = 25.0
        for _ in range(2):
            tv.tell(mrp.VolumeChanged(25.0))
        assert bench.told(VolumeChanged) == [VolumeChanged(25.0)]
        # Whether there is a volume goes with what can be done to it.
        tv.volume_controls = VolumeControls()
        tv.tell(mrp.VolumeControlsChanged(tv.volume_controls))
        assert volume(bench) is None
        phone.volume = 75.0
        phone.tell(companion.VolumeChanged(75.0))
        assert volume(bench) is None
        phone.media_flags = MediaFlags.VOLUME
        phone.tell(companion.MediaFlagsChanged(phone.media_flags))
        assert volume(bench) == 75.0

        kitchen = OutputDevice("1", "Kitchen", 30.0)
        tv.output_devices = (kitchen,)
        tv.tell(mrp.OutputDevicesChanged(tv.output_devices))
        tv.tell(mrp.OutputVolumeChanged("1", 30.0))
        assert bench.told(OutputDevicesChanged) == [OutputDevicesChanged((kitchen,))]
        assert device.output_devices == (kitchen,)

        phone.focus = True
        for _ in range(2):
            phone.tell(companion.FocusChanged(True))
        assert device.focus is True
        phone.tell(companion.Lost(None))
        assert bench.told(FocusChanged) == [FocusChanged(True), FocusChanged(None)]
        # Nobody asked for this one.
        tv.tell(mrp.KeyboardChanged(KeyboardSession()))

    run(played(scenario(), scene))


def test_facts_about_the_device_are_filled_in() -> None:
    async def scene(bench: Bench) -> None:
        device, tv = bench.device, bench.tunnel
        assert device.name == "Living Room"
        assert device.info.raw_model == "AppleTV11,1"
        assert device.info.build is None
        tv.device_info = MrpDeviceInfo(
            name="Another", build="22K155", model="AppleTV14,1", uid="uid"
        )
        for _ in range(2):
            tv.tell(mrp.InfoChanged(tv.device_info))
        info = device.info
        assert bench.told(InfoChanged) == [InfoChanged(info)]
        assert (info.raw_model, info.build, info.version) == (
            "AppleTV11,1",
            "22K155",
            "18.x",
        )
        assert info.output_device_id == "uid"
        # What is announced goes first, and is told at once.
        device.announce(replace(found(), info=replace(found().info, version="18.2")))
        assert device.info.version == "18.2"
        assert len(bench.told(InfoChanged)) == 2

    run(played(scenario(), scene))


def test_a_subscriber_that_fails_keeps_nothing_from_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(bench: Bench) -> None:
        def fail(event: object) -> None:
            raise ZeroDivisionError

        heard: list[object] = []
        ends = [bench.device.subscribe(fail), bench.device.subscribe(heard.append)]
        bench.tunnel.tell(mrp.ArtworkChanged())
        assert heard == [ArtworkChanged()]
        for end in (*ends, *ends):
            end()
        bench.tunnel.tell(mrp.ArtworkChanged())
        assert len(heard) == 1

    run(played(scenario(), scene))
    assert caplog.text.count("Unexpected error telling an event") == 1


def test_a_subscriber_that_another_one_ends_hears_no_more() -> None:
    async def scene(bench: Bench) -> None:
        told: list[str] = []

        def end_the_other(_: object) -> None:
            told.append("first")
            end()

        bench.device.subscribe(end_the_other)
        end = bench.device.subscribe(lambda _: told.append("second"))
        bench.tunnel.volume = 5.0
        bench.tunnel.tell(mrp.VolumeChanged(5.0))
        assert told == ["first"]

    run(played(scenario(), scene))


def test_the_hash_of_what_is_played() -> None:
    """The Apple TV reference, part B, section 5.7."""
    idle = "ca496c14642c78af6dd4250191fe175f6dafd72b4c33bcbab43c454aae051da1"
    legacy = "909eeb4ec7d64c3362212b46c2e6d19d5598185652efe0ed9a120fb0b54316bd"
    assert IDLE.hash == idle
    assert Playing(total_time=0).hash == legacy
    assert Playing(item_identifier="item").hash == "item"
    assert Playing(title="\ud800").hash != idle


def test_everything_is_known_before_any_of_it_is_told() -> None:
    async def scene(bench: Bench) -> None:
        device, tv = bench.device, bench.tunnel
        tv.playing, tv.power, tv.volume = SONG, PowerState.ON, 10.0
        tv.tell(mrp.PlayingChanged(SONG))
        seen: list[tuple[object, ...]] = []

        def look(event: object) -> None:
            seen.append((type(event), device.playing, device.power, device.volume))

        device.subscribe(look)
        tv.tell(mrp.Lost(None))
        assert seen == [
            (kind, IDLE, PowerState.UNKNOWN, None)
            for kind in (LinkLost, PlayingChanged, FeaturesChanged)
        ]

    run(played(scenario(AIRPLAY), scene))


def test_every_event_of_companion_is_heard() -> None:
    async def scene(bench: Bench) -> None:
        phone = bench.companion
        samples: list[companion.CompanionEvent] = [
            companion.AttentionChanged(AttentionState.AWAKE),
            companion.MediaFlagsChanged(MediaFlags(0)),
            companion.VolumeChanged(1.0),
            companion.FocusChanged(True),
            companion.Lost(None),
        ]
        kinds = get_args(companion.CompanionEvent.__value__)
        assert {type(sample) for sample in samples} == set(kinds)
        for sample in samples:
            phone.tell(sample)
        assert len(bench.told(LinkLost)) == 1

    run(played(scenario(), scene))


def test_a_session_has_nothing_to_say_before_it_is_open() -> None:
    class Nobody:
        async def open(self) -> StubMrp:
            raise NotImplementedError

        async def close(self) -> None:
            """Nothing was opened."""

        def changed(self, aspect: Aspect) -> None:
            raise NotImplementedError

        def lost(self, error: RumpusError | None) -> None:
            raise NotImplementedError

    session = MrpSession(Nobody(), Nobody())
    with pytest.raises(RuntimeError):
        session.feature(Feature.PLAY)


def test_pictures_are_not_shown_in_words() -> None:
    assert "secret" not in repr(Artwork(b"secret", "image/png"))
