"""Whoever gives up, at whatever turn of the event loop, leaves nothing behind."""

import asyncio

import pytest

from .fixtures import IDENTITY, introduce, open_wires, session_with
from custom_components.rumpus.protocols.airplay.pairing import AirPlayPairing
from custom_components.rumpus.protocols.airplay.remote_control import (
    RemoteControlSession,
)
from custom_components.rumpus.protocols.errors import DisconnectedError
from tests.fakes.apple_tv import FakeAppleTv

pytestmark = pytest.mark.usefixtures("socket_enabled")

MAX_TURNS = 2000


async def give_up(
    task: asyncio.Task[None],
    turn: int,
    closer: RemoteControlSession | AirPlayPairing | None,
) -> bool:
    """Cancel a task after so many turns, or close what it is about.

    Returns whether it was done before.
    """
    for _ in range(turn):
        await asyncio.sleep(0)
    was_done = task.done()
    if closer is None:
        task.cancel()
    else:
        await closer.close()
    await asyncio.wait({task})
    if was_done:
        await task
    else:
        assert task.cancelled() or isinstance(task.exception(), DisconnectedError)
    return was_done


@pytest.mark.parametrize("is_closed", [False, True])
async def test_connecting(is_closed: bool) -> None:
    async with FakeAppleTv() as device:
        credentials = introduce(device)
        is_up = False
        for turn in range(1, MAX_TURNS):
            session, ends = session_with(device, credentials=credentials)
            task = asyncio.create_task(session.connect())
            is_up = await give_up(task, turn, session if is_closed else None)
            assert session.is_connected is (is_up and not is_closed)
            await session.close()
            assert open_wires(session) == []
            assert not ends.reasons
            if is_up:
                break
        assert is_up


@pytest.mark.parametrize("is_closed", [False, True])
async def test_pairing(is_closed: bool) -> None:
    async with FakeAppleTv() as device:
        has_begun = False
        for turn in range(1, MAX_TURNS):
            pairing = AirPlayPairing(device.address, device.ports["airplay"], IDENTITY)
            task = asyncio.create_task(pairing.begin())
            has_begun = await give_up(task, turn, pairing if is_closed else None)
            connection = pairing._connection
            assert connection is None or connection.is_connected is has_begun
            await pairing.close()
            assert connection is None or not connection.is_connected
            if has_begun:
                break
        assert has_begun
