"""What became of devices, out of what was announced (part A, sections 1.6 and 1.7).

Nothing in here knows of time or of a network.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import reduce
from typing import Final

from .records import PROTOCOLS, Announcement, ServiceType, devices, mark_proxied, merge
from .services import FoundDevice, join

MAX_SERVICES: Final = 512
"""Services that are known at once: anybody can announce any number of them."""
MAX_DEVICES: Final = 64
"""Devices that are told of at once; those that are known go before strangers."""
MAX_REMEMBERED: Final = 64
"""Devices that were awake once: a sleep proxy may tell no more than their names."""
MAX_WANTED: Final = 64
"""Devices of earlier days that are remembered besides."""

type Key = tuple[ServiceType, str]


class SightingKind(StrEnum):
    """What became of a device."""

    APPEARED = "appeared"
    CHANGED = "changed"
    ASLEEP = "asleep"
    AWAKE = "awake"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was last heard of a device, and why it is told.

    AWAKE: the device itself speaks again where its sleep proxy did, or it announced itself
    anew, unchanged: whatever waits for it should try now. A device that appears may be
    asleep.
    """

    device: FoundDevice
    kind: SightingKind


class _Index:
    """Finds devices by what they are known by, however many there are."""

    def __init__(self, devices: Iterable[FoundDevice]) -> None:
        self._devices = tuple(devices)
        self._places: dict[str, int] = {}
        # The latest of a name counts.
        self._names: dict[str, FoundDevice] = {}
        for place, device in enumerate(self._devices):
            self._names[device.name.casefold()] = device
            for identifier in device.identifiers:
                self._places.setdefault(identifier, place)

    def same(self, device: FoundDevice) -> FoundDevice | None:
        """Return the first device that shares an identifier."""
        places = self._places
        found = [places[one] for one in device.identifiers if one in places]
        return self._devices[min(found)] if found else None

    def find(self, name: str | None, identifier: str | None) -> FoundDevice | None:
        """Return the device that has an identifier, or else this name."""
        if identifier is not None and identifier in self._places:
            return self._devices[self._places[identifier]]
        return None if name is None else self._names.get(name.casefold())


