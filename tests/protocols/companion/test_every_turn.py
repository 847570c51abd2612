"""Whoever gives up, at whatever turn of the event loop, leaves nothing behind."""

import asyncio

import pytest

from .common import IDENTITY, PATIENT, pair
from custom_components.rumpus.protocols.companion.client import CompanionClient
from custom_components.rumpus.protocols.companion.pairing import CompanionPairing
from custom_components.rumpus.protocols.errors import DisconnectedError
from tests.fakes.apple_tv import FakeAppleTv

MAX_TURNS = 2000


async def give_up(
    task: asyncio.Task[None],
    turn: int,
    closer: CompanionClient | CompanionPairing | None,
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
async def test_connecting(is_closed: bool, device: FakeAppleTv) -> None:
    credentials = pair(device)
    is_up = False
    for turn in range(1, MAX_TURNS):
        client = CompanionClient(
            device.address, device.companion_port, credentials, IDENTITY, timing=PATIENT
        )
        task = asyncio.create_task(client.connect())
        is_up = await give_up(task, turn, client if is_closed else None)
        assert client.is_connected is (is_up and not is_closed)
        await client.close()
        stream = client._connection._stream
        assert stream is None or not stream.is_connected()
        assert not client._connection._tasks
        if is_up:
            break
    assert is_up


@pytest.mark.parametrize("is_closed", [False, True])
async def test_pairing(is_closed: bool, device: FakeAppleTv) -> None:
    has_begun = False
    for turn in range(1, MAX_TURNS):
        pairing = CompanionPairing(
            device.address, device.companion_port, IDENTITY, timing=PATIENT
        )
        task = asyncio.create_task(pairing.begin())
        has_begun = await give_up(task, turn, pairing if is_closed else None)
        stream = pairing._stream
        assert stream is None or stream.is_connected() is has_begun
        await pairing.close()
        assert pairing._stream is None
        assert stream is None or not stream.is_connected()
        if has_begun:
            break
    assert has_begun
