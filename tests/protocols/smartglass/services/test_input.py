"""Buttons, sticks, touch and sensors."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
import contextlib
import math

from hypothesis import given, settings, strategies as st
import pytest

from .support import Events, FakeLink, virtual
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    GamepadButtons,
    TouchAction,
)
from custom_components.rumpus.protocols.smartglass.messages import (
    Accelerometer,
    Compass,
    Gamepad,
    MediaControllerRemoved,
    SystemTouch,
    TitleTouch,
    TouchPoint,
)
from custom_components.rumpus.protocols.smartglass.services import input as module
from custom_components.rumpus.protocols.smartglass.services.input import (
    MAX_HOLD,
    MAX_PATH,
    MAX_REPEATS,
    MAX_TOUCH_POINTS,
    RELEASE_AGAIN,
    GamepadState,
    InputService,
    Stick,
    Trigger,
)

A, B, X, LB = (
    GamepadButtons.A,
    GamepadButtons.B,
    GamepadButtons.X,
    GamepadButtons.LEFT_SHOULDER,
)
NONE = GamepadButtons(0)


@contextlib.asynccontextmanager
async def opened(link: FakeLink) -> AsyncIterator[InputService]:
    """Open the channel, and close it behind the test."""
    service = InputService(link, Events().append)
    service.opened()
    yield service
    service.closed()


def masks(link: FakeLink) -> list[GamepadButtons]:
    return [message.buttons for message in link.of(Gamepad)]


def since_first(link: FakeLink) -> list[float]:
    return [round(time - link.times[0], 3) for time in link.times]


@virtual
async def test_press_and_release_timing(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.press(A)
    assert masks(link) == [A, NONE, NONE]
    assert since_first(link) == [0, 0.1, 0.1 + RELEASE_AGAIN]
    assert not any(link.acked)


def test_release_is_repeated_in_time() -> None:
    assert 0.05 <= RELEASE_AGAIN <= 0.1


@virtual
async def test_chord_with_a_hold_of_its_own(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.press(A, B, hold=2)
    assert masks(link) == [A | B, NONE, NONE]
    assert since_first(link) == [0, 2, 2 + RELEASE_AGAIN]


@virtual
async def test_series_keeps_its_pauses(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.press(A, repeats=3, hold=0.1, pause=0.2)
    assert masks(link) == [A, NONE, NONE] * 3
    assert since_first(link)[::3] == [0, 0.3, 0.6]


@virtual
async def test_series_without_a_pause_lets_the_release_out_twice(
    link: FakeLink,
) -> None:
    async with opened(link) as service:
        await service.press(A, repeats=2, pause=0)
    assert masks(link) == [A, NONE, NONE] * 2
    assert since_first(link)[3] == 0.1 + RELEASE_AGAIN


@virtual
async def test_presses_at_once_are_done_one_after_the_other(link: FakeLink) -> None:
    async with opened(link) as service:
        await asyncio.gather(service.press(A), service.press(B), service.press(A))
    assert masks(link) == [A, NONE, NONE, B, NONE, NONE, A, NONE, NONE]


@virtual
async def test_held_buttons_combine_with_presses(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.hold(LB)
        await service.press(A)
        await service.hold(X)
        await service.let_go(LB)
        await service.let_go()
    assert masks(link) == [LB, LB | A, LB, LB, LB | X, X, X, NONE, NONE]


@virtual
async def test_chord_of_buttons_triggers_and_sticks(link: FakeLink) -> None:
    """It combines with what is held, and a second one waits for its turn."""
    chord = GamepadState(A, left_trigger=0.5, right_y=-1.0)
    async with opened(link) as service:
        await service.gamepad(GamepadState(LB, left_trigger=1.0, left_x=0.25))
        await asyncio.gather(service.chord(chord, 2), service.chord(GamepadState(B)))
    held = GamepadState(LB, left_trigger=1.0, left_x=0.25)
    assert [_state(message) for message in link.of(Gamepad)] == [
        held,
        GamepadState(A | LB, left_trigger=0.5, left_x=0.25, right_y=-1.0),
        held,
        held,
        GamepadState(B | LB, left_trigger=1.0, left_x=0.25),
        held,
        held,
        # Closing lets go of what is held.
        GamepadState(),
    ]


@virtual
async def test_let_go_of_what_is_not_held(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.let_go(A)
    assert masks(link) == [NONE]


@virtual
async def test_cancelled_press_is_released(link: FakeLink) -> None:
    async with opened(link) as service:
        press = asyncio.create_task(service.press(A, hold=10))
        await asyncio.sleep(1)
        press.cancel()
        with pytest.raises(asyncio.CancelledError):
            await press
        assert masks(link) == [A, NONE]
        # The next one waits for the second release.
        await service.press(B)
    assert masks(link) == [A, NONE, NONE, B, NONE, NONE]


@virtual
async def test_cancelled_between_the_releases(link: FakeLink) -> None:
    async with opened(link) as service:
        press = asyncio.create_task(service.press(A))
        await asyncio.sleep(0.12)
        press.cancel()
        await asyncio.wait([press])
        await asyncio.sleep(1)
    assert masks(link) == [A, NONE, NONE]


@virtual
async def test_cancelled_while_waiting_for_its_turn(link: FakeLink) -> None:
    async with opened(link) as service:
        first = asyncio.create_task(service.press(A))
        second = asyncio.create_task(service.press(B))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.wait([first, second])
    assert masks(link) == [A, NONE, NONE]


@virtual
async def test_link_goes_while_a_button_is_down(link: FakeLink) -> None:
    async with opened(link) as service:
        press = asyncio.create_task(service.press(A, hold=10))
        waiting = asyncio.create_task(service.press(B))
        await asyncio.sleep(1)
        link.is_open = False
        service.closed()
        link.is_open = True
        service.opened()
        done, _ = await asyncio.wait([press, waiting])
        assert all(isinstance(task.exception(), DisconnectedError) for task in done)
        # What waited for the old session does nothing in the new one.
        assert B not in masks(link)
    assert masks(link) == [A]


@virtual
async def test_channel_is_closed_while_a_button_is_down(link: FakeLink) -> None:
    async with opened(link) as service:
        press = asyncio.create_task(service.press(A, hold=10))
        await asyncio.sleep(1)
        # Somebody still listens: the session is about to end.
        service.closed()
        with pytest.raises(DisconnectedError):
            await press
        service.opened()
        await service.hold(X)
    assert masks(link) == [A, NONE, X, NONE]


@virtual
async def test_press_without_a_channel(link: FakeLink) -> None:
    service = InputService(link, Events().append)
    with pytest.raises(DisconnectedError):
        await service.press(A)
    link.is_open = False
    with pytest.raises(DisconnectedError):
        await service.press(A)
    assert masks(link) in ([A, NONE], [A, NONE, NONE])
    service.closed()


@virtual
async def test_release_that_cannot_be_sent(link: FakeLink) -> None:
    async with opened(link) as service:
        link.errors.extend([None, DisconnectedError()])
        with pytest.raises(DisconnectedError):
            await service.press(A)


@virtual
async def test_second_release_that_cannot_be_sent(link: FakeLink) -> None:
    async with opened(link) as service:
        link.errors.extend([None, None, DisconnectedError()])
        await service.press(A)
    assert masks(link) == [A, NONE, NONE]


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (
            lambda s: s.move(Stick.LEFT, -1, 0.5, 0.3),
            GamepadState(left_x=-1, left_y=0.5),
        ),
        (
            lambda s: s.move(Stick.RIGHT, 0.25, -1, 0.3),
            GamepadState(right_x=0.25, right_y=-1),
        ),
        (lambda s: s.pull(Trigger.LEFT, 0.5, 0.3), GamepadState(left_trigger=0.5)),
        (lambda s: s.pull(Trigger.RIGHT, hold=0.3), GamepadState(right_trigger=1)),
    ],
)
def test_sticks_and_triggers_go_back(
    link: FakeLink,
    move: Callable[[InputService], Coroutine[object, None, None]],
    expected: GamepadState,
) -> None:
    @virtual
    async def scenario() -> None:
        async with opened(link) as service:
            await move(service)

    scenario()
    pushed, centred, again = link.of(Gamepad)
    assert _state(pushed) == expected
    assert _state(centred) == _state(again) == GamepadState()
    assert since_first(link) == [0, 0.3, 0.3 + RELEASE_AGAIN]


def _state(message: Gamepad) -> GamepadState:
    return GamepadState(
        message.buttons,
        message.left_trigger,
        message.right_trigger,
        message.left_thumbstick_x,
        message.left_thumbstick_y,
        message.right_thumbstick_x,
        message.right_thumbstick_y,
    )


@virtual
async def test_raw_states_need_not_wait(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.gamepad(GamepadState(A, left_x=1))
        await service.gamepad(GamepadState(B))
        await service.gamepad(GamepadState(B, left_y=-0.5))
        assert since_first(link) == [0, 0, 0]
        await service.press(X)
        await service.gamepad(GamepadState())
    # The second release is not waited for: it goes out as the channel closes.
    assert masks(link) == [A, B, B, B, B | X, B, B, NONE, NONE]


@virtual
async def test_release_of_everything_at_once(link: FakeLink) -> None:
    async with opened(link) as service:
        service.release()
        assert not link.sent
        await service.gamepad(GamepadState(A, right_trigger=1))
        service.release()
        assert _state(link.of(Gamepad)[-1]) == GamepadState()
        press = asyncio.create_task(service.press(B, hold=5))
        await asyncio.sleep(1)
        link.errors.append(DisconnectedError())
        service.release()
        await press
    assert masks(link) == [A, NONE, B, NONE, NONE, NONE]


@pytest.mark.parametrize(
    "state",
    [
        GamepadState(left_trigger=1.01),
        GamepadState(right_trigger=-0.01),
        GamepadState(left_x=1.01),
        GamepadState(left_y=-1.01),
        GamepadState(right_x=math.nan),
        GamepadState(right_y=math.inf),
    ],
)
def test_gamepad_out_of_range(link: FakeLink, state: GamepadState) -> None:
    @virtual
    async def scenario() -> None:
        async with opened(link) as service:
            with pytest.raises(ProtocolError):
                await service.gamepad(state)
            await service.press(A)

    scenario()
    assert masks(link) == [A, NONE, NONE]


@virtual
async def test_press_of_nothing(link: FakeLink) -> None:
    async with opened(link) as service:
        for nothing in (service.press(), service.press(NONE), service.hold()):
            with pytest.raises(ProtocolError):
                await nothing
    assert not link.sent


@virtual
async def test_limit_of_times(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.press(A, hold=MAX_HOLD, pause=MAX_HOLD)
        for wrong in (MAX_HOLD + 0.1, -0.1, math.nan, math.inf):
            with pytest.raises(ProtocolError):
                await service.press(A, hold=wrong)
            with pytest.raises(ProtocolError):
                await service.press(A, pause=wrong)
            with pytest.raises(ProtocolError):
                await service.drag([(0, 0), (1, 1)], step=wrong)
    assert masks(link) == [A, NONE, NONE]


@virtual
async def test_limit_of_repeats(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.press(A, repeats=MAX_REPEATS)
        for wrong in (MAX_REPEATS + 1, 0, -1):
            with pytest.raises(ProtocolError):
                await service.press(A, repeats=wrong)
    assert len(link.sent) == 3 * MAX_REPEATS


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([A, B, X, LB]),
            st.floats(0, 0.5),
            st.floats(0, 1),
            st.floats(0, 2) | st.none(),
        ),
        max_size=6,
    )
)
def test_whatever_is_pressed_and_cancelled_nothing_stays_down(
    presses: list[tuple[GamepadButtons, float, float, float | None]],
) -> None:
    link = FakeLink()

    async def one(
        service: InputService,
        press: tuple[GamepadButtons, float, float, float | None],
    ) -> None:
        button, hold, start, cancel = press
        await asyncio.sleep(start)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(cancel):
                await service.press(button, hold=hold)

    @virtual
    async def scenario() -> None:
        async with opened(link) as service:
            await asyncio.gather(*(one(service, press) for press in presses))
            await asyncio.sleep(1)

    scenario()
    sent = masks(link)
    # Each press has one packet down and two up: it is never repeated.
    assert len(sent) % 3 == 0
    for down, up, again in zip(sent[::3], sent[1::3], sent[2::3], strict=True):
        assert down in (A, B, X, LB)
        assert up == again == NONE


def point(action: TouchAction, x: int = 1, y: int = 2, finger: int = 1) -> TouchPoint:
    return TouchPoint(finger, action, x, y)


@virtual
async def test_tap(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.tap(10, 20)
    assert [message.touchpoints for message in link.of(SystemTouch)] == [
        (point(TouchAction.DOWN, 10, 20),),
        (point(TouchAction.UP, 10, 20),),
    ]
    assert link.acked == [True, True]
    first, last = (message.touch_msg_timestamp for message in link.of(SystemTouch))
    assert last - first == pytest.approx(110, abs=1)


@virtual
async def test_drags_are_done_one_after_the_other(link: FakeLink) -> None:
    async with opened(link) as service:
        await asyncio.gather(
            service.drag([(0, 0), (5, 5), (9, 9)]), service.drag([(1, 1), (2, 2)])
        )
    found = [message.touchpoints[0] for message in link.of(SystemTouch)]
    assert found == [
        point(TouchAction.DOWN, 0, 0),
        point(TouchAction.MOVE, 5, 5),
        point(TouchAction.UP, 9, 9),
        point(TouchAction.DOWN, 1, 1),
        point(TouchAction.UP, 2, 2),
    ]


@virtual
async def test_finger_is_lifted_when_an_ack_is_missing(link: FakeLink) -> None:
    async with opened(link) as service:
        link.errors.extend([None, PeerTimeoutError()])
        with pytest.raises(PeerTimeoutError):
            await service.drag([(0, 0), (5, 5), (9, 9)])
        drag = asyncio.create_task(service.drag([(0, 0), (9, 9)], step=5))
        await asyncio.sleep(1)
        link.errors.append(DisconnectedError())
        drag.cancel()
        await asyncio.wait([drag])
    actions = [m.touchpoints[0].touchpoint_action for m in link.of(SystemTouch)]
    down, move, cancel = TouchAction.DOWN, TouchAction.MOVE, TouchAction.CANCEL
    assert actions == [down, move, cancel, down, cancel]


@virtual
async def test_drag_of_an_old_session(link: FakeLink) -> None:
    async with opened(link) as service:
        first = asyncio.create_task(service.drag([(0, 0), (9, 9)], step=5))
        second = asyncio.create_task(service.drag([(0, 0), (9, 9)], step=5))
        await asyncio.sleep(1)
        service.opened()
        done, _ = await asyncio.wait([first, second])
        assert all(isinstance(task.exception(), DisconnectedError) for task in done)


@virtual
async def test_limit_of_fingers(link: FakeLink) -> None:
    points = tuple(
        point(TouchAction.MOVE, finger=finger)
        for finger in range(1, MAX_TOUCH_POINTS + 1)
    )
    async with opened(link) as service:
        await service.touch(*points)
        await service.touch(points[0], is_title=True)
        with pytest.raises(ProtocolError):
            await service.touch(*points, point(TouchAction.MOVE, finger=11))
        with pytest.raises(ProtocolError):
            await service.touch()
    assert link.of(SystemTouch)[0].touchpoints == points
    assert link.of(TitleTouch)[0].touchpoints == points[:1]


@virtual
async def test_touch_outside_of_the_screen(link: FakeLink) -> None:
    async with opened(link) as service:
        width, height = module.SCREEN
        await service.tap(width, height)
        for place in ((width + 1, 0), (0, height + 1), (-1, 0), (0, -1)):
            with pytest.raises(ProtocolError):
                await service.tap(*place)
    assert len(link.sent) == 2


@virtual
async def test_limit_of_paths(link: FakeLink) -> None:
    async with opened(link) as service:
        await service.drag([(0, 0)] * MAX_PATH)
        for wrong in (MAX_PATH + 1, 1, 0):
            with pytest.raises(ProtocolError):
                await service.drag([(0, 0)] * wrong)
    assert len(link.sent) == MAX_PATH


@virtual
async def test_sensors(link: FakeLink) -> None:
    readings = (Accelerometer(5, 0, -1, 9.5), Compass(8, 359.5, 1))
    async with opened(link) as service:
        await service.sense(*readings)
    assert tuple(link.sent) == readings
    assert not any(link.acked)


@virtual
async def test_nothing_is_expected_from_the_console(link: FakeLink) -> None:
    async with opened(link) as service:
        service.received(MediaControllerRemoved(1))
        service.received_json({"type": 1})
    assert not link.sent
