"""Our notifications on a device, and what its user answers to them."""

import logging
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import get_state, set_up, wait_connected, wait_flow, wait_state
from .notifications import act, connect, device_id, png, settle, wait_events
from custom_components.rumpus.families.kde_connect.announcement import (
    MAX_BUTTONS,
    MAX_LABEL,
    MAX_MESSAGE,
)
from custom_components.rumpus.families.kde_connect.features import (
    announcements as announcements_module,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_desktop import Bubble

ANSWER = "event.tower_notification_answer"
ACTIONS = [
    {"action": "OPEN", "title": "Open the gate"},
    {"action": "REPLY", "title": "Say something"},
]


@pytest.fixture
def answers(hass: HomeAssistant) -> list[Event]:
    """What is told of buttons and replies, as the companion app tells it."""
    return async_capture_events(hass, "mobile_app_notification_action")


@pytest.fixture
def cleared(hass: HomeAssistant) -> list[Event]:
    """What is told of dismissals, as the companion app tells it."""
    return async_capture_events(hass, "mobile_app_notification_cleared")


async def bubble(computer: FakeDevice) -> Bubble:
    """Return what the computer shows next."""
    event = await computer.wait_for("notification_shown")
    return computer.desktop.shown[str(event.data["id"])]


async def test_notify_entity(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Title and text, as everybody can send them."""
    await set_up(hass, ours, phone, "pixel")
    assert get_state(hass, "notify.pixel").state == "unknown"
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.pixel", "message": "Dinner", "title": "Kitchen"},
        blocking=True,
    )
    await phone.wait_for("notification_shown")
    [shown] = phone.notifications.shown.values()
    assert (shown.app, shown.ticker) == (hass.config.location_name, "Kitchen: Dinner")
    assert get_state(hass, "notify.pixel").state != "unknown"
    assert hass.states.get("event.pixel_notification_answer") is None

    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": "notify.pixel", "message": "No title"},
        blocking=True,
    )
    await phone.wait_for("notification_shown")
    assert {shown.ticker for shown in phone.notifications.shown.values()} == {
        "Kitchen: Dinner",
        "No title",
    }


async def test_everything(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """All that the action knows, as a computer gets it."""
    await connect(hass, ours, computer)
    await act(
        hass,
        computer,
        "send_notification",
        message="Somebody is there",
        title="Gate",
        app_name="Doorbell",
        tag="gate",
        actions=ACTIONS,
        silent=True,
    )
    shown = await bubble(computer)
    assert (shown.app, shown.title, shown.text) == (
        "Doorbell",
        "Gate",
        "Somebody is there",
    )
    assert shown.ticker == "Gate: Somebody is there"
    assert shown.actions == ("Open the gate",)
    assert shown.reply_id
    assert shown.is_silent
    assert shown.is_clearable
    assert get_state(hass, "notify.tower").state != "unknown"


async def test_a_tag_replaces(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """The same tag is the same notification; without one each is its own."""
    await connect(hass, ours, computer)
    for data in ({"tag": "1"}, {"tag": "1"}, {"tag": "2"}, {}, {}):
        await act(hass, computer, "send_notification", message="x", **data)
        await bubble(computer)
    assert len(computer.desktop.shown) == 4

    await act(
        hass, computer, "send_notification", message="clear_notification", tag="1"
    )
    await computer.wait_for("notification_gone")
    assert len(computer.desktop.shown) == 3
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, computer, "send_notification", message="clear_notification")
    assert caught.value.translation_key == "announcement_no_tag"


async def test_button(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, answers: list[Event]
) -> None:
    """A press is told in both ways, once, and ends the notification."""
    await connect(hass, ours, computer)
    await act(
        hass,
        computer,
        "send_notification",
        message="Somebody is there",
        title="Gate",
        tag="gate",
        actions=ACTIONS,
    )
    shown = await bubble(computer)
    await computer.desktop.press(shown.id, "Open the gate")
    assert await wait_events(hass, answers, 1) == [
        {
            "device_id": device_id(hass, computer),
            "name": "Tower",
            "message": "Somebody is there",
            "title": "Gate",
            "tag": "gate",
            "action_1_key": "OPEN",
            "action_1_title": "Open the gate",
            "action_2_key": "REPLY",
            "action_2_title": "Say something",
            "action": "OPEN",
        }
    ]
    state = get_state(hass, ANSWER)
    assert state.attributes["event_type"] == "action"
    assert state.attributes["action"] == "OPEN"
    assert state.attributes["tag"] == "gate"
    await computer.wait_for("notification_gone")
    assert computer.desktop.shown == {}


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"reply": True}, "REPLY"),
        ({"actions": [{"action": "REPLY", "title": "Answer"}]}, "REPLY"),
        (
            {
                "actions": [
                    {"action": "SAY", "title": "Answer", "behavior": "textInput"}
                ]
            },
            "SAY",
        ),
    ],
)
async def test_reply(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    answers: list[Event],
    data: dict[str, object],
    key: str,
) -> None:
    """The text goes to the bus and into no state."""
    await connect(hass, ours, computer)
    await act(hass, computer, "send_notification", message="Where?", **data)
    shown = await bubble(computer)
    assert shown.actions == ()
    await computer.desktop.reply(shown.id, "secret place")
    [answer] = await wait_events(hass, answers, 1)
    assert answer["action"] == key
    assert answer["reply_text"] == "secret place"
    assert answer["action_1_key"] == key
    assert "tag" not in answer
    assert "title" not in answer
    state = get_state(hass, ANSWER)
    assert state.attributes["event_type"] == "reply"
    assert state.attributes["action"] == key
    assert "secret place" not in str(state.as_dict())


async def test_dismissed(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    answers: list[Event],
    cleared: list[Event],
) -> None:
    """As the companion app tells it; the computer lists it no more."""
    await connect(hass, ours, computer)
    await act(hass, computer, "send_notification", message="Hi", tag="t")
    shown = await bubble(computer)
    await computer.desktop.dismiss(shown.id)
    await computer.desktop.dismiss(shown.id)
    assert await wait_events(hass, cleared, 1) == [
        {
            "device_id": device_id(hass, computer),
            "name": "Tower",
            "message": "Hi",
            "tag": "t",
        }
    ]
    state = get_state(hass, ANSWER)
    assert state.attributes["event_type"] == "dismissed"
    assert state.attributes["tag"] == "t"
    await computer.wait_for("notification_gone")
    await settle(hass, computer, 41)
    assert cleared == []
    assert answers == []


async def test_answers_to_nothing(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    answers: list[Event],
    cleared: list[Event],
) -> None:
    """What we have not sent, or not with that button, or without a reply, is ignored."""
    await connect(hass, ours, computer)
    await act(hass, computer, "send_notification", message="Hi")
    shown = await bubble(computer)
    for notification_id in (shown.id, "unknown"):
        await computer.send(
            "notification.action", {"key": notification_id, "action": "Boo"}
        )
        await computer.send(
            "notification.reply",
            {"requestReplyId": notification_id, "message": "secret"},
        )
    await computer.send("notification.request", {"cancel": "unknown"})
    await settle(hass, computer, 41)
    assert answers == cleared == []
    assert get_state(hass, ANSWER).state == "unknown"


async def test_answers_after_the_device_was_away(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, answers: list[Event]
) -> None:
    """What is still to be shown is told when the computer asks, silently."""
    await connect(hass, ours, computer)
    for number in range(announcements_module.MAX_REPEATED + 1):
        await act(
            hass,
            computer,
            "send_notification",
            message="x",
            tag=str(number),
            actions=[{"action": "OK", "title": "Fine"}],
        )
        await bubble(computer)
    computer.drop_link()
    await wait_state(hass, "binary_sensor.tower_connectivity", "off")
    await wait_connected(hass, "tower")
    for _ in range(announcements_module.MAX_REPEATED):
        assert (await bubble(computer)).is_silent
    # MAX_REPEATED: the oldest is left out.
    shown = set(computer.desktop.shown)
    assert shown == {
        f"tag:{number + 1}" for number in range(announcements_module.MAX_REPEATED)
    }
    await computer.desktop.press("tag:3", "Fine")
    [answer] = await wait_events(hass, answers, 1)
    assert answer["tag"] == "3"


async def test_phones_are_not_told_again(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """They would show nothing of it."""
    await set_up(hass, ours, phone, "pixel")
    await act(hass, phone, "send_notification", message="x")
    await phone.wait_packet("notification")
    await phone.send("notification.request", {"request": True})
    await phone.battery.set(41)
    await wait_state(hass, "sensor.pixel_battery", "41")
    await act(hass, phone, "send_notification", message="y")
    body = await phone.wait_packet("notification")
    assert body["text"] == "y"


async def test_limit_of_what_is_remembered(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    answers: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_SENT: answers to the oldest are not understood any more."""
    monkeypatch.setattr(announcements_module, "MAX_SENT", 1)
    entry = await connect(hass, ours, computer)
    for tag in ("old", "new"):
        await act(hass, computer, "send_notification", message="x", tag=tag, reply=True)
        await bubble(computer)
    await computer.desktop.reply("tag:old", "x")
    await computer.desktop.reply("tag:new", "x")
    [answer] = await wait_events(hass, answers, 1)
    assert answer["tag"] == "new"
    facts = entry.runtime_data.diagnostics()["state"]
    assert isinstance(facts, dict)
    assert facts["announcements"] == 0


BUTTON = {"action": "A", "title": "B"}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"actions": [BUTTON, BUTTON]}, "announcement_same_buttons"),
        (
            {"actions": [{"action": "REPLY", "title": "A"}], "reply": True},
            "announcement_replies",
        ),
        (
            {
                "actions": [
                    {"action": "A", "title": f"{number}"}
                    for number in range(MAX_BUTTONS + 1)
                ]
            },
            "announcement_buttons",
        ),
        ({"title": "secret" + "x" * MAX_LABEL}, "announcement_label"),
        ({"app_name": "x" * (MAX_LABEL + 1)}, "announcement_label"),
        ({"tag": "x" * (MAX_LABEL + 1)}, "announcement_label"),
        (
            {"actions": [{"action": "x" * (MAX_LABEL + 1), "title": "x"}]},
            "announcement_label",
        ),
        ({"message": "secret" + "x" * MAX_MESSAGE}, "announcement_message"),
    ],
)
async def test_wrong_use(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    data: dict[str, object],
    error: str,
) -> None:
    """What nobody could show or answer, MAX_BUTTONS, MAX_LABEL, MAX_MESSAGE."""
    await connect(hass, ours, computer)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, computer, "send_notification", **{"message": "x", **data})
    assert caught.value.translation_key == error
    assert "secret" not in str(caught.value)


