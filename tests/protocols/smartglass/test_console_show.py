"""On a bad network no command is lost, and none is executed twice."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from .common import QUICK, client_of
from custom_components.rumpus.protocols.smartglass.messages import GameDvrRecord
from custom_components.rumpus.protocols.smartglass.tokens import Tokens
from tests.fakes.xbox import FakeConsole, Faults

COMMANDS = 1000
IN_FLIGHT = 64
BAD = Faults(loss=0.15, duplicate=0.05, reorder=0.1, seed=7)


async def test_a_thousand_commands_on_a_bad_network(socket_enabled: None) -> None:
    timing = replace(QUICK, heartbeat=0.5, silence=5.0)
    async with FakeConsole(faults=BAD) as fake, client_of(fake, timing=timing) as made:
        fake.retransmit = (0.05,) * 60
        client, _ = made
        async with asyncio.timeout(10):
            await client.connect()
        in_flight = asyncio.Semaphore(IN_FLIGHT)

        async def command(number: int) -> None:
            async with in_flight:
                await client.send(GameDvrRecord(-number, 0))

        async with asyncio.timeout(20):
            await asyncio.gather(*(command(number) for number in range(COMMANDS)))
        executed = Counter(
            event.data["start_time_delta"] for event in fake.seen("game_dvr")
        )
        assert executed == Counter(-number for number in range(COMMANDS))
        # It was a bad network indeed.
        assert len(fake.seen("duplicate")) > COMMANDS // 20


@pytest.mark.parametrize("seed", range(6))
async def test_a_connect_on_a_bad_network(socket_enabled: None, seed: int) -> None:
    """With the pauses that a real console gets, within 10 s; here they are a tenth."""
    timing = replace(
        QUICK,
        discovery=1.0,
        discovery_interval=0.05,
        connect=(0.1, 0.1, 0.1, 0.15, 0.15, 0.2),
        acks=(0.02, 0.03, 0.04, 0.05, 0.05, *(0.06,) * 9),
        channel=0.5,
        status=0.2,
    )
    faults = replace(BAD, seed=seed)
    tokens = Tokens("123456", "x" * 2500) if seed % 2 else None
    async with (
        FakeConsole(faults=faults, accounts={"123456": "x" * 2500}) as fake,
        client_of(fake, timing=timing) as made,
    ):
        fake.retransmit = (0.1,) * 10
        client, _ = made
        async with asyncio.timeout(5):
            await client.connect(tokens)
        assert client.is_connected
        assert fake.participant.is_authenticated == (tokens is not None)
