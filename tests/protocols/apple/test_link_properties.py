"""Whatever happens to links, in whatever order: they come back, alone, and nothing stays."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings, strategies as st

from .stubs import Bench, Script, StubCompanion, StubMrp, found, scenario
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.enums import PowerState
from custom_components.rumpus.protocols.apple.link import LinkState
from custom_components.rumpus.protocols.companion.enums import AttentionState
from custom_components.rumpus.protocols.companion.events import AttentionChanged, Lost
from custom_components.rumpus.protocols.errors import DisconnectedError, RumpusError
from custom_components.rumpus.protocols.hap.errors import CredentialsRefusedError
from custom_components.rumpus.protocols.mrp.events import Lost as MrpLost
from tests.protocols.virtual_time import run

A, C = AppleProtocol.AIRPLAY, AppleProtocol.COMPANION

type Action = Callable[[Bench], object]


def lose_tunnel(bench: Bench) -> None:
    for stub in bench.tunnels:
        stub.tell(MrpLost(DisconnectedError("pulled")))


def lose_companion(bench: Bench) -> None:
    for stub in bench.companions:
        stub.tell(Lost(None))


def sleeps(bench: Bench) -> None:
    for stub in bench.companions[-1:]:
        stub.power = PowerState.OFF
        stub.tell(AttentionChanged(AttentionState.ASLEEP))


def scripts(bench: Bench) -> tuple[Script, Script]:
    return bench.tunnel_script, bench.companion_script


def fails(error: Exception | None) -> Action:
    def act(bench: Bench) -> None:
        for script in scripts(bench):
            script.error = error

    return act


def refuses(bench: Bench) -> None:
    bench.companion_script.error = CredentialsRefusedError("no")


def hangs(bench: Bench) -> None:
    for script in scripts(bench):
        script.gate = asyncio.Event()


def goes_on(bench: Bench) -> None:
    for script in scripts(bench):
        if script.gate is not None:
            script.gate.set()


def moves(bench: Bench) -> None:
    bench.place = found(address=f"10.0.0.{len(bench.tunnels) % 200 + 10}")
    bench.device.announce(bench.place)


def wishes(bench: Bench) -> None:
    task = asyncio.ensure_future(bench.device.apps())
    task.add_done_callback(lambda task: task.cancelled() or task.exception())


def is_found(bench: Bench) -> None:
    bench.resolved = bench.place


def is_found_asleep(bench: Bench) -> None:
    bench.resolved = found(is_asleep=True)


ACTIONS: tuple[Action, ...] = (
    lose_tunnel,
    lose_companion,
    sleeps,
    fails(None),
    fails(OSError("down")),
    fails(RumpusError("bad")),
    refuses,
    hangs,
    goes_on,
    moves,
    wishes,
    is_found,
    is_found_asleep,
    lambda bench: bench.device.announce(bench.place),
    lambda bench: bench.device.set_asleep(True),
    lambda bench: bench.device.set_asleep(False),
    lambda bench: bench.device.wake_links(),
)
PAUSES = (0.0, 0.01, 0.3, 1.0, 5.0, 31.0, 61.0)


def check(bench: Bench) -> None:
    """What always holds."""
    for link in bench.device._links:
        assert (link.state is LinkState.UP) is (link.session is not None)
        assert link.session is None or link.error is None
    links = bench.device.links.values()
    up = {link.protocol for link in links if link.state is LinkState.UP}
    assert bench.device.is_connected is bool(up)


def still_open(bench: Bench) -> list[StubMrp | StubCompanion]:
    stubs: list[StubMrp | StubCompanion] = [*bench.tunnels, *bench.companions]
    return [stub for stub in stubs if stub.is_open]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(range(len(ACTIONS))), st.sampled_from(PAUSES)),
        max_size=25,
    )
)
def test_whatever_happens_the_links_come_back(steps: list[tuple[int, float]]) -> None:
    async def act() -> None:
        bench = scenario()
        bench.device.start()
        for number, pause in steps:
            ACTIONS[number](bench)
            check(bench)
            await asyncio.sleep(pause)
            check(bench)
        # The device is there, and says so.
        goes_on(bench)
        for script in scripts(bench):
            script.gate = script.error = None
        bench.resolved = None
        bench.device.announce(found(address="10.0.0.5"))
        # A refusal is forgotten after a minute.
        await asyncio.sleep(65)
        check(bench)
        links = bench.device.links
        assert {links[A].state, links[C].state} == {LinkState.UP}
        assert len(still_open(bench)) == 2
        await asyncio.sleep(30)
        assert bench.device._router._waiters == set()
        await bench.device.stop()
        assert not still_open(bench)

    run(act())


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(range(len(ACTIONS))), st.sampled_from(PAUSES[:4])),
        max_size=15,
    )
)
def test_it_can_be_stopped_at_any_time(steps: list[tuple[int, float]]) -> None:
    async def act() -> None:
        bench = scenario()
        bench.device.start()
        for number, pause in steps:
            ACTIONS[number](bench)
            await asyncio.sleep(pause)
        await bench.device.stop()
        # Wishes hear of it in the next turn.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1
        assert not still_open(bench)
        assert not bench.device.is_connected

    run(act())
