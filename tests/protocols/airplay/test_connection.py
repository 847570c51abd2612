"""Tests of the connection to AirPlay's port, over loopback."""

import asyncio
import gc
import socket

import pytest

from .scripted import PATIENCE, Ends, Peer, serve
from custom_components.rumpus.protocols.airplay import connection as module, wire
from custom_components.rumpus.protocols.airplay.connection import (
    MAX_ABANDONED,
    AirPlayConnection,
)
from custom_components.rumpus.protocols.airplay.errors import (
    PasswordRequiredError,
    RequestFailedError,
    status_error,
)
from custom_components.rumpus.protocols.airplay.http import HttpProtocol, Request
from custom_components.rumpus.protocols.airplay.timing import Timing
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from custom_components.rumpus.protocols.hap.errors import (
    CredentialsRefusedError,
    DecryptionError,
)
from custom_components.rumpus.protocols.hap.frames import HapFrames

pytestmark = pytest.mark.usefixtures("socket_enabled")

KEY, OTHER = bytes(range(32)), bytes(32)
HTTP = HttpProtocol.HTTP
SOON = 0.05
"""Seconds, for a time-out that is to pass."""


async def open_(
    port: int, timing: Timing | None = None
) -> tuple[AirPlayConnection, Ends]:
    """Return a connection and what it tells at its end."""
    connection = await AirPlayConnection.connect("127.0.0.1", port, timing=timing)
    connection.closed = ends = Ends()
    return connection, ends


async def arrived(connection: AirPlayConnection, size: int) -> None:
    """Wait until so many bytes are there that nobody has asked for."""
    event, original = asyncio.Event(), connection._wire._received

    def received(data: bytes) -> None:
        original(data)
        if connection._parser.waiting >= size:
            event.set()

    connection._wire._received = received
    received(b"")
    async with asyncio.timeout(PATIENCE):
        await event.wait()


async def test_requests_are_numbered() -> None:
    requests: list[Request] = []

    async def script(peer: Peer) -> None:
        for _ in range(3):
            request = await peer.request()
            requests.append(request)
            peer.answer(request, body=b"yes")
        assert await peer.wait_end() == b""

    async with serve(script) as port:
        connection, ends = await open_(port)
        first = await connection.request("GET", "/info")
        await connection.request("POST", "/pair-setup", protocol=HTTP, body=b"body")
        await connection.request(
            "SETUP", connection.session_uri, headers={"Content-Type": "x/y"}
        )
        await connection.close()
    assert first.body == b"yes"
    one, two, three = requests
    assert [request.headers.get("cseq") for request in requests] == ["0", None, "1"]
    assert one.headers["user-agent"] == "AirPlay/550.10"
    assert one.headers["dacp-id"] == one.headers["client-instance"]
    assert len(one.headers["dacp-id"]) == 16
    assert one.headers["active-remote"].isdecimal()
    assert three.headers == {
        **one.headers,
        "cseq": "1",
        "content-type": "x/y",
    }
    assert two.headers == {"content-length": "4"}
    assert (two.body, two.protocol) == (b"body", "HTTP/1.1")
    assert three.uri.startswith("rtsp://127.0.0.1/")
    assert three.uri.rpartition("/")[2].isdecimal()
    assert ends.reasons == []


async def test_session_uri_of_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = AirPlayConnection()
    assert connection.session_uri.startswith("rtsp:///")
    monkeypatch.setattr(wire.Wire, "own_address", "fe80::1")
    assert connection.session_uri.startswith("rtsp://[fe80::1]/")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, PasswordRequiredError),
        (403, PasswordRequiredError),
        (404, UnsupportedError),
        (501, UnsupportedError),
        (455, RequestFailedError),
        (500, RequestFailedError),
        (302, RequestFailedError),
        (470, CredentialsRefusedError),
    ],
)
async def test_statuses(status: int, error: type[RumpusError]) -> None:
    async def script(peer: Peer) -> None:
        peer.answer(await peer.request(), f"{status} No")
        peer.answer(await peer.request(), f"{status} No")

    async with serve(script) as port:
        connection, _ = await open_(port)
        with pytest.raises(error) as caught:
            await connection.request("GET", "/info")
        assert (await connection.exchange("GET", "/info")).status == status
        await connection.close()
    if isinstance(caught.value, RequestFailedError):
        assert caught.value.status == status
    assert status_error(204) is None


