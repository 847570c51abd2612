"""Links that fail, are lost, are refused: alone, and without leaving anything."""

import asyncio
from dataclasses import replace
import gc
import weakref

import pytest

from .stubs import AIRPLAY, COMPANION, CREDENTIALS, MRP, Bench, found, scenario
from custom_components.rumpus.protocols.airplay.errors import PasswordRequiredError
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.events import (
    LinkLost,
    LinkRefused,
    LinkUp,
)
from custom_components.rumpus.protocols.apple.link import LinkState, bare
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.companion.events import Lost
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap.errors import (
    CredentialsRefusedError,
    VerificationUnavailableError,
)
from custom_components.rumpus.protocols.mrp.events import Lost as MrpLost
from tests.protocols.virtual_time import run

TUNNEL = AppleProtocol.AIRPLAY


def state(bench: Bench, protocol: AppleProtocol) -> LinkState:
    return bench.device.links[protocol].state


def connected(bench: Bench) -> bool:
    return bench.device.is_connected


def test_both_links_come_up() -> None:
    async def act() -> None:
        bench = scenario()
        assert not connected(bench)
        assert state(bench, TUNNEL) is LinkState.DOWN
        assert state(bench, AppleProtocol.MRP) is LinkState.UNAVAILABLE
        await bench.start()
        assert connected(bench)
        assert {event.protocol for event in bench.told(LinkUp)} == {
            TUNNEL,
            AppleProtocol.COMPANION,
        }
        assert bench.tunnel.place == ("10.0.0.5", 7000)
        assert bench.companion.place == ("10.0.0.5", 49153)
        status = bench.device.links[TUNNEL]
        assert (status.state, status.error, status.losses) == (LinkState.UP, None, 0)
        await bench.device.stop()
        assert not connected(bench)
        assert state(bench, TUNNEL) is LinkState.DOWN
        assert bench.tunnel.closes
        assert bench.companion.closes
        assert not bench.told(LinkLost)

    run(act())


def test_a_link_that_fails_leaves_the_other_alone() -> None:
    async def act() -> None:
        bench = scenario()
        bench.companion_script.error = ProtocolError("nonsense")
        await bench.start()
        assert state(bench, TUNNEL) is LinkState.UP
        status = bench.device.links[AppleProtocol.COMPANION]
        assert status.state is LinkState.DOWN
        assert isinstance(status.error, ProtocolError)
        await bench.until(lambda: len(bench.companions) > 5)
        assert all(client.closes == 1 for client in bench.companions[:-1])
        assert len(bench.tunnels) == 1
        bench.companion_script.error = None
        await bench.until(lambda: state(bench, AppleProtocol.COMPANION) is LinkState.UP)
        assert bench.device.links[AppleProtocol.COMPANION].error is None
        await bench.device.stop()

    run(act())


@pytest.mark.parametrize(
    ("raised", "kept"),
    [
        (ConnectionRefusedError(), DisconnectedError),
        (TimeoutError(), PeerTimeoutError),
        (PeerTimeoutError("late"), PeerTimeoutError),
        (ProtocolError("bad"), ProtocolError),
        (ZeroDivisionError(), DisconnectedError),
    ],
)
def test_every_failure_has_a_type(raised: Exception, kept: type[Exception]) -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        bench.tunnel_script.error = raised
        bench.device.start()
        with pytest.raises(kept):
            await bench.device.connected(60)
        status = bench.device.links[TUNNEL]
        assert isinstance(status.error, kept)
        assert bench.tunnel.closes == 1
        await bench.device.stop()

    run(act())


def test_a_link_that_hangs_ends_in_time() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        bench.tunnel_script.gate = asyncio.Event()
        bench.device.start()
        with pytest.raises(PeerTimeoutError):
            await bench.device.connected(31)
        assert bench.tunnels[0].closes == 1
        await bench.device.stop()

    run(act())


def test_a_loss_is_told_and_mended() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        first = bench.companion
        error = DisconnectedError("pulled")
        first.tell(Lost(error))
        assert bench.told(LinkLost) == [LinkLost(AppleProtocol.COMPANION, error)]
        status = bench.device.links[AppleProtocol.COMPANION]
        assert (status.state, status.error, status.losses) == (
            LinkState.DOWN,
            error,
            1,
        )
        assert bench.device.is_connected  # the tunnel is
        loop = asyncio.get_running_loop()
        since = loop.time()
        await bench.until(lambda: len(bench.told(LinkUp)) == 3)
        assert loop.time() - since < 1
        assert bench.companion is not first
        assert first.closes == 1
        # What the old session says counts no more.
        assert not first.listeners
        assert len(bench.tunnels) == 1
        await bench.device.stop()

    run(act())


