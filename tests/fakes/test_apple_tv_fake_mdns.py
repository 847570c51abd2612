"""How the fake Apple TV is found."""

import asyncio
from collections.abc import Iterator
import struct
from typing import override

import pytest

from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_core import OsName
from tests.fakes.apple_tv_crypto import WireError
from tests.fakes.apple_tv_dns import (
    ANY,
    PTR,
    SRV,
    TXT,
    A,
    Labels,
    Record,
    Response,
    labels_of,
    parse_query,
    read_name,
    txt_data,
)
from tests.fakes.apple_tv_script_client import read_records

pytestmark = pytest.mark.usefixtures("socket_enabled")

AIRPLAY: Labels = ("_airplay", "_tcp", "local")
INSTANCE: Labels = ("Living Room", *AIRPLAY)
#: A query of another client: _airplay and _sleep-proxy.
QUERY = bytes.fromhex(
    "35ff01200002000000000000085f616972706c6179045f746370056c6f63616c00000c8001"
    "0c5f736c6565702d70726f7879045f756470056c6f63616c00000c8001"
)


def query(*questions: tuple[Labels, int]) -> bytes:
    data = struct.pack(">HHHHHH", 7, 0, len(questions), 0, 0, 0)
    for name, kind in questions:
        for label in name:
            data += bytes((len(label.encode()),)) + label.encode()
        data += b"\0" + struct.pack(">HH", kind, 0x8001)
    return data


