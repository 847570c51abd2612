"""Touch, media, keyboard and power over a link that does what the test wants."""

import asyncio
from collections.abc import Callable
import math

from hypothesis import given, strategies as st
import pytest

from .common import PATIENT, Answer, ScriptedLink
from .vectors import ARCHIVES
from custom_components.rumpus.protocols.apple.enums import TouchPhase
from custom_components.rumpus.protocols.companion.attention import MAX_STATE, Attention
from custom_components.rumpus.protocols.companion.buttons import MAX_HOLD, Buttons
from custom_components.rumpus.protocols.companion.enums import HidButton, MediaFlags
from custom_components.rumpus.protocols.companion.errors import CommandFailedError
from custom_components.rumpus.protocols.companion.events import (
    AttentionChanged,
    CompanionEvent,
    FocusChanged,
    MediaFlagsChanged,
    VolumeChanged,
)
from custom_components.rumpus.protocols.companion.keyboard import Keyboard
from custom_components.rumpus.protocols.companion.media import MAX_FLAGS, Media
from custom_components.rumpus.protocols.companion.touch import (
    EDGE,
    MAX_DURATION,
    SIZE,
    TouchPad,
    TouchPoint,
    swipe_points,
)
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    UnsupportedError,
)

PRESS, HOLD, RELEASE = TouchPhase.PRESS, TouchPhase.HOLD, TouchPhase.RELEASE
coordinates = st.floats(-100, SIZE + 100)


@pytest.fixture
def link() -> ScriptedLink:
    return ScriptedLink()


@pytest.fixture
def told() -> list[CompanionEvent]:
    return []


# The points of a swipe.


def test_a_straight_line_every_16_milliseconds() -> None:
    points = list(swipe_points((500, 800), (500, 400), 64, 16))
    assert points == [
        TouchPoint(0, 500, 800, PRESS),
        TouchPoint(16, 500, 700, HOLD),
        TouchPoint(32, 500, 600, HOLD),
        TouchPoint(48, 500, 500, HOLD),
        TouchPoint(64, 500, 400, RELEASE),
    ]


@pytest.mark.parametrize("duration", [0, 1, 16])
def test_a_swipe_without_time_for_points_in_between(duration: float) -> None:
    assert list(swipe_points((100, 100), (200, 100), duration, 16)) == [
        TouchPoint(0, 100, 100, PRESS),
        TouchPoint(duration, 200, 100, RELEASE),
    ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ((500, 500), (500, 0)),
        ((500, 500), (500, SIZE)),
        ((500, 500), (0, 500)),
        ((500, 500), (SIZE, 500)),
    ],
)
def test_the_finger_is_lifted_once_near_the_edge(
    start: tuple[float, float], end: tuple[float, float]
) -> None:
    points = list(swipe_points(start, end, 1600, 16))
    phases = [point.phase for point in points]
    lifted = phases.index(RELEASE)
    assert phases[lifted : lifted + 2] == [RELEASE, PRESS]
    up, down = points[lifted : lifted + 2]
    assert (up.at, up.x, up.y) == (down.at, down.x, down.y)
    assert min(up.x, up.y, SIZE - up.x, SIZE - up.y) < EDGE
    assert phases.count(PRESS) == phases.count(RELEASE) == 2
    assert (points[-1].x, points[-1].y) == end


def test_the_finger_is_not_lifted_where_it_comes_from() -> None:
    phases = [point.phase for point in swipe_points((0, 0), (500, 500), 1600, 16)]
    assert phases.count(RELEASE) == 1


@given(
    st.tuples(coordinates, coordinates),
    st.tuples(coordinates, coordinates),
    st.floats(0, 2000),
    st.floats(1, 50),
)
def test_any_swipe(
    start: tuple[float, float],
    end: tuple[float, float],
    duration: float,
    interval: float,
) -> None:
    points = list(swipe_points(start, end, duration, interval))
    assert len(points) <= duration / interval + 4
    assert [point.at for point in points] == sorted(point.at for point in points)
    assert points[-1].at == duration
    is_down = False
    for point in points:
        assert 0 <= point.x <= SIZE
        assert 0 <= point.y <= SIZE
        # Pressed only when it is up, moved and lifted only when it is down.
        assert is_down is not (point.phase == PRESS)
        is_down = point.phase != RELEASE
    assert not is_down


# The pad.


async def pad_of(link: ScriptedLink, clock: Callable[[], int]) -> TouchPad:
    pad = TouchPad(link, Buttons(link, PATIENT), PATIENT, clock)
    await pad.start()
    return pad


async def test_a_touch_is_as_recorded(link: ScriptedLink) -> None:
    times = iter([1_000, 123_457_789])
    pad = await pad_of(link, lambda: next(times))
    pad.touch(500, 800, PRESS)
    assert link.requests == [
        ("_touchStart", {"_height": 1000.0, "_width": 1000.0, "_tFl": 0})
    ]
    assert all(isinstance(link.requests[0][1][key], float) for key in ["_width"])
    assert link.events == [
        ("_hidT", {"_ns": 123_456_789, "_tFg": 1, "_cx": 500, "_tPh": 1, "_cy": 800})
    ]


