"""Discovery by UDP: what is believed, how often it is acted on, and the sockets (section 4.1)."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from dataclasses import replace
import errno
import itertools
import logging
import socket

from hypothesis import given, strategies as st
import pytest

from .support import (
    LOOPBACK,
    PATIENCE,
    Sink,
    announcement,
    new_id,
    our_identity,
    send_datagram,
    turns,
)
from custom_components.rumpus.protocols.kdeconnect import discovery as discovery_module
from custom_components.rumpus.protocols.kdeconnect.discovery import (
    ATTEMPT_INTERVAL,
    BROADCAST,
    MAX_DATAGRAM,
    MAX_REMEMBERED,
    DiscoveryGuard,
    Network,
    PlacedTimes,
    RecentTimes,
    UdpDiscovery,
    is_local_address,
    is_loopback,
    read_announcement,
    unknown_budget,
)
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.packet import encode_packet

LAN = "192.168.1.7"


@pytest.fixture
def guard() -> DiscoveryGuard:
    return DiscoveryGuard()


# What is believed


def test_announcement_says_where_a_device_listens() -> None:
    device_id = new_id()
    found = read_announcement(announcement(1717, device_id=device_id), LAN)
    assert found is not None
    assert (found.host, found.port) == (LAN, 1717)
    assert found.identity.device_id == device_id


@pytest.mark.parametrize(
    "host",
    [
        "192.168.0.1",
        "10.9.8.7",
        "172.16.0.1",
        "172.31.255.255",
        "169.254.1.1",
        "127.0.0.1",
        "100.64.0.1",
        "100.127.255.254",
        "fe80::1%eth0",
        "fd00::1",
        "::1",
    ],
)
def test_local_addresses(host: str) -> None:
    assert is_local_address(host)


@pytest.mark.parametrize(
    "host",
    ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2001:4860::1", "phone.example", ""],
)
def test_other_addresses_are_ignored(host: str) -> None:
    assert not is_local_address(host)
    assert read_announcement(announcement(1716), host) is None


def test_loopback_addresses() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("127.9.9.9")
    assert is_loopback("::1")
    assert not is_loopback("192.168.0.1")
    assert not is_loopback("phone.example")


def test_our_own_announcement_is_ignored() -> None:
    own, other = new_id(), new_id()
    data = announcement(1716, device_id=own)
    assert read_announcement(data, LAN, {own, other}) is None
    assert read_announcement(data, LAN, {other}) is not None


@pytest.mark.parametrize("port", [0, 22, 1715, 1765, 65536, -1, None, "x", 1716.5e300])
def test_ports_that_no_device_listens_on_are_ignored(port: object) -> None:
    """CVE-2020-26164: nobody makes us connect anywhere else."""
    assert read_announcement(announcement(1716, tcpPort=port), LAN) is None


@pytest.mark.parametrize("port", [1716, 1764, "1720"])
def test_ports_that_devices_listen_on(port: object) -> None:
    found = read_announcement(announcement(1716, tcpPort=port), LAN)
    assert found is not None
    assert found.port == int(str(port))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"[1]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 8000,
        b'{"type":"kdeconnect.ping","body":{}}',
        b'{"type":"kdeconnect.identity"}',
        b'{"type":"kdeconnect.identity","body":[]}',
        announcement(1716, deviceId="short"),
        announcement(1716, deviceId="/" * 32),
        announcement(1716, deviceName="()"),
        announcement(1716, deviceName=["x"]),
        announcement(1716, protocolVersion=6),
        announcement(1716, protocolVersion=None),
    ],
)
def test_malformed_announcements_are_ignored(data: bytes) -> None:
    """CVE-2025-32901: ids and names are checked before anything else."""
    assert read_announcement(data, LAN) is None


def test_size_of_a_datagram_is_bounded() -> None:
    """MAX_DATAGRAM."""
    smallest = len(announcement(1716, padding=""))
    fits = announcement(1716, padding="x" * (MAX_DATAGRAM - smallest))
    assert len(fits) == MAX_DATAGRAM
    assert read_announcement(fits, LAN) is not None
    one_more = announcement(1716, padding="x" * (MAX_DATAGRAM - smallest + 1))
    assert read_announcement(one_more, LAN) is None


@given(
    st.binary(max_size=300), st.sampled_from([LAN, "8.8.8.8", "", "\x00", "fe80::1%1"])
)
def test_arbitrary_bytes_never_raise(data: bytes, host: str) -> None:
    assert read_announcement(data, host) is None


# How often it is acted on


def test_attempts_per_device_and_per_address(guard: DiscoveryGuard) -> None:
    """ATTEMPT_INTERVAL, of devices that are not paired."""
    one, other = new_id(), new_id()
    assert guard.admit(one, LAN, 100.0)
    assert not guard.admit(one, "10.0.0.1", 100.5)  # the device
    assert not guard.admit(other, LAN, 100.9)  # the address
    assert guard.admit(other, LAN, 100.0 + ATTEMPT_INTERVAL)
    assert guard.admit(one, "10.0.0.2", 100.0 + ATTEMPT_INTERVAL)


def test_attempts_per_paired_device(guard: DiscoveryGuard) -> None:
    """ATTEMPT_INTERVAL, of paired ones: nobody else at its address keeps it out."""
    known = new_id()
    assert guard.admit(new_id(), LAN, 100.0)
    assert guard.admit_known(known, LAN, 100.0, last=None)
    assert not guard.admit_known(known, "10.0.0.1", 100.9, last=None)
    assert guard.admit_known(known, LAN, 100.0 + ATTEMPT_INTERVAL, last=None)


def test_forged_announcements_do_not_keep_a_paired_device_out(
    guard: DiscoveryGuard,
) -> None:
    """Whoever speaks in its name from elsewhere takes no place of its own address."""
    known = new_id()
    for number in range(50):
        now = 100.0 + number * 2 * ATTEMPT_INTERVAL
        assert guard.admit_known(known, f"10.0.0.{number}", now, last=LAN)
        assert not guard.admit_known(known, f"10.0.1.{number}", now, last=LAN)
        assert guard.admit_known(known, LAN, now + 0.01, last=LAN)
        assert not guard.admit_known(known, LAN, now + 0.02, last=LAN)


def test_paired_device_with_several_addresses_is_acted_on_once(
    guard: DiscoveryGuard,
) -> None:
    """It announces itself from each; two links at once help nobody (section 13, 33)."""
    known = new_id()
    assert guard.admit_known(known, LAN, 100.0, last=LAN)
    assert not guard.admit_known(known, "10.0.0.1", 100.01, last=LAN)
    assert guard.admit_known(known, "10.0.0.1", 100.0 + ATTEMPT_INTERVAL, last=LAN)


def test_places_of_paired_devices_have_a_bound() -> None:
    """MAX_REMEMBERED, two places for each."""
    times = PlacedTimes()
    for number in range(MAX_REMEMBERED):
        times.touch(str(number), 100.0)
    assert len(times) == MAX_REMEMBERED
    last = str(MAX_REMEMBERED - 1)
    assert times.too_soon(last, LAN, 100.0, 1, LAN)
    assert times.too_soon(last, "10.0.0.1", 100.0, 1, LAN)
    assert not times.too_soon("0", LAN, 100.0, 1, LAN)


def test_several_guards_may_share_a_budget() -> None:
    """UNKNOWN_BURST: a flood costs the same however many hear it."""
    budget = unknown_budget()
    guards = [DiscoveryGuard(budget) for _ in range(3)]
    admitted = [
        guard.admit(new_id(), f"10.0.0.{number}", 100.0)
        for number in range(50)
        for guard in guards
    ]
    assert sum(admitted) == discovery_module.UNKNOWN_BURST
    assert guards[2].admit_known(new_id(), LAN, 100.0, last=None)


def test_unknown_devices_together_have_a_bound(
    guard: DiscoveryGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UNKNOWN_BURST and UNKNOWN_PER_SECOND."""
    burst, rate = discovery_module.UNKNOWN_BURST, discovery_module.UNKNOWN_PER_SECOND

    def admitted(count: int, now: float) -> int:
        return sum(
            guard.admit(new_id(), f"10.0.{int(now)}.{number}", now)
            for number in range(count)
        )

    assert admitted(burst + 1, 100.0) == burst
    assert admitted(200, 101.0) == rate
    assert admitted(200, 101.05) == 0
    assert guard.admit_known(new_id(), LAN, 101.06, last=None)  # it is not for these
    assert admitted(200, 200.0) == burst


