"""Tests of a remote control's session, with a whole fake device."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from pathlib import Path
import time

import pytest

from .fixtures import (
    FAST,
    IDENTITY,
    SOON,
    events_of,
    introduce,
    open_wires,
    session_with,
)
from .scripted import PATIENCE, Ends
from custom_components.rumpus.protocols import plists
from custom_components.rumpus.protocols.airplay.errors import RequestFailedError
from custom_components.rumpus.protocols.airplay.event_channel import (
    MAX_KIND,
    MAX_SERVER,
    EventChannel,
    _answer,
)
from custom_components.rumpus.protocols.airplay.http import Request
from custom_components.rumpus.protocols.airplay.info import AirPlayInfo
from custom_components.rumpus.protocols.airplay.keys import SessionKeys
from custom_components.rumpus.protocols.airplay.remote_control import (
    RemoteControlSession,
)
from custom_components.rumpus.protocols.airplay.timing import Timing
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.credentials import TransientCredentials
from custom_components.rumpus.protocols.hap.errors import (
    CredentialsRefusedError,
    DecryptionError,
)
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from custom_components.rumpus.protocols.mrp.transport import MessageTransport
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_core import Kind
from tests.fakes.apple_tv_frames import DataFrame
from tests.fakes.apple_tv_tunnel import DataChannel, Session

pytestmark = pytest.mark.usefixtures("socket_enabled")

NO_FEEDBACK = Timing(feedback=0.02, feedback_timeout=SOON)


class Inbox:
    """The messages that came through a tunnel."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()

    def __call__(self, message: bytes) -> None:
        self.messages.put_nowait(message)

    async def next(self) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.messages.get()


@contextlib.asynccontextmanager
async def connected(
    device: FakeAppleTv, timing: Timing = FAST
) -> AsyncIterator[tuple[RemoteControlSession, Ends, Session]]:
    """Yield a session that is up, what it tells at its end, and the device's side."""
    session, ends = session_with(device, timing)
    await session.connect()
    (theirs,) = device.airplay.sessions
    try:
        yield session, ends, theirs
    finally:
        await session.close()
        assert open_wires(session) == []


def data_of(session: Session) -> DataChannel:
    assert session.data is not None
    return session.data


def device_info(identifier: str = "one") -> bytes:
    message = pb.ProtocolMessage(
        type=pb.MESSAGE_TYPE_DEVICE_INFO, identifier=identifier
    )
    message.unique_identifier = "unique"
    return message.SerializeToString()


# What works.


@pytest.mark.parametrize("kind", ["apple_tv", "homepod"])
@pytest.mark.parametrize("split", [0, 1])
async def test_messages_both_ways(kind: Kind, split: int) -> None:
    async with FakeAppleTv(kind=kind) as tv:
        tv.split(split)
        async with connected(tv) as (session, ends, theirs):
            assert session.is_connected
            transport: MessageTransport = session.transport
            assert transport.is_connected
            inbox = Inbox()
            transport.start(inbox, tunnel_ends := Ends())
            transport.send(device_info())
            answer = pb.ProtocolMessage.FromString(await inbox.next())
            assert (answer.type, answer.identifier) == (
                pb.MESSAGE_TYPE_DEVICE_INFO,
                "one",
            )
            assert theirs.body["isRemoteControlOnly"] is True
            assert theirs.body["name"] == IDENTITY.name
            assert theirs.body["macAddress"] == IDENTITY.mac
            assert theirs.body["deviceID"] == IDENTITY.device_id
            assert theirs.body["timingProtocol"] == "None"
        assert ends.reasons == []
        assert isinstance(await tunnel_ends.wait(), DisconnectedError)
        await tv.wait_for("session_ended")
        with pytest.raises(DisconnectedError):
            transport.send(device_info())


