"""Finding consoles, among others that only pretend to be one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
import socket
from uuid import UUID

import pytest

from .common import PATIENCE, discoverer_of, longest_stall, network_of
from custom_components.rumpus.protocols.errors import PeerTimeoutError, ProtocolError
from custom_components.rumpus.protocols.smartglass import discovery
from custom_components.rumpus.protocols.smartglass.discovery import (
    BURST,
    DATAGRAMS_PER_TURN,
    MAX_FOUND,
    MAX_KNOWN,
    MAX_NAME,
    MAX_PER_HOST,
    MAX_RESPONSE,
    MAX_WANTED,
    PER_SECOND,
    ROUND_INTERVAL,
    WANTED_BURST,
    DiscoveredConsole,
    Discoverer,
    Network,
    ResponseReader,
    read_response,
    resolve,
)
from custom_components.rumpus.protocols.smartglass.enums import (
    DeviceType,
    PrimaryDeviceFlag,
)
from custom_components.rumpus.protocols.smartglass.packets import (
    DiscoveryResponse,
    PowerOnRequest,
    encode_packet,
)
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_crypto import console_credentials

FLAGS = PrimaryDeviceFlag(6)
HOST = "127.0.0.1"


def response(
    name: str = "Den",
    *,
    uuid: str = "0D7C9C1A-3F2B-4E6D-8A90-B1C2D3E4F506",
    flags: PrimaryDeviceFlag = FLAGS,
    certificate: bytes | None = None,
) -> bytes:
    if certificate is None:
        certificate = console_credentials("FD0011", "P-256").certificate
    return encode_packet(
        DiscoveryResponse(flags, DeviceType.XBOX_ONE, name, uuid, 0, certificate)
    )


def invented(number: int) -> bytes:
    """Return the response of a console that does not exist."""
    return response(uuid=str(UUID(int=number)), certificate=b"")


@pytest.fixture
async def discoverer(fake: FakeConsole) -> AsyncIterator[Discoverer]:
    async with discoverer_of(fake) as made:
        yield made


# Reading.


def test_a_response_tells_who_it_is() -> None:
    found = read_response(response(), HOST, 5050)
    assert found.name == "Den"
    assert found.live_id == found.identity == "FD0011"
    assert found.console_uuid == UUID("0D7C9C1A-3F2B-4E6D-8A90-B1C2D3E4F506")
    assert found.device_type is DeviceType.XBOX_ONE
    assert found.allows_anonymous
    assert found.is_ready
    assert "certificate" not in repr(found)


def test_a_console_without_a_certificate_is_not_ready() -> None:
    flags = PrimaryDeviceFlag.CERTIFICATE_PENDING
    found = read_response(response(flags=flags, certificate=b""), HOST, 5050)
    assert not found.is_ready
    assert not found.allows_anonymous
    assert found.live_id is None
    assert found.identity == "0d7c9c1a-3f2b-4e6d-8a90-b1c2d3e4f506"
    assert not read_response(response(flags=flags), HOST, 5050).is_ready


def test_names_and_ids_that_cannot_be_shown_are_cut() -> None:
    name = "a\x1b\n\u202e" + "é" * 100
    found = read_response(response(name, uuid="none", certificate=b"x"), HOST, 5050)
    assert found.name == "a" + "é" * (MAX_NAME - 1)
    assert found.console_uuid is None
    assert found.identity == "127.0.0.1:5050"


@pytest.mark.parametrize(
    "data",
    [b"", b"\xdd\x01", response()[:-1], encode_packet(PowerOnRequest("FD0011"))],
    ids=["empty", "head", "cut", "other"],
)
def test_what_is_no_response_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_response(data, HOST, 5050)


def test_the_bytes_of_a_response_are_bounded() -> None:
    longest = response(certificate=b"x" * 3900)
    assert len(longest) <= MAX_RESPONSE
    assert read_response(longest, HOST, 5050).live_id is None
    with pytest.raises(ProtocolError):
        read_response(response(certificate=b"x" * 4096), HOST, 5050)
    assert ResponseReader().read(bytes(MAX_RESPONSE + 1), (HOST, 1), 0) is None


# Bounds.


def test_responses_of_strangers_are_bounded() -> None:
    reader = ResponseReader()
    taken = [
        reader.read(invented(number), (HOST, number), 0.0) is not None
        for number in range(1, BURST + 100)
    ]
    assert taken.count(True) == BURST
    later = [
        reader.read(invented(number), (HOST, number), 1.0) is not None
        for number in range(1, BURST)
    ]
    assert later.count(True) == PER_SECOND


def test_who_was_asked_is_heard_in_a_flood() -> None:
    reader = ResponseReader()
    reader.want((HOST, 9))
    for number in range(1, BURST + 100):
        reader.read(invented(number), (HOST, 1000 + number), 0.0)
    assert reader.read(response(), (HOST, 9), 0.0) is not None
    taken = [reader.read(response(), (HOST, 9), 0.0) is not None for _ in range(100)]
    assert taken.count(True) == WANTED_BURST - 1


def test_addresses_and_responses_that_are_remembered_are_bounded() -> None:
    reader = ResponseReader()
    for number in range(1, 200):
        reader.want((HOST, number))
        reader.read(invented(number), (HOST, number), 0.0)
    assert len(reader) == MAX_WANTED + MAX_KNOWN
    # Those that were asked last have their budgets still.
    reader.want((HOST, 199))
    assert len(reader) == MAX_WANTED + MAX_KNOWN


def test_a_response_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = ResponseReader()
    first = reader.read(response(), (HOST, 9), 0.0)
    monkeypatch.setattr(discovery, "read_response", None)
    assert reader.read(response(), (HOST, 9), 0.0) is first


def test_what_one_search_finds_is_bounded() -> None:
    found = discovery._Found()
    for number in range(1, 2000):
        host = f"10.0.{number // 100}.1"
        found.add(read_response(invented(number), host, 5050))
    assert len(found.consoles) == MAX_FOUND
    at_first = [one for one in found.consoles.values() if one.address == "10.0.0.1"]
    assert len(at_first) == MAX_PER_HOST


# Searching.


async def test_search_finds_each_console_once(
    fake: FakeConsole, discoverer: Discoverer
) -> None:
    heard: list[DiscoveredConsole] = []
    unsubscribe = discoverer.subscribe(heard.append)
    address = (fake.address, fake.port)
    (found,) = await discoverer.search(0.1, addresses=[address, address])
    unsubscribe()
    unsubscribe()
    assert found.live_id == fake.live_id
    assert found.name == fake.name
    assert (found.address, found.port) == address
    assert len(heard) == 3
    await discoverer.search(0.05)
    assert len(heard) == 3


async def test_search_asks_again(
    fake: FakeConsole, discoverer: Discoverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "SEARCH_INTERVAL", 0.02)
    monkeypatch.setattr(discovery, "ROUND_INTERVAL", 0)
    await discoverer.search(0.1)
    assert len(fake.seen("discovery_request")) >= 3


async def test_search_finds_several(socket_enabled: None) -> None:
    async with (
        FakeConsole("One", "FD01") as one,
        FakeConsole("Two", "FD02") as two,
        discoverer_of(one, two) as discoverer,
    ):
        found = await discoverer.search(0.1)
    assert {console.live_id for console in found} == {"FD01", "FD02"}


async def test_rounds_of_broadcasts_are_bounded(
    fake: FakeConsole, discoverer: Discoverer
) -> None:
    started = asyncio.get_running_loop().time()
    for _ in range(10):
        discoverer.announce()
    await fake.wait_for("discovery_request")
    # One more for all those who came too soon after the first one.
    second = await fake.wait_for("discovery_request")
    assert second.at - started >= ROUND_INTERVAL
    discoverer.announce()
    await discoverer.stop()
    assert len(fake.seen("discovery_request")) == 2


async def test_each_source_address_has_a_socket(fake: FakeConsole) -> None:
    target = (fake.address, fake.port)
    network = Network(
        HOST,
        fake.port,
        (target,),
        source_addresses=("127.0.0.2", "127.0.0.3", "192.0.2.1"),
    )
    discoverer = Discoverer(network)
    await discoverer.start()
    discoverer.announce()
    for host in ("127.0.0.2", "127.0.0.3"):
        await fake.wait_for("discovery_request", host=host)
    discoverer.probe([target])
    await fake.wait_for("discovery_request", host=HOST)
    # Nobody has the third address.
    assert len(discoverer._sockets) == 3
    await discoverer.stop()


async def test_find_one_address(fake: FakeConsole, discoverer: Discoverer) -> None:
    found = await discoverer.find(fake.address)
    assert found.live_id == fake.live_id


async def test_find_does_not_take_others(socket_enabled: None) -> None:
    async with (
        FakeConsole("One", "FD01") as one,
        FakeConsole("Two", "FD02") as two,
        discoverer_of(one, two) as discoverer,
    ):
        one.unplug()
        finding = asyncio.create_task(
            discoverer.find(one.address, one.port, 0.1, interval=0.02)
        )
        discoverer.announce()
        await two.wait_for("discovery_request")
        with pytest.raises(PeerTimeoutError):
            await finding


async def test_find_a_host_name(
    fake: FakeConsole, discoverer: Discoverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def getaddrinfo(*args: object, **kwargs: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (fake.address, fake.port))]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    assert await resolve("xbox.local", 1) == (fake.address, 1)
    found = await discoverer.find("xbox.local", fake.port)
    assert found.address == fake.address


async def test_find_a_host_name_that_nobody_knows(
    discoverer: Discoverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def getaddrinfo(*args: object, **kwargs: object) -> list[object]:
        raise socket.gaierror

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(PeerTimeoutError):
        await discoverer.find("xbox.local")


async def test_find_what_is_no_host_name(
    discoverer: Discoverer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user may type anything; no part of a name has more than 63 characters."""

    async def getaddrinfo(host: str, *args: object, **kwargs: object) -> None:
        host.encode("idna")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(PeerTimeoutError):
        await discoverer.find("a" * 300)


