"""Asking hosts by unicast (the Apple TV reference, part A, section 1.5)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
import socket
from typing import Any, override
from unittest.mock import AsyncMock, patch

import pytest

from custom_components.rumpus.protocols.apple import scan as scan_module, scan_query
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.records import ServiceType
from custom_components.rumpus.protocols.apple.scan import (
    MAX_HOSTS,
    resolve,
    scan_unicast,
)
from custom_components.rumpus.protocols.apple.scan_query import (
    MAX_DATAGRAMS,
    MAX_UNLOCATED,
    TYPES_PER_QUERY,
    HostQuery,
    queries_for,
    queries_for_instances,
    types_of,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_dns import (
    PTR,
    SRV,
    TXT,
    Labels,
    Question,
    Record,
    Response,
    parse_query,
    txt_data,
)

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
# Time enough for everything to be asked, and answered on this machine.
LONG = 60.0

AIRPLAY = ("_airplay", "_tcp", "local")
PROXY = ("_sleep-proxy", "_udp", "local")

pytestmark = pytest.mark.usefixtures("socket_enabled")

type Answer = Callable[[int, list[Question]], Iterable[bytes]]


def service(name: str, identifier: str, *, host: str = "Host") -> list[Record]:
    """Return the records of an AirPlay service, the pointer first."""
    owner: Labels = (name, *AIRPLAY)
    return [
        Record(AIRPLAY, PTR, owner),
        Record(owner, SRV, (7000, (host, "local"))),
        Record(owner, TXT, txt_data({"deviceid": identifier})),
    ]


class Responder(asyncio.DatagramProtocol):
    """Answers what a test wants it to."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0
        self.queries: list[tuple[int, list[Question]]] = []

    async def start(self) -> None:
        """Listen at a port of its own."""
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=(LOOPBACK, 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]

    def stop(self) -> None:
        """Listen no more."""
        assert self._transport is not None
        self._transport.close()

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        assert self._transport is not None
        query = parse_query(data)
        self.queries.append(query)
        for answer in self._answer(*query):
            self._transport.sendto(answer, addr)


@pytest.fixture
async def responders() -> AsyncIterator[Callable[[Answer], Any]]:
    """Start responders, and stop them in the end."""
    started: list[Responder] = []

    async def start(answer: Answer) -> Responder:
        responder = Responder(answer)
        await responder.start()
        started.append(responder)
        return responder

    yield start
    for responder in started:
        responder.stop()


