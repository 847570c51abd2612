"""New text messages: told once, and only to whom it may concern."""

import asyncio
import json
import logging
import time

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .common import (
    get_state,
    paired_entry,
    wait_connected,
    wait_flow,
    wait_state,
    wait_until,
)
from .messaging import (
    ADA,
    BOB,
    MESSAGE,
    coordinator_of,
    device_id_of,
    quick,
    set_up_allowed,
    settle,
    texts_of,
)
from custom_components.rumpus.families.kde_connect.features.contacts import (
    ContactsFeature,
)
from custom_components.rumpus.families.kde_connect.features.messages import (
    MessagesFeature,
)
from custom_components.rumpus.families.kde_connect.features.messages_events import (
    MAX_BURST,
    REFILL,
    iso_date,
)
from custom_components.rumpus.protocols import reconnect
from custom_components.rumpus.protocols.budget import Budget
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.link import (
    MAX_LONG_LINE,
    MAX_PAIRED_LINE,
)
from custom_components.rumpus.protocols.kdeconnect.plugins import Message
from custom_components.rumpus.protocols.kdeconnect.plugins.sms import (
    MessageKind,
    TextMessage,
    TextMessages,
)
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_messages import FakeAttachment
from tests.fakes.kdeconnect_phone import FakeContact
from tests.fakes.kdeconnect_wire import Body, JsonValue

__all__ = ["quick"]

HOUR = 3_600_000


def now() -> int:
    """Return milliseconds since 1970."""
    return int(time.time() * 1000)