def test_a_session_is_lost_only_once_and_in_good_order_too() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        await bench.start()
        listeners = tuple(bench.tunnel.listeners)
        for listener in listeners:
            listener(MrpLost(None))
            listener(MrpLost(DisconnectedError("again")))
        assert bench.told(LinkLost) == [LinkLost(TUNNEL, None)]
        await bench.device.stop()

    run(act())


def test_a_session_lost_before_it_is_up_is_a_failed_attempt() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        gate = bench.tunnel_script.gate = asyncio.Event()
        bench.device.start()
        await bench.until(lambda: bool(bench.tunnels))
        stub = bench.tunnel

        async def start_and_lose() -> None:
            stub.tell(MrpLost(DisconnectedError("at once")))

        stub.start = start_and_lose  # type: ignore[method-assign]
        waiting = asyncio.ensure_future(bench.device.connected(60))
        await asyncio.sleep(0)
        gate.set()
        with pytest.raises(DisconnectedError, match="at once"):
            await waiting
        assert stub.closes == 2  # as a client, and as what carries it
        assert not bench.told(LinkLost)
        await bench.device.stop()

    run(act())


def test_a_refusal_is_told_once_and_asked_again_seldom() -> None:
    async def act() -> None:
        bench = scenario()
        refusal = CredentialsRefusedError("no")
        bench.companion_script.error = refusal
        await bench.start()
        link = AppleProtocol.COMPANION
        assert state(bench, link) is LinkState.REFUSED
        assert bench.told(LinkRefused) == [LinkRefused(link, refusal)]
        assert bench.resolves == 1  # another device might have had the address
        tries = len(bench.companions)
        await asyncio.sleep(55)
        bench.device.announce(bench.place)
        bench.device.wake_links()
        await asyncio.sleep(0.1)
        assert len(bench.companions) == tries
        await asyncio.sleep(15)
        assert len(bench.companions) == tries + 1
        assert state(bench, link) is LinkState.REFUSED
        assert len(bench.told(LinkRefused)) == 1
        # The device has other thoughts, or the user has paired anew elsewhere.
        bench.companion_script.error = None
        await asyncio.sleep(65)
        assert state(bench, link) is LinkState.UP
        # A new episode is told again.
        bench.companion_script.error = refusal
        bench.companion.tell(Lost(None))
        await bench.until(lambda: state(bench, link) is LinkState.REFUSED)
        assert len(bench.told(LinkRefused)) == 2
        await bench.device.stop()

    run(act())


@pytest.mark.parametrize(
    ("asked", "pause"), [(16.0, 16), (1e9, 60), (None, 0.6), (0.0, 0.6)]
)
def test_a_device_that_wants_to_be_left_alone_for_a_while(
    asked: float | None, pause: float
) -> None:
    async def act() -> None:
        bench = scenario(COMPANION)
        bench.companion_script.error = VerificationUnavailableError(3, asked)
        bench.device.start()
        with pytest.raises(VerificationUnavailableError):
            await bench.device.connected(60)
        bench.companion_script.error = None
        loop = asyncio.get_running_loop()
        since = loop.time()
        await bench.until(lambda: bench.device.is_connected)
        assert pause - 0.5 <= loop.time() - since <= pause + 2.5
        assert not bench.told(LinkRefused)
        await bench.device.stop()

    run(act())


def test_a_refusal_from_another_device_is_none() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        bench.tunnel_script.error = CredentialsRefusedError("a neighbour's")

        def moved() -> bool:
            return bool(bench.tunnels) and bench.tunnel.place[0] == "10.0.0.9"

        bench.resolved = found(AIRPLAY, address="10.0.0.9")
        bench.resolve_gate = asyncio.Event()
        bench.device.start()
        await bench.until(lambda: bench.resolves == 1)
        bench.tunnel_script.error = None
        bench.resolve_gate.set()
        await bench.until(lambda: bench.device.is_connected)
        assert moved()
        assert not bench.told(LinkRefused)
        await bench.device.stop()

    run(act())