def test_refused_announcements_do_not_use_the_bound_up(guard: DiscoveryGuard) -> None:
    for number in range(100):
        guard.admit("one", LAN, 100.0 + number / 1000)
    burst = [
        guard.admit(new_id(), f"10.0.0.{number}", 100.1)
        for number in range(discovery_module.UNKNOWN_BURST - 1)
    ]
    assert all(burst)


def test_tables_have_a_bound() -> None:
    """MAX_REMEMBERED: the one that was not seen for longest is forgotten."""
    times = RecentTimes()
    for number in range(MAX_REMEMBERED):
        times.touch(str(number), 100.0)
    times.touch("0", 100.0)
    assert len(times) == MAX_REMEMBERED
    times.touch("one more", 100.0)
    assert len(times) == MAX_REMEMBERED
    assert times.too_soon("0", 100.0, 1)
    assert not times.too_soon("1", 100.0, 1)


@given(st.lists(st.tuples(st.integers(0, 600), st.floats(0, 1e6)), max_size=700))
def test_tables_never_exceed_their_bound(seen: list[tuple[int, float]]) -> None:
    times = RecentTimes()
    for key, now in seen:
        times.too_soon(str(key), now, 1)
        assert len(times) <= MAX_REMEMBERED


@given(st.lists(st.floats(0, 20), max_size=50), st.floats(0.1, 5))
def test_a_key_never_passes_twice_in_an_interval(
    steps: list[float], interval: float
) -> None:
    times, now, passed = RecentTimes(), 1000.0, list[float]()
    for step in steps:
        now += step
        if not times.too_soon("key", now, interval):
            passed.append(now)
    gaps = [later - earlier for earlier, later in itertools.pairwise(passed)]
    assert all(gap >= interval for gap in gaps)


