"""The contacts of a device: kept in memory only, as far as names and numbers go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ....protocols.kdeconnect.plugins.contacts import ContactCards, ContactUids
from ....protocols.kdeconnect.plugins.vcard import (
    Contact,
    number_key,
    parse_vcard,
    same_number,
)

MAX_CANDIDATES: Final = 20
"""Numbers with the same last digits that are compared with one that is looked up."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A contact, and when it changed last, in milliseconds since 1970."""

    changed_ms: int | None
    contact: Contact = field(repr=False)


def parse_cards(cards: ContactCards) -> dict[str, Contact]:
    """Read cards; it takes a while, and belongs into the executor."""
    return {uid: parse_vcard(card) for uid, card in cards.cards.items()}


class AddressBook:
    """Contacts by the ids that the device gives them, with an index of their numbers."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[str, _Entry] = {}
        self._numbers: dict[str, list[tuple[str, str]]] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._entries)

    def wanted(self, uids: ContactUids) -> list[str]:
        """Forget who is not listed any more; return who is new or has changed."""
        listed = uids.timestamps
        for uid in [uid for uid in self._entries if uid not in listed]:
            self._remove(uid)
        return [
            uid
            for uid, changed_ms in listed.items()
            if changed_ms is None
            or (known := self._entries.get(uid)) is None
            or known.changed_ms != changed_ms
        ]

    def update(self, uids: ContactUids, contacts: Mapping[str, Contact]) -> None:
        """Take contacts, as far as they are listed: so there are MAX_CONTACTS at most."""
        for uid, contact in contacts.items():
            if uid not in uids.timestamps:
                continue
            if uid in self._entries:
                self._remove(uid)
            self._entries[uid] = _Entry(uids.timestamps[uid], contact)
            for number in contact.numbers:
                known = self._numbers.setdefault(number_key(number), [])
                if len(known) < MAX_CANDIDATES:
                    known.append((number, uid))

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._numbers.clear()

    def name_of(self, number: str) -> str | None:
        """Return the name that belongs to a number, None when there is none."""
        for contact in self._owners(number):
            if contact.name is not None:
                return contact.name
        return None

    def search(self, text: str | None, number: str | None) -> list[Contact]:
        """Return those with the text in name, number or address, and with the number.

        They are in the order of their names.
        """
        if number is None:
            found = [entry.contact for entry in self._entries.values()]
        else:
            found = self._owners(number)
        if text is not None and (wanted := text.casefold().strip()):
            found = [contact for contact in found if _has_text(contact, wanted)]
        return sorted(found, key=lambda contact: (contact.name or "").casefold())

    def _owners(self, number: str) -> list[Contact]:
        uids = dict.fromkeys(
            uid
            for known, uid in self._numbers.get(number_key(number), ())
            if same_number(number, known)
        )
        return [self._entries[uid].contact for uid in uids]

    def _remove(self, uid: str) -> None:
        for number in self._entries.pop(uid).contact.numbers:
            key = number_key(number)
            left = [item for item in self._numbers.get(key, ()) if item[1] != uid]
            if left:
                self._numbers[key] = left
            else:
                self._numbers.pop(key, None)


def _has_text(contact: Contact, wanted: str) -> bool:
    return any(
        wanted in text.casefold()
        for text in (contact.name or "", *contact.numbers, *contact.emails)
    )