async def test_a_new_message(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Everything goes to the bus, next to nothing into the state."""
    phone.sms.add(ADA, "An old one", date=now() - HOUR)
    phone.sms.add(BOB, "Another old one", date=now() - 500)
    events = async_capture_events(hass, "rumpus_message")
    entry = await set_up_allowed(hass, ours, phone, "messages")
    assert get_state(hass, MESSAGE).state == "unknown"

    date = now()
    picture = FakeAttachment(7, "PART_7_a.jpg", data=b"x", thumbnail=b"small")
    sent = await phone.sms.arrive(ADA, "Secret", date=date, attachments=[picture])
    await wait_until(hass, lambda: events)

    assert dict(events[0].data) == {
        "device_id": device_id_of(hass, entry),
        "name": "Pixel",
        "thread_id": sent.thread,
        "message_id": sent.id,
        "date": iso_date(date),
        "number": ADA,
        "numbers": [ADA],
        "contact": None,
        "text": "Secret",
        "is_group": False,
        "sim": 1,
        "attachments": [
            {
                "part_id": 7,
                "unique_identifier": "PART_7_a.jpg",
                "mime_type": "image/jpeg",
            }
        ],
    }
    state = get_state(hass, MESSAGE)
    assert state.attributes["event_type"] == "received"
    assert state.attributes["is_group"] is False
    assert state.attributes["attachments"] == 1
    assert state.attributes["event_types"] == ["received"]
    assert not {"text", "number", "contact"} & state.attributes.keys()
    # The same again, as phones do when it is read.
    await phone.sms.push(sent)
    await phone.sms.arrive([ADA, BOB], "To all")
    await wait_until(hass, lambda: len(events) > 1)
    assert texts_of(events) == ["Secret", "To all"]
    assert events[1].data["is_group"] is True
    assert events[1].data["numbers"] == [ADA, BOB]
    assert get_state(hass, MESSAGE).attributes["is_group"] is True


@pytest.mark.parametrize("ahead", [10 * HOUR, -HOUR, -30 * 24 * HOUR])
@pytest.mark.parametrize("together", [False, True])
async def test_the_phone_has_another_time(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    *,
    ahead: int,
    together: bool,
) -> None:
    """Old messages are old and new ones new, whatever its clock says."""
    phone.sms.together = together
    base = now() + ahead
    for index in range(20):
        phone.sms.add(f"+1555{index:04}", f"Old {index}", date=base - index * 1000)
    events = async_capture_events(hass, "rumpus_message")
    await set_up_allowed(hass, ours, phone, "messages")
    await phone.sms.arrive("+15550003", "New one", date=base + 1000)
    await phone.sms.arrive(ADA, "New conversation", date=base + 2000)
    await wait_until(hass, lambda: len(events) == 2)
    assert texts_of(events) == ["New one", "New conversation"]


async def test_after_a_lost_link(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is known is not told again; what has just come meanwhile is told, once."""
    # However short a link was, the next one is tried at once.
    monkeypatch.setattr(reconnect, "SHORT_LINK", 0)
    phone.sms.add(ADA, "Old", date=now() - HOUR)
    events = async_capture_events(hass, "rumpus_message")
    entry = await set_up_allowed(hass, ours, phone, "messages")
    # Of two with the same date nobody can say which is the newer one.
    await phone.sms.arrive(ADA, "First", date=now() - 1000)
    await wait_until(hass, lambda: events)

    for text, date in (("Late", now()), ("Too late", now() - 200_000)):
        phone.drop_link()
        await wait_state(hass, MESSAGE, "unavailable")
        phone.sms.add(BOB if text == "Too late" else ADA, text, date=date)
        await wait_connected(hass, "pixel")
        await settle(entry)
    await phone.sms.arrive(BOB, "Last", date=now())
    await wait_until(hass, lambda: texts_of(events)[-1] == "Last")
    assert texts_of(events) == ["First", "Late", "Last"]


async def test_what_we_send_is_no_event(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.sms.add(ADA, "Old", date=now() - HOUR)
    events = async_capture_events(hass, "rumpus_message")
    await set_up_allowed(hass, ours, phone, "messages")
    for kind in (2, 5):
        await phone.sms.push(phone.sms.add(ADA, "Ours", date=now(), type_=kind))
    await phone.sms.arrive(BOB, "Theirs")
    await wait_until(hass, lambda: events)
    assert texts_of(events) == ["Theirs"]


@pytest.mark.parametrize("told", [None, "Countess"])
async def test_old_phones(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, told: str | None
) -> None:
    """They tell a message along with calls, and know no conversations."""
    phone.outgoing = frozenset(
        name for name in phone.outgoing if not name.startswith("kdeconnect.sms")
    )
    phone.incoming = frozenset(
        name for name in phone.incoming if not name.startswith("kdeconnect.sms")
    )
    phone.contacts.add("1", FakeContact("Ada Lovelace", (ADA,)))
    events = async_capture_events(hass, "rumpus_message")
    await set_up_allowed(hass, ours, phone, "messages", "contacts")
    await phone.telephony.old_sms("Secret", ADA, told)
    await wait_until(hass, lambda: events)

    data = events[0].data
    assert (data["number"], data["numbers"], data["text"]) == (ADA, [ADA], "Secret")
    assert data["contact"] == (told or "Ada Lovelace")
    assert data["thread_id"] is data["message_id"] is None
    assert get_state(hass, MESSAGE).attributes["event_type"] == "received"
    assert phone.sms.listeners == set()


async def test_told_in_both_ways(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Once is enough."""
    phone.sms.add(BOB, "Old", date=now() - HOUR)
    events = async_capture_events(hass, "rumpus_message")
    await set_up_allowed(hass, ours, phone, "messages")
    await phone.telephony.old_sms("Secret", ADA)
    await phone.sms.arrive(ADA, "Secret")
    await wait_until(hass, lambda: events)
    await hass.async_block_till_done()
    assert len(events) == 1


async def test_names(hass: HomeAssistant, ours: Credentials, phone: FakeDevice) -> None:
    """Whoever is in the contacts has a name, however the number is written."""
    phone.sms.add(BOB, "Old", date=now() - HOUR)
    phone.contacts.add("1", FakeContact("Ada Lovelace", ("(555) 0134",)))
    events = async_capture_events(hass, "rumpus_message")
    await set_up_allowed(hass, ours, phone, "messages", "contacts")
    await phone.sms.arrive(ADA, "Hello")
    await wait_until(hass, lambda: events)
    assert events[0].data["contact"] == "Ada Lovelace"
    await phone.sms.arrive(BOB, "Hello")
    await wait_until(hass, lambda: len(events) > 1)
    assert events[1].data["contact"] is None


async def test_without_permission(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Nothing is asked and nothing told; what was there before goes."""
    phone.sms.add(ADA, "Old", date=now() - HOUR)
    events = async_capture_events(hass, "rumpus_message")
    entry = await set_up_allowed(hass, ours, phone, "messages", "contacts")
    registry = er.async_get(hass)
    assert registry.async_get(MESSAGE) is not None
    device = coordinator_of(entry).device
    assert device._link is not None
    assert device._link.stream.max_message == MAX_LONG_LINE
    phone.sms.listeners.clear()
    asked = phone.events.seen("sms_wanted") + phone.events.seen("contacts_wanted")

    hass.config_entries.async_update_entry(entry, options={"messages": False})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, "pixel")
    await phone.telephony.old_sms("Secret", ADA)
    await phone.send(
        "sms.messages",
        {"version": 2, "messages": [phone.sms.add(ADA, "Secret").body]},
    )
    await phone.ping.send("behind it")
    await wait_until(
        hass, lambda: get_state(hass, "event.pixel_ping").state != "unknown"
    )

    assert events == []
    assert phone.sms.listeners == set()
    again = phone.events.seen("sms_wanted") + phone.events.seen("contacts_wanted")
    assert again == asked
    assert registry.async_get(MESSAGE) is None
    assert hass.states.get(MESSAGE) is None
    device = coordinator_of(entry).device
    assert device._link is not None
    assert device._link.stream.max_message == MAX_PAIRED_LINE


async def test_computers_have_no_messages(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    computer.outgoing = frozenset(
        name
        for name in computer.outgoing
        if not name.startswith(("kdeconnect.sms", "kdeconnect.telephony"))
    )
    await set_up_allowed(hass, ours, computer, "messages", name="tower")
    assert hass.states.get("event.tower_message") is None


async def test_a_flood(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Ten thousand new messages cause few events, and hold nothing up."""
    phone.sms.add(ADA, "Old", date=now() - HOUR)
    events = async_capture_events(hass, "rumpus_message")
    entry = await set_up_allowed(hass, ours, phone, "messages")
    feature = coordinator_of(entry).get(MessagesFeature)
    taken: list[float] = []
    receive = feature.received

    def received(message: Message) -> None:
        begin = time.thread_time()
        receive(message)
        taken.append(time.thread_time() - begin)

    monkeypatch.setattr(feature, "received", received)
    packets: list[Body] = []
    for start in range(0, 10_000, 1000):
        bodies: list[JsonValue] = [
            phone.sms.add(f"+1555{number:07}", "Secret flood", date=now()).body
            if number < 100
            else {
                "_id": number,
                "thread_id": number,
                "date": now() + number,
                "type": 1,
                "addresses": [{"address": f"+1555{number:07}"}],
                "body": "Secret flood",
            }
            for number in range(start, start + 1000)
        ]
        packets.append({"version": 2, "messages": bodies})
    for packet in packets:
        await phone.send("sms.messages", packet)
    await phone.ping.send("behind it")
    await wait_until(
        hass, lambda: get_state(hass, "event.pixel_ping").state != "unknown"
    )

    assert MAX_BURST <= len(events) <= MAX_BURST + 20
    assert feature.diagnostics()["conversations"] == 1000
    warnings = [
        record
        for record in caplog.records
        if record.levelno >= logging.WARNING and "more new messages" in record.message
    ]
    assert len(warnings) == 1
    assert len(taken) > len(packets)
    assert max(taken) < 0.05


async def test_hostile_messages(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Nothing in a packet stops what comes behind it."""
    phone.sms.add(BOB, "Old", date=now() - HOUR)
    events = async_capture_events(hass, "rumpus_message")
    await set_up_allowed(hass, ours, phone, "messages")
    huge = 2**63 - 1
    cases: list[JsonValue] = [
        None,
        {},
        [None, 7, "x", []],
        [{"_id": 1}],
        [{"_id": 1, "thread_id": 1, "date": "x", "type": 1}],
        [{"_id": huge, "thread_id": huge, "date": huge, "type": 1}],
        [{"_id": -huge, "thread_id": -huge, "date": -huge, "type": 1}],
        [{"_id": 1, "thread_id": 77, "date": now(), "type": 1, "addresses": "x"}],
        [{"_id": 1, "thread_id": 78, "date": now(), "type": "1", "body": 5}],
    ]
    for case in cases:
        await phone.send("sms.messages", {"version": 2, "messages": case})
    await phone.send("sms.attachment_file", {"filename": "../../x"})
    await phone.send("telephony", {"event": "sms", "messageBody": None})
    await phone.sms.arrive(BOB, "Last")
    await wait_until(hass, lambda: "Last" in texts_of(events))
    # Without a date that a calendar has, without a number.
    assert [event.data["date"] for event in events].count(None) == 1
    assert [event.data["number"] for event in events] == [None, None, None, BOB]


async def test_what_is_private_stays_so(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither states nor logs nor diagnostics have texts, numbers or names."""
    caplog.set_level(logging.DEBUG)
    phone.sms.add(BOB, "Secret old text", date=now() - HOUR)
    phone.contacts.add("1", FakeContact("Ada Lovelace", (ADA,), ("ada@example.org",)))
    events = async_capture_events(hass, "rumpus_message")
    entry = await set_up_allowed(hass, ours, phone, "messages", "contacts", "callers")
    await phone.sms.arrive(ADA, "Secret new text")
    await phone.telephony.ring(ADA)
    await wait_until(hass, lambda: events)
    await phone.send("sms.messages", {"messages": "Secret bad text"})
    await phone.send("contacts.response_vcards", {"uids": ["1"], "1": "Secret card"})
    phone.drop_link()
    await wait_state(hass, MESSAGE, "unavailable")
    await wait_connected(hass, "pixel")
    await settle(entry)
    assert await async_setup_component(hass, "diagnostics", {})
    facts = json.dumps(await get_diagnostics_for_config_entry(hass, hass_client, entry))
    coordinator = coordinator_of(entry)
    kept = repr([vars(feature) for feature in coordinator._features.values()])

    logged = "\n".join(
        record.getMessage() + (record.exc_text or "")
        for record in caplog.records
        if record.name.startswith("custom_components.rumpus")
    )
    states = str([state.as_dict() for state in hass.states.async_all()])
    entries = str([dict(item.data) for item in hass.config_entries.async_entries()])
    for private in ("Secret", ADA, BOB, "555 01", "Lovelace", "ada@"):
        assert private not in facts
        assert private not in logged
        assert private not in states
        assert private not in entries
        assert private not in kept
    assert '"conversations": 2' in facts
    assert '"contacts": 1' in facts


async def test_unpairing_forgets_everything(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.sms.add(ADA, "Old", date=now() - HOUR)
    phone.contacts.add("1", FakeContact("Ada Lovelace", (ADA,)))
    entry = await set_up_allowed(hass, ours, phone, "messages", "contacts")
    coordinator = coordinator_of(entry)
    assert coordinator.diagnostics()["state"]["contacts"] == 1  # type: ignore[index]
    await phone.unpair()
    await wait_flow(hass, "reauth", phone.device_id)
    facts = coordinator.diagnostics()["state"]
    assert isinstance(facts, dict)
    assert (facts["contacts"], facts["conversations"]) == (0, 0)


async def test_a_phone_that_does_not_answer(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it tells later is told all the same, by our clock."""
    caplog.set_level(logging.DEBUG)
    events = async_capture_events(hass, "rumpus_message")
    entry = paired_entry(hass, ours, phone)
    hass.config_entries.async_update_entry(entry, options={"messages": True})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "pixel")
    await settle(entry)
    assert "no answer about messages" in caplog.text
    await phone.sms.arrive(ADA, "First")
    await wait_until(hass, lambda: events)
    assert texts_of(events) == ["First"]


@pytest.mark.parametrize(
    ("kind", "outgoing", "is_offered"),
    [
        ("phone", ("sms.messages",), True),
        ("phone", ("telephony",), True),
        ("desktop", ("telephony",), False),
        ("phone", ("battery",), False),
    ],
)
async def test_whom_messages_can_be_allowed(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    kind: str,
    outgoing: tuple[str, ...],
    *,
    is_offered: bool,
) -> None:
    """Whoever has some: phones, also those from before there were conversations."""
    phone.device_type = kind
    phone.outgoing = frozenset(f"kdeconnect.{name}" for name in (*outgoing, "sftp"))
    entry = await set_up_allowed(hass, ours, phone)
    flows = hass.config_entries.options
    result = await flows.async_init(entry.entry_id)
    result = await flows.async_configure(
        result["flow_id"], {"next_step_id": "kde_connect_private"}
    )
    schema = result["data_schema"]
    assert schema is not None
    assert ("messages" in {str(key) for key in schema.schema}) == is_offered


async def test_a_device_that_is_gone_already(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """It is asked again when it is back, and nothing is taken for old before."""
    phone.sms.add(ADA, "Old", date=now() - HOUR)
    entry = await set_up_allowed(hass, ours, phone, "messages", "contacts")
    coordinator = coordinator_of(entry)
    texts, people = coordinator.get(MessagesFeature), coordinator.get(ContactsFeature)
    events = async_capture_events(hass, "rumpus_message")
    await phone.stop()
    await wait_state(hass, MESSAGE, "unavailable")
    texts.connected()
    people.connected()
    assert texts._listing is not None
    await asyncio.wait([texts._listing])
    assert people._sync is not None
    assert await people._sync is False
    # Its list is not complete: what comes with it may be old.
    missed = TextMessage(
        9, 9, now() - HOUR // 2, MessageKind.RECEIVED, addresses=(BOB,)
    )
    texts.received(TextMessages((missed,)))
    assert events == []


def test_max_burst() -> None:
    budget = Budget(MAX_BURST, REFILL)
    assert [budget.take(100.0) for _ in range(MAX_BURST + 1)] == [
        *[True] * MAX_BURST,
        False,
    ]
    assert [budget.take(102.0) for _ in range(3)] == [True, True, False]
    assert budget.take(10_000.0)


def test_dates() -> None:
    assert iso_date(0) == "1970-01-01T00:00:00.000+00:00"
    assert iso_date(2**63 - 1) is None
    assert iso_date(-(2**63)) is None
