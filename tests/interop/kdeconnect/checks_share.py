"""What is checked of texts, links and files that are shared, either way."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .transfer import (
    GIB,
    MANY,
    MANY_SIZE,
    MIB,
    clock_arrival,
    compare,
    empty,
    make_files,
    measure_daemons,
    present,
    wait_begun,
)
from .waiting import TooLateError, until_true
from .world import DOMAIN, World
from tests.e2e.api import ApiError
from tests.e2e.shapes import JsonObject, as_object, get_object
from tests.e2e.websocket import Subscription
from tests.interop.load import Load, is_busy
from tests.interop.report import BusyMachineError, CheckError

TEXT: Final = "Grüße from <here>\nand there"
LINK: Final = "https://example.org/page?number=1&text=two+words"
PRIVATE: Final = (TEXT, LINK)
EVENT: Final = f"{DOMAIN}_share"
PROBE: Final = "interop_probe"
# What is asked of transfers: against the same daemon sending to another one.
SENDING_FACTOR: Final = 2.0
# Release 22.12 is sent no faster than it writes files, whatever others do to it: it would
# take what comes faster into memory, crawl, and lose files of a batch. In MiB/s.
OLD_SENDING: Final = 50.0
OLD_SENDING_MANY: Final = 20.0
RECEIVING_FACTOR: Final = 0.9
# The pace of many small files is their sender's: what it announces, and when. Ours only has to
# keep up roughly, and a second of work is too little to tell more than that.
RECEIVING_MANY_FACTOR: Final = 0.5
MOST_STALL: Final = 50.0
MOST_MEMORY: Final = 64 * MIB
# A busy machine is not always equally busy: what falls short is compared anew.
ATTEMPTS: Final = 3
_PATIENCE: Final = 45.0
_CUT_PATIENCE: Final = 120.0
# So much of a file that is to be cut off has arrived by then.
_CUT_AT: Final = GIB // 2


async def text_to_daemon(world: World) -> str:
    """A text of ours is shown there, or in its clipboard."""
    await world.act("share", text=TEXT)
    await world.daemon.wait_shown_text(TEXT)
    return "shown as it was"


async def link_to_daemon(world: World) -> str:
    """A link of ours is opened there."""
    await world.act("share", url=LINK)
    await world.daemon.wait_shown_link(LINK)
    return "opened"


async def text_from_daemon(world: World) -> str:
    """A text of the daemon is an event."""
    async with await world.api.subscribe_events(EVENT) as events:
        await (await world.us()).share_text(TEXT)
        event = await _data(events)
    if event.get("text") != TEXT:
        raise CheckError(f"the event has {sorted(event)}")
    return "an event"


async def link_from_daemon(world: World) -> str:
    """A link of the daemon is an event."""
    async with await world.api.subscribe_events(EVENT) as events:
        await (await world.us()).share_link(LINK)
        event = await _data(events)
    if event.get("url") != LINK:
        raise CheckError(f"the event has {event.get('url')}")
    return "an event"


async def yardstick(world: World) -> str:
    """How fast the daemon sends to another one."""
    world.figures = figures = await measure_daemons(world.daemon.flavour)
    return f"{figures.one:.0f} MiB/s, {MANY} files {figures.many:.0f} MiB/s"


async def one_to_daemon(world: World) -> str:
    """A large file goes to the daemon fast enough."""
    return await _compared(world, _send, 1, GIB)


async def many_to_daemon(world: World) -> str:
    """Many files go to the daemon fast enough."""
    return await _compared(world, _send, MANY, MANY_SIZE)


async def one_from_daemon(world: World) -> str:
    """A large file comes from the daemon fast enough."""
    await world.allow_files()
    return await _compared(world, _receive, 1, GIB)


async def many_from_daemon(world: World) -> str:
    """Many files come from the daemon fast enough."""
    await world.allow_files()
    return await _compared(world, _receive, MANY, MANY_SIZE)


type _Transfer = Callable[[World, int, int], Awaitable[Measured]]


async def _compared(world: World, transfer: _Transfer, count: int, size: int) -> str:
    """Transfer files and compare that with what the daemon reaches alone."""
    holds_back = world.daemon.flavour.protocol < 8 and transfer is _send
    words, others = "", 0.0
    for attempt in range(1, ATTEMPTS + 1):
        before = Load.now()
        if world.figures is None or attempt > 1:
            world.figures = await measure_daemons(world.daemon.flavour)
        figures = world.figures
        try:
            measured = await transfer(world, count, size)
        except ExceptionGroup as problem:
            others = max(others, Load.now().others_since(before))
            other_problems = problem.split((TooLateError, ApiError))[1]
            if not holds_back or not is_busy(others) or other_problems:
                raise
            # However far we hold back, it may get too little of the processors.
            words = "it lost files that came faster than it writes them"
            await _revive(world)
            continue
        theirs = figures.one if count == 1 else figures.many
        wanted = theirs * _factor(transfer, count)
        if holds_back:
            wanted = OLD_SENDING if count == 1 else OLD_SENDING_MANY
        words = measured.describe(wanted, count * size)
        if holds_back:
            words += ", held back since it would not keep up"
        if measured.is_fine(wanted, count * size):
            return words
        if measured.probe["memory"] > MOST_MEMORY:
            raise CheckError(words)
        others = max(others, Load.now().others_since(before))
    raise shortfall(words, others)


def shortfall(words: str, others: float) -> CheckError | BusyMachineError:
    """Return what says that a measurement falls short, with what others took meanwhile."""
    if is_busy(others):
        words += f"; others or slow disks took {others:.1f} processors meanwhile"
        return BusyMachineError(words)
    return CheckError(words)


async def _revive(world: World) -> None:
    """Start a daemon anew that waits for the rest of a file for ever."""
    await world.daemon.kill()
    await world.wait_unavailable()
    await world.daemon.restart()
    await world.wait_available()


def _factor(transfer: _Transfer, count: int) -> float:
    """Return what share of the daemons' own speed has to be reached."""
    if transfer is _send:
        return SENDING_FACTOR
    return RECEIVING_FACTOR if count == 1 else RECEIVING_MANY_FACTOR