async def test_not_connected(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
    answers: list[Event],
    tmp_path: Path,
    our_udp_port: int,
) -> None:
    """It fails, and what was shown before still counts."""
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    await connect(hass, ours, computer)
    await act(hass, computer, "send_notification", message="1", tag="t", reply=True)
    await bubble(computer)
    await computer.stop()
    await wait_state(hass, "binary_sensor.tower_connectivity", "off")
    picture = tmp_path / "gate.png"
    picture.write_bytes(png())
    hass.config.allowlist_external_dirs.add(str(tmp_path))
    for data in ({}, {"tag": "t"}, {"tag": "t", "image": str(picture)}):
        with pytest.raises(HomeAssistantError) as caught:
            await act(hass, computer, "send_notification", message="secret", **data)
        assert caught.value.translation_key == "not_connected"
        assert "secret" not in str(caught.value)
    assert get_state(hass, "notify.tower").state == "unavailable"
    with pytest.raises(HomeAssistantError) as caught:
        await act(
            hass, computer, "send_notification", message="clear_notification", tag="t"
        )
    own = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.rumpus")
    ]
    assert "secret" not in "\n".join(own)

    await computer.start()
    computer.announce("127.0.0.1", our_udp_port)
    await wait_connected(hass, "tower")
    shown = await bubble(computer)
    assert shown.text == "1"
    await computer.desktop.reply(shown.id, "x")
    [answer] = await wait_events(hass, answers, 1)
    assert answer["message"] == "1"


async def test_a_device_that_shows_no_notifications(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """It has no notify entity, and the action says so."""
    phone.incoming -= {"kdeconnect.notification"}
    await set_up(hass, ours, phone, "pixel")
    assert hass.states.get("notify.pixel") is None
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, phone, "send_notification", message="x")
    assert caught.value.translation_key == "not_supported"


async def test_unpaired(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """What was sent is forgotten."""
    entry = await connect(hass, ours, computer)
    await act(hass, computer, "send_notification", message="x")
    await computer.unpair()
    await wait_flow(hass, "reauth", computer.device_id)
    facts: Any = entry.runtime_data.diagnostics()["state"]
    assert facts["announcements"] == 0