async def test_one_request_at_a_time() -> None:
    async def script(peer: Peer) -> None:
        for _ in range(10):
            request = await peer.request()
            assert peer._parser.waiting == 0
            peer.answer(request, body=request.headers["cseq"].encode())

    async with serve(script) as port:
        connection, _ = await open_(port)
        answers = await asyncio.gather(
            *(connection.request("POST", "/feedback") for _ in range(10))
        )
        assert [answer.body for answer in answers] == [b"%d" % n for n in range(10)]
        await connection.close()


async def test_answers_with_other_numbers_are_dropped() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        for number in ("7", "x", "1" * 30):
            peer.send(f"RTSP/1.0 500 Old\r\nCSeq: {number}\r\n\r\n".encode())
        peer.send(b"RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n")

    async with serve(script) as port:
        connection, _ = await open_(port)
        # One that is no number counts as none, and that is taken in its order.
        with pytest.raises(RequestFailedError):
            await connection.request("GET", "/info")
        await connection.close()


async def test_an_answer_without_a_number() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.answer(None, body=b"mine")

    async with serve(script) as port:
        connection, _ = await open_(port)
        assert (await connection.request("GET", "/info")).body == b"mine"
        await connection.close()


@pytest.mark.parametrize("protocol", list(HttpProtocol))
async def test_a_late_answer_is_dropped(protocol: HttpProtocol) -> None:
    """An HTTP request may follow, whose answer has no number."""
    gave_up = asyncio.Event()

    async def script(peer: Peer) -> None:
        late = await peer.request()
        await gave_up.wait()
        request = await peer.request()
        peer.answer(late, body=b"late")
        peer.answer(request, body=b"right")

    async with serve(script) as port:
        connection, ends = await open_(port)
        with pytest.raises(PeerTimeoutError):
            await connection.request("GET", "/info", timeout=SOON)
        gave_up.set()
        answer = await connection.request("POST", "/x", protocol=protocol)
        assert answer.body == b"right"
        assert connection._abandoned == set()
        await connection.close()
    assert ends.reasons == []


async def test_a_late_answer_before_the_next_request() -> None:
    gave_up, sent = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        late = await peer.request()
        await gave_up.wait()
        peer.answer(late, body=b"late")
        peer.answer(None, body=b"of nobody")
        await peer.writer.drain()
        sent.set()
        peer.answer(await peer.request(), body=b"right")

    async with serve(script) as port:
        connection, _ = await open_(port)
        with pytest.raises(PeerTimeoutError):
            await connection.request("GET", "/info", timeout=SOON)
        gave_up.set()
        await sent.wait()
        await arrived(connection, 1)
        answer = await connection.request("POST", "/x", protocol=HTTP)
        assert answer.body == b"right"
        assert connection._abandoned == set()
        await connection.close()


async def test_nonsense_before_the_next_request() -> None:
    async def script(peer: Peer) -> None:
        peer.send(b"nonsense\r\n\r\n")
        assert await peer.wait_end() == b""

    async with serve(script) as port:
        connection, ends = await open_(port)
        await arrived(connection, 1)
        with pytest.raises(ProtocolError):
            await connection.request("GET", "/info")
        assert isinstance(await ends.wait(), ProtocolError)
        await connection.close()


async def test_an_http_request_without_answer_ends_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        assert await peer.wait_end() == b""

    async with serve(script) as port:
        connection, ends = await open_(port)
        with pytest.raises(PeerTimeoutError):
            await connection.request("GET", "/x", protocol=HTTP, timeout=SOON)
        assert isinstance(await ends.wait(), PeerTimeoutError)
        assert not connection.is_connected
        with pytest.raises(DisconnectedError):
            await connection.request("GET", "/info")
        await connection.close()


async def test_max_abandoned() -> None:
    async def script(peer: Peer) -> None:
        await peer.wait_end()

    async with serve(script) as port:
        connection, ends = await open_(port)
        for _ in range(MAX_ABANDONED):
            with pytest.raises(PeerTimeoutError):
                await connection.request("GET", "/info", timeout=0.001)
        assert connection.is_connected
        with pytest.raises(PeerTimeoutError):
            await connection.request("GET", "/info", timeout=0.001)
        assert isinstance(await ends.wait(), PeerTimeoutError)
        await connection.close()


