"""Requests, answers and the heartbeat of one connection."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from custom_components.rumpus.protocols.mrp import messages
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from custom_components.rumpus.protocols.mrp.session import MAX_OVERDUE, MrpSession
from custom_components.rumpus.protocols.mrp.timing import Timing
from tests.protocols import virtual_time
from tests.protocols.mrp.common import HASTY, PATIENT, ScriptedTransport


class Scene:
    """A session with a scripted device."""

    def __init__(self, timing: Timing = PATIENT) -> None:
        self.transport = ScriptedTransport()
        self.pushes: list[pb.ProtocolMessage] = []
        self.losses: list[RumpusError | None] = []
        self.session = MrpSession(
            self.transport, timing, self.pushes.append, self.losses.append
        )
        self.session.start()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    await scene.session.close()


def generic() -> pb.ProtocolMessage:
    return messages.make(pb.MESSAGE_TYPE_GENERIC)


def crypto(data: bytes) -> pb.ProtocolMessage:
    return messages.crypto_pairing(data, 0)


async def test_an_answer_is_what_has_the_identifier(scene: Scene) -> None:
    scene.transport.answers.clear()
    asking = [asyncio.create_task(scene.session.request(generic())) for _ in range(2)]
    await asyncio.sleep(0)
    one, other = scene.transport.sent
    assert one.identifier.isupper()
    assert one.identifier != other.identifier
    for question, kind in ((other, 46), (one, 0)):
        answer = pb.ProtocolMessage(
            type=kind,  # type: ignore[arg-type] # whatever type
            identifier=question.identifier,
        )
        scene.transport.push(answer)
    assert [(await answer).type for answer in asking] == [0, 46]
    # Nobody waits for a second one, for another one, or for none at all.
    strangers = [
        pb.ProtocolMessage(identifier=one.identifier),
        pb.ProtocolMessage(identifier=one.identifier.lower()),
        pb.ProtocolMessage(),
    ]
    waiting = asyncio.create_task(scene.session.request(generic()))
    await asyncio.sleep(0)
    scene.transport.push(*strangers)
    assert scene.pushes == strangers
    question = scene.transport.sent[-1]
    twice = pb.ProtocolMessage(identifier=question.identifier)
    scene.transport.push(twice, twice)
    assert await waiting == twice
    assert scene.pushes[3:] == [twice]


async def test_a_request_runs_out() -> None:
    scene = Scene(HASTY)
    scene.transport.answers.clear()
    with pytest.raises(PeerTimeoutError):
        await scene.session.request(generic())
    late = pb.ProtocolMessage(identifier=scene.transport.sent[0].identifier)
    # It was asked for, so it is no news: what is played is not what a picture came with.
    scene.transport.push(late)
    assert scene.pushes == []
    scene.transport.push(late)
    assert scene.pushes == [late]
    await scene.session.close()


async def test_a_mistake_of_ours_does_not_end_the_session(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[pb.ProtocolMessage] = []

    def fail(message: pb.ProtocolMessage) -> None:
        taken.append(message)
        raise ValueError("Oops")

    scene.session._push = fail
    scene.transport.push(generic(), generic())
    assert len(taken) == 2
    assert caplog.text.count("could not be taken") == 1
    assert await scene.session.request(generic())


async def test_limit_of_answers_that_come_too_late(scene: Scene) -> None:
    scene.transport.answers.clear()
    for _ in range(MAX_OVERDUE + 1):
        asking = asyncio.create_task(scene.session.request(generic()))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    first, second, *_ = scene.transport.sent
    for question in (first, second):
        scene.transport.push(pb.ProtocolMessage(identifier=question.identifier))
    assert [push.identifier for push in scene.pushes] == [first.identifier]


async def test_messages_of_pairing_have_no_identifier(scene: Scene) -> None:
    held: list[str] = []
    exchange = asyncio.create_task(
        scene.session.exchange(b"M1", 2, hold=lambda: held.append("held"))
    )
    await asyncio.sleep(0)
    sent = scene.transport.sent[0]
    assert not sent.HasField("identifier")
    assert (sent.crypto_pairing.pairing_data, sent.crypto_pairing.state) == (b"M1", 2)
    with pytest.raises(ProtocolError, match="at once"):
        await scene.session.exchange(b"M1", 0)
    scene.transport.push(pb.ProtocolMessage())
    assert not held
    scene.transport.push(crypto(b"M2"))
    assert held
    assert await exchange == b"M2"
    scene.transport.push(crypto(b"more"))
    assert len(scene.pushes) == 2


async def test_a_message_of_pairing_without_data(scene: Scene) -> None:
    scene.transport.answers[pb.MESSAGE_TYPE_CRYPTO_PAIRING] = lambda _: crypto(b"")
    exchange = asyncio.create_task(scene.session.exchange(b"M1", 2))
    await asyncio.sleep(0)
    scene.transport.push(messages.make(pb.MESSAGE_TYPE_CRYPTO_PAIRING))
    with pytest.raises(ProtocolError, match="without data"):
        await exchange


async def test_what_cannot_be_decoded_is_skipped(scene: Scene) -> None:
    for _ in range(3):
        scene.transport.push_bytes(b"\xff")
    assert scene.session.undecodable == 3
    assert not scene.pushes
    assert (await scene.session.request(generic())).type == 0


async def test_the_end_fails_what_waits(scene: Scene) -> None:
    scene.transport.answers.clear()
    asking = [asyncio.create_task(scene.session.request(generic())) for _ in range(3)]
    await asyncio.sleep(0)
    scene.transport.push(
        pb.ProtocolMessage(identifier=scene.transport.sent[0].identifier)
    )
    reason = ProtocolError("nonsense")
    scene.transport.end(reason)
    assert (await asking[0]).type == 0
    for answer in asking[1:]:
        with pytest.raises(DisconnectedError) as caught:
            await answer
        assert caught.value.__cause__ is reason
    assert scene.losses == [reason]
    assert scene.session.error is reason
    with pytest.raises(DisconnectedError):
        scene.session.send(generic())


def test_the_heartbeat() -> None:
    """It asks after silence, and gives up within 15 seconds of it."""

    async def run() -> None:
        timing = Timing()
        scene = Scene(timing)
        loop = asyncio.get_running_loop()
        scene.session.start_heartbeat()
        began = loop.time()
        await asyncio.sleep(4)
        scene.transport.push(generic())  # no need to ask 4 seconds later
        await asyncio.sleep(7.9)
        assert not scene.transport.sent
        await asyncio.sleep(0.2)
        assert len(scene.transport.sent) == 1
        await asyncio.sleep(60)
        assert len(scene.transport.sent) in {8, 9}
        scene.transport.answers.clear()
        last = scene.session._heard_at
        assert scene.session._heartbeat is not None
        await scene.session._heartbeat
        assert 14 <= loop.time() - last <= 15
        assert isinstance(scene.losses[0], PeerTimeoutError)
        assert scene.transport.is_closed
        assert loop.time() > began
        await scene.session.close()

    virtual_time.run(run())


def test_the_heartbeat_of_a_slow_device() -> None:
    """Who answers after some seconds, or only the second time, is there."""

    async def run() -> None:
        scene = Scene(Timing())
        scene.transport.answers.clear()
        loop = asyncio.get_running_loop()
        scene.session.start_heartbeat()
        for _ in range(5):
            scene.transport.asked.clear()
            await scene.transport.asked.wait()
            question = scene.transport.sent[-1]
            answer = pb.ProtocolMessage(identifier=question.identifier)
            loop.call_later(5, scene.transport.push, answer)
            await asyncio.sleep(5.5)
        assert not scene.losses
        await scene.session.close()
        assert not scene.losses

    virtual_time.run(run())


def test_the_heartbeat_of_a_connection_that_takes_nothing() -> None:
    async def run() -> None:
        scene = Scene(replace(Timing(), heartbeat=1))
        scene.session.start_heartbeat()
        scene.transport.is_connected = False
        await asyncio.sleep(1.5)
        assert len(scene.losses) == 1
        await scene.session.close()

    virtual_time.run(run())


def test_the_end_stops_the_heartbeat() -> None:
    async def run() -> None:
        scene = Scene(Timing())
        scene.session.start_heartbeat()
        await asyncio.sleep(9)
        scene.transport.end()
        await asyncio.sleep(60)
        assert scene.losses == [None]
        assert len(scene.transport.sent) == 1
        await scene.session.close()

    virtual_time.run(run())
