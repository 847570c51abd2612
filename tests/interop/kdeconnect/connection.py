"""What is checked of connections that are lost and come back."""

import asyncio
import time
from typing import Final

from .checks_share import ATTEMPTS, shortfall
from .world import DOMAIN, UNAVAILABLE, World
from tests.interop.load import Load
from tests.interop.report import CheckError

# From the daemon's announcement to available entities, once both know each other.
RETURN_LIMIT: Final = 2.0
# The old end may have to be found dead by TCP keep-alive first: 30 s, then 3 times 10 s.
SILENT_LIMIT: Final = 65.0
# From the start of Home Assistant's process to available entities.
RESTART_LIMIT: Final = 10.0
# For how long an impostor is watched.
_WATCH: Final = 6.0
# For how long a new connection is watched: two that replace each other die within this time.
_SETTLE: Final = 1.5


async def killed(world: World) -> str:
    """A daemon that dies makes its entities unavailable, and its return brings them back."""
    words, others = "", 0.0
    for _ in range(ATTEMPTS):
        before = Load.now()
        begun = time.monotonic()
        await world.daemon.kill()
        await world.wait_unavailable()
        gone = time.monotonic() - begun
        # It announces itself once, right after its start.
        begun = time.monotonic()
        await world.daemon.restart()
        await world.wait_available()
        back = time.monotonic() - begun
        others = max(others, Load.now().others_since(before))
        await _watch_stable(world)
        words = f"gone after {gone:.2f} s, back {back:.2f} s after its start"
        if back <= RETURN_LIMIT:
            return words
    raise shortfall(words, others)


async def lost_silently(world: World) -> str:
    """A daemon whose end of the connection vanished without a word is taken back."""
    world.network.cut(world.daemon.name)
    try:
        await world.daemon.kill()
    finally:
        world.network.mend(world.daemon.name)
    begun = time.monotonic()
    await world.daemon.restart()
    us = await world.us()
    await us.wait_reachable(SILENT_LIMIT)
    back = time.monotonic() - begun
    mark = len(world.daemon.notifications.shown)
    await world.press("ping")
    await world.daemon.wait_notification("Ping", mark)
    return f"back {back:.2f} s after its start"


async def stays_up(world: World) -> str:
    """A new announcement of a connected daemon does not interrupt anything."""
    entity_id = await world.entity_id("button", "ping")
    changes = await world.api.subscribe_events("state_changed")
    async with changes:
        await world.daemon.announce()
        await asyncio.sleep(2)
        if world.api.states[entity_id].state == UNAVAILABLE:
            raise CheckError("the entities are unavailable afterwards")
        await (await world.us()).wait_reachable()
        mark = len(world.daemon.notifications.shown)
        await world.press("ping")
        await world.daemon.wait_notification("Ping", mark)
    return "a ping goes through afterwards"


async def home_assistant_restarts(world: World) -> str:
    """The pairing outlives Home Assistant, and the connection is back soon."""
    us = await world.us()
    entry = await world.need_entry()
    before = Load.now()
    boot = await world.server.restart()
    begun = time.monotonic() - boot
    await world.api.reconnect()
    await world.wait_available()
    total = time.monotonic() - begun
    others = Load.now().others_since(before)
    await _watch_stable(world)
    if not await us.is_paired() or not await us.is_reachable():
        raise CheckError("the daemon is not paired or not connected any more")
    if (await world.need_entry()).entry_id != entry.entry_id:
        raise CheckError("the entry is another one")
    words = f"available after {total:.1f} s, {boot:.1f} s of them the start"
    if total > RESTART_LIMIT + max(0.0, boot - RESTART_LIMIT / 2):
        raise shortfall(words, others)
    return words


async def _watch_stable(world: World) -> None:
    """Check that the connection which has just come up stays."""
    entity_id = await world.entity_id("button", "ping")
    end = time.monotonic() + _SETTLE
    while time.monotonic() < end:
        if world.api.states[entity_id].state == UNAVAILABLE:
            raise CheckError("the connection was lost again at once")
        await asyncio.sleep(0.02)


async def changed_key(world: World) -> str:
    """Another key under the same id is never accepted without a word; the old one is."""
    daemon = world.daemon
    device_id = daemon.device_id
    files = [daemon.config / name for name in ("privateKey.pem", "certificate.pem")]
    kept = [file.read_bytes() for file in files]
    await daemon.kill()
    await world.wait_unavailable()
    daemon.renew_certificate()
    try:
        await daemon.restart()
        if daemon.device_id != device_id:
            raise CheckError(f"the daemon took another id, {daemon.device_id}")
        told = await _watch_impostor(world)
    finally:
        await daemon.kill()
        for file, content in zip(files, kept, strict=True):
            file.write_bytes(content)
        await daemon.restart()
    await world.wait_available()
    for flow in await world.api.flows(DOMAIN):
        if flow.source == "reauth":
            await world.api.abort_flow(flow.flow_id)
    return f"refused, {told}; the old key works again"


async def _watch_impostor(world: World) -> str:
    """Check for a while that nothing becomes available; return what the user was told."""
    entity_id = await world.entity_id("binary_sensor", "connectivity")
    end = time.monotonic() + _WATCH
    await world.daemon.announce()
    while time.monotonic() < end:
        if world.api.states[entity_id].state == "on":
            raise CheckError("the changed key was accepted")
        await asyncio.sleep(0.05)
    told = [f"flow {flow.source}" for flow in await world.api.flows(DOMAIN)]
    told += [
        f"issue {issue.get('issue_id')}" for issue in await world.api.issues(DOMAIN)
    ]
    return f"the user sees {', '.join(told) or 'nothing'}"
