"""A client and a device that is slow, strange, hostile or gone."""

import asyncio
from collections.abc import Callable
import gc
import socket
import time

from hypothesis import given, strategies as st
import pytest

from .common import HASTY, IDENTITY, PATIENT, WATCHFUL, Log, client_of
from custom_components.rumpus.protocols.companion import connection as connection_module
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.companion.connection import (
    MAX_PENDING,
    AuthenticationExchange,
)
from custom_components.rumpus.protocols.companion.enums import HidButton, MediaFlags
from custom_components.rumpus.protocols.companion.errors import CommandFailedError
from custom_components.rumpus.protocols.companion.events import (
    AttentionChanged,
    Lost,
    MediaFlagsChanged,
    VolumeChanged,
)
from custom_components.rumpus.protocols.companion.frames import MAX_PAYLOAD, FrameStream
from custom_components.rumpus.protocols.companion.timing import Timing
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.credentials import HapCredentials
from custom_components.rumpus.protocols.hap.errors import DecryptionError, IdentityError
from custom_components.rumpus.protocols.opack import OpackDict
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_commands import CommandError
from tests.fakes.apple_tv_core import APPS
from tests.fakes.apple_tv_events import FakeEvent
from tests.fakes.apple_tv_mischief import Mischief

type Linked = tuple[CompanionClient, Log]

REQUIRED = ["_systemInfo", "_touchStart", "_sessionStart", "_tiStart"]
OPTIONAL = ["TVRCSessionStart", "FetchAttentionState"]


# Bringing the session up.


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
        monkeypatch.setattr(asyncio, "open_connection", never)
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
    sock = stream._writer.get_extra_info("socket")
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


# What a session survives.


HARMLESS: list[tuple[str, Callable[[Mischief], None]]] = [
    ("keep-alives", lambda mischief: mischief.no_ops(100)),
    ("unknown frame", lambda mischief: mischief.unknown_frame()),
    ("unknown event", lambda mischief: mischief.unknown_event()),
    (
        "unknown event of a long name",
        lambda mischief: mischief.unknown_event("x" * 999),
    ),
    ("unknown type", lambda mischief: mischief.unknown_message_type()),
    ("answer to nothing", lambda mischief: mischief.stray_response()),
    ("no OPACK", lambda mischief: mischief.not_opack()),
    ("no dictionary", lambda mischief: mischief.not_a_dictionary()),
    ("deep nesting", lambda mischief: mischief.deep_opack()),
    ("pointer to nothing", lambda mischief: mischief.pointer_to_nothing()),
    ("wrong types", lambda mischief: mischief.wrong_types()),
    ("no type", lambda mischief: mischief.message({"_i": "_iMC"})),
    ("answer without a number", lambda mischief: mischief.message({"_t": 3})),
    ("verification again", lambda mischief: mischief.frame(6, b"\xe0")),
    (
        "far too many flags",
        lambda mischief: mischief.message(
            {"_i": "_iMC", "_t": 1, "_c": {"_mcF": 1 << 60}}
        ),
    ),
    (
        "far too high a state",
        lambda mischief: mischief.message(
            {"_i": "SystemStatus", "_t": 1, "_c": {"state": 1 << 60}}
        ),
    ),
]


@pytest.mark.parametrize(
    "act", [act for _, act in HARMLESS], ids=[name for name, _ in HARMLESS]
)
async def test_the_session_survives(
    act: Callable[[Mischief], None], device: FakeAppleTv, linked: Linked
) -> None:
    made, log = linked
    act(device.mischief)
    assert len(await made.apps()) == len(APPS)
    assert made.is_connected
    assert made.power.value == "on"
    assert made.media_flags == MediaFlags.VOLUME
    assert not [event for event in log.events if isinstance(event, Lost)]


