"""What one host has told, datagram by datagram (part A, sections 1.5 to 1.7)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from .dns import (
    AddressRecord,
    Message,
    Name,
    PointerRecord,
    Record,
    ServiceRecord,
    TextRecord,
)
from .records import (
    PROTOCOLS,
    Announcement,
    ServiceType,
    mark_proxied,
    read_texts,
    service_type,
    usable_address,
)

MAX_INSTANCES: Final = 256
"""Services that one host speaks of."""
MAX_HOSTS: Final = 256
"""Names of hosts that one host speaks of."""
MAX_ADDRESSES: Final = 8
"""Addresses of one name."""

type Key = tuple[ServiceType, str]


def instance_key(name: Name) -> tuple[ServiceType, str] | None:
    """Return the type and the instance that a name speaks of; "" for the type itself.

    None when it is no service of a known type. An instance is one label, but some split
    it at its dots.
    """
    for index in range(len(name) - 1):
        type_ = service_type(f"{name[index]}.{name[index + 1]}")
        if type_ is not None and [part.lower() for part in name[index + 2 :]] == [
            "local"
        ]:
            return type_, ".".join(name[:index])
    return None


class RecordTable:
    """Collects records; the latest of each kind counts."""

    def __init__(self, types: Iterable[ServiceType]) -> None:
        """Take in services of these types alone."""
        self._types = frozenset(types)
        # By type and the name without regard to case: the name as it was first told.
        self._instances: dict[Key, str] = {}
        self._ports: dict[Key, tuple[int, str]] = {}
        self._texts: dict[Key, dict[str, str]] = {}
        self._addresses: dict[str, dict[str, None]] = {}
        self._proxied: set[Key] = set()

    def __len__(self) -> int:
        """Return how many services are known."""
        return len(self._instances)

    @property
    def located(self) -> int:
        """How many of the services are known to be somewhere."""
        return sum(key[0] in PROTOCOLS for key in self._ports)

    @property
    def unlocated(self) -> tuple[tuple[ServiceType, str], ...]:
        """The services of which a sleep proxy told the name alone."""
        return tuple(
            (key[0], self._instances[key])
            for key in self._instances
            if key in self._proxied and key not in self._ports
        )

    def add(self, message: Message) -> bool:
        """Take in a message; tell whether there was anything new in it."""
        before = self._size()
        named: set[Key] = set()
        located: set[Key] = set()
        for record in message.records:
            self._add(record, named, located)
        # Only a sleep proxy names services without saying where any of them is.
        if named and not located:
            self._proxied |= {key for key in named if key not in self._ports}
        elif named:
            self._proxied -= located & named
        return self._size() != before

    def _size(self) -> tuple[int, ...]:
        return (
            len(self._instances),
            len(self._ports),
            len(self._texts),
            sum(map(len, self._addresses.values())),
            len(self._proxied),
        )

    def _add(self, record: Record, named: set[Key], located: set[Key]) -> None:
        if isinstance(record, AddressRecord):
            self._add_address(record)
            return
        name = record.target if isinstance(record, PointerRecord) else record.name
        key = self._instance(name)
        if key is None:
            return
        match record:
            case PointerRecord():
                if key[0] in PROTOCOLS:
                    named.add(key)
            case ServiceRecord():
                if record.port:
                    host = ".".join(record.target).lower()
                    self._ports[key] = record.port, host
                    located.add(key)
            case TextRecord():
                self._texts[key] = read_texts(record.texts)

    def _instance(self, name: Name) -> Key | None:
        found = instance_key(name)
        if found is None or not found[1] or found[0] not in self._types:
            return None
        key = found[0], found[1].casefold()
        if key not in self._instances:
            if len(self._instances) >= MAX_INSTANCES:
                return None
            self._instances[key] = found[1]
        return key

    def _add_address(self, record: AddressRecord) -> None:
        host = ".".join(record.name).lower()
        if host not in self._addresses and len(self._addresses) >= MAX_HOSTS:
            return
        addresses = self._addresses.setdefault(host, {})
        usable = usable_address(record.address)
        if usable is not None and len(addresses) < MAX_ADDRESSES:
            addresses[usable] = None

    def announcements(self, asked: str) -> tuple[Announcement, ...]:
        """Return all services; `asked` is the address that the answers came from.

        It is known to work: it is taken where a host has several addresses, or none. So
        it is for a device whose sleep proxy answers there: that one is somebody else.
        """
        told = mark_proxied(
            self._announcement(key, instance, asked)
            for key, instance in self._instances.items()
        )
        return tuple(
            replace(one, address=asked) if one.is_proxied else one for one in told
        )

    def _announcement(self, key: Key, instance: str, asked: str) -> Announcement:
        port, host = self._ports.get(key, (0, ""))
        addresses = self._addresses.get(host, {})
        address = (
            asked if asked in addresses or not addresses else next(iter(addresses))
        )
        return Announcement(
            type=key[0],
            instance=instance,
            address=address,
            port=port,
            properties=self._texts.get(key, {}),
            host=host or None,
            is_proxied=key in self._proxied,
        )
