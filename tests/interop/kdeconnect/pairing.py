"""What is checked until the daemon and Home Assistant are paired."""

import asyncio
from typing import Final

from .device import Device
from .waiting import until
from .world import DOMAIN, World
from tests.e2e.models import FlowResult
from tests.interop.report import CheckError

_PATIENCE: Final = 45.0
_SEARCHES: Final = 5
# Long enough for a new link, and for the daemon to deal with the end of the old one.
_RENEWAL: Final = 0.7


async def discovered(world: World) -> str:
    """A daemon that starts announces itself, and Home Assistant shows it as discovered."""
    await world.start_fresh()
    card = await world.card()
    if card.title_placeholders.get("name") != world.daemon.name:
        raise CheckError(f"the card shows {card.title_placeholders}")
    await (await world.us()).wait_reachable()
    return f"source {card.source}"


async def discovered_by_mdns(world: World) -> str:
    """A daemon that does not broadcast is found by its mDNS service."""
    await world.start_fresh(udp=False)
    card = await world.card()
    await (await world.us()).wait_reachable()
    return f"source {card.source}"


async def searched(world: World) -> str:
    """The user adds a device: the search lists the daemon, and pairing from it works."""
    us = await _linked(world)
    result = await _user_step(world, "kde_connect_scan")
    result = await world.api.wait_step(result, _PATIENCE)
    await world.expect(result, "form", "kde_connect_pick")
    choices = result.field_options("device")
    if world.device_id not in choices:
        raise CheckError(f"the daemon is not among {choices}")
    label = choices[world.device_id]
    result = await world.api.configure_flow(result.flow_id, {"device": world.device_id})
    result = await world.pairing_step(result)
    await us.wait_asked()
    await world.compare_keys(result)
    await us.accept()
    await world.finish_pairing(result)
    return label


async def searched_often(world: World) -> str:
    """Searches of ours renew the link; the daemon's user must not lose sight of us by that."""
    us = await _linked(world)
    for _ in range(_SEARCHES):
        # The search announces us at once; its end is not needed.
        result = await _user_step(world, "kde_connect_scan")
        await asyncio.sleep(_RENEWAL)
        await world.api.abort_flow(result.flow_id)
        if not await us.is_reachable():
            raise CheckError("the daemon shows us no more")
    return f"{_SEARCHES} searches"


async def rejected_there(world: World) -> str:
    """The daemon's user refuses: the flow says so and offers another try, which works."""
    us = await _linked(world)
    result = await world.start_pairing((await world.card()).flow_id)
    await us.wait_asked()
    await us.reject()
    result = await world.api.wait_step(result, _PATIENCE)
    await world.expect(result, "form")
    said = " ".join(result.errors.values())
    if "reject" not in said:
        raise CheckError(f"the flow says {said!r}")
    if await us.is_paired():
        raise CheckError("the daemon calls it paired")
    result = await world.start_pairing(result.flow_id)
    await us.wait_asked()
    await us.accept()
    await world.finish_pairing(result)
    return f"the flow says {said!r}, the second try is accepted"


async def taken_back(world: World) -> str:
    """The user closes the dialog while the daemon is asked: the request ends there."""
    us = await _linked(world)
    result = await world.start_pairing((await world.card()).flow_id)
    await us.wait_asked()
    await world.api.abort_flow(result.flow_id)

    async def is_over() -> bool:
        return not await us.has_asked()

    await until(is_over, "the daemon's request ends")
    if await us.is_paired():
        raise CheckError("the daemon calls it paired")
    return "the daemon's prompt is closed"


async def added_by_address(world: World) -> str:
    """The user types the daemon's address."""
    us = await _linked(world)
    result = await _user_step(world, "kde_connect_address")
    await world.expect(result, "form", "kde_connect_address")
    fields = {"host": world.daemon.address}
    data = fields | ({"port": 1716} if "port" in result.fields else {})
    result = await world.api.configure_flow(result.flow_id, dict(data))
    result = await world.pairing_step(result)
    await us.wait_asked()
    key = await world.compare_keys(result)
    await us.accept()
    await world.finish_pairing(result)
    return key


async def started_there(world: World) -> str:
    """The daemon's user asks: the card shows the same key, and accepting it pairs."""
    us = await _linked(world)
    await us.request_pairing()

    async def asks() -> FlowResult | None:
        result = await world.api.get_flow((await world.card()).flow_id)
        return result if result.step_id == "kde_connect_accept" else None

    result = await until(asks, "the card shows the request")
    await world.expect(result, "form")
    key = await world.compare_keys(result)
    result = await world.api.configure_flow(result.flow_id, {})
    await world.finish_pairing(result)
    return key


async def started_here(world: World) -> str:
    """The user of Home Assistant asks from the card, the daemon's user accepts."""
    await _linked(world, desktop=True)
    _, key = await world.pair()
    await world.wait_available()
    return key


async def _linked(world: World, *, desktop: bool = False) -> Device:
    """Start the daemon as a new device; return its view of us, with a link and a card."""
    await world.start_fresh(desktop=desktop)
    await world.card()
    us = await world.us()
    await us.wait_reachable()
    return us


async def _user_step(world: World, choice: str) -> FlowResult:
    """Start a flow as a user and choose how to look for devices."""
    result = await world.api.start_flow(DOMAIN)
    # With several families the first menu is about them.
    for option in ("kde_connect_user", choice):
        if result.type == "menu" and option in result.options:
            await world.expect(result, "menu")
            result = await world.api.choose(result.flow_id, option)
    if result.type == "menu":
        raise CheckError(f"no {choice} among {result.options}")
    return result