class Asker(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers.put_nowait(data)


async def ask(device: FakeAppleTv, data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    transport, asker = await loop.create_datagram_endpoint(
        Asker, remote_addr=(device.address, device.mdns_port)
    )
    try:
        transport.sendto(data)
        async with asyncio.timeout(5):
            return await asker.answers.get()
    finally:
        transport.close()
        await asyncio.sleep(0)


def txt(data: bytes) -> dict[str, str]:
    def entries() -> Iterator[list[str]]:
        at = 0
        while at < len(data):
            yield data[at + 1 : at + 1 + data[at]].decode().split("=", 1)
            at += 1 + data[at]

    return {entry[0]: entry[1] for entry in entries()}


def records(data: bytes) -> dict[tuple[Labels, int], tuple[bytes, int]]:
    return {(name, kind): (rest, at) for name, kind, rest, at in read_records(data)}


async def test_ptr() -> None:
    async with FakeAppleTv() as device:
        data = await ask(device, QUERY)
        await device.wait_for("mdns_query")
        assert data[:4].hex() == "35ff8400"
        found = records(data)
        assert read_name(data, found[AIRPLAY, PTR][1])[0] == INSTANCE
        rest, at = found[INSTANCE, SRV]
        assert struct.unpack(">HHH", rest[:6]) == (0, 0, device.airplay_port)
        host = read_name(data, at + 6)[0]
        assert host == ("Living-Room", "local")
        assert found[host, A][0] == b"\x7f\0\0\1"
        told = txt(found[INSTANCE, TXT][0])
        assert told["deviceid"] == device.device_id
        assert told["features"] == "0x4A7FDFD5,0x3C155FDE"
        board: Labels = ("Living Room", "_device-info", "_tcp", "local")
        assert txt(found[board, TXT][0]) == {"model": "J255AP"}


async def test_instance_and_unknown_questions() -> None:
    async with FakeAppleTv("A.B", password="x", acl=1) as device:
        owner: Labels = ("A.B", *AIRPLAY)
        found = records(await ask(device, query((owner, ANY))))
        told = txt(found[owner, TXT][0])
        assert (told["pw"], told["flags"], told["acl"]) == ("true", "0x2c4", "1")
        assert len(read_records(await ask(device, query((("x", "local"), PTR))))) == 0
        device.mdns.answers_empty = False
        device.mdns.answers_first = False
        assert device.mdns.answer(1, []) == b""
        device.mdns.answers = [b"rubbish"]
        loop = asyncio.get_running_loop()
        transport, asker = await loop.create_datagram_endpoint(
            Asker, remote_addr=(device.address, device.mdns_port)
        )
        transport.sendto(QUERY)
        transport.sendto(b"broken")
        await device.wait_for("mdns_broken")
        transport.sendto(QUERY)
        assert await asker.answers.get() == b"rubbish"
        device.mdns.is_silent = True
        transport.sendto(QUERY)
        transport.close()
        await asyncio.sleep(0)


async def test_asleep() -> None:
    async with FakeAppleTv() as device:
        device.sleep()
        data = await ask(device, QUERY)
        assert [kind for _, kind, _, _ in read_records(data)] == [PTR]
        device.mdns.proxy_form = "proxy"
        device.mdns.proxy_address = "127.0.0.9"
        data = await ask(device, QUERY)
        found = records(data)
        proxy: Labels = ("Sleep-Proxy", "local")
        assert read_name(data, found[INSTANCE, SRV][1] + 6)[0] == proxy
        assert found[proxy, A][0] == b"\x7f\0\0\x09"
        proxies: Labels = ("_sleep-proxy", "_udp", "local")
        asleep = ("70-35-60-63.1 Sleep Proxy", *proxies)
        assert read_name(data, found[proxies, PTR][1])[0] == asleep
        assert read_name(data, found[asleep, SRV][1] + 6)[0] == proxy
        device.wake()
        found = records(await ask(device, QUERY))
        assert (("Living-Room", "local"), A) in found


@pytest.mark.parametrize(
    ("os", "mrp", "rp_id", "version"),
    [
        ("tvos_14", "18M60", False, "14.7"),
        ("tvos_15", "19M65", False, "15.6"),
        ("tvos_18", None, True, "18.4"),
        ("tvos_27", None, True, "27.0"),
    ],
)
def test_apple_tvs(os: OsName, mrp: str | None, rp_id: bool, version: str) -> None:
    device = FakeAppleTv(os=os)
    properties = device.properties
    assert properties["_airplay._tcp"]["osvers"] == version
    assert properties["_companion-link._tcp"]["rpFl"] == "0x36782"
    assert ("rpMRtID" in properties["_companion-link._tcp"]) == rp_id
    found = properties.get("_mediaremotetv._tcp", {})
    assert found.get("SystemBuildVersion") == mrp
    assert ("mrp" in device.servers) == (os == "tvos_14")
    assert properties["_raop._tcp"]["am"] == device.model


def test_homepod() -> None:
    device = FakeAppleTv("Kitchen", "homepod")
    assert device.properties["_airplay._tcp"]["model"] == "AudioAccessory5,1"
    assert device.properties["_airplay._tcp"]["flags"] == "0x18404"
    assert device.properties["_companion-link._tcp"]["rpFl"] == "0x62792"
    assert device.properties["_sleep-proxy._udp"] == {}


async def test_changes() -> None:
    async with FakeAppleTv() as device:
        companion = device.properties["_companion-link._tcp"]
        device.rotate()
        rotated = device.properties["_companion-link._tcp"]
        assert rotated["rpHA"] != companion["rpHA"]
        assert rotated["rpMRtID"] == companion["rpMRtID"]
        device.rename("Bedroom")
        found = records(await ask(device, QUERY))
        assert ("Bedroom", *AIRPLAY) in [name for name, _ in found]
        device.update("tvos_27")
        assert device.properties["_airplay._tcp"]["osvers"] == "27.0"
        with pytest.raises(OSError, match="in use"):
            await FakeAppleTv(mdns_port=device.mdns_port).mdns.start(
                device.address, device.mdns_port
            )


def test_identity_stays() -> None:
    one, two, other = FakeAppleTv(), FakeAppleTv(), FakeAppleTv("Bedroom")
    assert one.identity == two.identity
    assert one.identity != other.identity
    assert int(one.device_id[:2], 16) & 3 == 0


def test_names() -> None:
    data = Response(1, []).build(
        [
            Record(labels_of("a.local."), PTR, ("x y", "a", "local")),
            Record(("x y", "a", "local"), SRV, (80, ("a", "local"))),
            Record(("x y", "a", "local"), TXT, txt_data({})),
        ],
        [],
    )
    assert [record[0] for record in read_records(data)] == [
        ("a", "local"),
        ("x y", "a", "local"),
        ("x y", "a", "local"),
    ]
    assert b"\xc0" in data
    for broken in (
        b"",
        query()[:11],
        query((("a",), PTR))[:-1],
        QUERY[:2] + b"\x84" + QUERY[3:],
    ):
        with pytest.raises(WireError):
            parse_query(broken)
    with pytest.raises(WireError):
        read_name(b"\xc0\0", 0)
