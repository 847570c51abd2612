"""Peers of before protocol 8 are given time (section 11.5)."""

import asyncio
import time

from hypothesis import given, strategies as st
import pytest

from .conftest import both_protocols
from .transfers import DATA, SHARE, Ends, ended, ends, nothing_left
from custom_components.rumpus.protocols.kdeconnect import (
    payload as payload_module,
    transfer as transfer_module,
)
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from custom_components.rumpus.protocols.kdeconnect.payload import OLD_PEER_RATE
from custom_components.rumpus.protocols.kdeconnect.payload_files import Source
from custom_components.rumpus.protocols.kdeconnect.transfer import (
    THROTTLE_BURST,
    Throttle,
    Transfer,
)
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_payload import fetch_payload

__all__ = ["ends", "nothing_left"]


@given(
    rate=st.integers(1_000, 10**9),
    pieces=st.lists(
        st.tuples(st.integers(1, 10**6), st.floats(0, 3)), min_size=1, max_size=30
    ),
)
def test_rate_is_kept(rate: int, pieces: list[tuple[int, float]]) -> None:
    """Whatever holds the sender up, from any moment on it is no faster than the rate."""
    throttle = Throttle(rate, 0)
    now = 0.0
    gone: list[tuple[float, float, int]] = []
    for count, held_up in pieces:
        begun = now
        now += held_up
        now += throttle.delay(count, now)
        gone.append((begun, now, count))
    for first in range(len(gone)):
        begun = gone[first][0]
        total = 0
        for _, end, count in gone[first:]:
            total += count
            assert total / rate <= end - begun + THROTTLE_BURST + 1e-6


def test_nobody_waits_who_is_slower_than_the_rate() -> None:
    """What was held up goes on at once."""
    throttle = Throttle(1_000, 0)
    assert throttle.delay(100, 0) == pytest.approx(0.1)
    assert throttle.delay(50, 2) == 0


async def test_old_peer_rate(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """OLD_PEER_RATE holds for old peers."""
    monkeypatch.setattr(payload_module, "OLD_PEER_RATE", 2_000_000)
    monkeypatch.setattr(transfer_module, "SEND_PIECE", 16_384)
    ends.to_peer = ends.to_peer._replace(is_old=True)
    begun = time.monotonic()
    sending = ends.offer(DATA)
    assert await ends.fetch(await ends.next()) == DATA
    await ended(sending)
    assert time.monotonic() - begun >= len(DATA) / 2_000_000 - THROTTLE_BURST


async def test_old_peer_rest(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """OLD_PEER_REST passes before an old peer is offered the next."""
    begun: list[float] = []
    rested = asyncio.Event()

    async def rest(seconds: float) -> None:
        begun.append(seconds)
        await rested.wait()

    ends.to_peer = ends.to_peer._replace(is_old=True)
    sending = ends.offer(b"small")
    payload = await ends.next()
    monkeypatch.setattr(asyncio, "sleep", rest)
    assert await ends.fetch(payload) == b"small"
    assert not sending.done()
    rested.set()
    await ended(sending)
    assert begun == [payload_module.OLD_PEER_REST]


@both_protocols
@pytest.mark.usefixtures("nothing_left")
async def test_only_old_devices_are_old(
    friend: RemoteDevice, phone: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a device speaks tells how fast it is sent to."""
    rates: list[int | None] = []
    send = Transfer.send

    def spy(self: Transfer, source: Source, rate: int | None = None) -> None:
        rates.append(rate)
        send(self, source, rate)

    monkeypatch.setattr(Transfer, "send", spy)
    sending = asyncio.create_task(friend.send_payload(Packet(SHARE), DATA))
    event = await phone.wait_for(
        "packet", lambda e: e.packet is not None and e.packet.type == SHARE
    )
    assert event.packet is not None
    assert await fetch_payload(phone.peer(), event.packet) == DATA
    await ended(sending)
    assert rates == [OLD_PEER_RATE if friend.protocol_version < 8 else None]
