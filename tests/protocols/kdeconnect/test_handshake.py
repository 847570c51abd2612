"""From a connection that others open to a link (section 5)."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from .conftest import both_protocols
from .support import (
    KEY_TYPES,
    LOOPBACK,
    RawCaller,
    at_once,
    fake_credentials,
    new_id,
    our_credentials,
    our_identity,
    turns,
)
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.kdeconnect import handshake as handshake_module
from custom_components.rumpus.protocols.kdeconnect.handshake import (
    MAX_IDENTITY_LINE,
    ClearIdentityProtocol,
    answer,
    plain_host,
)
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import Link
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts
from tests.fakes.kdeconnect import FakeCredentials
from tests.fakes.kdeconnect_tls import FakeTlsError, KeyType

pytestmark = pytest.mark.usefixtures("socket_enabled")

OWN_ID = our_credentials().device_id


class Answering:
    """Our side of connections that others open."""

    def __init__(self) -> None:
        self.contexts = TlsContexts(our_credentials())
        self.accepted: asyncio.Queue[ClearIdentityProtocol] = asyncio.Queue()
        self.port = 0

    async def answer(
        self, admit: Callable[[Identity], None] = lambda identity: None
    ) -> Link:
        """Make a link of the next connection."""
        context = await self.contexts.client()
        protocol = await self.accepted.get()
        return await answer(protocol, our_identity(), context, admit)

    async def refuse(self, error: type[RumpusError], match: str | None = None) -> None:
        """Take the next connection, and see it fail in this way."""
        async with asyncio.timeout(5):
            with pytest.raises(error, match=match):
                await self.answer()


@pytest.fixture
async def answering() -> AsyncIterator[Answering]:
    ours = Answering()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: ClearIdentityProtocol(ours.accepted.put_nowait), LOOPBACK, 0
    )
    ours.port = server.sockets[0].getsockname()[1]
    yield ours
    server.close()
    await turns(5)


@both_protocols
@pytest.mark.parametrize("tls13", [False, True], ids=["tls 1.2", "tls 1.3"])
async def test_called_makes_a_link(
    answering: Answering, protocol: int, tls13: bool
) -> None:
    """The caller is the TLS server; with protocol 8 both say again who they are."""
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        caller.writer.write(caller.identity(protocolVersion=protocol))
        await caller.start_tls(tls13=tls13)
        if protocol >= 8:
            caller.write(caller.identity(deviceName="From inside"))
        link = await linking
        assert link.identity.device_id == caller.credentials.device_id
        assert link.identity.name == ("From inside" if protocol >= 8 else "Raw")
        assert link.certificate == caller.credentials.certificate_der
        assert link.host == LOOPBACK
        link.abort()


async def test_called_lets_the_caller_speak_first_inside_tls(
    answering: Answering,
) -> None:
    """KDE 25.04 does not read what comes right behind the handshake."""
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        caller.writer.write(caller.identity())
        await caller.start_tls()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await caller.reader.read(1)
        line = caller.identity()
        caller.write(line[:100])
        caller.write(line[100:])
        assert (await caller.read())["type"] == "kdeconnect.identity"
        (await linking).abort()


async def test_called_does_not_wait_for_ever_for_the_caller_to_speak_first(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FIRST_WORD_TIMEOUT, also in the middle of a word: nothing of it gets lost."""
    at_once(monkeypatch, handshake_module, "FIRST_WORD_TIMEOUT")
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        caller.writer.write(caller.identity())
        await caller.start_tls()
        line = caller.identity()
        caller.write(line[:100])
        await caller.read()
        caller.write(line[100:])
        assert (await linking).identity.name == "Raw"
        (await linking).abort()


async def test_called_sends_its_identity_inside_tls(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, handshake_module, "FIRST_WORD_TIMEOUT")
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        caller.writer.write(caller.identity())
        await caller.start_tls()
        packet = await caller.read()
        assert packet["type"] == "kdeconnect.identity"
        body = packet["body"]
        assert isinstance(body, dict)
        assert (body["deviceId"], body["protocolVersion"]) == (OWN_ID, 8)
        assert "tcpPort" not in body
        assert "targetDeviceId" not in body
        caller.write(caller.identity())
        (await linking).abort()


async def test_called_says_nothing_inside_tls_with_protocol_7(
    answering: Answering,
) -> None:
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        caller.writer.write(caller.identity(protocolVersion=7))
        await caller.start_tls()
        link = await linking
        await link.stream.send_message({"type": "kdeconnect.marker"})
        assert (await caller.read())["type"] == "kdeconnect.marker"
        link.abort()