async def test_every_form_of_messages() -> None:
    one, two = device_info("1"), device_info("2" * 1000)
    async with FakeAppleTv() as tv, connected(tv) as (session, _, theirs):
        session.transport.start(inbox := Inbox(), Ends())
        channel = data_of(theirs)
        channel.send(one, two)
        channel.send(two, bare=True)
        channel.send_frame(DataFrame("news", "cmnd", 1, b""))
        channel.send_frame(DataFrame("sync", "cmnd", 2, b"no property list"))
        channel._unreplied.add(2)
        channel.send(one)
        assert [await inbox.next() for _ in range(4)] == [one, two, two, one]
        session.transport.send(device_info("last"))
        assert b"last" in await inbox.next()
        assert channel.replies == 4, "whatever is in a frame, it is answered"


async def test_large_messages() -> None:
    large = device_info("x" * (8 << 20))
    async with FakeAppleTv() as tv, connected(tv, Timing()) as (session, _, theirs):
        session.transport.start(inbox := Inbox(), Ends())
        start = time.monotonic()
        data_of(theirs).send(large)
        assert await inbox.next() == large
        assert time.monotonic() - start < PATIENCE


async def test_messages_that_come_before_anybody_listens() -> None:
    one, two = device_info("1"), device_info("2")
    async with FakeAppleTv() as tv, connected(tv) as (session, _, theirs):
        data_of(theirs).send(one)
        data_of(theirs).send(two)
        await tv.wait_for("airplay_request", path="/feedback")
        session.transport.start(inbox := Inbox(), Ends())
        assert [await inbox.next(), await inbox.next()] == [one, two]


async def test_the_device_tells_about_itself() -> None:
    async with FakeAppleTv("Den") as tv:
        session, _ = session_with(tv)
        infos: asyncio.Queue[AirPlayInfo] = asyncio.Queue()
        session.info_changed = infos.put_nowait
        assert session.info == AirPlayInfo()
        await session.connect()
        async with asyncio.timeout(PATIENCE):
            assert (await infos.get()).name == "Den"
            tv.name = "Hall"
            tv.airplay.sessions[0].send_update_info()
            assert (await infos.get()).name == "Hall"
        assert session.info.name == "Hall"
        await tv.wait_for("event_answered", status=200)
        await tv.wait_for("event_answered", status=200)
        await session.close()


async def test_events_are_answered_whatever_they_are() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, theirs):
        await tv.wait_for("event_answered", cseq=0)
        bodies = (
            b"no property list",
            b"bplist00",
            plists.dumps({}),
            plists.dumps({"type": "of another time", "value": {"name": "x"}}),
            plists.dumps({"type": "updateInfo", "value": "text"}),
        )
        for number, body in enumerate(bodies, 5):
            theirs._unanswered[number] = asyncio.get_running_loop().call_later(9, int)
            head = f"POST /command RTSP/1.0\r\nCSeq: {number}\r\nServer: A\tB\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            events_of(theirs).write(head.encode() + body)
            await tv.wait_for("event_answered", status=200, cseq=number)
        # Neither needs an answer.
        events_of(theirs).write(b"RTSP/1.0 200 OK\r\n\r\n")
        theirs._unanswered[77] = asyncio.get_running_loop().call_later(9, int)
        events_of(theirs).write(b"POST /command RTSP/1.0\r\nCSeq: 77\r\n\r\n")
        await tv.wait_for("event_answered", status=200, cseq=77)
        assert session.info == AirPlayInfo()
        assert session.is_connected
        assert ends.reasons == []


async def test_feedback_comes_in_time() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, _):
        start = asyncio.get_running_loop().time()
        for _ in range(3):
            await tv.wait_for("airplay_request", path="/feedback")
        assert asyncio.get_running_loop().time() - start >= 3 * FAST.feedback
        assert session.is_connected
        assert ends.reasons == []
    assert Timing().feedback == 2
    assert Timing().feedback + Timing().feedback_timeout < 15


async def test_feedback_that_stumbles() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, _):
        tv.airplay.switches.refuse["/feedback"] = 500
        await tv.wait_for("airplay_refused", status=500)
        tv.airplay.switches.refuse.clear()
        tv.events.mark()
        await tv.wait_for("airplay_request", path="/feedback")
        await tv.wait_for("airplay_request", path="/feedback")
        assert session.is_connected
        assert ends.reasons == []