class Sightings:
    """Keeps what is known, and tells it device by device."""

    def __init__(self) -> None:
        """Know nothing yet."""
        # The latest are the last ones.
        self._services: dict[Key, Announcement] = {}
        self._devices: tuple[FoundDevice, ...] = ()
        # So are they of these.
        self._remembered: list[FoundDevice] = []
        self._wanted: list[FoundDevice] = []
        self._known_by: _Index | None = None
        self._stirred: set[Key] = set()
        self._gone: set[Key] = set()

    @property
    def devices(self) -> tuple[FoundDevice, ...]:
        """The devices of the latest update."""
        return self._devices

    def __contains__(self, key: Key) -> bool:
        """Tell whether a service is known, be it by name alone."""
        return key in self._services

    def is_located(self, key: Key) -> bool:
        """Tell whether a service is known that the device itself spoke of."""
        known = self._services.get(key)
        return known is not None and known.port != 0 and not known.is_proxied

    def is_unlocated(self, key: Key) -> bool:
        """Tell whether only a sleep proxy spoke of a service."""
        return key in self._services and not self.is_located(key)

    def is_remembered(self, name: str | None, identifier: str | None) -> bool:
        """Tell whether a device of this name or identifier was awake once."""
        return self._find(name, identifier) is not None

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses of sleep proxies."""
        return tuple(
            one.address
            for one in self._services.values()
            if one.type is ServiceType.SLEEP_PROXY and one.address is not None
        )

    def remember(self, device: FoundDevice) -> None:
        """Know a device that was found earlier; it is not told before it is heard of.

        It is not forgotten, however many strangers there are.
        """
        # What was heard of it since then goes first.
        heard = [one for one in self._remembered if one.is_same_as(device.identifiers)]
        self._remembered = [one for one in self._remembered if one not in heard]
        self._wanted = _put(self._wanted, reduce(join, [*reversed(heard), device]))
        del self._wanted[:-MAX_WANTED]
        self._known_by = None

    def _note(self, awake: Iterable[FoundDevice]) -> None:
        """Remember where devices were when they were awake."""
        wanted = _Index(self._wanted)
        for device in awake:
            if wanted.same(device) is not None:
                self._wanted = _put(self._wanted, device)
            else:
                self._remembered = _put(self._remembered, device)
        del self._remembered[:-MAX_REMEMBERED]
        self._known_by = None

    def add(self, one: Announcement) -> bool:
        """Take in what was announced; tell whether there is anything to be told."""
        key = one.key
        if one.port == 0 and one.type in PROTOCOLS:
            # What the device itself said is still true when it wakes up.
            one = replace(self._services.get(key, one), is_proxied=True)
        elif not one.properties and (known := self._services.get(key)) is not None:
            # Where it is may be heard before, or longer than, what it is.
            one = replace(one, properties=known.properties)
        if key not in self._services and not self._make_room(one):
            return False
        if key in self._gone:
            self._stirred.add(key)
            self._gone.discard(key)
        if self._services.get(key) == one:
            return key in self._stirred
        self._services.pop(key, None)  # to be the latest
        self._services[key] = one
        return True

    def stir(self, key: Key) -> bool:
        """Note that a device says again what is known; tell whether it is."""
        if not self.is_located(key):
            return False
        self._stirred.add(key)
        return True

    def remove(self, key: Key) -> bool:
        """Forget a service; tell whether it was known."""
        if self._services.pop(key, None) is None:
            return False
        self._gone.add(key)
        return True

    @property
    def _known(self) -> _Index:
        if self._known_by is None:
            self._known_by = _Index([*self._remembered, *self._wanted])
        return self._known_by

    def _make_room(self, one: Announcement) -> bool:
        """Let a device that is known in, whoever else fills everything."""
        if len(self._services) < MAX_SERVICES:
            return True
        if not self.is_remembered(one.name, one.identifier):
            return False
        for key, other in self._services.items():
            if not self.is_remembered(other.name, other.identifier):
                del self._services[key]
                return True
        return False

    def update(self) -> tuple[Sighting, ...]:
        """Return what has happened since the last time."""
        found = self._look()
        told: list[Sighting] = []
        left = {id(device): device for device in self._devices}
        before_by, found_by = _Index(self._devices), _Index(found)
        for device in found:
            before = before_by.same(device)
            if before is not None:
                before = left.pop(id(before), None)
            kind = self._kind(before, device)
            if kind is not None:
                told.append(Sighting(device, kind))
        told.extend(
            Sighting(device, SightingKind.GONE)
            for device in left.values()
            if found_by.same(device) is None
        )
        self._note(device for device in found if not device.is_asleep)
        self._devices = found
        self._stirred.clear()
        self._gone.clear()
        return tuple(told)

    def _kind(
        self, before: FoundDevice | None, device: FoundDevice
    ) -> SightingKind | None:
        if before is None:
            return SightingKind.APPEARED
        if device.is_asleep != before.is_asleep:
            return SightingKind.ASLEEP if device.is_asleep else SightingKind.AWAKE
        if device != before:
            return SightingKind.CHANGED
        if device.is_asleep or not self._has_stirred(device):
            return None
        return SightingKind.AWAKE

    def _has_stirred(self, device: FoundDevice) -> bool:
        stirred = (self._services.get(key) for key in self._stirred)
        return any(
            one.identifier in device.identifiers
            or (one.address, one.name) == (device.address, device.name)
            for one in stirred
            if one is not None
        )

    def _look(self) -> tuple[FoundDevice, ...]:
        """Return the devices that there are now, known ones first."""
        bare: list[Announcement] = []
        located: list[Announcement] = []
        for one in self._services.values():
            is_bare = one.type in PROTOCOLS and not one.port
            (bare if is_bare else located).append(one)
        # A device that has got another name may not have taken the old one back.
        located.reverse()
        # There is an end to what is made of them, too.
        located.sort(key=lambda one: not self.is_remembered(one.name, one.identifier))
        ready = (one for one in devices(mark_proxied(located)) if one.is_ready)
        # What is recognised may turn out to be the other half of one that is awake.
        found = list(merge(self._recognize(device) for device in merge(ready)))
        awake = _Index(found)
        found += [one for one in self._sleeping(bare) if awake.same(one) is None]
        known = [self._known.same(device) is not None for device in found]
        order = sorted(range(len(found)), key=lambda index: not known[index])
        return tuple(found[index] for index in order[:MAX_DEVICES])

    def _recognize(self, device: FoundDevice) -> FoundDevice:
        """Keep where a device was that is asleep: its sleep proxy is not where it will be."""
        if not device.is_asleep:
            return device
        known = self._known.same(device)
        if known is None:
            return device
        return replace(join(known, device), is_asleep=True)

    def _sleeping(self, bare: Iterable[Announcement]) -> list[FoundDevice]:
        """Return the devices that a sleep proxy told nothing but names of."""
        sleeping: list[FoundDevice] = []
        taken: set[str] = set()
        for one in bare:
            known = self._find(one.name, one.identifier)
            if known is not None and taken.isdisjoint(known.identifiers):
                taken.update(known.identifiers)
                sleeping.append(replace(known, is_asleep=True))
        return sleeping

    def _find(self, name: str | None, identifier: str | None) -> FoundDevice | None:
        """Return the device remembered that has an identifier, or else this name."""
        return self._known.find(name, identifier)


def _put(known: list[FoundDevice], device: FoundDevice) -> list[FoundDevice]:
    """Return the devices with this one as the latest, awake.

    It may be on its way to sleep, and have withdrawn a part of what it said before.
    """
    others: list[FoundDevice] = []
    names = set(device.identifiers)
    for one in known:
        if names.isdisjoint(one.identifiers):
            others.append(one)
        else:
            names.update(one.identifiers)
            device = join(device, one)
    return [*others, replace(device, is_asleep=False)]
