"""The peer's address book (the KDE Connect reference, section 11.10).

Ask only when the user wants that: the phone asks its own user for permission. `vcard` reads
the cards. Everything is private: `repr` has none of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from ...errors import MessageTooLargeError, ProtocolError
from ...json_fields import MAX_ID, get_int, get_strings
from ...json_lines import JsonObject
from ..packet import Packet
from .message import Decoders, Message
from .vcard import MAX_CARD

TYPE_UIDS: Final = "kdeconnect.contacts.response_uids_timestamps"
TYPE_CARDS: Final = "kdeconnect.contacts.response_vcards"
TYPE_REQUEST_UIDS: Final = "kdeconnect.contacts.request_all_uids_timestamps"
TYPE_REQUEST_CARDS: Final = "kdeconnect.contacts.request_vcards_by_uid"

MAX_CONTACTS: Final = 5000
"""Contacts kept of an address book."""
MAX_UID: Final = MAX_ID
"""Characters of a contact's id; a contact with a longer one is left out."""
MAX_REQUESTED: Final = 100
"""Cards that can be asked for at once, so that the answer stays small."""

_UIDS: Final = "uids"


@dataclass(frozen=True, slots=True)
class ContactUids(Message):
    """The ids of all contacts and when each has changed, in milliseconds since 1970.

    A time is None when the peer does not tell. An id is text of the peer's choice, no path.
    """

    timestamps: Mapping[str, int | None] = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the ids; raises ProtocolError when there is no list of them."""
        return cls({uid: get_int(packet.body, uid) for uid in _uids(packet.body)})


@dataclass(frozen=True, slots=True)
class ContactCards(Message):
    """Some contacts' vCards by id, perhaps fewer than were asked for."""

    cards: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read cards; raises ProtocolError when there is no list of ids.

        Contacts without a card, or with one of more than MAX_CARD characters, are left out.
        """
        cards: dict[str, str] = {}
        for uid in _uids(packet.body):
            card = packet.body.get(uid)
            if isinstance(card, str) and 0 < len(card) <= MAX_CARD:
                cards[uid] = card
        return cls(cards)


def request_uids() -> Packet:
    """Ask for the ids of all contacts."""
    return Packet(TYPE_REQUEST_UIDS)


def request_cards(uids: Sequence[str]) -> Packet:
    """Ask for some contacts' cards; raises MessageTooLargeError above MAX_REQUESTED."""
    if len(uids) > MAX_REQUESTED:
        raise MessageTooLargeError("too many contacts asked for at once")
    return Packet(TYPE_REQUEST_CARDS, {_UIDS: list(uids)})


def _uids(body: JsonObject) -> tuple[str, ...]:
    uids = get_strings(body, _UIDS, max_items=MAX_CONTACTS, limit=MAX_UID)
    if uids is None:
        raise ProtocolError("contacts packet without ids")
    return uids


DECODERS: Final[Decoders] = {
    TYPE_UIDS: ContactUids.from_packet,
    TYPE_CARDS: ContactCards.from_packet,
}
