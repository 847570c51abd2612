"""A client and a device that behaves well: everything that they can do together."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from .common import IDENTITY, PATIENT, Linked, Log, client_of, pair
from custom_components.rumpus.protocols.apple.enums import (
    InputAction,
    PowerState,
    TouchPhase,
)
from custom_components.rumpus.protocols.apple.models import Account, App
from custom_components.rumpus.protocols.companion import client as client_module
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.companion.enums import (
    AttentionState,
    HidButton,
    MediaCommand,
    MediaFlags,
)
from custom_components.rumpus.protocols.companion.errors import (
    CommandFailedError,
    NoTextFieldError,
)
from custom_components.rumpus.protocols.companion.events import (
    AttentionChanged,
    FocusChanged,
    MediaFlagsChanged,
    VolumeChanged,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    UnsupportedError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_core import ACCOUNTS, APPS, FLAVOURS


def power_of(client: CompanionClient) -> PowerState:
    """Return the power as it is now: mypy takes a property for what it was before."""
    return client.power


async def test_the_session_comes_up_in_its_order(
    device: FakeAppleTv, client: Linked
) -> None:
    await client[0].connect()
    assert client[0].is_connected
    names = [event.data["name"] for event in device.seen("request")]
    assert names[:6] == [
        "_systemInfo",
        "_touchStart",
        "_sessionStart",
        "TVRCSessionStart",
        "_tiStart",
        "FetchAttentionState",
    ]
    interests = [event.data["names"] for event in device.seen("interest")]
    assert interests == [
        ["_iMC"],
        ["SystemStatus", "_iMC"],
        ["SystemStatus", "TVSystemStatus", "_iMC"],
    ]
    told = device.companion.connection.system_info
    assert told["_i"] == IDENTITY.rp_id
    assert told["_pubID"] == IDENTITY.mac
    assert told["name"] == "Rumpus"
    assert told["model"] == IDENTITY.model
    assert isinstance(told["_idsID"], bytes)


async def test_what_is_known_after_connecting(
    device: FakeAppleTv, client: Linked
) -> None:
    made, log = client
    assert not made.is_connected
    assert power_of(made) is PowerState.UNKNOWN
    assert (made.focus, made.has_touch) == (None, False)
    await made.connect()
    assert made.attention is AttentionState.AWAKE
    assert power_of(made) is PowerState.ON
    assert (made.focus, made.has_touch) == (False, True)
    assert made.system_info.name == device.name
    assert made.system_info.model == device.model
    assert made.system_info.software_version == device.flavour.companion_version
    assert made.system_info.public_id == device.device_id
    assert made.system_info.identifier == device.identity.rp_installation
    assert made.system_info.media_remote_id == str(device.identity.rp_id).upper()
    assert made.system_info.room == device.name
    assert await log.get(AttentionChanged) == AttentionChanged(AttentionState.AWAKE)
    if made.volume is None:
        assert await log.get(VolumeChanged) == VolumeChanged(50.0)
    assert made.volume == 50.0
    assert made.media_flags == MediaFlags.VOLUME


async def test_the_session_ends_in_order(device: FakeAppleTv, linked: Linked) -> None:
    await linked[0].close()
    assert not linked[0].is_connected
    assert (await device.wait_for("session", started=False)).data["client"]
    names = [event.data["name"] for event in device.seen("request")]
    assert names[-3:] == ["_sessionStop", "_touchStop", "_tiStop"]
    assert device.seen("interest")[-1].data["names"] == []
    assert not device.seen("refused")
    await device.wait_for("companion_lost")
    assert not linked[1].events or not isinstance(linked[1].events[-1], FocusChanged)


async def test_closing_again_and_before_there_is_anything(
    device: FakeAppleTv, linked: Linked
) -> None:
    await asyncio.gather(linked[0].close(), linked[0].close())
    await linked[0].close()
    fresh = CompanionClient("127.0.0.1", 9, pair(device), IDENTITY)
    await fresh.close()
    with pytest.raises(DisconnectedError):
        await fresh.connect()


async def test_a_client_connects_once(linked: Linked) -> None:
    with pytest.raises(DisconnectedError, match="once"):
        await linked[0].connect()
    assert linked[0].is_connected


async def test_commands_without_a_session(client: Linked) -> None:
    made = client[0]
    with pytest.raises(DisconnectedError):
        await made.press(HidButton.UP)
    with pytest.raises(DisconnectedError):
        await made.apps()
    with pytest.raises(UnsupportedError):
        made.touch_point(1, 1, TouchPhase.PRESS)


@pytest.mark.parametrize("os", list(FLAVOURS))
async def test_every_release(os: str, socket_enabled: None) -> None:
    flavour = next(value for name, value in FLAVOURS.items() if name == os)
    async with (
        FakeAppleTv(flavour=flavour) as device,
        client_of(device) as (made, log),
    ):
        await made.connect()
        assert power_of(made) is PowerState.ON
        await log.get(AttentionChanged)
        device.sleep(deep=False)
        assert (await log.get(AttentionChanged)).power is PowerState.OFF
        assert power_of(made) is PowerState.OFF
        await made.wake()
        assert (await log.get(AttentionChanged)).power is PowerState.ON


async def test_a_homepod(socket_enabled: None) -> None:
    async with FakeAppleTv(kind="homepod") as device, client_of(device) as (made, _):
        await made.connect()
        assert made.system_info.model == "AudioAccessory5,1"


# Buttons and power.


@pytest.mark.parametrize("button", [*HidButton])
async def test_every_button(
    button: HidButton, device: FakeAppleTv, linked: Linked
) -> None:
    if button in {HidButton.SLEEP, HidButton.WAKE}:
        await linked[0].sleep()
        await linked[0].wake()
        assert [press.name for press in device.companion.commands.presses] == [
            "sleep",
            "wake",
        ]
        return
    await linked[0].press(button)
    (press,) = device.companion.commands.presses
    assert press.name == button.name.lower()
    assert press.length < 1


async def test_a_double_press(device: FakeAppleTv, linked: Linked) -> None:
    await linked[0].press(HidButton.HOME, InputAction.DOUBLE)
    names = [press.name for press in device.companion.commands.presses]
    assert names == ["home", "home"]


async def test_a_press_that_is_held(device: FakeAppleTv, linked: Linked) -> None:
    await linked[0].press(HidButton.HOME, InputAction.HOLD)
    await linked[0].hold(HidButton.MENU, 0.1)
    home, menu = device.companion.commands.presses
    assert home.length >= PATIENT.hold * 0.9
    assert menu.length >= 0.09


async def test_sleep_and_wake(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    await log.get(AttentionChanged)
    await made.sleep()
    assert (await log.get(AttentionChanged)).state is AttentionState.ASLEEP
    assert not device.is_on
    await made.wake()
    assert (await log.get(AttentionChanged)).state is AttentionState.AWAKE
    device.screensaver()
    changed = await log.get(AttentionChanged)
    assert changed.state is AttentionState.SCREENSAVER
    assert changed.power is PowerState.ON
    assert await made.fetch_attention() is AttentionState.SCREENSAVER


async def test_an_attention_that_nobody_knows(
    device: FakeAppleTv, linked: Linked
) -> None:
    made, log = linked
    await log.get(AttentionChanged)
    device.companion.connection.tell("TVSystemStatus", {"state": 9})
    changed = await log.get(AttentionChanged)
    assert changed == AttentionChanged(9)
    assert changed.power is PowerState.UNKNOWN
    assert made.attention == 9
    assert made.power is PowerState.UNKNOWN


# Media and volume.


async def test_media_commands(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    await made.play()
    await made.pause()
    await made.next()
    await made.previous()
    await made.skip()
    await made.skip(-30)
    for command in (
        MediaCommand.FAST_FORWARD_BEGIN,
        MediaCommand.FAST_FORWARD_END,
        MediaCommand.REWIND_BEGIN,
        MediaCommand.REWIND_END,
    ):
        await made.media(command)
    assert device.companion.commands.media == [
        ("play", None),
        ("pause", None),
        ("next", None),
        ("previous", None),
        ("skip", 10.0),
        ("skip", -30.0),
        ("fast_forward_begin", None),
        ("fast_forward_end", None),
        ("rewind_begin", None),
        ("rewind_end", None),
    ]


async def test_flags_of_media_control(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    device.set_media_flags(0x101 | 0x40)
    wanted = MediaFlags.PLAY | MediaFlags.VOLUME | MediaFlags(0x40)
    await log.wait_for(lambda event: event == MediaFlagsChanged(wanted))
    assert made.media_flags == wanted
    device.set_media_flags(0)
    assert (await log.get(MediaFlagsChanged)).flags == MediaFlags(0)
    assert made.volume is None
    with pytest.raises(CommandFailedError):
        await made.get_volume()


async def test_volume(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    await log.wait_for(lambda event: event == VolumeChanged(50.0))
    assert await made.get_volume() == 50.0
    await made.set_volume(25)
    assert device.volume == 0.25
    assert made.volume == 25.0
    device.set_volume(0.75)
    await log.wait_for(lambda event: event == VolumeChanged(75.0))
    await made.press(HidButton.VOLUME_UP)
    await log.wait_for(lambda event: event == VolumeChanged(81.25))
    await made.set_volume(81.25)
    assert made.volume == 81.25


async def test_captions(device: FakeAppleTv, linked: Linked) -> None:
    assert await linked[0].captions() == 3
    await linked[0].toggle_captions()
    assert device.has_captions
    assert await linked[0].captions() == 2


# Apps and accounts.


async def test_apps(device: FakeAppleTv, linked: Linked) -> None:
    apps = await linked[0].apps()
    assert apps == tuple(App(*pair) for pair in APPS.items())
    await linked[0].launch("com.apple.TVMusic")
    await linked[0].launch("https://example.com/x")
    await linked[0].launch("tube://watch/1")
    assert device.companion.commands.launches == [
        "com.apple.TVMusic",
        "https://example.com/x",
        "tube://watch/1",
    ]
    assert device.current_app == "com.apple.TVMusic"
    with pytest.raises(CommandFailedError, match="58824") as caught:
        await linked[0].launch("com.example.missing")
    assert caught.value.code == 58824
    assert caught.value.domain == "RPErrorDomain"
    assert "No such" not in str(caught.value)


async def test_max_apps(device: FakeAppleTv, linked: Linked) -> None:
    limit = client_module.MAX_APPS
    device.apps = {f"app{number}": f"App {number}" for number in range(limit + 1)}
    apps = await linked[0].apps()
    assert len(apps) == limit
    assert apps[0] == App("app0", "App 0")


async def test_accounts(device: FakeAppleTv, linked: Linked) -> None:
    accounts = await linked[0].accounts()
    assert accounts == tuple(Account(*pair) for pair in ACCOUNTS.items())
    await linked[0].switch_account(accounts[1].identifier)
    assert device.current_account == accounts[1].identifier
    with pytest.raises(CommandFailedError):
        await linked[0].switch_account("nobody")


async def test_max_accounts(device: FakeAppleTv, linked: Linked) -> None:
    limit = client_module.MAX_ACCOUNTS
    device.accounts = {f"id{number}": "A" for number in range(limit + 1)}
    assert len(await linked[0].accounts()) == limit


# Touch.


async def test_swipe(device: FakeAppleTv, linked: Linked) -> None:
    await linked[0].swipe(500, 900, 500, 100, 40)
    await linked[0].apps()  # the device has taken all that was sent before
    touches = device.companion.commands.touches
    assert (touches[0].x, touches[0].y, touches[0].phase) == (500, 900, 1)
    assert (touches[-1].x, touches[-1].y, touches[-1].phase) == (500, 100, 4)
    assert {touch.phase for touch in touches[1:-1]} <= {3}
    assert [touch.y for touch in touches] == sorted(
        (touch.y for touch in touches), reverse=True
    )
    times = [touch.nanoseconds for touch in touches]
    assert times == sorted(times)
    assert times[-1] - times[0] >= 35_000_000


async def test_a_touch(device: FakeAppleTv, linked: Linked) -> None:
    linked[0].touch_point(-5, 2000, TouchPhase.PRESS)
    linked[0].touch_point(0.4, 999.6, TouchPhase.RELEASE)
    await linked[0].apps()
    first, last = device.companion.commands.touches
    assert (first.x, first.y, first.phase) == (0, 1000, 1)
    assert (last.x, last.y, last.phase) == (0, 1000, 4)


@pytest.mark.parametrize(
    ("action", "count", "length"),
    [
        (InputAction.SINGLE, 1, PATIENT.click),
        (InputAction.DOUBLE, 2, PATIENT.click),
        (InputAction.HOLD, 1, PATIENT.hold),
    ],
)
async def test_click(
    action: InputAction,
    count: int,
    length: float,
    device: FakeAppleTv,
    linked: Linked,
) -> None:
    await linked[0].click(action)
    await linked[0].apps()
    presses = device.companion.commands.presses
    assert [press.name for press in presses] == ["select"] * count
    assert all(press.length >= length * 0.9 for press in presses)
    touches = device.companion.commands.touches
    assert [(touch.x, touch.y, touch.phase) for touch in touches] == [
        (1000, 1000, 5)
    ] * count


# Text.


async def test_focus(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    await log.wait_for(lambda event: event == FocusChanged(False))
    device.open_text("Hello")
    assert (await log.get(FocusChanged)).is_focused
    assert made.focus is True
    device.close_text()
    assert not (await log.get(FocusChanged)).is_focused
    assert made.focus is False


async def test_focus_from_the_beginning(device: FakeAppleTv, client: Linked) -> None:
    device.open_text("Hello")
    await client[0].connect()
    assert client[0].focus is True


async def test_text(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    await log.get(FocusChanged)
    field = device.open_text("Hello")
    await log.get(FocusChanged)
    assert await made.text_get() == "Hello"
    await made.text_append(" wörld 🎈")
    await device.wait_for("text")
    assert field.text == "Hello wörld 🎈"
    assert await made.text_get() == "Hello wörld 🎈"
    await made.text_set("New")
    await device.wait_for("text", length=3)
    assert field.text == "New"
    await made.text_clear()
    await device.wait_for("text", length=0)
    assert await made.text_get() == ""
    assert made.focus is True
    # Beginning anew for each of these is no change of the focus.
    assert not [event for event in log.events if isinstance(event, FocusChanged)]
    assert not device.seen("text_ignored")


async def test_text_without_a_field(linked: Linked) -> None:
    made = linked[0]
    assert await made.text_get() is None
    for typing in (made.text_set("x"), made.text_append("x"), made.text_clear()):
        with pytest.raises(NoTextFieldError):
            await typing
    assert made.is_connected


async def test_several_type_at_once(device: FakeAppleTv, linked: Linked) -> None:
    field = device.open_text("")
    await asyncio.gather(*(linked[0].text_append("ab") for _ in range(5)))
    await device.wait_for("text", length=10)
    assert field.text == "ab" * 5
    assert not device.seen("text_ignored")


# Other things.


async def test_answers_in_any_order(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    device.companion.answer_delay = 0.05
    slow = asyncio.create_task(made.apps())
    await device.wait_for("request", name="FetchLaunchableApplicationsEvent")
    device.companion.answer_delay = 0
    assert len(await made.accounts()) == len(ACCOUNTS)
    assert not slow.done()
    assert len(await slow) == len(APPS)


async def test_in_single_bytes_and_slowly(socket_enabled: None) -> None:
    async with FakeAppleTv() as device, client_of(device) as (made, _):
        device.split(1)
        await made.connect()
        assert len(await made.apps()) == len(APPS)


async def test_two_clients_do_not_push_each_other_out(
    device: FakeAppleTv, linked: Linked
) -> None:
    other = replace(IDENTITY, rp_id="ffeeddccbbaa")
    second = CompanionClient(
        device.address, device.companion_port, pair(device), other, timing=PATIENT
    )
    await second.connect()
    assert len(await linked[0].apps()) == len(APPS)
    assert not device.seen("evicted")
    await second.close()


async def test_listeners(
    device: FakeAppleTv, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    made, log = linked

    def broken(event: object) -> None:
        raise ValueError("not my day")

    end = made.subscribe(broken)
    late = Log()
    made.subscribe(late)
    device.screensaver()
    assert (await late.get(AttentionChanged)).state is AttentionState.SCREENSAVER
    assert "A listener failed" in caplog.text
    caplog.clear()
    end()
    end()
    device.wake()
    assert (await late.get(AttentionChanged)).state is AttentionState.AWAKE
    assert not caplog.text
    assert log.events


async def test_listeners_end_each_other(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    log = Log()
    ends: list[Callable[[], None]] = []

    def end_all(event: object) -> None:
        for end in ends:
            end()

    ends.append(made.subscribe(end_all))
    ends.append(made.subscribe(log))
    last = Log()
    made.subscribe(last)
    device.screensaver()
    await last.get(AttentionChanged)
    device.wake()
    await last.get(AttentionChanged)
    assert not log.events


async def test_secrets_stay_out_of_logs(
    device: FakeAppleTv, client: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    made = client[0]
    device.open_text("pa55word")
    await made.connect()
    assert await made.text_get() == "pa55word"
    await made.text_set("hunter2")
    await device.wait_for("text", length=7)
    device.mischief.unknown_event("_secretName")
    await made.close()
    assert "pa55word" not in caplog.text
    assert "hunter2" not in caplog.text
    assert "_secretName" not in caplog.text