async def test_what_cannot_be_sent_to_is_passed_over(
    fake: FakeConsole, discoverer: Discoverer
) -> None:
    discoverer.probe([("xbox.local", 5050), (HOST, 0), (fake.address, fake.port)])
    await fake.wait_for("discovery_request")


# The life of the sockets.


async def test_nothing_is_sent_before_start_and_after_stop(fake: FakeConsole) -> None:
    discoverer = Discoverer(network_of(fake))
    assert await discoverer.search(0.02) == ()
    await discoverer.start()
    await discoverer.start()
    assert len(discoverer._sockets) == 1
    await discoverer.stop()
    await discoverer.stop()
    assert not discoverer.is_running
    discoverer.probe([(fake.address, fake.port)])
    discoverer.wake(fake.live_id, [(fake.address, fake.port)])
    assert fake.seen("discovery_request") == []


async def test_a_network_that_cannot_be_used_is_reported(socket_enabled: None) -> None:
    discoverer = Discoverer(Network("192.0.2.1"))
    with pytest.raises(OSError, match="assign"):
        await discoverer.start()
    assert not discoverer.is_running


async def test_a_listener_may_stop_it_and_another_may_fail(
    fake: FakeConsole, discoverer: Discoverer, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()

    def fail(console: DiscoveredConsole) -> None:
        raise LookupError

    heard: asyncio.Future[None] = loop.create_future()

    def stop(console: DiscoveredConsole) -> None:
        for sock in discoverer._sockets.values():
            loop.remove_reader(sock)
            sock.close()
        discoverer._sockets.clear()
        heard.set_result(None)

    discoverer.subscribe(fail)
    discoverer.subscribe(stop)
    discoverer.probe([(fake.address, fake.port)] * 2)
    async with asyncio.timeout(PATIENCE):
        await heard
    assert "A listener failed" in caplog.text


async def test_errors_of_the_socket_are_survived(
    fake: FakeConsole, discoverer: Discoverer
) -> None:
    class Broken:
        def fileno(self) -> int:
            return 0

        def recvfrom(self, size: int) -> None:
            raise ConnectionResetError

    discoverer._readable(Broken())  # type: ignore[arg-type]
    assert (await discoverer.find(fake.address)).live_id == fake.live_id


# Hostile neighbours.


@pytest.fixture
def flood(socket_enabled: None) -> Iterator[Callable[[int, bytes], None]]:
    """Send datagrams to a port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))

        def send(port: int, data: bytes) -> None:
            sock.sendto(data, (HOST, port))

        yield send


def port_of(discoverer: Discoverer) -> int:
    name: tuple[str, int] = discoverer._sockets[HOST].getsockname()
    return name[1]


async def test_garbage_is_survived(
    fake: FakeConsole, discoverer: Discoverer, flood: Callable[[int, bytes], None]
) -> None:
    heard: list[DiscoveredConsole] = []
    discoverer.subscribe(heard.append)
    for data in (b"", b"\xdd\x01", bytes(60_000), b"\xdd\x01" + bytes(600)):
        flood(port_of(discoverer), data)
    await discoverer.find(fake.address)
    assert [console.live_id for console in heard] == [fake.live_id]


async def test_thousands_of_invented_consoles_do_not_hide_a_true_one(
    fake: FakeConsole, discoverer: Discoverer, flood: Callable[[int, bytes], None]
) -> None:
    port = port_of(discoverer)
    invention = [invented(number) for number in range(4000)]

    async def neighbour() -> None:
        for number, data in enumerate(invention):
            flood(port, data)
            if number % 100 == 0:
                await asyncio.sleep(0)

    async def both() -> None:
        found, _ = await asyncio.gather(
            discoverer.find(fake.address, interval=0.05), neighbour()
        )
        assert found.live_id == fake.live_id

    stall = await longest_stall(both())
    # Whoever floods has a share of this process's time, too.
    assert stall < 0.5


async def test_a_turn_reads_a_bounded_number(
    discoverer: Discoverer, flood: Callable[[int, bytes], None]
) -> None:
    heard: list[DiscoveredConsole] = []
    discoverer.subscribe(heard.append)
    for number in range(DATAGRAMS_PER_TURN + 5):
        flood(port_of(discoverer), invented(number + 1))
    discoverer._readable(discoverer._sockets[HOST])
    assert len(heard) == DATAGRAMS_PER_TURN
    discoverer._readable(discoverer._sockets[HOST])
    assert len(heard) == DATAGRAMS_PER_TURN + 5