async def test_a_clock_never_goes_back(link: ScriptedLink) -> None:
    times = iter([1_000, 0])
    pad = await pad_of(link, lambda: next(times))
    pad.touch(0, 0, RELEASE)
    assert link.events[0][1]["_ns"] == 0


@pytest.mark.parametrize("duration", [-1, MAX_DURATION + 1, math.nan, math.inf])
async def test_max_duration(link: ScriptedLink, duration: float) -> None:
    pad = await pad_of(link, lambda: 0)
    with pytest.raises(ValueError, match="swipe"):
        await pad.swipe(0, 0, 1, 1, duration)
    assert not link.events


async def test_two_swipes_come_one_after_the_other(link: ScriptedLink) -> None:
    pad = await pad_of(link, lambda: 0)
    await asyncio.gather(pad.swipe(1, 1, 2, 2, 10), pad.swipe(3, 3, 4, 4, 10))
    phases = [content["_tPh"] for _, content in link.events]
    assert phases.index(4) < len(phases) - 1
    assert phases[phases.index(4) + 1] == 1
    assert phases.count(1) == phases.count(4) == 2


async def test_points_that_are_late_are_left_out(
    link: ScriptedLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    pad = await pad_of(link, lambda: 0)
    loop = asyncio.get_running_loop()
    start = loop.time()
    swipe = asyncio.create_task(pad.swipe(0, 0, 500, 500, 100))
    await asyncio.sleep(0)
    # As if the computer had done something else for a while.
    monkeypatch.setattr(loop, "time", lambda: start + 10)
    await swipe
    assert [content["_tPh"] for _, content in link.events][-1] == 4
    assert len(link.events) < 10


# Buttons.


@pytest.mark.parametrize("seconds", [-0.1, MAX_HOLD + 0.1, math.nan])
async def test_max_hold(link: ScriptedLink, seconds: float) -> None:
    with pytest.raises(ValueError, match="held"):
        await Buttons(link, PATIENT).hold(HidButton.UP, seconds)
    assert not link.requests


async def test_one_button_is_pressed_by_one_at_a_time(link: ScriptedLink) -> None:
    buttons = Buttons(link, PATIENT)
    await asyncio.gather(
        buttons.hold(HidButton.UP, 0.02),
        buttons.hold(HidButton.UP, 0.01),
        buttons.hold(HidButton.DOWN, 0),
    )
    sent = [(content["_hidC"], content["_hBtS"]) for _, content in link.requests]
    assert [state for button, state in sent if button == 1] == [1, 2, 1, 2]
    assert sent.index((2, 2)) < sent.index((1, 2))


# Media.


def media_of(link: ScriptedLink, told: list[CompanionEvent]) -> Media:
    return Media(link, PATIENT, told.append)


async def finish(link: ScriptedLink) -> None:
    if link.tasks:
        await asyncio.wait(link.tasks)


async def test_changes_while_the_volume_is_asked_for(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    media = media_of(link, told)
    link.gate = asyncio.Event()
    link.answers["_mcc"] = [{"_vol": 0.1}, {"_vol": 0.2}, {"_vol": 0.9}]
    for _ in range(50):
        media.flags_received({"_mcF": 0x100})
    link.gate.set()
    await finish(link)
    # Once for the first, and once more for all the others.
    assert link.requests == [("_mcc", {"_mcc": 5})] * 2
    assert told == [
        MediaFlagsChanged(MediaFlags.VOLUME),
        VolumeChanged(10.0),
        VolumeChanged(20.0),
    ]


async def test_an_answer_that_comes_when_there_is_no_volume_any_more(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    media = media_of(link, told)
    link.gate = asyncio.Event()
    link.answers["_mcc"] = [{"_vol": 0.1}]
    media.flags_received({"_mcF": 0x100})
    media.flags_received({"_mcF": 0})
    link.gate.set()
    await finish(link)
    assert media.volume is None
    assert not [event for event in told if isinstance(event, VolumeChanged)]


async def test_an_old_volume_that_is_told_late(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    media = media_of(link, told)
    link.gate = asyncio.Event()
    link.answers["_mcc"] = [{"_vol": 0.5}, {}, {"_vol": 0.25}]
    media.flags_received({"_mcF": 0x100})
    setting = asyncio.create_task(media.set_volume(25))
    await asyncio.sleep(0)
    assert link.requests == [("_mcc", {"_mcc": 5}), ("_mcc", {"_mcc": 6, "_vol": 0.25})]
    link.gate.set()
    await finish(link)
    assert media.volume == 50.0
    assert not setting.done()
    media.flags_received({"_mcF": 0x100})
    await asyncio.wait_for(setting, 1)
    assert told[-1] == VolumeChanged(25.0)


@pytest.mark.parametrize(
    ("answer", "volume"),
    [
        ({"_vol": 2.0}, 100.0),
        ({"_vol": -1.0}, 0.0),
        ({"_vol": 1}, 100.0),
        ({"_vol": "loud"}, None),
        ({}, None),
        (PeerTimeoutError("no answer"), None),
    ],
)
async def test_volumes_of_all_kinds(
    answer: Answer,
    volume: float | None,
    link: ScriptedLink,
    told: list[CompanionEvent],
) -> None:
    media = media_of(link, told)
    link.answers["_mcc"] = [answer]
    media.flags_received({"_mcF": 0x100})
    await finish(link)
    assert media.volume == volume


async def test_a_device_without_a_volume(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    with pytest.raises(UnsupportedError):
        await media_of(link, told).get_volume()


@pytest.mark.parametrize("volume", [-1, 101, math.nan])
async def test_impossible_volumes(
    volume: float, link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    with pytest.raises(ValueError, match="volume"):
        await media_of(link, told).set_volume(volume)
    assert not link.requests


async def test_max_flags(link: ScriptedLink, told: list[CompanionEvent]) -> None:
    media = media_of(link, told)
    media.flags_received({"_mcF": MAX_FLAGS + 1})
    assert not told
    media.flags_received({"_mcF": MAX_FLAGS & ~0x100})
    assert told == [MediaFlagsChanged(MediaFlags(MAX_FLAGS & ~0x100))]


async def test_a_skip_is_always_a_float(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    await media_of(link, told).skip(-10)
    ((_, content),) = link.requests
    assert content == {"_mcc": 7, "_skpS": -10.0}
    assert isinstance(content["_skpS"], float)


# Attention.


async def test_max_state(link: ScriptedLink, told: list[CompanionEvent]) -> None:
    attention = Attention(link, told.append)
    attention.received({"state": MAX_STATE + 1})
    assert not told
    attention.received({"state": MAX_STATE})
    attention.received({"state": MAX_STATE})
    assert attention.state == MAX_STATE
    assert told == [AttentionChanged(MAX_STATE)]


# The keyboard.

FOCUSED: Answer = {"_tiD": ARCHIVES["document"]}


async def keyboard_of(link: ScriptedLink, told: list[CompanionEvent]) -> Keyboard:
    link.answers["_tiStart"] = [FOCUSED]
    keyboard = Keyboard(link, told.append)
    await keyboard.start()
    return keyboard


async def test_the_focus_does_not_flicker(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    keyboard = await keyboard_of(link, told)
    link.gate = asyncio.Event()
    link.answers["_tiStart"] = [FOCUSED]
    reading = asyncio.create_task(keyboard.get())
    await asyncio.sleep(0)
    keyboard.focus_received({})  # because we have stopped
    link.gate.set()
    assert await reading == "Hello"
    assert told == [FocusChanged(True)]
    keyboard.focus_received({})
    assert told == [FocusChanged(True), FocusChanged(False)]


async def test_the_focus_that_was_lost_meanwhile(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    keyboard = await keyboard_of(link, told)
    assert await keyboard.get() is None
    assert told == [FocusChanged(True), FocusChanged(False)]
    assert not link.events


@pytest.mark.parametrize("name", ["_tiStop", "_tiStart"])
async def test_beginning_anew_fails(
    name: str, link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    keyboard = await keyboard_of(link, told)
    link.answers[name] = [PeerTimeoutError("no answer")]
    with pytest.raises(PeerTimeoutError):
        await keyboard.get()
    assert link.requests[-1] == ("_tiStart", {})
    keyboard.focus_received({})  # is heard again
    assert keyboard.focus is False


async def test_the_keyboard_is_begun_anew_by_who_is_cancelled(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    keyboard = await keyboard_of(link, told)
    link.gate = asyncio.Event()
    reading = asyncio.create_task(keyboard.get())
    await asyncio.sleep(0)
    assert link.requests[-1] == ("_tiStop", {})
    reading.cancel()
    await asyncio.wait({reading})
    assert link.requests[-1] == ("_tiStart", {})
    keyboard.focus_received({})
    assert told == [FocusChanged(True), FocusChanged(False)]


async def test_a_field_that_cannot_be_read(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    keyboard = await keyboard_of(link, told)
    link.answers["_tiStart"] = [{"_tiD": b"nonsense"}]
    with pytest.raises(ProtocolError):
        await keyboard.set("text")
    assert not link.events


async def test_nothing_is_cleared_for_what_cannot_be_typed(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    keyboard = await keyboard_of(link, told)
    link.answers["_tiStart"] = [FOCUSED, FOCUSED]
    with pytest.raises(MessageTooLargeError):
        await keyboard.set("x" * 100_000)
    with pytest.raises(ProtocolError):
        await keyboard.append("secret \udc00")
    assert not link.events


async def test_a_device_without_a_keyboard(
    link: ScriptedLink, told: list[CompanionEvent]
) -> None:
    link.answers["_tiStart"] = [CommandFailedError("_tiStart", 58822)]
    keyboard = Keyboard(link, told.append)
    await keyboard.start()
    assert keyboard.focus is None
    with pytest.raises(UnsupportedError):
        await keyboard.clear()