async def test_max_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNASKED", 1000)
    fits = asyncio.Event()

    async def script(peer: Peer) -> None:
        peer.send(bytes(1000))
        await fits.wait()
        peer.send(b"x")
        await peer.wait_end()

    async with serve(script) as port:
        connection, ends = await open_(port)
        await arrived(connection, 1000)
        assert connection.is_connected
        fits.set()
        assert isinstance(await ends.wait(), MessageTooLargeError)
        await connection.close()


async def test_max_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_UNSENT", 1_000_000)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await done.wait()

    async with serve(script) as port:
        channel = wire.Wire(lambda data: None, ends := Ends())
        await channel.connect("127.0.0.1", port, 5)
        with pytest.raises(DisconnectedError, match="takes less"):
            for _ in range(100):
                channel.write(bytes(900_000))
        assert isinstance(await ends.wait(), DisconnectedError)
        with pytest.raises(DisconnectedError, match="Not connected"):
            channel.write(b"more")
        done.set()
        await channel.close(1)


@pytest.mark.parametrize("is_rude", [False, True])
async def test_the_device_hangs_up(is_rude: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if is_rude:
            peer.reset()

    async with serve(script) as port:
        connection, ends = await open_(port)
        async with asyncio.timeout(5):
            with pytest.raises(DisconnectedError):
                await connection.request("GET", "/info", timeout=60)
        reason = await ends.wait()
        assert isinstance(reason, DisconnectedError) if is_rude else reason is None
        assert not connection.is_connected
        await connection.close()
        connection.abort()
    assert len(ends.reasons) == 1


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"nonsense\r\n\r\n", ProtocolError),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n", MessageTooLargeError),
        (bytes(40_000), MessageTooLargeError),
    ],
)
async def test_an_answer_that_is_none(data: bytes, error: type[ProtocolError]) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(data)
        await peer.wait_end()

    async with serve(script) as port:
        connection, ends = await open_(port)
        with pytest.raises(error):
            await connection.request("GET", "/info")
        assert isinstance(await ends.wait(), error)
        await connection.close()


async def test_a_request_in_place_of_an_answer() -> None:
    async def script(peer: Peer) -> None:
        request = await peer.request()
        peer.send(b"POST /command RTSP/1.0\r\nCSeq: 0\r\n\r\n")
        peer.answer(request, body=b"answer")

    async with serve(script) as port:
        connection, _ = await open_(port)
        assert (await connection.request("GET", "/info")).body == b"answer"
        await connection.close()


async def test_encryption_begins_behind_an_answer() -> None:
    """Also when the first encrypted bytes come along with that answer."""
    theirs = HapFrames(ChannelCipher(KEY, OTHER))

    async def script(peer: Peer) -> None:
        request = await peer.request()
        early = theirs.encode(b"RTSP/1.0 200 OK\r\nCSeq: 99\r\n\r\n")
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + early)
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            data += theirs.feed(await peer.reader.read(1000))
        assert data.startswith(b"GET /info RTSP/1.0\r\nCSeq: 0\r\n")
        for byte in theirs.encode(b"RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n"):
            peer.send(bytes((byte,)))
            await peer.writer.drain()
        assert request.protocol == "HTTP/1.1"

    async with serve(script) as port:
        connection, _ = await open_(port)
        await connection.request("POST", "/pair-verify", protocol=HTTP)
        connection.encrypt(ChannelCipher(OTHER, KEY))
        assert (await connection.request("GET", "/info")).status == 200
        await connection.close()


async def test_what_cannot_be_decrypted_ends_the_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read(1000)
        peer.send(b"RTSP/1.0 200 OK\r\nCSeq: 0\r\n\r\n" + bytes(70_000))
        await peer.wait_end()

    async with serve(script) as port:
        connection, ends = await open_(port)
        connection.encrypt(ChannelCipher(OTHER, KEY))
        with pytest.raises(DecryptionError):
            await connection.request("GET", "/info")
        assert isinstance(await ends.wait(), DecryptionError)
        await connection.close()