async def test_clear_identity_may_come_in_pieces(answering: Answering) -> None:
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        line = caller.identity()
        protocol = await answering.accepted.get()
        answering.accepted.put_nowait(protocol)
        for piece in (line[:1], line[1:100], line[100:]):
            caller.writer.write(piece)
            await caller.writer.drain()
            await turns(5)
        await caller.start_tls()
        caller.write(caller.identity())
        (await linking).abort()


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"targetDeviceId": OWN_ID},
        {"targetDeviceId": OWN_ID, "targetProtocolVersion": 8},
        {"targetProtocolVersion": "8"},
        {"tcpPort": 1716, "unheard": [None]},
        {"incomingCapabilities": None, "outgoingCapabilities": "x"},
    ],
    ids=["none", "id", "both", "text", "port", "no lists"],
)
async def test_called_takes_callers_with_and_without_targets(
    answering: Answering, target: dict[str, object]
) -> None:
    async with RawCaller.open(answering.port) as caller:
        linking = asyncio.create_task(answering.answer())
        await caller.link(**target)
        (await linking).abort()


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ({"targetDeviceId": new_id()}, "another device"),
        ({"targetDeviceId": ""}, "another device"),
        ({"targetProtocolVersion": 7}, "another protocol version"),
        ({"targetProtocolVersion": "9"}, "another protocol version"),
        ({"deviceId": "a" * 31}, "device id"),
        ({"deviceId": "a" * 39}, "device id"),
        ({"deviceId": "../" + "a" * 31}, "device id"),
        ({"deviceId": None}, "device id"),
        ({"deviceId": OWN_ID}, "our own"),
        ({"deviceName": ""}, "name"),
        ({"deviceName": "[];!"}, "name"),
        ({"deviceName": None}, "name"),
        ({"protocolVersion": 6}, "version"),
        ({"protocolVersion": None}, "version"),
    ],
)
async def test_called_refuses_bad_clear_identities(
    answering: Answering, members: dict[str, object], match: str
) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity(**members))
        await answering.refuse(ProtocolError, match)
        assert await caller.closed() == b""


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"\n",
        b"[1,2]\n",
        b"\xff\xfe\n",
        b"[" * 4000 + b"\n",
        b'{"type":"kdeconnect.ping","body":{}}\n',
        b'{"type":"kdeconnect.identity","body":[]}\n',
    ],
    ids=["text", "empty", "list", "not utf-8", "deep", "ping", "body"],
)
async def test_called_refuses_lines_that_are_no_identity(
    answering: Answering, line: bytes
) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(line)
        await answering.refuse(ProtocolError)
        assert await caller.closed() == b""


async def test_called_refuses_whom_its_owner_refuses(answering: Answering) -> None:
    seen: list[Identity] = []

    def refuse(identity: Identity) -> None:
        seen.append(identity)
        raise ProtocolError("not this one")

    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        with pytest.raises(ProtocolError, match="not this one"):
            await answering.answer(refuse)
        assert await caller.closed() == b""
    assert [identity.device_id for identity in seen] == [caller.credentials.device_id]


async def test_called_refuses_data_before_tls(answering: Answering) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity() + b"x")
        await answering.refuse(ProtocolError, "data after")
        assert await caller.closed() == b""


async def test_called_ignores_what_comes_after_a_refused_line(
    answering: Answering,
) -> None:
    async with RawCaller.open(answering.port) as caller:
        protocol = await answering.accepted.get()
        protocol.data_received(caller.identity() + b"x")
        protocol.data_received(caller.identity())
        answering.accepted.put_nowait(protocol)
        await answering.refuse(ProtocolError, "data after")


async def test_caller_that_goes_before_its_identity(answering: Answering) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity()[:50])
        caller.writer.close()
        await answering.refuse(DisconnectedError, "before the identity")


async def test_caller_that_is_gone_when_we_look(answering: Answering) -> None:
    """Nobody may be waiting for its line: its failure is not reported to asyncio."""
    async with RawCaller.open(answering.port) as caller:
        protocol = await answering.accepted.get()
        caller.writer.close()
        await turns(20)
        answering.accepted.put_nowait(protocol)
        await answering.refuse(DisconnectedError, "before the identity")


async def test_connection_that_never_was() -> None:
    protocol = ClearIdentityProtocol(lambda _: None)
    protocol.data_received(b"x")
    context = await TlsContexts(our_credentials()).client()
    with pytest.raises(DisconnectedError):
        await answer(protocol, our_identity(), context, lambda _: None)


