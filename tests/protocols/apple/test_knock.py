"""Knocking at ports (the Apple TV reference, part A, section 1.5)."""

import asyncio
import contextlib
import errno
from unittest.mock import AsyncMock, patch

import pytest

from custom_components.rumpus.protocols.apple import knock as knock_module
from custom_components.rumpus.protocols.apple.knock import KNOCK_PORTS, knock

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Door:
    """Counts who comes and who goes."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.came.set()
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        self.left.set()


async def test_an_open_door_is_left_alone_again() -> None:
    door = Door()
    server = await asyncio.start_server(door, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(PATIENCE):
        assert await knock(LOOPBACK, ports=[port, 1])
        await door.left.wait()
    server.close()


async def test_nobody_is_there() -> None:
    async with asyncio.timeout(PATIENCE):
        assert not await knock(LOOPBACK, ports=[1, 2])


async def test_all_ports_are_tried() -> None:
    loop = asyncio.get_running_loop()
    refuse = AsyncMock(side_effect=ConnectionRefusedError)
    with patch.object(loop, "create_connection", refuse):
        assert not await knock(LOOPBACK)
    assert tuple(call.args[2] for call in refuse.await_args_list) == KNOCK_PORTS


@pytest.mark.parametrize("code", [errno.EHOSTUNREACH, errno.EHOSTDOWN])
async def test_a_host_that_cannot_be_reached_ends_it(code: int) -> None:
    never = asyncio.Event()

    async def connect(_: object, __: str, port: int) -> None:
        if port == KNOCK_PORTS[1]:
            raise OSError(code, "nobody")
        await never.wait()

    with patch.object(asyncio.get_running_loop(), "create_connection", connect):
        async with asyncio.timeout(PATIENCE):
            assert not await knock(LOOPBACK)


async def test_limit_of_time() -> None:
    never = asyncio.Event()

    async def connect(*_: object) -> None:
        await never.wait()

    with patch.object(asyncio.get_running_loop(), "create_connection", connect):
        async with asyncio.timeout(PATIENCE):
            assert not await knock(LOOPBACK, timeout=0.01)


async def test_a_knock_that_is_given_up_closes_the_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(knock_module, "HOLD", 60.0)
    door = Door()
    server = await asyncio.start_server(door, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    task = asyncio.ensure_future(knock(LOOPBACK, ports=[port]))
    async with asyncio.timeout(PATIENCE):
        await door.came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await door.left.wait()
    server.close()
