"""Contacts of a phone: fetched when allowed, looked up by number, never stored."""

import asyncio
import logging
from typing import Any

from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .common import paired_entry, wait_connected, wait_state, wait_until
from .messaging import ADA, BOB, act, coordinator_of, quick, set_up_allowed, settle
from custom_components.rumpus.families.kde_connect.features import contacts
from custom_components.rumpus.families.kde_connect.features.contacts import (
    BATCH,
    ContactsFeature,
    name_of,
)
from custom_components.rumpus.families.kde_connect.features.contacts_book import (
    MAX_CANDIDATES,
    AddressBook,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.link import MAX_PAIRED_LINE
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins.contacts import (
    MAX_CONTACTS,
    ContactUids,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.vcard import (
    Contact,
    same_number,
)
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_phone import FakeContact
from tests.fakes.kdeconnect_wire import Body

__all__ = ["quick"]

LOVELACE = FakeContact("Ada Lovelace", (ADA, "030 1234567"), ("ada@example.org",))
BABBAGE = FakeContact("Charles Babbage", (BOB,))


def asked_uids(phone: FakeDevice) -> list[list[str]]:
    """Return which cards the phone was asked for, one list for each question."""
    return [
        event.packet.body["uids"]  # type: ignore[misc]
        for event in phone.events.all
        if event.kind == "contacts_wanted"
        and event.packet is not None
        and "uids" in event.packet.body
    ]


async def names(hass: HomeAssistant, entry: Any, **data: object) -> list[str | None]:
    """Return the names in an answer."""
    answer = await act(hass, entry, "get_contacts", **data)
    return [contact["name"] for contact in answer["contacts"]]


async def test_get_contacts(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """By name, with all that automations may want."""
    phone.contacts.add("b", BABBAGE)
    phone.contacts.add("a", LOVELACE)
    phone.contacts.add("c", FakeContact("Jörg Müller", ()))
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    answer = await act(hass, entry, "get_contacts", search="ada")
    assert answer == {
        "contacts": [
            {
                "name": "Ada Lovelace",
                "numbers": [ADA, "030 1234567"],
                "emails": ["ada@example.org"],
            }
        ]
    }
    assert await names(hass, entry) == [
        "Ada Lovelace",
        "Charles Babbage",
        "Jörg Müller",
    ]
    assert await names(hass, entry, search="  MÜLLER ") == ["Jörg Müller"]
    assert await names(hass, entry, search="@EXAMPLE") == ["Ada Lovelace"]
    assert await names(hass, entry, search="0177") == ["Charles Babbage"]
    assert await names(hass, entry, number="+49 30 1234567") == ["Ada Lovelace"]
    assert await names(hass, entry, number="+49 30 1234567", search="Babb") == []
    assert await names(hass, entry, number="110") == []


async def test_only_what_has_changed_is_fetched(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """At each connect, and again after a while."""
    phone.contacts.add("a", LOVELACE)
    phone.contacts.add("b", BABBAGE)
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    assert asked_uids(phone) == [["a", "b"]]

    phone.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    # What is known stays so meanwhile.
    assert await names(hass, entry) == ["Ada Lovelace", "Charles Babbage"]
    phone.contacts.add("a", FakeContact("Ada King", (ADA,), changed=1_700_000_000_000))
    phone.contacts.add("c", FakeContact("Mary", ()))
    del phone.contacts.contacts["b"]
    await wait_connected(hass, "pixel")
    await settle(entry)
    assert asked_uids(phone) == [["a", "b"], ["a", "c"]]
    assert await names(hass, entry) == ["Ada King", "Mary"]
    assert name_of(coordinator_of(entry), BOB) is None
    assert name_of(coordinator_of(entry), "030 1234567") is None

    phone.contacts.add("d", FakeContact("Zoe", ()))
    assert await names(hass, entry) == ["Ada King", "Mary"]
    coordinator_of(entry).get(ContactsFeature)._synced = -contacts.REFRESH_TIME
    assert await names(hass, entry) == ["Ada King", "Mary", "Zoe"]
    assert asked_uids(phone)[2:] == [["d"]]


async def test_many_contacts(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """In batches; a card that is missing or is none is no trouble."""
    number = 2 * BATCH + 3
    for index in range(number):
        phone.contacts.add(f"{index}", FakeContact(f"Name {index:04}", (f"{index}",)))
    phone.contacts.vanished.add("0")
    phone.contacts.cards["1"] = "no card at all"
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    assert [len(uids) for uids in asked_uids(phone)] == [BATCH, BATCH, 3]
    found = await names(hass, entry)
    assert len(found) == number - 1
    assert found[:2] == [None, "Name 0002"]


async def test_pictures_that_are_too_large_together(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Fewer cards are asked for when an answer does not come."""
    monkeypatch.setattr(contacts, "ANSWER_TIME", 0.15)
    # With a smaller limit it takes no time to reach it.
    monkeypatch.setattr(ContactsFeature, "max_packet", MAX_PAIRED_LINE)
    for index in range(24):
        phone.contacts.add(
            f"{index}", FakeContact(f"Name {index:02}", photo=b"x" * 40_000)
        )
    phone.contacts.add("24", FakeContact("Too large", photo=b"x" * 900_000))
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    assert await names(hass, entry) == [f"Name {index:02}" for index in range(24)]
    assert [len(uids) for uids in asked_uids(phone)][:2] == [25, 12]


async def test_a_phone_that_ends_answering(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not asked for ever; what is known is told."""
    monkeypatch.setattr(contacts, "ANSWER_TIME", 0.05)
    for index in range(BATCH):
        phone.contacts.add(f"{index}", FakeContact(f"Name {index}"))
    send = FakeDevice.handle

    def handle(self: FakeDevice, peer: Any, packet: Any) -> None:
        if packet.type.endswith("vcards_by_uid"):
            peer.emit("contacts_wanted", packet, uids=[])
        else:
            send(self, peer, packet)

    monkeypatch.setattr(FakeDevice, "handle", handle)
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    assert len(asked_uids(phone)) == contacts.MAX_SILENCE
    monkeypatch.setattr(contacts, "MAX_SILENCE", 1)
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, entry, "get_contacts")
    assert error.value.translation_key == "contacts_no_answer"


async def test_gone_while_asked(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The question is asked again when the phone is back."""
    phone.contacts.add("a", LOVELACE)
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    coordinator_of(entry).get(ContactsFeature)._synced = None
    phone.silence()
    waiting = asyncio.create_task(act(hass, entry, "get_contacts"))
    await asyncio.sleep(0)
    phone.drop_link()
    with pytest.raises(HomeAssistantError) as error:
        await waiting
    assert error.value.translation_key == "contacts_no_answer"
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, entry, "get_contacts")
    assert error.value.translation_key == "not_connected"
    await wait_connected(hass, "pixel")
    assert await names(hass, entry) == ["Ada Lovelace"]


async def test_errors(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Not allowed, and not known to the device."""
    entry = await set_up_allowed(hass, ours, phone, "messages")
    with pytest.raises(ServiceValidationError) as error:
        await act(hass, entry, "get_contacts")
    assert error.value.translation_key == "action_not_allowed"
    assert phone.events.seen("contacts_wanted") == 0
    assert name_of(coordinator_of(entry), ADA) is None


async def test_devices_without_contacts(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.incoming = frozenset(
        name for name in phone.incoming if not name.startswith("kdeconnect.contacts")
    )
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    with pytest.raises(ServiceValidationError) as error:
        await act(hass, entry, "get_contacts")
    assert error.value.translation_key == "not_supported"


async def test_hostile_contacts(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What nobody asked for is not taken, and nothing of it is logged."""
    caplog.set_level(logging.DEBUG)
    phone.contacts.add("../../a", FakeContact("Ada Lovelace", (ADA,)))
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    bodies: list[Body] = [
        {"uids": None},
        {"uids": [1, {}, "", "x" * 5000]},
        {"uids": ["uids"], "x": 1},
        {"uids": ["e"], "e": "BEGIN:VCARD\nFN:Eve\nEND:VCARD"},
    ]
    for body in bodies:
        await phone.send("contacts.response_vcards", body)
        await phone.send("contacts.response_uids_timestamps", body)
    await phone.ping.send("behind it")
    await wait_until(
        hass,
        lambda: hass.states.get("event.pixel_ping").state != "unknown",  # type: ignore[union-attr]
    )
    assert await names(hass, entry) == ["Ada Lovelace"]
    own = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components.rumpus")
    ]
    assert own
    assert not any(bit in line for line in own for bit in ("Lovelace", "Eve", ADA))


@pytest.mark.parametrize("names_unknown", [True, False])
async def test_names_of_callers(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, *, names_unknown: bool
) -> None:
    """The phone's own name for a caller counts, and ours if it has none."""
    events = async_capture_events(hass, "rumpus_call")
    phone.contacts.add("a", LOVELACE)
    phone.telephony.names_unknown = names_unknown
    await set_up_allowed(hass, ours, phone, "contacts", "callers")
    for number, name, shown in (
        ("555-0134", None, "Ada Lovelace"),
        ("555-0134", "Countess", "Countess"),
        ("+1555999", None, "+1555999" if names_unknown else None),
        (None, None, None),
    ):
        events.clear()
        await phone.telephony.ring(number, name)
        await wait_state(hass, "sensor.pixel_call", "ringing")
        # Phones repeat themselves.
        await phone.telephony.ring(number, name)
        assert events[0].data["contact"] == shown
        await phone.telephony.hang_up()
        await wait_state(hass, "sensor.pixel_call", "idle")


async def test_nothing_is_stored(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    hass_storage: dict[str, Any],
) -> None:
    phone.contacts.add("a", LOVELACE)
    entry = paired_entry(hass, ours, phone)
    hass.config_entries.async_update_entry(entry, options={"contacts": True})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "pixel")
    await settle(entry)
    assert name_of(coordinator_of(entry), ADA) == "Ada Lovelace"
    await hass.async_block_till_done()
    assert "Lovelace" not in str(hass_storage)


def book_of(*people: Contact) -> tuple[AddressBook, ContactUids]:
    """Return an address book of these people."""
    book = AddressBook()
    uids = ContactUids({str(index): 1 for index in range(len(people))})
    book.update(uids, {str(index): person for index, person in enumerate(people)})
    return book, uids


def test_max_candidates() -> None:
    """Of the same number only so many are looked at."""
    people = [Contact(None, ("1234567",)) for _ in range(MAX_CANDIDATES)]
    book, _ = book_of(*people, Contact("Last", ("1234567",)))
    assert book.name_of("1234567") is None
    assert len(book.search(None, "1234567")) == MAX_CANDIDATES
    assert len(book.search(None, None)) == MAX_CANDIDATES + 1


def test_max_contacts() -> None:
    """Only those of a list are taken, and a list has an end."""
    uids = ContactUids.from_packet(
        Packet("x", {"uids": [str(index) for index in range(MAX_CONTACTS + 1)]})
    )
    book = AddressBook()
    book.update(uids, {str(i): Contact(str(i)) for i in range(MAX_CONTACTS + 1)})
    assert len(book) == MAX_CONTACTS
    # Without times everything is asked for each time.
    assert len(book.wanted(uids)) == MAX_CONTACTS


def test_changed_contacts_lose_their_old_numbers() -> None:
    book, uids = book_of(
        Contact("One", ("1234567", "1234567")), Contact("Two", ("01234567",))
    )
    assert book.name_of("1234567") == "One"
    book.update(uids, {"0": Contact("One", ("7654321",))})
    assert book.name_of("1234567") == "Two"
    assert book.name_of("7654321") == "One"
    assert book.wanted(ContactUids({"1": 1, "2": 2})) == ["2"]
    assert book.name_of("7654321") is None
    book.clear()
    assert len(book) == 0
    assert book.name_of("1234567") is None


numbers = st.text("0123456789+ -", max_size=12) | st.sampled_from(["Bank", " bank"])


@given(st.lists(st.lists(numbers, max_size=3), max_size=6), numbers)
def test_look_ups_find_whom_a_comparison_with_all_finds(
    books: list[list[str]], number: str
) -> None:
    people = [Contact(f"Name {i}", tuple(found)) for i, found in enumerate(books)]
    book, _ = book_of(*people)
    expected = {
        person.name
        for person in people
        if any(same_number(number, known) for known in person.numbers)
    }
    assert {person.name for person in book.search(None, number)} == expected
    assert (book.name_of(number) in expected) == bool(expected)
