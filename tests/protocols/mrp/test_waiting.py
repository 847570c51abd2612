import asyncio

import pytest

from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.mrp.waiting import Reports


def nothing() -> None:
    """Ask for nothing."""


async def test_who_has_just_given_up_is_not_waiting() -> None:
    reports: Reports[int] = Reports()
    waiting = [
        asyncio.create_task(reports.after(nothing, lambda _: True, 5)) for _ in "12"
    ]
    await asyncio.sleep(0)
    waiting[0].cancel()
    reports.report(3)
    assert await waiting[1] == 3
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]


async def test_who_has_just_given_up_does_not_fail() -> None:
    reports: Reports[int] = Reports()
    waiting = [
        asyncio.create_task(reports.after(nothing, lambda _: True, 5)) for _ in "12"
    ]
    await asyncio.sleep(0)
    waiting[0].cancel()
    reports.fail()
    with pytest.raises(DisconnectedError):
        await waiting[1]
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]


async def test_who_cannot_ask_does_not_wait() -> None:
    reports: Reports[int] = Reports()

    def fail() -> None:
        raise DisconnectedError("no session")

    with pytest.raises(DisconnectedError, match="no session"):
        await reports.after(fail, lambda _: True, 5)
    reports.report(1)
