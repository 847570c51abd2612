"""How a fake Apple TV is found: TXT entries, a unicast responder, announcements.

The Apple TV reference, part A, sections 1.1, 1.2 and 1.12.
"""

import asyncio
from collections.abc import Awaitable
import hashlib
import socket
from typing import TYPE_CHECKING, Literal, cast, override

from tests.fakes.apple_tv_core import HOMEPOD_BOARD
from tests.fakes.apple_tv_crypto import WireError
from tests.fakes.apple_tv_dns import (
    AAAA,
    ANY,
    NSEC,
    PTR,
    SRV,
    TXT,
    A,
    Labels,
    Question,
    Record,
    Response,
    address_data,
    labels_of,
    parse_query,
    txt_data,
)

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

    from tests.fakes.apple_tv import FakeAppleTv

AIRPLAY, RAOP, COMPANION, MRP, SLEEP_PROXY = (
    "_airplay._tcp",
    "_raop._tcp",
    "_companion-link._tcp",
    "_mediaremotetv._tcp",
    "_sleep-proxy._udp",
)
_DEVICE_INFO = ("_device-info", "_tcp", "local")
_PROXY_TYPE = (*SLEEP_PROXY.split("."), "local")
_PROXY_HOST = ("Sleep-Proxy", "local")
_PROXY = ("70-35-60-63.1 Sleep Proxy", *_PROXY_TYPE)
PROXY_PORT = 50353
MDNS_PORT = 5353
#: "bare": PTR records alone; "proxy": SRV and A records lead to the proxy.
type ProxyForm = Literal["bare", "proxy"]

_FEATURES = {
    "hap": "0x4A7FDFD5,0x3C155FDE",
    "none": "0x4A7FDFD5,0x3C155FDE",
    "transient": "0x4A7FCA00,0x3C356BD0",
    "legacy": "0x5A7FFFF7,0x1E",
}


def txt_entries(device: FakeAppleTv) -> dict[str, dict[str, str]]:
    """Return the TXT entries of every service type that a device has."""
    found = {
        AIRPLAY: _airplay(device),
        RAOP: _raop(device),
        COMPANION: _companion(device),
    }
    if device.flavour.shows_mrp and device.kind == "apple_tv":
        found[MRP] = {
            "Name": device.name,
            "UniqueIdentifier": str(device.identity.mrp_id).upper(),
            "SystemBuildVersion": device.build,
            "AllowPairing": "YES",
            "ModelName": "Apple TV",
            "macAddress": device.device_id.lower(),
        }
    if device.kind == "homepod":
        found[SLEEP_PROXY] = {}
    return found


def _flags(device: FakeAppleTv) -> str:
    flags = 0x244 if device.kind == "apple_tv" else 0x18404
    if device.airplay_pairing in ("none", "transient"):
        flags &= ~0x208
    if device.password is not None:
        flags |= 0x80
    return f"0x{flags:x}"


def _airplay(device: FakeAppleTv) -> dict[str, str]:
    entries = {
        "acl": str(device.acl),
        "btaddr": "00:00:00:00:00:00",
        "deviceid": device.device_id,
        "fex": "1d9/St5fFTw",
        "features": _FEATURES[device.airplay_pairing],
        "flags": _flags(device),
        "gid": str(device.identity.pi).upper(),
        "igl": "1",
        "gcgl": "1",
        "model": device.model,
        "osvers": device.os_version,
        "pi": str(device.pi),
        "pk": device.desk.public_key.hex(),
        "protovers": "1.1",
        "psi": str(device.identity.psi).upper(),
        "srcvers": "550.10",
        "vv": "2",
    }
    if device.password is not None:
        entries["pw"] = "true"
    return entries


def _raop(device: FakeAppleTv) -> dict[str, str]:
    return {
        "cn": "0,1,2,3",
        "da": "true",
        "et": "0,4",
        "ft": _FEATURES[device.airplay_pairing],
        "sf": _flags(device),
        "md": "0,1,2",
        "am": device.model,
        "pk": device.desk.public_key.hex(),
        "tp": "UDP",
        "vn": "65537",
        "vs": "550.10",
        "ov": device.os_version,
        "vv": "2",
    }


