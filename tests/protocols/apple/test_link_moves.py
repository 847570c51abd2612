"""Links that are woken: by announcements, by searches, by commands."""

import asyncio
from dataclasses import replace

import pytest

from .stubs import AIRPLAY, COMPANION, MRP, PAIRED, Bench, found, scenario
from custom_components.rumpus.protocols.apple.const import (
    AppleProtocol,
    PairingRequirement,
)
from custom_components.rumpus.protocols.apple.enums import Key
from custom_components.rumpus.protocols.apple.events import LinkUp
from custom_components.rumpus.protocols.apple.link import LinkState
from custom_components.rumpus.protocols.apple.timing import Timing
from custom_components.rumpus.protocols.companion.events import Lost
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from custom_components.rumpus.protocols.hap.errors import CredentialsRefusedError
from custom_components.rumpus.protocols.mrp.events import Lost as MrpLost
from custom_components.rumpus.protocols.reconnect import Backoff
from tests.protocols.virtual_time import run

SLOW = Timing(backoff=Backoff((1000.0,)), asleep_interval=20)
"""So that only what wakes a link makes an attempt."""
GONE = ConnectionRefusedError()


async def gone(bench: Bench) -> None:
    """Have a device be there and go."""
    await bench.start()
    bench.tunnel_script.error = bench.companion_script.error = GONE
    bench.tunnel.tell(MrpLost(None))
    bench.companion.tell(Lost(None))
    await asyncio.sleep(1)
    assert not bench.device.is_connected
    bench.tunnel_script.error = bench.companion_script.error = None
    bench.events.clear()


def test_an_announcement_at_the_same_address_wakes_all_links_at_once() -> None:
    async def act() -> None:
        bench = scenario(timing=SLOW)
        await gone(bench)
        loop = asyncio.get_running_loop()
        since = loop.time()
        bench.device.announce(bench.place)
        await bench.until(lambda: len(bench.told(LinkUp)) == 2)
        assert loop.time() - since < 0.1
        await bench.device.stop()

    run(act())


def test_an_announcement_elsewhere_moves_all_links() -> None:
    async def act() -> None:
        bench = scenario(timing=SLOW)
        await gone(bench)
        moved = found(
            replace(AIRPLAY, port=7001),
            replace(COMPANION, port=5000),
            address="10.0.0.77",
        )
        bench.device.announce(moved)
        await bench.until(lambda: len(bench.told(LinkUp)) == 2)
        assert bench.tunnel.place == ("10.0.0.77", 7001)
        assert bench.companion.place == ("10.0.0.77", 5000)
        assert bench.device.found.address == "10.0.0.77"
        await bench.device.stop()

    run(act())


def test_an_attempt_at_the_old_place_is_given_up_at_once() -> None:
    async def act() -> None:
        bench = scenario()
        hanging = bench.tunnel_script.gate = asyncio.Event()
        bench.companion_script.gate = hanging
        bench.device.start()
        waiting = asyncio.ensure_future(bench.device.connected(60))
        await bench.until(lambda: bool(bench.tunnels and bench.companions))
        await asyncio.sleep(1)
        bench.tunnel_script.gate = bench.companion_script.gate = None
        loop = asyncio.get_running_loop()
        since = loop.time()
        # Once more before it could give up: the last word counts.
        bench.device.announce(found(address="10.0.0.20"))
        await asyncio.sleep(0)
        bench.device.announce(found(address="10.0.0.21"))
        await asyncio.sleep(0)
        bench.device.announce(found(address="10.0.0.22"))
        await bench.until(lambda: len(bench.told(LinkUp)) == 2)
        assert loop.time() - since < 0.2
        await waiting
        assert bench.tunnel.place[0] == bench.companion.place[0] == "10.0.0.22"
        assert all(client.closes == 1 for client in bench.companions[:-1])
        await bench.device.stop()

    run(act())


def test_a_place_that_goes_while_it_is_called() -> None:
    async def act() -> None:
        bench = scenario(COMPANION)
        bench.companion_script.gate = asyncio.Event()
        bench.device.start()
        await bench.until(lambda: bool(bench.companions))
        bench.device.announce(found(replace(COMPANION, is_enabled=False)))
        await asyncio.sleep(1)
        link = bench.device.links[AppleProtocol.COMPANION]
        assert link.state is LinkState.UNAVAILABLE
        assert bench.companion.closes == 1
        await asyncio.sleep(100)
        assert len(bench.companions) == 1
        await bench.device.stop()

    run(act())


