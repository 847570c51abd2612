"""How the session comes up, or does not: each step silent, refused or left."""

import asyncio
import asyncio.trsock
import socket

import pytest

from .common import HASTY, PATIENT, Linked, client_of
from custom_components.rumpus.protocols.companion import connection as connection_module
from custom_components.rumpus.protocols.companion.errors import CommandFailedError
from custom_components.rumpus.protocols.companion.events import AttentionChanged, Lost
from custom_components.rumpus.protocols.companion.frames import FrameStream
from custom_components.rumpus.protocols.companion.timing import Timing
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.errors import DecryptionError, IdentityError
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_commands import CommandError
from tests.fakes.apple_tv_core import APPS
from tests.fakes.apple_tv_events import FakeEvent

REQUIRED = ["_systemInfo", "_touchStart", "_sessionStart", "_tiStart"]
OPTIONAL = ["TVRCSessionStart", "FetchAttentionState"]


@pytest.mark.parametrize("name", REQUIRED)
async def test_a_required_step_without_an_answer(
    name: str, device: FakeAppleTv
) -> None:
    device.companion.mute.add(name)
    async with client_of(device, HASTY) as (made, log):
        with pytest.raises(PeerTimeoutError, match=name):
            await made.connect()
        assert not made.is_connected
        await device.wait_for("companion_lost")
        assert not [event for event in log.events if isinstance(event, Lost)]


async def test_what_needs_no_answer_of_another_is_asked_at_once(
    device: FakeAppleTv,
) -> None:
    device.companion.mute |= {"_touchStart", "TVRCSessionStart"}
    async with client_of(device, PATIENT) as (made, _):
        connecting = asyncio.create_task(made.connect())
        await device.wait_for("request", name="_sessionStart")
        assert not device.seen("request", name="TVRCSessionStart")
        await made.close()
        with pytest.raises(DisconnectedError):
            await connecting
    device.companion.mute.remove("_touchStart")
    async with client_of(device, PATIENT) as (made, _):
        connecting = asyncio.create_task(made.connect())
        await device.wait_for("request", name="FetchAttentionState")
        assert not connecting.done()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


@pytest.mark.parametrize("name", OPTIONAL)
async def test_an_optional_step_without_an_answer(
    name: str, device: FakeAppleTv
) -> None:
    device.companion.mute.add(name)
    async with client_of(device, HASTY) as (made, log):
        await made.connect()
        assert made.is_connected
        # What came with the events counts even so.
        device.screensaver()
        await log.get(AttentionChanged)
        assert len(await made.apps()) == len(APPS)


@pytest.mark.parametrize("name", [*OPTIONAL, "_touchStart", "_tiStart"])
async def test_a_step_that_is_refused(name: str, device: FakeAppleTv) -> None:
    device.companion.errors[name] = CommandError()
    async with client_of(device) as (made, _):
        await made.connect()
        assert len(await made.apps()) == len(APPS)
        assert made.has_touch is (name != "_touchStart")
        assert (made.focus is None) is (name == "_tiStart")
        if name == "_touchStart":
            with pytest.raises(UnsupportedError):
                await made.swipe(0, 0, 1, 1, 0)
            with pytest.raises(UnsupportedError):
                await made.click()
        if name == "_tiStart":
            with pytest.raises(UnsupportedError):
                await made.text_get()
        if name == "FetchAttentionState":
            with pytest.raises(CommandFailedError):
                await made.fetch_attention()


@pytest.mark.parametrize("name", ["_systemInfo", "_sessionStart"])
async def test_a_step_that_must_not_be_refused(name: str, device: FakeAppleTv) -> None:
    device.companion.errors[name] = CommandError()
    async with client_of(device) as (made, _):
        with pytest.raises(CommandFailedError, match=name) as caught:
            await made.connect()
        assert caught.value.code == 58822
        await device.wait_for("companion_lost")


@pytest.mark.parametrize("ending", ["close", "abort"])
@pytest.mark.parametrize("name", REQUIRED + OPTIONAL)
async def test_the_device_leaves_in_the_middle(
    name: str, ending: str, device: FakeAppleTv
) -> None:
    def leave(event: FakeEvent) -> None:
        if event.kind == "request" and event.data["name"] == name:
            getattr(device.mischief, ending)()

    device.events.listeners.append(leave)
    async with client_of(device) as (made, log):
        with pytest.raises(DisconnectedError):
            await made.connect()
        assert not made.is_connected
        assert not [event for event in log.events if isinstance(event, Lost)]


@pytest.mark.parametrize("step", ["verify_m1", "verify_m3"])
async def test_the_device_leaves_while_it_verifies(
    step: str, device: FakeAppleTv
) -> None:
    def leave(event: FakeEvent) -> None:
        if event.kind == step:
            device.drop()

    device.events.listeners.append(leave)
    async with client_of(device) as (made, _):
        with pytest.raises(DisconnectedError):
            await made.connect()