@pytest.mark.parametrize("is_rude", [False, True])
async def test_closing_fails_what_waits(is_rude: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.wait_end()

    asked = asyncio.Event()
    async with serve(script) as port:
        connection, ends = await open_(port)
        request = asyncio.create_task(connection.request("GET", "/info"))
        await asked.wait()
        if is_rude:
            connection.abort()
        else:
            await connection.close()
        with pytest.raises(DisconnectedError):
            await request
        await connection.close()
    assert ends.reasons == []


async def test_closing_does_not_wait_for_a_device_that_does_not_read() -> None:
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await done.wait()

    async with serve(script) as port:
        connection, _ = await open_(port, Timing(close=SOON))
        sock: socket.socket = connection._wire._transport.get_extra_info("socket")  # type: ignore[union-attr]
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with pytest.raises(PeerTimeoutError):
            await connection.request("POST", "/x", body=bytes(4_000_000), timeout=SOON)
        async with asyncio.timeout(5):
            await connection.close()
        done.set()


@pytest.mark.parametrize("protocol", list(HttpProtocol))
async def test_cancelled_requests(protocol: HttpProtocol) -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.wait_end()

    async with serve(script) as port:
        connection, ends = await open_(port)
        task = asyncio.create_task(
            connection.request("GET", "/info", protocol=protocol)
        )
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert connection.is_connected is (protocol is HttpProtocol.RTSP)
        assert len(ends.reasons) == (protocol is HttpProtocol.HTTP)
        await connection.close()


async def test_cancelled_just_as_the_connection_ends() -> None:
    """Nobody fetches that error: it must not be complained about."""
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.wait_end()

    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    async with serve(script) as port:
        connection, _ = await open_(port)
        task = asyncio.create_task(connection.request("GET", "/info"))
        await asked.wait()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        connection.abort()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()
        loop.set_exception_handler(None)
        await connection.close()
    assert not complaints


async def test_the_first_answer_may_take_longer() -> None:
    asked, timing = asyncio.Event(), Timing(first_request=60, request=SOON)

    async def script(peer: Peer) -> None:
        request = await peer.request()
        asked.set()
        await go_on.wait()
        peer.answer(request)
        await peer.wait_end()

    go_on = asyncio.Event()
    async with serve(script) as port:
        connection, _ = await open_(port, timing)
        first = asyncio.create_task(connection.request("GET", "/info"))
        await asked.wait()
        asyncio.get_running_loop().call_later(2 * SOON, go_on.set)
        await first
        with pytest.raises(PeerTimeoutError):
            await connection.request("GET", "/info")
        await connection.close()


async def test_a_request_that_would_break_the_stream() -> None:
    async def script(peer: Peer) -> None:
        await peer.wait_end()

    async with serve(script) as port:
        connection, _ = await open_(port)
        with pytest.raises(ProtocolError):
            await connection.request("GET", "/", headers={"A": "b\r\nc"})
        assert connection.is_connected
        await connection.close()


async def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(DisconnectedError):
            await AirPlayConnection.connect("127.0.0.1", sock.getsockname()[1])


async def test_nobody_takes_the_connection() -> None:
    """A listener whose queue is full lets everybody wait."""
    loop = asyncio.get_running_loop()
    others = [socket.socket() for _ in range(4)]
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            for other in others:
                other.setblocking(False)
                with pytest.raises(BlockingIOError):
                    other.connect(listener.getsockname())
            with pytest.raises(PeerTimeoutError):
                await AirPlayConnection.connect(
                    *listener.getsockname(), timing=Timing(connect=SOON)
                )
    finally:
        for other in others:
            other.close()
    assert loop.is_running()


async def test_closing_what_was_never_connected() -> None:
    connection = AirPlayConnection()
    assert not connection.is_connected
    await connection.close()
    connection.abort()
    with pytest.raises(DisconnectedError):
        await connection.request("GET", "/info")


async def test_aborted_while_it_connects() -> None:
    async def script(peer: Peer) -> None:
        assert await peer.wait_end() == b""

    async with serve(script) as port:
        ends = Ends()
        channel = wire.Wire(lambda data: pytest.fail("received"), ends)
        channel.abort()
        channel.data_received(b"too late")
        channel.fail(DisconnectedError("too late"))
        await channel.connect("127.0.0.1", port, 5)
        assert not channel.is_connected
        channel.resume()
        await channel.close(1)
        assert ends.reasons == []


def test_timing() -> None:
    with pytest.raises(ValueError, match="positive"):
        Timing(feedback=0)