async def test_a_port_that_opens_late() -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.event_port_delay = 0.1
        timing = Timing(event_attempts=50, event_pause=0.02)
        async with connected(tv, timing) as (session, _, _theirs):
            assert session.is_connected
            await tv.wait_for("event_answered")


async def test_an_answer_with_another_number_is_dropped() -> None:
    async with FakeAppleTv() as tv:
        tv.airplay.switches.stray_answers = 2
        async with connected(tv) as (session, _, _theirs):
            assert session.is_connected


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_again_and_again() -> None:
    async with FakeAppleTv() as tv:
        credentials = introduce(tv)

        async def cycle() -> tuple[int, int]:
            session, ends = session_with(tv, FAST, credentials)
            await session.connect()
            await session.close()
            assert ends.reasons == []
            await tv.wait_for("session_ended")
            await tv.airplay._ended[-1].stop()
            return len(asyncio.all_tasks()), _open_files()

        counts = [await cycle() for _ in range(20)]
        assert counts[-1][0] <= counts[2][0] + 2
        assert counts[-1][1] <= counts[2][1] + 4


# How it ends.

LOSSES = pytest.mark.parametrize("name", ["control", "event", "data"])


def _cut(theirs: Session, name: str) -> None:
    """Break off one connection, and no other one."""
    links = {
        "control": theirs.control.link,
        "event": events_of(theirs).link,
        "data": data_of(theirs).channel.link,
    }
    link = links[name]
    assert link is not None
    link.on_lost = lambda: None
    link.abort()


@LOSSES
async def test_one_connection_takes_the_others_with_it(name: str) -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, theirs):
        session.transport.start(Inbox(), tunnel_ends := Ends())
        _cut(theirs, name)
        assert await ends.wait() is None, "it was closed in order"
        assert await tunnel_ends.wait() is None
        assert not session.is_connected
        assert open_wires(session) == []
        with pytest.raises(DisconnectedError):
            session.transport.send(device_info())
        theirs.end("of the test")


@LOSSES
async def test_what_cannot_be_decrypted_ends_it(name: str) -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, theirs):
        session.transport.start(Inbox(), tunnel_ends := Ends())
        corrupt = {
            "control": theirs.control.corrupt,
            "event": events_of(theirs).corrupt,
            "data": data_of(theirs).channel.corrupt,
        }[name]
        corrupt()
        assert isinstance(await ends.wait(), DecryptionError)
        assert await tunnel_ends.wait() is ends.reasons[0]
        assert open_wires(session) == []
        await tv.wait_for("session_ended")
    assert len(ends.reasons) == len(tunnel_ends.reasons) == 1


async def test_a_frame_that_is_none_ends_it() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, theirs):
        session.transport.start(Inbox(), Ends())
        data_of(theirs).channel.write(bytes(32))
        assert isinstance(await ends.wait(), ProtocolError)


async def test_an_event_that_is_none_ends_it() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (_, ends, theirs):
        events_of(theirs).write(b"nonsense\r\n\r\n")
        assert isinstance(await ends.wait(), ProtocolError)


@pytest.mark.parametrize("status", [404, 455, 470])
async def test_feedback_that_is_refused_twice(status: int) -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, _):
        tv.airplay.switches.refuse["/feedback"] = status
        reason = await ends.wait()
        assert isinstance(
            reason, (RequestFailedError, UnsupportedError, CredentialsRefusedError)
        )
        assert open_wires(session) == []


@pytest.mark.parametrize("is_mute", [False, True])
async def test_a_device_that_vanishes(is_mute: bool) -> None:
    async with FakeAppleTv() as tv, connected(tv, NO_FEEDBACK) as (session, ends, _):
        session.transport.start(Inbox(), tunnel_ends := Ends())
        if is_mute:
            tv.airplay.switches.mute.add("/feedback")
        else:
            tv.vanish()
        assert isinstance(await ends.wait(), PeerTimeoutError)
        assert isinstance(await tunnel_ends.wait(), PeerTimeoutError)
        assert open_wires(session) == []


async def test_nobody_wants_to_know_the_end() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, theirs):
        session.closed = None
        session.transport.start(Inbox(), tunnel_ends := Ends())
        theirs.control.corrupt()
        assert isinstance(await tunnel_ends.wait(), DecryptionError)
        session.closed = ends
        session._on_lost(None)
        assert ends.reasons == []


