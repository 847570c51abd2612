"""What a session survives, what ends it, and how it ends."""

import asyncio
from collections.abc import Callable
import gc
import time

from hypothesis import given, strategies as st
import pytest

from .common import HASTY, IDENTITY, Linked, client_of
from custom_components.rumpus.protocols.companion import connection as connection_module
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.companion.connection import MAX_PENDING
from custom_components.rumpus.protocols.companion.enums import MediaFlags
from custom_components.rumpus.protocols.companion.events import Lost
from custom_components.rumpus.protocols.companion.frames import MAX_PAYLOAD
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    RumpusError,
)
from custom_components.rumpus.protocols.hap.credentials import HapCredentials
from custom_components.rumpus.protocols.hap.errors import DecryptionError
from custom_components.rumpus.protocols.opack import OpackDict
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_core import APPS
from tests.fakes.apple_tv_events import FakeEvent
from tests.fakes.apple_tv_mischief import Mischief

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
    made._probe(1)  # or a device that is slow would count as gone
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