# Sockets

NETWORK = Network(LOOPBACK, 0, 0, range(1716, 1765), (LOOPBACK,))


@contextlib.asynccontextmanager
async def discovering(
    network: Network,
) -> AsyncIterator[tuple[UdpDiscovery, asyncio.Queue[tuple[bytes, str]]]]:
    """Open the sockets."""
    heard: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()
    udp = UdpDiscovery(network, lambda data, host: heard.put_nowait((data, host)))
    await udp.start()
    try:
        yield udp, heard
    finally:
        udp.stop()
        await turns(3)


@pytest.mark.usefixtures("socket_enabled")
async def test_datagrams_come_with_their_senders_host() -> None:
    async with discovering(NETWORK) as (udp, heard), asyncio.timeout(PATIENCE):
        assert udp.is_bound
        port = udp.port()
        assert port is not None
        send_datagram(b"hello", port)
        assert await heard.get() == (b"hello", LOOPBACK)
    assert udp.port() is None
    udp.stop()


async def test_identity_is_sent_with_our_port(sink: Sink) -> None:
    identity = replace(our_identity(), tcp_port=1720)
    async with discovering(replace(NETWORK, peer_udp_port=sink.port)) as (udp, _):
        udp.send(identity, LOOPBACK)
        body = await sink.next()
        assert body["tcpPort"] == 1720
        assert body["deviceId"] == identity.device_id
        assert "targetDeviceId" not in body
        udp.broadcast(identity)  # on loopback there is nobody but ourselves
        assert (await sink.next())["tcpPort"] == 1720


async def test_nothing_is_sent_before_the_start_and_after_the_end(sink: Sink) -> None:
    identity = replace(our_identity(), tcp_port=1720)
    udp = UdpDiscovery(replace(NETWORK, peer_udp_port=sink.port), lambda *_: None)
    udp.send(identity, LOOPBACK)
    await udp.start()
    udp.stop()
    udp.send(identity, LOOPBACK)
    send_datagram(announcement(1716), sink.port)
    assert (await sink.next())["deviceName"] == "Somebody"
    await turns(3)


@pytest.mark.usefixtures("socket_enabled")
async def test_port_of_another_program_is_no_error(
    caplog: pytest.LogCaptureFixture, sink: Sink
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((LOOPBACK, 0))
        taken = other.getsockname()[1]
        network = replace(NETWORK, udp_port=taken, peer_udp_port=sink.port)
        async with discovering(network) as (udp, _):
            assert not udp.is_bound
            assert udp.port() is None
            udp.send(replace(our_identity(), tcp_port=1720), LOOPBACK)
            await sink.next()
    assert f"Cannot listen on UDP port {taken}" in caplog.text


@pytest.mark.usefixtures("socket_enabled")
async def test_port_of_a_program_that_shares_it_is_shared() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, 0))
        network = replace(NETWORK, udp_port=other.getsockname()[1])
        async with discovering(network) as (udp, _):
            assert udp.is_bound