def test_a_password_is_a_refusal() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        bench.tunnel_script.error = PasswordRequiredError("password")
        bench.device.start()
        with pytest.raises(PasswordRequiredError):
            await bench.device.connected(60)
        # Whoever wants something hears why at once.
        with pytest.raises(PasswordRequiredError):
            await bench.device.play()
        await bench.device.stop()

    run(act())


@pytest.mark.parametrize("text", ["nonsense", "00:11", f"{b'transient'.hex()}:::"])
def test_damaged_credentials_are_refused(text: str) -> None:
    async def act() -> None:
        bench = scenario(COMPANION, credentials={AppleProtocol.COMPANION: text})
        bench.device.start()
        await bench.until(lambda: bool(bench.told(LinkRefused)))
        assert text not in repr(bench.told(LinkRefused))
        assert not bench.companions
        await bench.device.stop()

    run(act())


def test_a_session_that_is_closing_while_all_ends() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        gate = bench.companion_script.close_gate = asyncio.Event()
        bench.companion.tell(Lost(None))
        stopping = asyncio.ensure_future(bench.device.stop())
        await asyncio.sleep(1)
        assert not stopping.done()
        gate.set()
        await stopping

    run(act())


def test_damaged_credentials_of_the_tunnel_are_refused() -> None:
    async def act() -> None:
        bench = scenario(credentials={AppleProtocol.AIRPLAY: "nonsense"})
        bench.device.start()
        await bench.until(lambda: bool(bench.told(LinkRefused)))
        assert bench.told(LinkRefused)[0].protocol is TUNNEL
        await bench.device.stop()

    run(act())


@pytest.mark.parametrize("protocol", [AppleProtocol.AIRPLAY, AppleProtocol.MRP])
def test_credentials_of_another_kind_are_refused(protocol: AppleProtocol) -> None:
    legacy = f":{'11' * 32}::{'22' * 8}"
    service = AIRPLAY if protocol is AppleProtocol.AIRPLAY else MRP

    async def act() -> None:
        bench = scenario(service, credentials={protocol: legacy})
        bench.device.start()
        await bench.until(lambda: bool(bench.told(LinkRefused)))
        assert bench.told(LinkRefused)[0].protocol is protocol
        await bench.device.stop()

    run(act())


def test_closing_that_fails_or_hangs_harms_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.tunnel_script.close_error = ZeroDivisionError()
        bench.companion_script.close_gate = asyncio.Event()
        loop = asyncio.get_running_loop()
        since = loop.time()
        bench.tunnel.tell(MrpLost(None))
        bench.companion.tell(Lost(None))
        await bench.until(lambda: len(bench.told(LinkUp)) == 4)
        await bench.device.stop()
        assert loop.time() - since < 12

    run(act())
    assert "Unexpected error closing airplay" in caplog.text


def test_stopping_ends_an_attempt_and_whoever_waits() -> None:
    async def act() -> None:
        bench = scenario()
        bench.tunnel_script.gate = asyncio.Event()
        bench.companion_script.error = ProtocolError("bad")
        bench.resolve_gate = asyncio.Event()
        bench.device.start()
        waiting = asyncio.ensure_future(bench.device.connected(60))
        wish = asyncio.ensure_future(bench.device.apps())
        await bench.until(lambda: bench.resolves == 1)
        await bench.device.stop()
        for task in (waiting, wish):
            with pytest.raises(DisconnectedError):
                await task
        assert bench.tunnel.closes == 1
        # Whatever comes later does nothing.
        tries = len(bench.tunnels)
        bench.device.announce(found(address="10.0.0.7"))
        bench.device.set_asleep(True)
        bench.device.wake_links()
        bench.device.look_up()
        await bench.device.looked_up()
        assert bench.device.found == bench.place
        with pytest.raises(DisconnectedError):
            await bench.device.play()
        await bench.device.stop()
        assert len(bench.tunnels) == tries

    run(act())


def test_stopping_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        await bench.start()
        link = bench.device._links[0]

        async def broken() -> None:
            raise ZeroDivisionError

        stop, link.stop = link.stop, broken  # type: ignore[method-assign]
        await bench.device.stop()
        await stop()

    run(act())
    assert "Unexpected error ending a link" in caplog.text


async def all_up(bench: Bench, count: int) -> None:
    await bench.until(lambda: len(bench.told(LinkUp)) == count)