def _companion(device: FakeAppleTv) -> dict[str, str]:
    # Most of these rotate; nobody may know a device by them.
    digits = hashlib.sha256(f"{device.device_id} {device.turn}".encode()).hexdigest()
    entries = {
        "rpMac": "1",
        "rpHN": digits[:12],
        "rpFl": "0x36782" if device.kind == "apple_tv" else "0x62792",
        "rpHA": digits[12:24],
        "rpMd": device.model,
        "rpVr": device.flavour.companion_version,
        "rpAD": digits[24:36],
        "rpHI": digits[36:48],
        "rpBA": bytes.fromhex(digits[48:60]).hex(":").upper(),
    }
    if device.flavour.has_rp_id:
        entries["rpMRtID"] = str(device.identity.rp_id).upper()
    return entries


class MdnsResponder(asyncio.DatagramProtocol):
    """Answers unicast questions. Attributes are switches of a test."""

    answers_empty = True  # answer what knows none of our types, too
    answers_first = True  # else the first query of everybody is lost
    proxy_form: ProxyForm = "bare"  # how we are answered for while asleep
    proxy_address: str | None = None  # where a proxy's records lead
    is_silent = False
    answers: list[bytes] | None = None  # send these instead

    def __init__(self, device: FakeAppleTv) -> None:
        self._device = device
        self._transport: asyncio.DatagramTransport | None = None
        self._heard: set[object] = set()

    async def start(self, address: str, port: int = 0) -> int:
        """Listen, return the port."""
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        if port == MDNS_PORT:  # shared with whoever speaks multicast here
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            sock.bind((address, port))
        except OSError:
            sock.close()
            raise
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        self._transport = transport
        bound: tuple[str, int] = transport.get_extra_info("sockname")
        return bound[1]

    async def stop(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await asyncio.sleep(0)

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.is_silent or self._device.is_vanished or self._transport is None:
            return
        if not self.answers_first and addr not in self._heard:
            self._heard.add(addr)
            return
        try:
            ident, questions = parse_query(data)
        except WireError:
            self._device.emit("mdns_broken", host=addr[0])
            return
        names = [".".join(question.name) for question in questions]
        self._device.emit("mdns_query", host=addr[0], questions=names)
        for answer in self.answers or [self.answer(ident, questions)]:
            if answer:
                self._transport.sendto(answer, addr)

    def answer(self, ident: int, questions: list[Question]) -> bytes:
        """Return the response, empty for none."""
        answers: list[Record] = []
        additional: list[Record] = []
        for service in self._device.properties:
            owner = self.instance(service)
            name = (*labels_of(service), "local")
            for question in questions:
                if question.kind in (PTR, ANY) and question.name == name:
                    answers.append(Record(name, PTR, owner, is_unique=False))
                    additional += self._details(service, owner)
                elif question.name == owner and question.kind in (SRV, TXT, ANY):
                    answers += self._details(service, owner)
        if self._has_proxy and any(q.name == _PROXY_TYPE for q in questions):
            answers.append(Record(_PROXY_TYPE, PTR, _PROXY, is_unique=False))
            additional += self._proxy_details()
        if not answers and not self.answers_empty:
            return b""
        return Response(ident, questions).build(
            list(dict.fromkeys(answers)), list(dict.fromkeys(additional))
        )

    @property
    def _has_proxy(self) -> bool:
        """Whether another host can be told to answer for us."""
        return self._device.is_deeply_asleep and self.proxy_form == "proxy"

    def _proxy_details(self) -> list[Record]:
        address = self.proxy_address or self._device.address
        return [
            Record(_PROXY, SRV, (PROXY_PORT, _PROXY_HOST)),
            Record(_PROXY_HOST, A, address_data(address)),
            Record(_PROXY, TXT, txt_data({}), 4500),
        ]

    def instance(self, service: str) -> Labels:
        """Return the name of our instance of a service type."""
        device = self._device
        name = device.name
        if service == RAOP:
            name = f"{device.device_id.replace(':', '')}@{device.name}"
        elif service == SLEEP_PROXY:
            name = f"70-35-60-63.1 {device.name}"
        return (name, *labels_of(service), "local")

    def _details(self, service: str, owner: Labels) -> list[Record]:
        device = self._device
        if device.is_deeply_asleep and self.proxy_form == "bare":
            return []
        target, address = (device.host, "local"), device.address
        if device.is_deeply_asleep:
            target, address = _PROXY_HOST, self.proxy_address or device.address
        board = device.board if device.kind == "apple_tv" else HOMEPOD_BOARD
        return [
            Record(owner, SRV, (device.port_of(service), target)),
            Record(target, A, address_data(address)),
            Record(owner, TXT, txt_data(device.properties[service]), 4500),
            Record((device.name, *_DEVICE_INFO), TXT, txt_data({"model": board}), 4500),
            Record(target, AAAA, address_data("fe80::10:dbff:fe4e:1")),
            Record(owner, NSEC, b"\0\x00\x05\x00\x00\x80\x00\x40"),
        ]


class Announcer:
    """Announces a device by multicast, through python-zeroconf."""

    def __init__(self, device: FakeAppleTv, address: str) -> None:
        self._device = device
        self._address = address
        self._zeroconf: AsyncZeroconf | None = None
        self._infos: dict[str, ServiceInfo] = {}
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Announce all services."""
        from zeroconf import IPVersion  # noqa: PLC0415  (not all tests have a network)
        from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415

        self._zeroconf = AsyncZeroconf(
            interfaces=[self._address], ip_version=IPVersion.V4Only
        )
        await self.update()

    async def update(self) -> None:
        """Announce what is true now; asleep, what a sleep proxy says or nothing."""
        async with self._lock:
            if self._zeroconf is not None:
                await self._update(self._zeroconf)

    async def _update(self, zeroconf: AsyncZeroconf) -> None:
        wanted = self._make()
        # All at once, as a sleep proxy takes over: while they are sent, which takes a
        # second each, whoever asks is answered with the new ones already.
        sending: list[Awaitable[None]] = []
        for service, info in tuple(self._infos.items()):
            if service not in wanted or wanted[service].name != info.name:
                del self._infos[service]
                sending.append(await zeroconf.async_unregister_service(info))
        for service, info in wanted.items():
            old = self._infos.get(service)
            self._infos[service] = info
            if old is None:
                sending.append(
                    await zeroconf.async_register_service(
                        info, cooperating_responders=True
                    )
                )
            elif _told(old) != _told(info):
                sending.append(await zeroconf.async_update_service(info))
        await asyncio.gather(*sending)

    def _make(self) -> dict[str, ServiceInfo]:
        from zeroconf import ServiceInfo  # noqa: PLC0415

        device, mdns = self._device, self._device.mdns
        host, address = f"{device.host}.local.", device.address
        if device.is_deeply_asleep:
            if mdns.proxy_form == "bare":
                return {}
            host, address = "Sleep-Proxy.local.", mdns.proxy_address or address
        found = {
            service: ServiceInfo(
                f"{service}.local.",
                f"{mdns.instance(service)[0]}.{service}.local.",
                device.port_of(service),
                properties=cast("dict[str | bytes, str | bytes | None]", entries),
                server=host,
                addresses=[address_data(address)],
            )
            for service, entries in device.properties.items()
        }
        if device.is_deeply_asleep:
            kind = ".".join(_PROXY_TYPE)
            found["proxy"] = ServiceInfo(
                f"{kind}.",
                f"{_PROXY[0]}.{kind}.",
                PROXY_PORT,
                server=host,
                addresses=[address_data(address)],
            )
        return found

    async def stop(self) -> None:
        """Say goodbye."""
        if self._zeroconf is not None:
            await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()
            self._zeroconf = None
        self._infos.clear()


def _told(info: ServiceInfo) -> tuple[object, ...]:
    return info.port, info.text, info.addresses, info.server