@pytest.mark.usefixtures("socket_enabled")
async def test_ports_that_the_system_chooses_are_ours_alone() -> None:
    """Linux gives one that is shared to a second socket, which then hears everything."""
    async with discovering(NETWORK) as (udp, _):
        assert udp._listener is not None
        assert udp._sender is not None
        for sock in (udp._listener.get_extra_info("socket"), udp._sender):
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0


@pytest.mark.usefixtures("socket_enabled")
async def test_address_that_is_not_ours_cannot_be_listened_on() -> None:
    udp = UdpDiscovery(replace(NETWORK, bind="192.0.2.1"), lambda *_: None)
    with pytest.raises(OSError, match="assign"):
        await udp.start()


class RecordingSocket:
    """Stands for a socket whose datagrams would leave this machine."""

    def __init__(self, address: str, *, biggest: int = 65535, error: int = 0) -> None:
        self.address = address
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.closed = False
        self._biggest = biggest
        self._error = error

    def sendto(self, data: bytes, target: tuple[str, int]) -> None:
        """Note a datagram."""
        if self._error:
            raise OSError(self._error, "refused")
        if len(data) > self._biggest:
            raise OSError(errno.EMSGSIZE, "too long")
        self.sent.append((data, target))

    def close(self) -> None:
        """Close."""
        self.closed = True


def recording(
    monkeypatch: pytest.MonkeyPatch,
    *,
    gone: str = "",
    biggest: int = 65535,
    error: int = 0,
) -> list[RecordingSocket]:
    """Have all sockets for broadcasts recorded."""
    made: list[RecordingSocket] = []

    def make(address: str, port: int) -> RecordingSocket:
        if address == gone:
            raise OSError(errno.EADDRNOTAVAIL, "gone")
        made.append(RecordingSocket(address, biggest=biggest, error=error))
        return made[-1]

    monkeypatch.setattr(discovery_module, "_udp_socket", make)
    return made


def own_identity() -> Identity:
    return replace(our_identity(), tcp_port=1716)


def test_broadcast_leaves_from_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = recording(monkeypatch)
    addresses = ("192.168.1.2", "10.0.0.2")
    udp = UdpDiscovery(Network(source_addresses=addresses), lambda *_: None)
    udp.broadcast(own_identity())
    assert [sock.address for sock in sockets] == list(addresses)
    assert [sock.sent[0][1] for sock in sockets] == [(BROADCAST, 1716)] * 2
    assert all(sock.closed for sock in sockets)


def test_broadcast_of_a_network_without_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets = recording(monkeypatch)
    UdpDiscovery(Network(), lambda *_: None).broadcast(own_identity())
    assert [sock.address for sock in sockets] == [Network().bind]


def test_broadcast_goes_on_when_an_interface_is_gone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sockets = recording(monkeypatch, gone="192.168.1.2")
    network = Network(source_addresses=("192.168.1.2", "10.0.0.2"))
    UdpDiscovery(network, lambda *_: None).broadcast(own_identity())
    assert [sock.address for sock in sockets] == ["10.0.0.2"]
    assert "Cannot announce from 192.168.1.2" in caplog.text


def test_broadcast_that_is_too_long_goes_without_capabilities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some systems do not fragment them (section 3)."""
    short = own_identity().to_packet(tcp_port=1716, with_capabilities=False)
    sockets = recording(monkeypatch, biggest=len(encode_packet(short)))
    UdpDiscovery(Network(), lambda *_: None).broadcast(own_identity())
    ((data, _),) = sockets[0].sent
    assert b'"incomingCapabilities":[]' in data
    assert b'"outgoingCapabilities":[]' in data
    assert b'"tcpPort":1716' in data


@pytest.mark.parametrize("error", [errno.ENETUNREACH, errno.EMSGSIZE])
def test_what_cannot_be_sent_is_only_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: int
) -> None:
    sockets = recording(monkeypatch, error=error)
    UdpDiscovery(Network(), lambda *_: None).broadcast(own_identity())
    assert sockets[0].closed
    assert "Cannot announce to 255.255.255.255: refused" in caplog.text


def test_errors_of_the_socket_are_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    UdpDiscovery(NETWORK, lambda *_: None).error_received(OSError("unreachable"))
    (record,) = [one for one in caplog.records if "unreachable" in one.getMessage()]
    assert record.levelno == logging.DEBUG