def test_sessions_that_are_up_stay_where_they_are() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.device.announce(found(address="10.0.0.66"))
        await asyncio.sleep(30)
        assert len(bench.tunnels) == len(bench.companions) == 1
        bench.companion.tell(Lost(None))
        await bench.until(lambda: len(bench.told(LinkUp)) == 3)
        assert bench.companion.place[0] == "10.0.0.66"
        await bench.device.stop()

    run(act())


def test_announcements_cause_a_bounded_number_of_attempts() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY, timing=replace(SLOW, wakes=3, wakes_refill=0.1))
        await gone_tunnel(bench)
        before = len(bench.tunnels)
        for _ in range(100):
            bench.device.announce(bench.place)
            await asyncio.sleep(0.01)
        assert len(bench.tunnels) - before <= 3
        await asyncio.sleep(10)
        bench.device.announce(bench.place)
        await asyncio.sleep(0.01)
        assert 3 <= len(bench.tunnels) - before <= 4
        await bench.device.stop()

    run(act())


def test_announcements_elsewhere_cause_a_bounded_number_of_attempts() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY, timing=replace(SLOW, wakes=3, wakes_refill=0.1))
        await gone_tunnel(bench)
        before = len(bench.tunnels)
        for number in range(100):
            bench.device.announce(found(AIRPLAY, address=f"10.0.1.{number}"))
            await asyncio.sleep(0.01)
        assert len(bench.tunnels) - before <= 3
        # The last word counts all the same, for the next attempt.
        bench.tunnel_script.error = None
        await asyncio.sleep(10)
        bench.device.wake_links()
        await bench.until(lambda: bench.device.is_connected)
        assert bench.tunnel.place[0] == "10.0.1.99"
        await bench.device.stop()

    run(act())


def test_announcements_do_not_keep_a_link_from_coming_up() -> None:
    """Those of somebody who says all the time that it is elsewhere."""

    async def act() -> None:
        bench = scenario(AIRPLAY, timing=Timing(wakes=3, wakes_refill=0.1))
        bench.device.start()
        bench.tunnel_script.slowness = 2.0
        for number in range(100):
            bench.device.announce(found(AIRPLAY, address=f"10.0.1.{number}"))
            await asyncio.sleep(0.5)
            if bench.device.is_connected:
                break
        assert bench.device.is_connected
        await bench.device.stop()

    run(act())


def test_announcements_elsewhere_do_not_ask_again_who_has_refused() -> None:
    async def act() -> None:
        bench = scenario(COMPANION, timing=Timing(wakes=3, wakes_refill=0.0))
        bench.companion_script.error = CredentialsRefusedError("no")
        bench.device.start()
        with pytest.raises(CredentialsRefusedError):
            await bench.device.connected(60)
        for number in range(50):
            bench.device.announce(found(COMPANION, address=f"10.0.1.{number}"))
            await asyncio.sleep(0.5)
        assert len(bench.companions) <= 1 + 3
        await bench.device.stop()

    run(act())


async def gone_tunnel(bench: Bench) -> None:
    await bench.start()
    bench.tunnel_script.error = GONE
    bench.tunnel.tell(MrpLost(None))
    await asyncio.sleep(1)


def test_what_an_announcement_leaves_out_stays_known() -> None:
    async def act() -> None:
        bench = scenario()
        bench.device.announce(
            found(
                replace(AIRPLAY, port=0, is_enabled=False, identifier=None),
                replace(MRP, port=0, is_enabled=False),
                address="10.0.0.8",
            )
        )
        known = bench.device.found
        assert known.service(AppleProtocol.AIRPLAY) == AIRPLAY
        assert known.service(AppleProtocol.COMPANION) == COMPANION
        assert known.service(AppleProtocol.MRP) == replace(
            MRP, port=0, is_enabled=False
        )
        assert known.address == "10.0.0.8"
        await bench.device.stop()

    run(act())