async def _send(world: World, count: int, size: int) -> Measured:
    digests = await asyncio.to_thread(make_files, world.outbox, count, size, "ours")

    async def send() -> None:
        files: list[str] = [str(world.outbox / name) for name in digests]
        await world.act("share", files=[*files])

    sizes = dict.fromkeys(digests, size)
    try:
        measured = await _measure(
            world, send, lambda: clock_arrival(world.daemon.inbox, sizes)
        )
        await compare(world.daemon.inbox, digests)
    finally:
        empty(world.outbox)
        empty(world.daemon.inbox)
    return measured


async def _receive(world: World, count: int, size: int) -> Measured:
    us = await world.us()
    outbox = world.daemon.outbox
    digests = await asyncio.to_thread(make_files, outbox, count, size, "theirs")
    sizes = dict.fromkeys(digests, size)
    empty(world.inbox)
    try:
        measured = await _measure(
            world,
            lambda: us.share_files(digests),
            lambda: clock_arrival(world.inbox, sizes),
        )
        await compare(world.inbox, digests)
    finally:
        empty(outbox)
        empty(world.inbox)
    return measured


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a transfer took, and what it did to Home Assistant."""

    seconds: float
    probe: Mapping[str, float]

    def is_fine(self, wanted: float, size: int) -> bool:
        """Tell whether that was fast, and Home Assistant did not suffer."""
        return (
            size / MIB / self.seconds >= wanted
            and self.probe["stall"] - self.probe["starved"] <= MOST_STALL
            and self.probe["memory"] <= MOST_MEMORY
        )

    def describe(self, wanted: float, size: int) -> str:
        """Return all of it in words."""
        stall = self.probe["stall"] - self.probe["starved"]
        return (
            f"{size / MIB / self.seconds:.0f} MiB/s of {wanted:.0f} wanted,"
            f" stalled {stall:.0f} ms and {self.probe['starved']:.0f} ms for want of a"
            f" processor, {self.probe['memory'] / MIB:+.1f} MiB,"
            f" {self.probe['busy']:.1f} s busy"
        )


async def _measure(
    world: World,
    begin: Callable[[], Awaitable[object]],
    arrive: Callable[[], Awaitable[float]],
) -> Measured:
    """Clock a transfer and watch Home Assistant during it."""
    await world.api.call_service(PROBE, "start")
    async with asyncio.TaskGroup() as group:
        seconds = group.create_task(_awaited(arrive))
        group.create_task(_awaited(begin))
    answer = as_object(
        await world.api.call_service(PROBE, "stop", return_response=True)
    )
    probe = {
        key: float(value)
        for key, value in answer.items()
        if isinstance(value, int | float)
    }
    return Measured(seconds.result(), probe)


async def _awaited[T](function: Callable[[], Awaitable[T]]) -> T:
    return await function()


class _TooFastError(Exception):
    """A file was through before the cable was pulled."""


async def cut_while_receiving(world: World) -> str:
    """A cable that is pulled meanwhile leaves nothing of a file here, and is told."""
    await world.allow_files()
    return await _in_time(world, _cut_while_receiving)


async def cut_while_sending(world: World) -> str:
    """A cable that is pulled meanwhile ends the action with an error."""
    return await _in_time(world, _cut_while_sending)


async def _in_time(world: World, cut: Callable[[World], Awaitable[str]]) -> str:
    """Try again where this machine was too slow to pull the cable in time."""
    for _ in range(ATTEMPTS):
        with contextlib.suppress(_TooFastError):
            return await cut(world)
    raise CheckError("the file is always through before the cable is pulled")


def _pull_cable(world: World, folder: Path) -> None:
    world.network.cut(world.daemon.name)
    if sum(present(folder).values()) >= GIB:
        raise _TooFastError


async def _cut_while_receiving(world: World) -> str:
    us = await world.us()
    outbox = world.daemon.outbox
    digests = await asyncio.to_thread(make_files, outbox, 1, GIB, "cut")
    empty(world.inbox)
    async with await world.api.subscribe_events(EVENT) as events:
        await us.share_files(digests)
        await wait_begun(world.inbox, _CUT_AT)
        try:
            _pull_cable(world, world.inbox)
            await until_true(
                lambda: not present(world.inbox), "no part is left", _CUT_PATIENCE
            )
            event = await _data(events)
        finally:
            world.network.mend(world.daemon.name)
            empty(outbox)
    if event.get("type") != "failed":
        raise CheckError(f"the event is {event.get('type')}")
    await world.wait_available(_CUT_PATIENCE)
    return f"the reason is {event.get('reason')}"


async def _cut_while_sending(world: World) -> str:
    digests = await asyncio.to_thread(make_files, world.outbox, 1, GIB, "cut")
    files: list[str] = [str(world.outbox / name) for name in digests]
    sending = asyncio.create_task(world.act("share", files=[*files]))
    try:
        await wait_begun(world.daemon.inbox, _CUT_AT)
        _pull_cable(world, world.daemon.inbox)
        async with asyncio.timeout(_CUT_PATIENCE):
            await sending
    except ApiError as err:
        return str(err)
    finally:
        sending.cancel()
        world.network.mend(world.daemon.name)
        empty(world.outbox)
        empty(world.daemon.inbox)
        await world.wait_available(_CUT_PATIENCE)
    raise CheckError("the action succeeded")


async def _data(events: Subscription) -> JsonObject:
    """Wait for an event; return its data."""
    async with asyncio.timeout(_PATIENCE):
        return get_object(as_object(await events.get()), "data")