def test_hundred_losses_leave_nothing() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        for _ in range(100):
            ups = len(bench.told(LinkUp))
            bench.tunnel.tell(MrpLost(None))
            bench.companion.tell(Lost(DisconnectedError("pulled")))
            await all_up(bench, ups + 2)
            bench.tunnels[:-1] = []
            bench.companions[:-1] = []
        gc.collect()
        # This test, and one for each link.
        assert len(asyncio.all_tasks()) == 3
        assert len(bench.device._router._waiters) == 0
        await bench.device.stop()

    run(act())


def test_what_failed_is_not_kept_by_its_error() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        cause = DisconnectedError("cable")
        for script in (bench.tunnel_script, bench.companion_script):
            script.error = ProtocolError("bad")
            script.error.__cause__ = cause
        for lost in (MrpLost, Lost):
            made = bench.tunnels if lost is MrpLost else bench.companions
            made[-1].tell(lost(raised()))  # type: ignore[arg-type] # each its own
        await bench.until(lambda: min(len(bench.tunnels), len(bench.companions)) > 2)
        references = [weakref.ref(stub) for stub in (*bench.tunnels, *bench.companions)]
        bench.tunnels.clear()
        bench.companions.clear()
        gc.collect()
        assert [reference() for reference in references] == [None] * len(references)
        await bench.device.stop()

    run(act())


def raised() -> DisconnectedError:
    """Return an error that has come a way, like those of clients."""
    with pytest.raises(DisconnectedError) as caught:
        raise DisconnectedError("pulled")
    return caught.value


def test_an_error_with_causes_without_end() -> None:
    first, second = DisconnectedError("hen"), DisconnectedError("egg")
    first.__cause__, second.__cause__ = second, first
    assert bare(first) is first


def test_errors_do_not_grow_when_they_are_raised_again() -> None:
    async def act() -> None:
        bench = scenario(COMPANION)
        bench.companion_script.error = CredentialsRefusedError("no")
        bench.device.start()
        lengths = set()
        for _ in range(5):
            for act in (bench.device.apps, lambda: bench.device.connected(0.1)):
                with pytest.raises(CredentialsRefusedError) as caught:
                    await act()
                lengths.add(len(caught.traceback))
        assert max(lengths) < 12
        await bench.device.stop()

    run(act())


def test_nothing_to_connect_to() -> None:
    async def act() -> None:
        bench = scenario(COMPANION, credentials={})
        bench.device.start()
        with pytest.raises(UnsupportedError):
            await bench.device.connected(60)
        with pytest.raises(UnsupportedError):
            await bench.device.play()
        assert {status.state for status in bench.device.links.values()} == {
            LinkState.UNAVAILABLE
        }
        await bench.device.stop()

    run(act())


def test_a_service_that_goes_is_not_taken_up_again() -> None:
    async def act() -> None:
        bench = scenario(MRP, credentials={})
        await bench.start()
        assert bench.device.links[AppleProtocol.MRP].state is LinkState.UP
        bench.device.announce(found(replace(MRP, is_enabled=False)))
        assert bench.device.links[AppleProtocol.MRP].state is LinkState.UP
        bench.mrps[-1].tell(MrpLost(None))
        assert bench.device.links[AppleProtocol.MRP].state is LinkState.UNAVAILABLE
        await asyncio.sleep(60)
        assert len(bench.mrps) == 1
        await bench.device.stop()

    run(act())


def test_a_service_that_appears_is_linked_to() -> None:
    async def act() -> None:
        bench = scenario(
            COMPANION,
            credentials={
                AppleProtocol.COMPANION: CREDENTIALS,
                AppleProtocol.AIRPLAY: CREDENTIALS,
            },
        )
        await bench.start()
        assert not bench.tunnels
        bench.device.announce(found(AIRPLAY))
        await bench.until(lambda: len(bench.told(LinkUp)) == 2)
        assert {service.protocol for service in bench.device.found.services} == {
            AppleProtocol.AIRPLAY,
            AppleProtocol.COMPANION,
        }
        await bench.device.stop()

    run(act())


def test_an_attempt_that_takes_too_long_altogether() -> None:
    """The brain's own limit ends it, and the state says so."""

    async def act() -> None:
        bench = Bench(
            found(AIRPLAY),
            timing=Timing(connect=500),
        )
        bench.tunnel_script.gate = asyncio.Event()
        bench.device.start()
        with pytest.raises(DisconnectedError):
            await bench.device.connected(70)
        await bench.device.stop()

    run(act())


def test_times_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Timing(connect=0)
    with pytest.raises(ValueError, match="positive"):
        Timing(wakes=0)