def test_a_proxy_that_knows_names_alone_moves_nothing() -> None:
    async def act() -> None:
        bench = scenario()
        proxied = found(
            replace(AIRPLAY, port=0, is_enabled=False, identifier="another"),
            replace(MRP, port=0, is_enabled=False),
            address="10.0.0.99",
            is_asleep=True,
        )
        for _ in range(2):
            bench.device.announce(proxied)
            known = bench.device.found
            assert known.address == "10.0.0.5"
            assert known.service(AppleProtocol.AIRPLAY) == replace(
                AIRPLAY, identifier="another"
            )
        # One that knows more tells where it is.
        bench.device.announce(found(address="10.0.0.6", is_asleep=True))
        assert bench.device.found.address == "10.0.0.6"
        await bench.device.stop()

    run(act())


def test_announcements_with_ever_new_properties_do_not_add_up() -> None:
    async def act() -> None:
        bench = scenario()
        for number in range(50):
            properties = {f"key{number}": "value", "model": "AppleTV11,1"}
            bench.device.announce(found(replace(AIRPLAY, properties=properties)))
        service = bench.device.found.service(AppleProtocol.AIRPLAY)
        assert service is not None
        assert len(service.properties) == 2
        await bench.device.stop()

    run(act())


def test_attempts_that_fail_ask_for_new_ports() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        asked = bench.resolves
        bench.resolved = found(replace(AIRPLAY, port=9000), COMPANION)
        bench.tunnel_script.error = GONE
        bench.tunnel.tell(MrpLost(None))
        await bench.until(lambda: bench.tunnel.place[1] == 9000)
        bench.tunnel_script.error = None
        await bench.until(lambda: len(bench.told(LinkUp)) == 3)
        assert bench.resolves > asked
        await bench.device.stop()

    run(act())


@pytest.mark.parametrize("error", [PeerTimeoutError("none"), OSError(), TimeoutError()])
def test_a_search_that_fails_is_made_again(error: Exception) -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        bench.tunnel_script.error = GONE
        bench.resolve_error = error
        bench.device.start()
        await bench.until(lambda: bench.resolves >= 3)
        await bench.device.stop()

    run(act())


def test_a_search_with_a_mistake_of_ours_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY)
        bench.tunnel_script.error = GONE
        bench.resolve_error = ZeroDivisionError()
        bench.device.start()
        await bench.until(lambda: bench.resolves >= 2)
        await bench.device.stop()

    run(act())
    assert "Unexpected error looking for Living Room" in caplog.text


def test_searches_are_paced_and_end_in_time() -> None:
    async def act() -> None:
        bench = scenario(AIRPLAY, timing=Timing(resolve=10, resolve_interval=3))
        bench.tunnel_script.error = GONE
        bench.device.start()
        await asyncio.sleep(30)
        assert 7 <= bench.resolves <= 11
        bench.resolve_gate = asyncio.Event()
        await asyncio.sleep(30)
        assert bench.resolves <= 16
        await bench.device.stop()

    run(act())


def test_a_device_that_is_back_without_a_word_is_found_within_5_s() -> None:
    async def act() -> None:
        bench = scenario()
        await gone(bench)
        bench.tunnel_script.error = bench.companion_script.error = GONE
        await asyncio.sleep(100)
        for delay in (0.0, 0.7, 1.9, 3.1):
            await asyncio.sleep(delay)
            bench.tunnel_script.error = bench.companion_script.error = None
            bench.events.clear()
            loop = asyncio.get_running_loop()
            since = loop.time()
            await bench.until(lambda: len(bench.told(LinkUp)) == 2)
            assert loop.time() - since <= 5
            bench.tunnel_script.error = bench.companion_script.error = GONE
            bench.tunnel.tell(MrpLost(None))
            bench.companion.tell(Lost(None))
            await asyncio.sleep(100)
        await bench.device.stop()

    run(act())


# Commands


def test_a_command_waits_for_a_link_and_gives_up_in_time() -> None:
    async def act() -> None:
        bench = scenario(timing=replace(SLOW, command=8))
        await gone(bench)
        bench.tunnel_script.error = bench.companion_script.error = GONE
        loop = asyncio.get_running_loop()
        since = loop.time()
        with pytest.raises(DisconnectedError) as caught:
            await bench.device.apps()
        assert loop.time() - since == pytest.approx(8, abs=0.01)
        assert isinstance(caught.value.__cause__, DisconnectedError)
        bench.tunnel_script.error = bench.companion_script.error = None
        await bench.device.apps()
        assert bench.companion.calls == [("apps",)]
        await bench.device.stop()

    run(act())


