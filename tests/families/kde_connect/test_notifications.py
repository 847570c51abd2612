"""The notifications of a device: what it shows, and what can be done about them."""

import asyncio
from datetime import timedelta
import json
import logging

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .common import (
    get_state,
    is_unavailable,
    set_up,
    wait_connected,
    wait_flow,
    wait_state,
    wait_until,
)
from .notifications import act, device_id, set_up_allowed, wait_events
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect.features import (
    notifications as notifications_module,
)
from custom_components.rumpus.families.kde_connect.features.notifications import (
    REPOST_TIME,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_notifications import FakeNotification

EVENT = "event.pixel_notification"
COUNT = "sensor.pixel_notifications"
BUS = "rumpus_notification"

CHAT = FakeNotification(
    "0|chat|1",
    "Chat",
    "Secret Ada",
    "secret text",
    reply_id="secret reply",
    actions=("Mark secretly",),
    conversation=(("Secret Bob", "secret first"), ("Secret Ada", "secret text")),
    group="Secret group",
    posted=1,
)
FACTS = {
    "notification_id": "0|chat|1",
    "app": "Chat",
    "title": "Secret Ada",
    "text": "secret text",
    "can_reply": True,
    "can_dismiss": True,
    "actions": ["Mark secretly"],
    "sender": "Secret Ada",
    "group": "Secret group",
}
MUSIC = FakeNotification("music", "Music", "Song", is_clearable=False, posted=1)


@pytest.fixture
def events(hass: HomeAssistant) -> list[Event]:
    """What the bus tells of notifications."""
    return async_capture_events(hass, BUS)


async def later(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Let the time pass in which a notification may come back."""
    freezer.tick(timedelta(seconds=REPOST_TIME + 0.1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


async def post(
    hass: HomeAssistant,
    phone: FakeDevice,
    events: list[Event],
    notification: FakeNotification,
) -> None:
    """Post a notification and wait until it is known."""
    await phone.notifications.post(notification)
    await wait_events(hass, events, 1)


async def test_posted_updated_removed(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    freezer: FrozenDateTimeFactory,
) -> None:
    """The entity and the bus tell everything, the sensor counts."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await wait_state(hass, COUNT, "0")

    await phone.notifications.post(CHAT)
    [posted] = await wait_events(hass, events, 1)
    assert posted == {
        "device_id": device_id(hass, phone),
        "name": "Pixel",
        "type": "posted",
        **FACTS,
    }
    state = get_state(hass, EVENT)
    assert state.attributes["event_type"] == "posted"
    assert FACTS.items() <= state.attributes.items()
    assert get_state(hass, COUNT).state == "1"

    await phone.notifications.post(MUSIC)
    [posted] = await wait_events(hass, events, 1)
    assert not posted["can_reply"]
    assert not posted["can_dismiss"]
    assert get_state(hass, COUNT).state == "2"

    changed = FakeNotification(CHAT.id, "Chat", "Secret Ada", "more", posted=2)
    await phone.notifications.post(changed)
    [updated] = await wait_events(hass, events, 1)
    assert (updated["type"], updated["text"]) == ("updated", "more")
    assert get_state(hass, COUNT).state == "2"
    # The same once more is nothing new.
    await phone.notifications.post(changed)

    await phone.notifications.remove("never seen")
    await phone.notifications.remove(CHAT.id)
    await phone.notifications.remove(CHAT.id)
    await phone.battery.set(41)
    await wait_state(hass, "sensor.pixel_battery", "41")
    assert events == []
    await later(hass, freezer)
    [removed] = await wait_events(hass, events, 1)
    assert (removed["type"], removed["text"]) == ("removed", "more")
    assert get_state(hass, COUNT).state == "1"
    assert events == []


async def test_taken_back_and_posted_again_is_an_update(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    freezer: FrozenDateTimeFactory,
) -> None:
    """Android changes some notifications so; the timer does not run on."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)

    await phone.notifications.repost(
        FakeNotification(CHAT.id, "Chat", "Secret Ada", "more")
    )
    [updated] = await wait_events(hass, events, 1)
    assert (updated["type"], updated["text"]) == ("updated", "more")

    await later(hass, freezer)
    assert get_state(hass, COUNT).state == "1"
    assert events == []


async def test_what_was_there_before_is_counted_silently(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """It is asked for at each connection; what is gone by then is not told."""
    phone.notifications.notifications = {CHAT.id: CHAT, MUSIC.id: MUSIC}
    await set_up_allowed(hass, ours, phone, "pixel")
    await wait_state(hass, COUNT, "2")
    assert get_state(hass, EVENT).state == "unknown"
    await act(
        hass, phone, "reply_notification", notification_id=CHAT.id, message="Hello"
    )

    await phone.notifications.remove(CHAT.id)
    phone.drop_link()
    await wait_until(hass, lambda: is_unavailable(hass, COUNT))
    await wait_state(hass, COUNT, "1")
    assert events == []


async def test_hidden_contents(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """A phone may hide what a notification says, and old computers send a summary."""
    await set_up_allowed(hass, ours, phone, "pixel")
    phone.notifications.hides_contents = True
    await phone.notifications.post(FakeNotification("1", "Chat", "Ada", "Hi"))
    [posted] = await wait_events(hass, events, 1)
    assert (posted["title"], posted["text"]) == (None, "Chat")
    assert "sender" not in posted
    assert "group" not in posted


async def test_actions(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """Reply, press a button, dismiss."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)

    await act(
        hass, phone, "reply_notification", notification_id=CHAT.id, message="Hello"
    )
    asked = await phone.wait_for("notification_asked")
    assert asked.data == {"what": "reply", "id": CHAT.id, "message": "Hello"}

    await act(
        hass,
        phone,
        "invoke_notification_action",
        notification_id=CHAT.id,
        action="Mark secretly",
    )
    asked = await phone.wait_for("notification_asked")
    assert asked.data == {"what": "action", "id": CHAT.id, "action": "Mark secretly"}

    await act(hass, phone, "dismiss_notification", notification_id=CHAT.id)
    asked = await phone.wait_for("notification_asked")
    assert asked.data == {"what": "cancel", "id": CHAT.id}
    [removed] = await wait_events(hass, events, 1)
    assert removed["type"] == "removed"


async def test_dismiss_all(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """All that can be dismissed."""
    await set_up_allowed(hass, ours, phone, "pixel")
    for notification in (CHAT, MUSIC, FakeNotification("2", "Mail", "New")):
        await post(hass, phone, events, notification)

    await act(hass, phone, "dismiss_notification", all=True)
    await wait_state(hass, COUNT, "1")
    assert list(phone.notifications.notifications) == [MUSIC.id]


@pytest.mark.parametrize(
    ("action", "data", "error"),
    [
        (
            "reply_notification",
            {"notification_id": "secret id", "message": "secret"},
            "notification_unknown",
        ),
        (
            "reply_notification",
            {"notification_id": "music", "message": "secret"},
            "notification_no_reply",
        ),
        (
            "invoke_notification_action",
            {"notification_id": CHAT.id, "action": "secret"},
            "notification_no_action",
        ),
        (
            "dismiss_notification",
            {"notification_id": "music"},
            "notification_not_clearable",
        ),
        ("dismiss_notification", {}, "notification_which"),
        (
            "dismiss_notification",
            {"all": True, "notification_id": CHAT.id},
            "notification_which",
        ),
    ],
)
async def test_wrong_use(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    action: str,
    data: dict[str, object],
    error: str,
) -> None:
    """The error says what is wrong, and repeats nothing private."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await post(hass, phone, events, MUSIC)

    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, phone, action, **data)
    assert caught.value.translation_key == error
    assert "secret" not in str(caught.value)
    assert "Pixel" in str(caught.value)


async def test_one_that_has_gone_cannot_be_answered(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """Even while it might come back."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await phone.notifications.remove(CHAT.id)
    await phone.battery.set(41)
    await wait_state(hass, "sensor.pixel_battery", "41")
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, phone, "dismiss_notification", notification_id=CHAT.id)
    assert caught.value.translation_key == "notification_unknown"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("reply_notification", {"notification_id": CHAT.id, "message": "x"}),
        ("invoke_notification_action", {"notification_id": CHAT.id, "action": "x"}),
        ("dismiss_notification", {"all": True}),
    ],
)
async def test_not_connected(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    action: str,
    data: dict[str, object],
) -> None:
    """That is said, and not that there is no such notification."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await phone.stop()
    await wait_until(hass, lambda: is_unavailable(hass, COUNT))
    with pytest.raises(HomeAssistantError) as caught:
        await act(hass, phone, action, **data)
    assert caught.value.translation_key == "not_connected"


async def test_not_allowed(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    entity_registry: er.EntityRegistry,
) -> None:
    """Nothing is asked for, what comes is dropped, and old entities go."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    prefix = f"{phone.device_id}_notification"
    kept = f"{prefix}_answer"

    def keys() -> set[str]:
        return {
            found.unique_id
            for found in er.async_entries_for_config_entry(
                entity_registry, entry.entry_id
            )
            if found.unique_id.startswith(prefix) and found.unique_id != kept
        }

    assert keys() == {prefix, f"{prefix}s", f"{prefix}_icon"}
    await post(hass, phone, events, CHAT)

    hass.config_entries.async_update_entry(entry, options={"notifications": False})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, "pixel")
    assert keys() == set()
    await phone.notifications.post(MUSIC)
    await phone.battery.set(41)
    await wait_state(hass, "sensor.pixel_battery", "41")
    assert events == []
    assert not [
        event
        for event in phone.events.all
        if event.kind == "notification_asked" and event.data["what"] == "all"
    ][1:]
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, phone, "dismiss_notification", all=True)
    assert caught.value.translation_key == "action_not_allowed"


