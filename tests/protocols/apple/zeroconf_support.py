"""Instances of zeroconf on loopback, and what they hear there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self, override
import uuid

import pytest

# The first one is public, but is not listed as such.
from zeroconf import DNSIncoming, IPVersion, Zeroconf  # type: ignore[attr-defined]
from zeroconf.asyncio import AsyncZeroconf

from custom_components.rumpus.protocols.apple.watch import Sighting, SightingKind
from tests.fakes.apple_tv_dns import (
    PTR,
    SRV,
    TXT,
    A,
    Labels,
    Question,
    Record,
    Response,
    address_data,
    parse_query,
    txt_data,
)

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
LONG = 60.0

AIRPLAY = ("_airplay", "_tcp", "local")
PROXY = ("_sleep-proxy", "_udp", "local")

APPEARED, CHANGED, ASLEEP, AWAKE, GONE = SightingKind

# As it is before any test has started Home Assistant, which then hands its own instance to
# whoever makes another.
_INIT = Zeroconf.__init__


@pytest.fixture(name="real_zeroconf")
def real_zeroconf_fixture(
    monkeypatch: pytest.MonkeyPatch, socket_enabled: None
) -> None:
    """Let instances of zeroconf be made."""

    def new(cls: type[Zeroconf], *_args: object, **_kwargs: object) -> Zeroconf:
        return object.__new__(cls)

    monkeypatch.setattr(Zeroconf, "__new__", new)
    monkeypatch.setattr(Zeroconf, "__init__", _INIT)


@pytest.fixture(name="zeroconf")
async def zeroconf_fixture(real_zeroconf: None) -> AsyncIterator[AsyncZeroconf]:
    instance = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    yield instance
    await instance.async_close()


@pytest.fixture(name="other")
async def other_fixture(real_zeroconf: None) -> AsyncIterator[AsyncZeroconf]:
    instance = AsyncZeroconf(interfaces=[LOOPBACK], ip_version=IPVersion.V4Only)
    yield instance
    await instance.async_close()


@pytest.fixture(name="name")
def name_fixture() -> str:
    """Return a name of its own: others may be tested at once."""
    return f"Room {uuid.uuid4().hex[:8]}"


class Device:
    """What one device says, as bytes in a packet of its own."""

    def __init__(self, name: str, *, address: str = LOOPBACK, port: int = 7000) -> None:
        self.name = name
        self.owner: Labels = (name, *AIRPLAY)
        self.address = address
        self.port = port
        self.host: Labels = (name.replace(" ", "-"), "local")

    @property
    def identifier(self) -> str:
        return f"id of {self.name}"

    @property
    def pointer(self) -> Record:
        return Record(AIRPLAY, PTR, self.owner, ttl=4500, is_unique=False)

    @property
    def goodbye(self) -> Record:
        return Record(AIRPLAY, PTR, self.owner, ttl=0, is_unique=False)

    @property
    def details(self) -> list[Record]:
        return [
            Record(self.owner, SRV, (self.port, self.host)),
            Record(self.host, A, address_data(self.address)),
            Record(self.owner, TXT, txt_data({"deviceid": self.identifier}), ttl=4500),
        ]


def hear(zeroconf: AsyncZeroconf, *records: Record) -> None:
    """Let zeroconf hear one packet."""
    packet = DNSIncoming(Response(0, []).build(list(records), []))
    assert packet.valid
    zeroconf.zeroconf.record_manager.async_updates_from_response(packet)


class Log:
    """Keeps what is told of one device."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told: asyncio.Queue[Sighting] = asyncio.Queue()

    def __call__(self, sighting: Sighting) -> None:
        if sighting.device.name == self._name:
            self._told.put_nowait(sighting)

    async def next(self) -> Sighting:
        async with asyncio.timeout(PATIENCE):
            return await self._told.get()

    async def wait_for(self, kind: SightingKind) -> Sighting:
        while (sighting := await self.next()).kind is not kind:
            pass
        return sighting

    @property
    def is_empty(self) -> bool:
        return self._told.empty()


class SleepProxy(asyncio.DatagramProtocol):
    """Answers what is asked by unicast."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(LOOPBACK, 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        assert self._transport is not None
        ident, questions = parse_query(data)
        self._transport.sendto(self.answer(ident, questions), addr)

    def answer(self, ident: int, questions: list[Question]) -> bytes:
        return Response(ident, questions).build(list(self._records), [])


PROXY_OWNER = ("70-35-60-63.1 Hall", *PROXY)
PROXY_RECORDS = [
    Record(PROXY, PTR, PROXY_OWNER, is_unique=False),
    Record(PROXY_OWNER, SRV, (9, ("Hall", "local"))),
    Record(PROXY_OWNER, TXT, b"\0"),
    Record(("Hall", "local"), A, address_data(LOOPBACK)),
]
