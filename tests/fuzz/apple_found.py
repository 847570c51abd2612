"""What anybody in the network can say about devices of Apple's: DNS, TXT, what is stored."""

import copy
from typing import Any, Final

from .mutation import Mutator
from custom_components.rumpus.protocols.airplay.features import (
    parse_features,
    parse_status,
)
from custom_components.rumpus.protocols.apple.dns import (
    Question,
    RecordType,
    decode,
    encode_query,
    split_texts,
)
from custom_components.rumpus.protocols.apple.records import (
    Announcement,
    ServiceType,
    announcement,
    devices,
    merge,
    read_texts,
)
from custom_components.rumpus.protocols.apple.records_table import RecordTable
from custom_components.rumpus.protocols.apple.scan_query import queries_for_instances
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.apple.watch_sightings import (
    MAX_DEVICES,
    Sightings,
)
from tests.fakes.apple_tv_dns import (
    PTR,
    SRV,
    TXT,
    A,
    Labels,
    Question as FakeQuestion,
    Record,
    Response,
    txt_data,
)

ASKED: Final = "10.0.0.1"
TEXTS: Final[dict[ServiceType, dict[str, str]]] = {
    ServiceType.AIRPLAY: {
        "deviceid": "AA:BB:CC:DD:EE:FF",
        "features": "0x4A7FDFD5,0x3C155FDE",
        "flags": "0x244",
        "model": "AppleTV6,2",
        "osvers": "14.7",
        "acl": "0",
        "act": "2",
        "psi": "00000000-0000-4000-8000-0000000000AA",
    },
    ServiceType.COMPANION: {"rpMd": "AppleTV6,2", "rpFl": "0x36782", "rpMRtID": "id"},
    ServiceType.MRP: {
        "Name": "Room",
        "UniqueIdentifier": "MRP",
        "SystemBuildVersion": "18M60",
        "AllowPairing": "YES",
        "macAddress": "aa:bb:cc:dd:ee:ff",
    },
    ServiceType.RAOP: {"am": "AppleTV6,2", "ov": "14.7", "ft": "0x1", "pw": "false"},
    ServiceType.HOME_SHARING: {"hG": "00000000", "Name": "Room"},
    ServiceType.TOUCHABLE: {"CtlN": "Room"},
    ServiceType.HSCP: {"Machine Name": "Room", "Machine ID": "M"},
    ServiceType.AIRPORT: {"waMA": "AA-BB-CC-DD-EE-FF,raMA=x,syVs=7.8.1"},
    ServiceType.DEVICE_INFO: {"model": "J105aAP"},
    ServiceType.SLEEP_PROXY: {},
}
NAMES: Final = (
    "Room",
    "A0B1C2@Room",
    "70-35-60-63.1 Room",
    "dmap_id",
    "Wohnzimmer\u00e9",
)
STORED: Final = merge(
    devices(
        Announcement(
            type_, "id@Room", ASKED, 7000, {k.lower(): v for k, v in t.items()}
        )
        for type_, t in TEXTS.items()
    )
)[0].to_dict()
ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 65536, 2**70, 0.5, float("nan")),
    *("", "0", "airplay", "x" * 3000, "\u00fc\0\ud7ff", [], {}, [[]], {"": None}),
    *([{}] * 20, {str(number): "" for number in range(300)}, {"a": 1}, b"bytes"),
)


def answers() -> list[bytes]:
    """Return answers as devices and sleep proxies give them."""
    found: list[bytes] = []
    for name in NAMES:
        pointers: list[Record] = []
        details: list[Record] = []
        host: Labels = (name.replace("@", "-"), "local")
        for type_, texts in TEXTS.items():
            owner: Labels = (name, *type_.value.split("."), "local")
            pointers.append(Record(owner[1:], PTR, owner))
            details += [
                Record(owner, SRV, (7000, host)),
                Record(owner, TXT, txt_data(texts)),
                Record(host, A, b"\x0a\0\0\x09"),
            ]
            one = [pointers[-1], *details[-3:]]
            found.append(Response(0, []).build(one[:1], one[1:]))
        asked = [FakeQuestion(record.name, PTR) for record in pointers[:3]]
        found.append(Response(7, asked).build(pointers, details))
        found.append(Response(0x35FF, asked).build(pointers, []))
    return found