async def test_a_device_without_notifications(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """One that sends none has no entities for them and is asked nothing."""
    phone.outgoing -= {"kdeconnect.notification"}
    await set_up_allowed(hass, ours, phone, "pixel")
    await phone.battery.set(41)
    await wait_state(hass, "sensor.pixel_battery", "41")
    assert hass.states.get(EVENT) is None
    assert hass.states.get(COUNT) is None
    assert "notification_asked" not in {event.kind for event in phone.events.all}


async def test_a_device_that_cannot_be_asked(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """It tells what is new."""
    phone.incoming -= {"kdeconnect.notification.request"}
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    with pytest.raises(ServiceValidationError) as caught:
        await act(hass, phone, "dismiss_notification", notification_id=CHAT.id)
    assert caught.value.translation_key == "not_supported"
    assert "notification_asked" not in {event.kind for event in phone.events.all}


async def test_limit_of_notifications(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_NOTIFICATIONS: the oldest is forgotten, also one that is about to go."""
    monkeypatch.setattr(notifications_module, "MAX_NOTIFICATIONS", 2)
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await phone.notifications.remove(CHAT.id)
    for number in range(2):
        await post(hass, phone, events, FakeNotification(f"{number}", "App", "Title"))
    assert get_state(hass, COUNT).state == "2"
    with pytest.raises(ServiceValidationError):
        await act(hass, phone, "dismiss_notification", notification_id=CHAT.id)


async def test_unload_while_one_is_about_to_go(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """No timer is left, and nothing is told any more."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await phone.notifications.remove(CHAT.id)
    await phone.battery.set(41)
    await wait_state(hass, "sensor.pixel_battery", "41")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert events == []


async def test_echoes_are_dropped(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, events: list[Event]
) -> None:
    """A computer that forwards what it shows for us does not start a loop."""
    computer.desktop.program = "gsconnect"
    computer.desktop.echoes = True
    await set_up_allowed(hass, ours, computer, "tower")

    await act(hass, computer, "send_notification", message="Dinner", title="Kitchen")
    await computer.wait_for("notification_shown")
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.tower_ping"}, blocking=True
    )
    await computer.wait_packet("ping")
    await computer.desktop.post("Mail", "Ada", "Something else")

    [posted] = await wait_events(hass, events, 1)
    assert posted["title"] == "Ada"
    assert events == []
    assert get_state(hass, "sensor.tower_notifications").state == "1"


async def test_numbers_as_ids(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice, events: list[Event]
) -> None:
    """As newer computers send them; the action takes a text."""
    computer.desktop.program = "kde25"
    computer.desktop.answers = True
    await set_up_allowed(hass, ours, computer, "tower")
    own = await computer.desktop.post("MyApp", "Summary", "Body")
    [posted] = await wait_events(hass, events, 1)
    assert posted["notification_id"] == own
    await act(hass, computer, "dismiss_notification", notification_id=own)
    [removed] = await wait_events(hass, events, 1)
    assert removed["type"] == "removed"


async def test_private_attributes_are_not_recorded(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """The recorder leaves out what the entity shows of a notification."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    info = get_state(hass, EVENT).state_info
    assert info is not None
    assert set(FACTS) <= info["unrecorded_attributes"]


async def test_private_content(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    events: list[Event],
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is in no log and in no diagnostics."""
    caplog.set_level(logging.DEBUG, DOMAIN)
    caplog.set_level(logging.DEBUG, "custom_components.rumpus")
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await act(
        hass, phone, "reply_notification", notification_id=CHAT.id, message="secret!"
    )
    await act(hass, phone, "send_notification", message="secret", title="Secret")
    assert await async_setup_component(hass, "diagnostics", {})
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert isinstance(facts, dict)
    state = facts["state"]
    assert isinstance(state, dict)
    assert state["notifications"] == 1

    own = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.rumpus")
    ]
    text = "\n".join([json.dumps(facts), *own])
    assert "secret" not in text.lower()
    assert CHAT.id not in text


async def test_unpaired(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, events: list[Event]
) -> None:
    """Nothing is kept of a device that ends the pairing."""
    await set_up_allowed(hass, ours, phone, "pixel")
    await post(hass, phone, events, CHAT)
    await phone.notifications.remove(CHAT.id)
    await phone.unpair()
    await wait_flow(hass, "reauth", phone.device_id)
    assert is_unavailable(hass, COUNT)
    assert events == []


async def test_default(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """It has to be allowed."""
    await set_up(hass, ours, phone, "pixel")
    async with asyncio.timeout(5):
        await hass.async_block_till_done()
    assert hass.states.get(EVENT) is None