def test_a_command_goes_on_trying_through_failures() -> None:
    async def act() -> None:
        bench = scenario(timing=Timing(command=8))
        await gone(bench)
        bench.tunnel_script.error = bench.companion_script.error = GONE
        wish = asyncio.ensure_future(bench.device.apps())
        await asyncio.sleep(3)
        bench.companion_script.error = None
        assert await wish
        await bench.device.stop()

    run(act())


def test_a_command_is_not_sent_twice() -> None:
    async def act() -> None:
        bench = scenario()
        await bench.start()
        bench.tunnel.errors["press"] = DisconnectedError("lost in between")
        with pytest.raises(DisconnectedError, match="in between"):
            await bench.device.press(Key.UP)
        assert not bench.companion.calls
        await bench.device.stop()

    run(act())


def test_a_command_that_only_a_refused_link_can_do() -> None:
    async def act() -> None:
        bench = scenario()
        bench.companion_script.error = CredentialsRefusedError("no")
        await bench.start()
        with pytest.raises(CredentialsRefusedError):
            await bench.device.apps()
        # The other one does what it can.
        await bench.device.press(Key.UP)
        assert bench.tunnel.calls
        await bench.device.stop()

    run(act())


def test_a_link_that_gets_refused_while_somebody_waits() -> None:
    async def act() -> None:
        bench = scenario(COMPANION, timing=Timing(command=8))
        gate = bench.companion_script.gate = asyncio.Event()
        bench.companion_script.error = CredentialsRefusedError("no")
        bench.device.start()
        wish = asyncio.ensure_future(bench.device.apps())
        await bench.until(lambda: bool(bench.companions))
        gate.set()
        with pytest.raises(CredentialsRefusedError):
            await wish
        await bench.device.stop()

    run(act())


# Waiting for the device


def test_connected_returns_with_one_link_when_the_other_failed() -> None:
    async def act() -> None:
        bench = scenario()
        bench.tunnel_script.error = ProtocolError("bad")
        await bench.start()
        assert bench.device.links[AppleProtocol.COMPANION].state is LinkState.UP
        await bench.device.stop()

    run(act())


def test_connected_returns_in_time_with_one_link_while_the_other_hangs() -> None:
    async def act() -> None:
        bench = scenario()
        bench.tunnel_script.gate = asyncio.Event()
        bench.device.start()
        loop = asyncio.get_running_loop()
        since = loop.time()
        await bench.device.connected(10)
        assert loop.time() - since == pytest.approx(10, abs=0.01)
        await bench.device.stop()

    run(act())


def test_connected_tells_what_is_wrong_with_the_main_link() -> None:
    async def act() -> None:
        bench = scenario()
        bench.tunnel_script.error = ProtocolError("main")
        bench.companion_script.error = GONE
        bench.device.start()
        with pytest.raises(ProtocolError, match="main"):
            await bench.device.connected(60)
        bench.tunnel_script.gate = bench.companion_script.gate = asyncio.Event()
        with pytest.raises(ProtocolError, match="main"):
            await bench.device.connected(1)
        await bench.device.stop()

    run(act())


def test_mrp_by_itself_where_there_is_no_tunnel() -> None:
    async def act() -> None:
        credentials = {AppleProtocol.COMPANION: PAIRED[AppleProtocol.COMPANION]}
        bench = scenario(AIRPLAY, COMPANION, MRP, credentials=credentials)
        await bench.start()
        assert not bench.tunnels
        assert bench.mrps[-1].place == ("10.0.0.5", 49152)
        assert bench.mrps[-1].secret is None
        await bench.device.stop()
        bench = scenario(AIRPLAY, COMPANION, MRP)
        await bench.start()
        assert not bench.mrps
        assert bench.tunnels
        await bench.device.stop()

    run(act())


def test_nobody_is_told_in_the_clear_that_there_is_no_tunnel() -> None:
    async def act() -> None:
        bench = scenario()
        await gone(bench)
        # As anybody could announce it who listens at a port.
        forged = replace(AIRPLAY, properties={"model": "AppleTV11,1", "osvers": "12.0"})
        open_one = replace(MRP, pairing=PairingRequirement.NOT_NEEDED)
        bench.device.announce(found(forged, COMPANION, open_one))
        await asyncio.sleep(10)
        assert not bench.mrps
        assert bench.device.links[AppleProtocol.MRP].state is LinkState.UNAVAILABLE
        await bench.device.stop()

    run(act())