class FoundTargets:
    """Decoders of what is said before anybody is connected to."""

    def __init__(self, mutator: Mutator) -> None:
        """Take turns with what a watcher keeps for long."""
        self._mutator = mutator
        self._chance = mutator.chance
        self._answers = answers()
        self._texts = [
            *(
                f"{key}={text}"
                for texts in TEXTS.values()
                for key, text in texts.items()
            ),
            *NAMES,
        ]
        self._types = list(ServiceType)
        self._sightings = Sightings()
        self._heard = 0

    @property
    def corpus(self) -> list[bytes]:
        """Valid inputs."""
        return self._answers

    def answer(self) -> bytes:
        """Return a broken answer."""
        return self._mutator.mutated(self._chance.choice(self._answers))

    def texts(self) -> bytes:
        """Return broken TXT data."""
        return self._mutator.mutated(txt_data(TEXTS[self._chance.choice(self._types)]))

    def text(self) -> bytes:
        """Return a broken text."""
        return self._mutator.mutated(self._chance.choice(self._texts).encode())

    def read_answer(self, data: bytes) -> None:
        """Read an answer, to the devices that it speaks of."""
        message = decode(data)
        table = RecordTable(self._types)
        table.add(message)
        if table.add(message):
            raise AssertionError("the same was new again")
        for questions in queries_for_instances(table.unlocated):
            decode(encode_query(questions))
        check_devices(merge(devices(table.announcements(ASKED))))

    def read_query(self, data: bytes) -> None:
        """Write what was read: names are cut, and never too long."""
        for record in decode(data).records:
            names = [Question(record.name[:2], RecordType.ANY)]
            if all(record.name[:2]):
                decode(encode_query(names))

    def read_texts(self, data: bytes) -> None:
        """Read TXT data as that of any type."""
        properties = read_texts(split_texts(data))
        one = Announcement(
            self._chance.choice(self._types), "id@Room", ASKED, 7000, properties
        )
        check_devices(devices([one]))

    def hear(self, data: bytes) -> None:
        """Let a watcher hear what others resolved; it keeps what it heard before."""
        type_ = f"{self._chance.choice(self._types)}.local."
        parts = data.decode(errors="replace").split("=")
        one = announcement(
            type_,
            f"{parts[0]}.{type_}",
            addresses=[parts[-1], f"10.0.0.{self._chance.randrange(9)}"],
            port=self._chance.choice((None, 0, 7000, 7001, -1, 2**20)),
            properties={parts[0]: parts[-1], "deviceid": data[:3]},
            host=parts[-1],
            is_proxied=self._chance.random() < 0.1,
        )
        if one is not None and self._chance.random() < 0.2:
            self._sightings.remove(one.key)
        elif one is not None:
            self._sightings.add(one)
        self._heard += 1
        if self._heard % 50 == 0:
            self._update()

    def _update(self) -> None:
        for sighting in self._sightings.update():
            repr(sighting)
        if len(self._sightings.devices) > MAX_DEVICES:
            raise AssertionError("too many devices")

    def read_flags(self, data: bytes) -> None:
        """Read AirPlay's numbers."""
        text = data.decode(errors="replace")
        for parse in (parse_status, parse_features):
            repr(parse(text))

    def read_stored(self, _: bytes) -> None:
        """Read what somebody has changed in what was stored."""
        device = FoundDevice.from_dict(self._changed())
        check_devices((device,))

    def _changed(self) -> Any:
        whole: dict[str, Any] = copy.deepcopy(STORED)
        for _ in range(self._chance.randint(1, 3)):
            node: Any = whole
            while self._chance.random() < 0.6:
                children = node.values() if isinstance(node, dict) else node
                below = [child for child in children if isinstance(child, (dict, list))]
                if not below:
                    break
                node = self._chance.choice(below)
            value = copy.deepcopy(self._chance.choice(ODD_VALUES))
            if isinstance(node, dict):
                node[self._chance.choice([*node, "other"])] = value
            elif node:
                node[self._chance.randrange(len(node))] = value
        return whole


def check_devices(found: tuple[FoundDevice, ...]) -> None:
    """Look at everything that devices tell, and store them."""
    for device in found:
        repr((device, device.tunnel, str(device.info), device.is_supported))
        for service in device.services:
            repr((service.features, service.airplay_version))
        if FoundDevice.from_dict(device.to_dict()) != device:
            raise AssertionError("stored as something else")