async def test_caller_that_goes_in_the_handshake(answering: Answering) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        await caller.writer.drain()
        refusing = asyncio.create_task(answering.refuse(DisconnectedError, "handshake"))
        await caller.reader.read(1)  # our ClientHello
        caller.writer.transport.abort()
        await refusing


async def test_caller_in_the_wrong_tls_role(answering: Answering) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        refusing = asyncio.create_task(answering.refuse(DisconnectedError, "handshake"))
        await caller.reader.read(1)  # of our ClientHello: we are a TLS client too
        with pytest.raises(FakeTlsError):
            await caller.start_tls(server=False)
        await refusing


async def test_caller_that_goes_before_its_second_identity(
    answering: Answering,
) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        refusing = asyncio.create_task(answering.refuse(DisconnectedError))
        await caller.start_tls()
        await caller.read()
        caller.writer.transport.abort()
        await refusing


async def test_silent_caller_is_cut(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, handshake_module, "CLEAR_IDENTITY_TIMEOUT")
    async with RawCaller.open(answering.port) as caller:
        await answering.refuse(PeerTimeoutError, "too long")
        assert await caller.closed() == b""


async def test_time_for_the_identity_runs_until_tls_is_finished(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, handshake_module, "CLEAR_IDENTITY_TIMEOUT")
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        await answering.refuse(PeerTimeoutError, "too long")
        assert await caller.closed() != b""  # our ClientHello


async def test_silence_inside_tls_is_cut(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(monkeypatch, handshake_module, "SECOND_IDENTITY_TIMEOUT")
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        refusing = asyncio.create_task(answering.refuse(PeerTimeoutError, "inside TLS"))
        await caller.start_tls()
        await refusing
        await caller.closed()


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ({"deviceId": new_id()}, "another device id"),
        ({"deviceId": OWN_ID}, "our own"),
        ({"protocolVersion": 7}, "another protocol version"),
        ({"protocolVersion": 9}, "another protocol version"),
        ({"deviceName": "!"}, "name"),
        ({"padding": "x" * MAX_IDENTITY_LINE}, "more than 8192"),
    ],
    ids=["id", "ours", "older", "newer", "name", "long"],
)
async def test_second_identity_is_checked(
    answering: Answering, members: dict[str, object], match: str
) -> None:
    """Section 5, step 8 (CVE-2025-66270)."""
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        refusing = asyncio.create_task(answering.refuse(ProtocolError, match))
        await caller.start_tls()
        caller.write(caller.identity(**members))
        await refusing
        await caller.closed()


@pytest.mark.parametrize(
    "line",
    [b'{"type":"kdeconnect.ping","body":{}}\n', b"hello\n", b"\xff\n"],
    ids=["ping", "text", "not utf-8"],
)
async def test_second_packet_has_to_be_an_identity(
    answering: Answering, line: bytes
) -> None:
    async with RawCaller.open(answering.port) as caller:
        caller.writer.write(caller.identity())
        refusing = asyncio.create_task(answering.refuse(ProtocolError))
        await caller.start_tls()
        caller.write(line)
        await refusing
        await caller.closed()


@both_protocols
async def test_caller_has_to_own_the_id(answering: Answering, protocol: int) -> None:
    other = FakeCredentials.generate(common_name=new_id())
    async with RawCaller.open(answering.port, other) as caller:
        refusing = asyncio.create_task(
            answering.refuse(ProtocolError, "another device")
        )
        caller.writer.write(caller.identity(protocolVersion=protocol))
        await caller.start_tls()
        caller.write(caller.identity(protocolVersion=protocol))
        await refusing
        await caller.closed()


@pytest.mark.parametrize("key_type", KEY_TYPES)
async def test_caller_may_have_an_older_kind_of_certificate(
    answering: Answering, key_type: KeyType
) -> None:
    credentials = fake_credentials(key_type)
    async with RawCaller.open(answering.port, credentials) as caller:
        linking = asyncio.create_task(answering.answer())
        await caller.link()
        link = await linking
        assert link.certificate == credentials.certificate_der
        link.abort()


def test_host_of_a_dual_stack_socket() -> None:
    assert plain_host(("::ffff:192.168.1.2", 5, 0, 0)) == "192.168.1.2"
    assert plain_host(("fe80::1", 5, 0, 0)) == "fe80::1"
    assert plain_host(("10.0.0.1", 5)) == "10.0.0.1"
    assert plain_host(None) == ""