async def test_who_wants_to_know_the_end_fails() -> None:
    """Those who wait at the other end of the tunnel are told all the same."""

    def fail(error: RumpusError | None) -> None:
        raise ValueError("not my day")

    async with FakeAppleTv() as tv, connected(tv) as (session, _, _):
        session.closed = fail
        session.transport.start(Inbox(), tunnel_ends := Ends())
        with pytest.raises(ValueError, match="not my day"):
            session._on_lost(DisconnectedError("Test"))
        assert isinstance(await tunnel_ends.wait(), DisconnectedError)


async def test_closing_leaves_nothing_open_whoever_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(error: RumpusError | None) -> None:
        raise ValueError("not my day")

    async with FakeAppleTv() as tv, connected(tv) as (session, ends, _):
        session.transport.start(Inbox(), fail)
        await session.close()
        assert open_wires(session) == []
        assert not ends.reasons
    assert caplog.text.count("ValueError: not my day") == 1


async def test_the_device_restarts() -> None:
    async with FakeAppleTv() as tv:
        credentials = introduce(tv)
        session, ends = session_with(tv, FAST, credentials)
        await session.connect()
        await tv.restart(new_ports=True)
        await ends.wait()
        await session.close()
        again, _ = session_with(tv, FAST, credentials)
        await again.connect()
        await again.close()


async def test_listening_to_what_has_ended() -> None:
    async with FakeAppleTv() as tv, connected(tv) as (session, ends, theirs):
        events_of(theirs).corrupt()
        reason = await ends.wait()
        session.transport.start(Inbox(), late := Ends())
        assert late.reasons == []
        assert await late.wait() is reason
        await session.transport.close()


async def test_closing_the_transport_closes_the_session() -> None:
    async with FakeAppleTv() as tv:
        session, ends = session_with(tv)
        await session.connect()
        session.transport.start(Inbox(), tunnel_ends := Ends())
        await session.transport.close()
        await session.transport.close()
        await session.close()
        assert ends.reasons == tunnel_ends.reasons == []
        assert open_wires(session) == []
        await tv.wait_for("session_ended")


async def test_a_transport_that_was_never_up() -> None:
    session = RemoteControlSession("127.0.0.1", 1, TransientCredentials(), IDENTITY)
    assert not session.transport.is_connected
    with pytest.raises(RuntimeError):
        session.transport.start(Inbox(), Ends())
    with pytest.raises(DisconnectedError):
        session.transport.send(b"")
    await session.close()
    with pytest.raises(RuntimeError):
        await session.connect()


async def test_nothing_is_handed_over_once_it_has_ended() -> None:
    """A receiver may end the session on what it gets."""
    async with FakeAppleTv() as tv, connected(tv) as (session, _, theirs):
        messages: list[bytes] = []
        first = asyncio.Event()

        def received(message: bytes) -> None:
            messages.append(message)
            session._end()
            first.set()

        session.transport.start(received, Ends())
        data_of(theirs).send(device_info("1"), device_info("2"))
        data_of(theirs).send(device_info("3"))
        async with asyncio.timeout(PATIENCE):
            await first.wait()
        await tv.wait_for("session_ended")
        assert messages == [device_info("1")]


def test_an_event_without_a_number() -> None:
    assert _answer(Request("POST", "/command")).headers == {"Audio-Latency": "0"}


def test_max_kind() -> None:
    events: list[tuple[str, plists.PlistDict]] = []
    cipher = SessionKeys(bytes(32)).events()
    channel = EventChannel(cipher, lambda *event: events.append(event), Ends())
    body = plists.dumps({"type": "x" * (MAX_KIND + 1), "value": {"a": 1}})
    channel._handle(Request("POST", "/command", body=body))
    assert events == [("x" * MAX_KIND, {"a": 1})]


def test_max_server() -> None:
    headers = {"cseq": "1", "server": "x" * (MAX_SERVER + 1)}
    answer = _answer(Request("POST", "/command", headers=headers))
    assert answer.headers["Server"] == "x" * MAX_SERVER
