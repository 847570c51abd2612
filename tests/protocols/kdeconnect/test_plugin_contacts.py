"""Packets about contacts."""

from hypothesis import given, settings
import pytest

from .strategies import bodies
from custom_components.rumpus.protocols.errors import (
    MessageTooLargeError,
    ProtocolError,
)
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.plugins import (
    contacts,
    decode_message,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.contacts import (
    MAX_CONTACTS,
    MAX_REQUESTED,
    MAX_UID,
    ContactCards,
    ContactUids,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.vcard import (
    MAX_CARD,
    Contact,
    parse_vcard,
)

UIDS = "kdeconnect.contacts.response_uids_timestamps"
CARDS = "kdeconnect.contacts.response_vcards"
CARD = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Ann\r\nTEL;CELL:+15550001\r\n"
    "X-KDECONNECT-ID-DEV-0123:7\r\nREV:1795250084961\r\nEND:VCARD\r\n"
)


def test_uids_and_their_times() -> None:
    packet = Packet(
        UIDS, {"uids": ["7", "3", "5"], "7": "1795250084961", "3": 5, "5": None}
    )

    assert decode_message(packet) == ContactUids(
        {"7": 1795250084961, "3": 5, "5": None}
    )


def test_cards_as_android_writes_them() -> None:
    message = decode_message(Packet(CARDS, {"uids": ["7"], "7": CARD}))

    assert message == ContactCards({"7": CARD})
    assert parse_vcard(CARD) == Contact("Ann", ("+15550001",))


def test_contacts_without_a_card_are_left_out() -> None:
    body: JsonObject = {"uids": ["1", "2", "3", "4"], "2": None, "3": "", "4": CARD}

    assert decode_message(Packet(CARDS, body)) == ContactCards({"4": CARD})


def test_cards_that_are_not_listed_are_left_out() -> None:
    body: JsonObject = {"uids": ["uids"], "1": CARD}

    assert decode_message(Packet(CARDS, body)) == ContactCards({})
    assert decode_message(Packet(UIDS, body)) == ContactUids({"uids": None})


@pytest.mark.parametrize("packet_type", [UIDS, CARDS])
@pytest.mark.parametrize("uids", [None, {}, "7", 7])
def test_no_list_is_refused(packet_type: str, uids: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(packet_type, {"uids": uids}))


def test_limit_of_contacts() -> None:
    uids: list[JsonValue] = [str(number) for number in range(MAX_CONTACTS + 1)]

    message = decode_message(Packet(UIDS, {"uids": uids}))

    assert isinstance(message, ContactUids)
    assert list(message.timestamps) == uids[:-1]


def test_limit_of_uid() -> None:
    fitting = "u" * MAX_UID

    assert decode_message(
        Packet(UIDS, {"uids": [fitting + "u", fitting]})
    ) == ContactUids({fitting: None})


def test_limit_of_card() -> None:
    fitting = CARD.ljust(MAX_CARD)

    assert decode_message(
        Packet(CARDS, {"uids": ["1", "2"], "1": fitting, "2": fitting + " "})
    ) == ContactCards({"1": fitting})


def test_limit_of_requested() -> None:
    uids = [str(number) for number in range(MAX_REQUESTED + 1)]

    contacts.request_cards(uids[:-1])
    with pytest.raises(MessageTooLargeError):
        contacts.request_cards(uids)


@settings(deadline=None)
@given(bodies("uids", "a", "b"))
@pytest.mark.parametrize("packet_type", [UIDS, CARDS])
def test_any_packet_is_read_or_refused(packet_type: str, body: JsonObject) -> None:
    try:
        message = decode_message(Packet(packet_type, body))
    except ProtocolError:
        return
    assert isinstance(message, ContactUids | ContactCards)


def test_nothing_private_is_shown() -> None:
    shown = repr([ContactUids({"secret": 1}), ContactCards({"1": "secret"})])

    assert "secret" not in shown


def test_requests() -> None:
    assert contacts.request_uids() == Packet(
        "kdeconnect.contacts.request_all_uids_timestamps", {}
    )
    assert contacts.request_cards(("7", "3")) == Packet(
        "kdeconnect.contacts.request_vcards_by_uid", {"uids": ["7", "3"]}
    )