@pytest.fixture
async def fake() -> AsyncIterator[FakeAppleTv]:
    device = FakeAppleTv(kind="apple_tv", name="Living Room")
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again soon, and do not wait long for more."""
    monkeypatch.setattr(scan_query, "QUERY_INTERVAL", 0.02)
    monkeypatch.setattr(scan_query, "QUIET", 0.1)


def repeat(ident: int, questions: list[Question], records: list[Record]) -> bytes:
    """Answer as devices do that repeat the questions."""
    return Response(ident, questions).build(records, [])


# What is asked


def test_no_type_is_asked_for_twice() -> None:
    queries = queries_for(types_of(None))
    asked = [one.name for query in queries for one in query[:-1]]
    assert len(asked) == len(set(asked)) == len(ServiceType) - 1
    assert {query[-1].name for query in queries} == {PROXY}
    assert max(map(len, queries)) == TYPES_PER_QUERY + 1


def test_types_of_protocols() -> None:
    assert types_of([AppleProtocol.COMPANION, AppleProtocol.DMAP]) == (
        ServiceType.COMPANION,
        ServiceType.HOME_SHARING,
        ServiceType.TOUCHABLE,
        ServiceType.HSCP,
        ServiceType.AIRPORT,
        ServiceType.DEVICE_INFO,
        ServiceType.SLEEP_PROXY,
    )


def test_limit_of_services_that_a_sleep_proxy_is_asked_for() -> None:
    many = [(ServiceType.AIRPLAY, f"{index}") for index in range(MAX_UNLOCATED + 1)]
    queries = queries_for_instances(many)
    assert sum(len(query) - 1 for query in queries) == MAX_UNLOCATED


# What is found


async def test_a_device_that_answers_everything(fake: FakeAppleTv) -> None:
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_unicast([LOOPBACK], port=fake.mdns_port, timeout=LONG)
    assert (found.name, found.address, found.is_asleep) == (
        "Living Room",
        LOOPBACK,
        False,
    )
    airplay = found.service(AppleProtocol.AIRPLAY)
    companion = found.service(AppleProtocol.COMPANION)
    assert airplay is not None
    assert companion is not None
    assert (airplay.port, companion.port) == (fake.airplay_port, fake.companion_port)
    assert airplay.identifier == fake.device_id


async def test_only_some_protocols(fake: FakeAppleTv) -> None:
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_unicast(
            [LOOPBACK],
            port=fake.mdns_port,
            timeout=LONG,
            protocols=[AppleProtocol.AIRPLAY],
        )
    assert [one.protocol for one in found.services] == [AppleProtocol.AIRPLAY]


async def test_only_some_devices(fake: FakeAppleTv) -> None:
    async with asyncio.timeout(PATIENCE):
        assert not await scan_unicast(
            [LOOPBACK], port=fake.mdns_port, timeout=LONG, identifiers=["somebody"]
        )
        (found,) = await scan_unicast(
            [LOOPBACK, "localhost"],
            port=fake.mdns_port,
            timeout=LONG,
            identifiers=["somebody", fake.device_id],
        )
    assert found.is_same_as([fake.device_id])


async def test_a_device_asleep_behind_a_sleep_proxy(fake: FakeAppleTv) -> None:
    fake.sleep()
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_unicast([LOOPBACK], port=fake.mdns_port, timeout=LONG)
    assert found.name == "Living Room"
    assert found.is_asleep
    assert not any(one.is_enabled for one in found.services)


async def test_a_sleep_proxy_is_asked_for_all_that_it_knows(responders: Any) -> None:
    def answer(ident: int, questions: list[Question]) -> Iterable[bytes]:
        asked = {one.name for one in questions}
        one, two = service("One", "1"), service("Two", "2")
        records = [one[0], two[0]] if AIRPLAY in asked else []
        records += [*one[1:]] if one[1].name in asked else []
        records += [*two[1:]] if two[1].name in asked else []
        yield repeat(ident, questions, records)

    responder = await responders(answer)
    async with asyncio.timeout(PATIENCE):
        found = await scan_unicast([LOOPBACK], port=responder.port, timeout=LONG)
    assert [(one.name, one.identifiers, one.is_asleep) for one in found] == [
        ("One", ("1",), True),
        ("Two", ("2",), True),
    ]


async def test_a_device_that_answers_only_some_of_it(
    responders: Any, hasty: None
) -> None:
    def answer(ident: int, questions: list[Question]) -> Iterable[bytes]:
        if any(one.name == AIRPLAY for one in questions):
            yield repeat(ident, questions, service("One", "1"))

    responder = await responders(answer)
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_unicast([LOOPBACK], port=responder.port, timeout=LONG)
    assert found.identifiers == ("1",)
    # What was answered was not asked again.
    answered = [one for one in responder.queries if one[1][0].name == AIRPLAY]
    assert len(answered) == 1


async def test_on_time_out_what_came_is_used(responders: Any) -> None:
    def answer(ident: int, questions: list[Question]) -> Iterable[bytes]:
        yield b"noise"
        if any(one.name == AIRPLAY for one in questions):
            yield repeat(ident, questions, service("One", "1"))

    responder = await responders(answer)
    (found,) = await scan_unicast([LOOPBACK], port=responder.port, timeout=0.2)
    assert found.identifiers == ("1",)


async def test_a_wanted_device_is_enough(
    responders: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_query, "QUIET_WHEN_WANTED", 0.01)

    def answer(ident: int, questions: list[Question]) -> Iterable[bytes]:
        if any(one.name == AIRPLAY for one in questions):
            yield repeat(ident, questions, service("One", "1"))

    responder = await responders(answer)
    with patch.object(scan_query, "QUIET", LONG):
        async with asyncio.timeout(PATIENCE):
            (found,) = await scan_unicast(
                [LOOPBACK], port=responder.port, timeout=LONG, identifiers=["1"]
            )
    assert found.name == "One"


@pytest.mark.parametrize("has_id", [True, False])
async def test_devices_that_do_not_repeat_the_questions(
    responders: Any, has_id: bool
) -> None:
    def answer(ident: int, questions: list[Question]) -> Iterable[bytes]:
        # Something of every type, so that all is answered.
        asked = [one.name for one in questions if one.name != PROXY]
        records = [Record(name, PTR, ("One", *name)) for name in asked]
        records += [
            Record(("One", *name), SRV, (1, ("Host", "local"))) for name in asked
        ]
        if AIRPLAY in asked:
            records += service("One", "1")
        yield Response(ident if has_id else 0, []).build(records, [])

    responder = await responders(answer)
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_unicast([LOOPBACK], port=responder.port, timeout=LONG)
    assert found.name == "One"
    assert len(responder.queries) == len(queries_for(types_of(None)))


async def test_it_is_asked_again(responders: Any, hasty: None) -> None:
    seen: set[str] = set()

    def answer(ident: int, questions: list[Question]) -> Iterable[bytes]:
        key = str(questions)
        if key in seen:
            yield repeat(ident, questions, service("One", "1"))
        seen.add(key)

    responder = await responders(answer)
    async with asyncio.timeout(PATIENCE):
        (found,) = await scan_unicast([LOOPBACK], port=responder.port, timeout=LONG)
    assert found.name == "One"


async def test_a_flood_ends_it(responders: Any, hasty: None) -> None:
    def answer(_: int, __: list[Question]) -> Iterable[bytes]:
        return [b"noise"] * (MAX_DATAGRAMS + 1)

    responder = await responders(answer)
    async with asyncio.timeout(PATIENCE):
        assert not await scan_unicast([LOOPBACK], port=responder.port, timeout=LONG)


async def test_limit_of_datagrams() -> None:
    query = HostQuery(LOOPBACK, ServiceType, queries_for(types_of(None)))
    noise = Response(1, []).build(service("One", "1"), [])
    for _ in range(MAX_DATAGRAMS):
        query.datagram_received(b"", None)
    query.datagram_received(noise, None)
    query.datagram_received(noise, None)
    assert await query.run(9, LONG) == ()


async def test_nobody_listens() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        port = sock.getsockname()[1]
    assert await scan_unicast([LOOPBACK], port=port, timeout=0.05) == ()


async def test_no_network() -> None:
    loop = asyncio.get_running_loop()
    refuse = AsyncMock(side_effect=OSError)
    with patch.object(loop, "create_datagram_endpoint", refuse):
        assert await scan_unicast(["10.0.0.1"], timeout=LONG, knock=False) == ()


async def test_a_knock_goes_with_it_if_wanted(
    fake: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    knocks: list[tuple[str, float]] = []

    async def knock_at(address: str, *, timeout: float) -> bool:
        knocks.append((address, timeout))
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr(scan_module, "knock_at", knock_at)
    async with asyncio.timeout(PATIENCE):
        await scan_unicast([LOOPBACK], port=fake.mdns_port, timeout=9, knock=False)
        assert not knocks
        await scan_unicast([LOOPBACK], port=fake.mdns_port, timeout=9)
    assert knocks == [(LOOPBACK, 9)]


async def test_limit_of_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    running = most = 0

    async def ask(host: str, *_: object) -> tuple[()]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return ()

    monkeypatch.setattr(scan_module, "_ask_host", ask)
    await scan_unicast([str(number) for number in range(3 * MAX_HOSTS)])
    assert most == MAX_HOSTS


# Names of hosts


async def test_names_of_hosts() -> None:
    assert await resolve(" 10.0.0.9 ") == "10.0.0.9"
    assert await resolve("2001:DB8::1") == "2001:db8::1"
    assert await resolve("localhost") == LOOPBACK


async def test_ipv4_goes_first() -> None:
    found = [(0, 0, 0, "", ("fd00::1", 0, 0, 0)), (0, 0, 0, "", ("10.0.0.9", 0))]
    loop = asyncio.get_running_loop()
    with patch.object(loop, "getaddrinfo", AsyncMock(return_value=found)):
        assert await resolve("tv.local") == "10.0.0.9"


@pytest.mark.parametrize("error", [socket.gaierror(), UnicodeError(), ValueError()])
async def test_names_that_nobody_has(error: Exception) -> None:
    loop = asyncio.get_running_loop()
    with patch.object(loop, "getaddrinfo", AsyncMock(side_effect=error)):
        with pytest.raises(DisconnectedError):
            await resolve("tv.local")
        assert await scan_unicast(["tv.local"], timeout=LONG) == ()
    with (
        patch.object(loop, "getaddrinfo", AsyncMock(return_value=[])),
        pytest.raises(DisconnectedError),
    ):
        await resolve("tv.local")


async def test_limit_of_time_for_a_name() -> None:
    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    with (
        patch.object(asyncio.get_running_loop(), "getaddrinfo", never),
        pytest.raises(PeerTimeoutError),
    ):
        await resolve("tv.local", timeout=0.01)