async def test_a_device_that_asks_gets_an_answer(
    device: FakeAppleTv, linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(device.companion.connection, "_message", answer.set_result)
    device.mischief.unknown_request()
    assert await asyncio.wait_for(answer, 5) == {
        "_i": "_askedBack",
        "_t": 3,
        "_x": 77,
        "_ec": 58822,
        "_ed": "RPErrorDomain",
        "_em": "No request handler",
    }


async def test_answers_that_come_twice(device: FakeAppleTv, linked: Linked) -> None:
    device.companion.answers_twice = True
    for _ in range(3):
        assert len(await linked[0].apps()) == len(APPS)


async def test_a_late_answer_does_no_harm(device: FakeAppleTv) -> None:
    async with client_of(device, HASTY) as (made, _):
        await made.connect()
        device.companion.answer_delay = 0.8
        with pytest.raises(PeerTimeoutError, match="FetchUserAccounts"):
            await made.accounts()
        device.companion.answer_delay = 0
        await asyncio.gather(*(made.apps() for _ in range(10)))
        # The late one has come by now, or comes during these.
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.3
        while loop.time() < end:
            assert len(await made.apps()) == len(APPS)
        assert made.is_connected
        assert not made._connection._pending


async def test_an_answer_that_waited_for_us(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When we were held up it may be there, though its time is over."""
    monkeypatch.setattr(connection_module, "MAX_LATE", 0.3)
    async with client_of(device, HASTY) as (made, _):
        await made.connect()
        device.companion.answer_delay = 0.7
        asking = asyncio.create_task(made.accounts())
        await device.wait_for("request", name="FetchUserAccountsEvent")
        time.sleep(1.0)  # noqa: ASYNC251
        assert len(await asking) == len(device.accounts)


async def test_an_answer_that_did_not(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "MAX_LATE", 0.1)
    async with client_of(device, HASTY) as (made, _):
        await made.connect()
        device.companion.mute.add("FetchUserAccountsEvent")
        asking = asyncio.create_task(made.accounts())
        await device.wait_for("request", name="FetchUserAccountsEvent")
        time.sleep(0.8)  # noqa: ASYNC251
        with pytest.raises(PeerTimeoutError):
            await asking


async def test_max_ignored(
    device: FakeAppleTv, linked: Linked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger=connection_module.__name__)
    for _ in range(3 * connection_module.MAX_IGNORED):
        device.mischief.unknown_event()
    assert len(await linked[0].apps()) == len(APPS)
    limit = connection_module.MAX_IGNORED
    assert limit <= caplog.text.count("Ignoring") <= limit + 2


async def test_max_transfer(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    made._connection._transfer_id = connection_module.MAX_TRANSFER - 2
    for _ in range(3):
        assert len(await made.apps()) == len(APPS)
    assert made._connection._transfer_id == 1


names = st.sampled_from(
    ["_iMC", "SystemStatus", "TVSystemStatus", "_tiStarted", "_tiStopped", "", "x"]
)
contents: st.SearchStrategy[OpackDict] = st.dictionaries(
    st.sampled_from(["_mcF", "state", "_tiD", "_vol", "x"]),
    st.none()
    | st.booleans()
    | st.integers(-1, 2**128 - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | st.just([])
    | st.just({}),
)


@given(st.lists(st.tuples(names, contents), max_size=10))
def test_any_events(events: list[tuple[str, OpackDict]]) -> None:
    async def take_all() -> None:
        credentials = HapCredentials(b"", b"", b"", b"")
        client = CompanionClient("127.0.0.1", 9, credentials, IDENTITY)
        for name, content in events:
            client.received(name, content)
        await client.close()
        assert client.volume is None

    asyncio.run(take_all())


async def test_a_flood_of_events(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    before = len(made._connection._tasks)
    device.mischief.flood(3000)
    assert len(await made.apps()) == len(APPS)
    assert len(made._connection._tasks) <= before + 1
    asked = device.seen("request", name="_mcc")
    assert len(asked) < 100


async def test_a_flood_of_keep_alives_leaves_room_for_others(
    device: FakeAppleTv, linked: Linked
) -> None:
    device.mischief.no_ops(50_000)
    longest, last = 0.0, time.perf_counter()
    asking = asyncio.create_task(linked[0].apps())
    while not asking.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    assert len(await asking) == len(APPS)
    assert longest < 0.5


# What ends it.


FATAL: list[tuple[str, Callable[[Mischief], None], type[RumpusError]]] = [
    ("undecryptable", lambda mischief: mischief.undecryptable(), DecryptionError),
    ("in the clear", lambda mischief: mischief.plain(), DecryptionError),
    ("too long", lambda mischief: mischief.oversized(), MessageTooLargeError),
    ("closed", lambda mischief: mischief.close(), DisconnectedError),
    ("aborted", lambda mischief: mischief.abort(), DisconnectedError),
    (
        "half a frame",
        lambda mischief: mischief.half_frame(closes=True),
        DisconnectedError,
    ),
]


@pytest.mark.parametrize(
    ("act", "error"),
    [(act, error) for _, act, error in FATAL],
    ids=[name for name, _, _ in FATAL],
)
async def test_the_session_ends_with_its_error(
    act: Callable[[Mischief], None],
    error: type[RumpusError],
    device: FakeAppleTv,
    linked: Linked,
) -> None:
    made, log = linked
    device.companion.mute |= {
        "FetchLaunchableApplicationsEvent",
        "FetchUserAccountsEvent",
    }
    waiting = [asyncio.create_task(job) for job in (made.apps(), made.accounts())]
    await device.wait_for("request", name="FetchUserAccountsEvent")
    act(device.mischief)
    lost = await log.get(Lost)
    assert isinstance(lost.error, error)
    assert not made.is_connected
    # Those who wait are told at once: their own time-out is 5 s.
    async with asyncio.timeout(1):
        for task in waiting:
            with pytest.raises(DisconnectedError):
                await task
    with pytest.raises(DisconnectedError):
        await made.apps()
    await made.close()
    assert not [event for event in log.events if isinstance(event, Lost)]


async def test_max_payload(device: FakeAppleTv, linked: Linked) -> None:
    made, log = linked
    device.mischief.frame(0x42, bytes(MAX_PAYLOAD - 16))
    assert len(await made.apps()) == len(APPS)
    device.mischief.frame(0x42, bytes(MAX_PAYLOAD - 15))
    assert isinstance((await log.get(Lost)).error, MessageTooLargeError)


async def test_max_payload_of_ours(linked: Linked) -> None:
    with pytest.raises(MessageTooLargeError):
        await linked[0].launch("x" * 70_000)
    assert linked[0].is_connected
    assert len(await linked[0].apps()) == len(APPS)


async def test_max_pending(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    device.companion.mute.add("FetchUserAccountsEvent")
    waiting = [asyncio.create_task(made.accounts()) for _ in range(MAX_PENDING)]
    await device.wait_for("request", name="FetchUserAccountsEvent")
    with pytest.raises(PeerTimeoutError, match="keep up"):
        await made.apps()
    await made.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, DisconnectedError) for result in results)


async def test_waiters_are_told_when_we_close(
    device: FakeAppleTv, linked: Linked
) -> None:
    made, log = linked
    device.companion.mute.add("FetchUserAccountsEvent")
    waiting = asyncio.create_task(made.accounts())
    await device.wait_for("request", name="FetchUserAccountsEvent")
    closing = asyncio.create_task(made.close())
    async with asyncio.timeout(0.5):
        with pytest.raises(DisconnectedError):
            await waiting
    await closing
    assert not [event for event in log.events if isinstance(event, Lost)]


async def test_a_waiter_that_is_cancelled(device: FakeAppleTv, linked: Linked) -> None:
    made = linked[0]
    device.companion.mute.add("FetchUserAccountsEvent")
    waiting = asyncio.create_task(made.accounts())
    await device.wait_for("request", name="FetchUserAccountsEvent")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not made._connection._pending


async def test_cancelled_just_as_the_answer_is_an_error(
    device: FakeAppleTv, linked: Linked
) -> None:
    """Nobody fetches that error: it must not be complained about."""
    made = linked[0]
    device.companion.mute.add("FetchUserAccountsEvent")
    waiting = asyncio.create_task(made.accounts())
    await device.wait_for("request", name="FetchUserAccountsEvent")
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    made._connection.fail_pending("Test")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    del waiting
    gc.collect()
    loop.set_exception_handler(None)
    assert not complaints


async def test_closing_while_the_device_is_silent(device: FakeAppleTv) -> None:
    async with client_of(device, HASTY) as (made, _):
        await made.connect()
        device.vanish()
        loop = asyncio.get_running_loop()
        start = loop.time()
        await made.close()
        assert loop.time() - start < 2


async def test_closing_is_cancelled(device: FakeAppleTv, linked: Linked) -> None:
    device.vanish()
    closing = asyncio.create_task(linked[0].close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await linked[0].close()
    assert not linked[0]._connection._tasks


async def test_the_connection_ends_while_we_take_leave(
    device: FakeAppleTv, linked: Linked
) -> None:
    def leave(event: FakeEvent) -> None:
        if event.kind == "request" and event.data["name"] == "_sessionStop":
            device.mischief.abort()

    device.events.listeners.append(leave)
    await linked[0].close()
    assert not [event for event in linked[1].events if isinstance(event, Lost)]


async def test_nothing_is_told_while_we_take_leave(
    device: FakeAppleTv, linked: Linked
) -> None:
    def tell(event: FakeEvent) -> None:
        if event.kind == "request" and event.data["name"] == "_sessionStop":
            device.companion.connection.event("SystemStatus", {"state": 1})

    made, log = linked
    device.events.listeners.append(tell)
    log.events.clear()
    await made.close()
    assert made.power.value == "off"
    assert not log.events


async def test_the_connection_is_gone_before_we_take_leave(
    device: FakeAppleTv, linked: Linked
) -> None:
    stream = linked[0]._connection._stream
    assert stream is not None
    stream.abort()
    await linked[0].close()


async def test_a_failure_of_our_own_ends_the_session(
    device: FakeAppleTv,
    linked: Linked,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object) -> None:
        raise ValueError("our fault")

    monkeypatch.setattr(connection_module, "decode_message", fail)
    device.screensaver()
    lost = await linked[1].get(Lost)
    assert isinstance(lost.error, RumpusError)
    assert "has failed" in caplog.text


# Devices that fall silent, or only seem to.


async def test_a_device_that_vanishes(device: FakeAppleTv) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        device.vanish()
        lost = await log.get(Lost)
        assert isinstance(lost.error, PeerTimeoutError)
        assert not made.is_connected


def test_it_is_noticed_within_15_seconds() -> None:
    assert PATIENT.quiet + connection_module.TRIES * PATIENT.probe < 15


async def test_a_device_with_nothing_to_say_is_asked(device: FakeAppleTv) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        device.mark()
        for _ in range(3):
            await device.wait_for("request", name="FetchAttentionState")
        assert made.is_connected
        assert not [event for event in log.events if isinstance(event, Lost)]


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_device_that_tells_nothing_about_its_power(
    refuses: bool, device: FakeAppleTv
) -> None:
    if refuses:
        device.companion.errors["FetchAttentionState"] = CommandError()
    else:
        device.companion.mute.add("FetchAttentionState")
    async with client_of(device, WATCHFUL) as (made, _):
        await made.connect()
        device.mark()
        name = "FetchAttentionState" if refuses else "_systemInfo"
        for _ in range(3):
            await device.wait_for("request", name=name)
        assert made.is_connected


async def test_a_device_that_stops_to_answer_one_question(
    device: FakeAppleTv,
) -> None:
    async with client_of(device, WATCHFUL) as (made, _):
        await made.connect()
        device.companion.mute.add("FetchAttentionState")
        device.mark()
        for _ in range(2):
            await device.wait_for("request", name="FetchAttentionState")
            await device.wait_for("request", name="_systemInfo")
        assert made.is_connected


async def test_a_device_that_answers_slowly_is_not_dropped(
    device: FakeAppleTv,
) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        # Later than the first question's time, before that of the second is over.
        device.companion.answer_delay = 0.75
        device.mark()
        for _ in range(3):
            await device.wait_for("request", name="FetchAttentionState")
        assert made.is_connected
        assert not [event for event in log.events if isinstance(event, Lost)]


async def test_a_late_look_at_the_clock_is_no_silence(
    device: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "MAX_LATE", 0.0)
    async with client_of(device, WATCHFUL) as (made, _):
        await made.connect()
        device.companion.mute |= {"FetchAttentionState", "_systemInfo"}
        device.mark()
        for _ in range(4):
            await device.wait_for("request", name="FetchAttentionState")
        assert made.is_connected


async def test_a_question_that_cannot_be_asked(device: FakeAppleTv) -> None:
    async with client_of(device, WATCHFUL) as (made, log):
        await made.connect()
        stream = made._connection._stream
        assert stream is not None
        stream._max_write_buffer = 0  # as if nothing had left for long
        assert isinstance((await log.get(Lost)).error, RumpusError)


# Commands that fail half way.


async def test_a_button_comes_up_again_when_we_are_cancelled(
    device: FakeAppleTv, linked: Linked
) -> None:
    holding = asyncio.create_task(linked[0].hold(HidButton.SIRI, 30))
    await device.wait_for("request", name="_hidC")
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert (await device.wait_for("button")).data["name"] == "siri"


async def test_a_button_comes_up_again_when_nothing_is_answered(
    device: FakeAppleTv,
) -> None:
    async with client_of(device, HASTY) as (made, _):
        await made.connect()
        device.companion.mute.add("_hidC")
        with pytest.raises(PeerTimeoutError):
            await made.press(HidButton.UP)
        assert (await device.wait_for("button")).data["name"] == "up"


async def test_a_swipe_that_is_cancelled_lifts_the_finger(
    device: FakeAppleTv, linked: Linked
) -> None:
    swiping = asyncio.create_task(linked[0].swipe(100, 100, 900, 100, 30_000))
    await device.wait_for("touch", phase=3)
    swiping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await swiping
    assert (await device.wait_for("touch", phase=4)).data["x"] != 900


async def test_a_swipe_that_ends_with_the_link(
    device: FakeAppleTv, linked: Linked
) -> None:
    swiping = asyncio.create_task(linked[0].swipe(100, 100, 900, 100, 30_000))
    await device.wait_for("touch", phase=3)
    device.mischief.abort()
    with pytest.raises(DisconnectedError):
        await swiping


async def test_a_volume_that_is_not_told(device: FakeAppleTv) -> None:
    async with client_of(device, HASTY) as (made, log):
        await made.connect()
        await log.get(VolumeChanged)
        connection = device.companion.connection
        connection.interests.discard("_iMC")
        # It was set all the same, as asking shows.
        await made.set_volume(30)
        assert device.volume == 0.3
        device.companion.mute.add("_mcc")
        with pytest.raises(PeerTimeoutError):
            await made.set_volume(70)


async def test_a_volume_that_stays(device: FakeAppleTv) -> None:
    async with client_of(device, HASTY) as (made, log):
        await made.connect()
        await log.get(VolumeChanged)
        device.companion.connection.interests.discard("_iMC")
        device.volume_listeners.append(lambda: setattr(device, "volume", 0.5))
        with pytest.raises(PeerTimeoutError, match="volume"):
            await made.set_volume(70)


async def test_a_volume_that_cannot_be_asked_for(device: FakeAppleTv) -> None:
    device.companion.errors["_mcc"] = CommandError()
    async with client_of(device) as (made, log):
        await made.connect()
        await log.get(MediaFlagsChanged)
        await device.wait_for("refused", name="_mcc")
        assert len(await made.apps()) == len(APPS)
        assert made.volume is None


# Authentication frames, by hand.


async def test_max_stray(device: FakeAppleTv, socket_enabled: None) -> None:
    async def other_things(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(10)
        writer.write(b"\x01\0\0\0" * connection_module.MAX_STRAY)
        await writer.drain()

    server = await asyncio.start_server(other_things, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    stream = await connection_module.open_stream("127.0.0.1", port, PATIENT)
    exchange = AuthenticationExchange.verification(stream, 5)
    with pytest.raises(ProtocolError, match="other things"):
        await exchange(b"x", 1)
    await stream.close()
    server.close()


@pytest.mark.parametrize(
    ("before", "body", "reason"),
    [
        (b"\x01\0\0\0" + b"\x42\0\0\x01x", b"\xe1\x43_pd\x72hi", None),
        (b"", b"\xe0", "nothing"),
        (b"", b"\xe1\x43_pd\x42hi", "nothing"),
        (b"", b"\xd0", "dictionary"),
        (b"", b"\xff", "type 0xff"),
    ],
)
async def test_answers_to_authentication(
    before: bytes, body: bytes, reason: str | None, socket_enabled: None
) -> None:
    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(10)
        writer.write(before + b"\x06" + len(body).to_bytes(3) + body)
        await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    stream = await connection_module.open_stream("127.0.0.1", port, PATIENT)
    exchange = AuthenticationExchange.verification(stream, 5)
    if reason is None:
        assert await exchange(b"x", 1) == b"hi"
    else:
        with pytest.raises(ProtocolError, match=reason):
            await exchange(b"x", 1)
    await stream.close()
    server.close()


async def test_nothing_is_left_after_many_sessions(device: FakeAppleTv) -> None:
    for number in range(20):
        async with client_of(device, WATCHFUL) as (made, log):
            await made.connect()
            if number % 2:
                device.drop()
                await log.get(Lost)
                assert not made.is_connected
        assert not made._connection._tasks
        assert not made._connection._pending
    assert len(asyncio.all_tasks()) == 1