@pytest.mark.parametrize("number", [2, 4])
async def test_a_verification_without_an_answer(
    number: int, device: FakeAppleTv
) -> None:
    device.desk.silent.add(("verify", number))
    async with client_of(device, HASTY) as (made, _):
        with pytest.raises(PeerTimeoutError, match=f"M{number - 1}"):
            await made.connect()
        await device.wait_for("companion_lost")


async def test_a_pairing_that_the_device_forgot(device: FakeAppleTv) -> None:
    async with client_of(device) as (made, _):
        device.desk.unpair()
        with pytest.raises(AuthenticationError):
            await made.connect()


async def test_another_device_at_the_address(device: FakeAppleTv) -> None:
    async with client_of(device) as (made, _):
        device.desk.wrong_signature.add("verify")
        with pytest.raises(IdentityError):
            await made.connect()
        await device.wait_for("companion_lost")


async def test_nobody_at_the_address(device: FakeAppleTv) -> None:
    async with client_of(device) as (made, _):
        await device.stop()
        with pytest.raises(DisconnectedError, match="reached"):
            await made.connect()


async def test_a_connection_that_nobody_takes(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*args: object) -> None:
        await asyncio.Event().wait()

    async with client_of(device, HASTY) as (made, _):
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "create_connection", never)
        with pytest.raises(PeerTimeoutError):
            await made.connect()


async def test_connecting_is_cancelled(device: FakeAppleTv) -> None:
    device.companion.mute.add("_sessionStart")
    async with client_of(device) as (made, _):
        connecting = asyncio.create_task(made.connect())
        await device.wait_for("request", name="_sessionStart")
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert not made.is_connected
        await device.wait_for("companion_lost")


async def test_closing_while_the_device_verifies(device: FakeAppleTv) -> None:
    device.desk.silent.add(("verify", 2))
    async with client_of(device) as (made, _):
        connecting = asyncio.create_task(made.connect())
        await device.wait_for("verify_m1")
        await made.close()
        async with asyncio.timeout(1):
            with pytest.raises(DisconnectedError):
                await connecting
        await device.wait_for("companion_lost")


async def test_closing_while_the_connection_is_made(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = connection_module.open_stream
    is_dialing, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly(address: str, port: int, timing: Timing) -> FrameStream:
        is_dialing.set()
        await may_go_on.wait()
        return await original(address, port, timing)

    monkeypatch.setattr(connection_module, "open_stream", slowly)
    async with client_of(device) as (made, _):
        connecting = asyncio.create_task(made.connect())
        await is_dialing.wait()
        await made.close()
        may_go_on.set()
        with pytest.raises(DisconnectedError):
            await connecting
        assert not device.seen("verify_m1")
        assert not made.is_connected


async def test_nothing_is_said_before_the_device_is_verified(
    device: FakeAppleTv,
) -> None:
    device.desk.silent.add(("verify", 4))
    async with client_of(device, HASTY) as (made, _):
        connecting = asyncio.create_task(made.connect())
        await device.wait_for("verify_m3")
        with pytest.raises(DisconnectedError):
            await made.apps()
        with pytest.raises(PeerTimeoutError):
            await connecting


async def test_the_kernel_looks_after_the_connection(linked: Linked) -> None:
    stream = linked[0]._connection._stream
    assert stream is not None
    sock = stream.get_extra_info("socket")
    assert isinstance(sock, asyncio.trsock.TransportSocket)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    idle, interval, count, user = (
        sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
        for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    )
    assert idle + interval * count <= 15
    assert 0 < user <= 15_000


async def test_a_kernel_that_cannot(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT")
    async with client_of(device) as (made, _):
        await made.connect()
        assert made.is_connected


async def test_the_end_comes_once(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    device.mischief.abort()
    await log.get(Lost)
    made._connection._end(RumpusError("again"))
    assert isinstance(made._connection.error, DisconnectedError)
    assert not [event for event in log.events if isinstance(event, Lost)]


async def test_a_frame_that_does_not_decrypt_while_connecting(
    device: FakeAppleTv,
) -> None:
    def damage(event: FakeEvent) -> None:
        if event.kind == "request" and event.data["name"] == "_sessionStart":
            device.mischief.undecryptable()

    device.events.listeners.append(damage)
    async with client_of(device) as (made, _):
        with pytest.raises(DecryptionError):
            await made.connect()


async def test_a_kernel_that_does_not_keep_connections_alive(
    device: FakeAppleTv, client: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_KEEP_ALIVE", [("TCP_KEEPIDLE", -1)])
    await client[0].connect()
    assert client[0].is_connected
