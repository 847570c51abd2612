"""Checks of finding devices, pairing with them, and of the credentials."""

import re
from typing import Final

from .client import Client, Credentials, same
from .world import World
from custom_components.rumpus.protocols.errors import AuthenticationError
from tests.fakes.apple_tv import FakeAppleTv
from tests.interop.report import CheckError

_TUNNEL: Final = ("airplay",)
_KIND: Final = re.compile(r"'type': '(\w+)'")


async def found(world: World) -> str:
    """Both clients find the same devices with the same services."""
    theirs = await world.peer.find(*world.devices)
    ours = await world.ours.find(*world.devices)
    same([d.name for d in ours], sorted(d.name for d in world.devices), "names")
    for their, our in zip(theirs, ours, strict=True):
        same(our.identifiers, their.identifiers, f"{our.name}: identifiers")
        for name in ("model", "version", "is_asleep"):
            same(getattr(our, name), getattr(their, name), f"{our.name}: {name}")
        for protocol in our.services.keys() & their.services.keys():
            same(
                our.services[protocol],
                their.services[protocol],
                f"{our.name}: {protocol}",
            )
    return f"{len(ours)} devices"


async def paired(world: World, client: Client, device: FakeAppleTv, what: str) -> str:
    """A client pairs, with the right PIN alone."""
    try:
        await client.pair(device, what, "0000")
    except CheckError:
        pass
    else:
        raise CheckError("paired with a wrong PIN")
    same(device.shown_pin, None, "a PIN left on the screen")
    text = await world.pair(client, device, what)
    return f"credentials of {text.count(':') + 1} parts"


async def exchanged(world: World, device: FakeAppleTv, *protocols: str) -> None:
    """What one client has paired, the other one connects with."""
    device.mrp.media.clear()
    for paired_by, used_by in (world.clients, world.clients[::-1]):
        credentials = await world.paired(paired_by, device, *protocols)
        try:
            await used_by.connect(device, credentials, *protocols)
            if "companion" in protocols:
                same(len(await used_by.names("apps")), len(device.apps), used_by.name)
            else:
                told = await used_by.playing()
                same(told["device_state"], "idle", used_by.name)
        finally:
            await used_by.close()


async def refused(world: World) -> str:
    """A password, another home, a lost pairing: both are refused, and say so."""
    pod, told = world.pod, []
    for change in ({"password": "secret"}, {"acl": 1}):
        for name, value in change.items():
            setattr(pod, name, value)
        try:
            told += [await _refusal(one, pod, {}, *_TUNNEL) for one in world.clients]
        finally:
            pod.password, pod.acl = None, 0
    # pyatv does not read that answer, and waits for another one until it gives up.
    credentials = dict(await world.paired(world.ours, world.tv, *_TUNNEL))
    known = world.tv.desk.pairings["airplay"].copy()
    world.tv.desk.unpair("airplay")
    try:
        told.append(await _refusal(world.ours, world.tv, credentials, *_TUNNEL))
    finally:
        world.tv.desk.pairings["airplay"].update(known)
    return "; ".join(dict.fromkeys(told))


async def _refusal(
    client: Client, device: FakeAppleTv, credentials: Credentials, *protocols: str
) -> str:
    """Return what a client says that cannot connect."""
    try:
        await client.connect(device, credentials, *protocols)
    except CheckError as error:
        kind = _KIND.search(str(error))
        return kind.group(1) if kind else str(error)
    except AuthenticationError as error:
        return type(error).__name__
    finally:
        await client.close()
    raise CheckError(f"{client.name} is connected")


async def nameless(world: World) -> str:
    """Only a client that says its name gets a PIN of tvOS 27; we do."""
    device = world.new
    device.mark()
    try:
        await world.peer.pair(device, "airplay", device.pin)
    except CheckError:
        await device.wait_for("pin_not_shown")
    else:
        raise CheckError(f"{world.peer.name} says its name now")
    await world.pair(world.ours, device, "airplay")
    await device.wait_for("pin_shown")
    async with world.connected(world.ours, device, *_TUNNEL):
        pass
    return "ours alone"


async def legacy(world: World) -> str:
    """An Apple TV of the first AirPlay is paired and verified, both ways round."""
    device = world.first
    await world.pair(world.ours, device, "airplay")
    try:
        await world.pair(world.peer, device, "airplay")
    except CheckError:
        # Of 4,000 exchanges it gets 30 wrong: a key that begins with zero loses that
        # byte, and a counter that is full stays so.
        await world.pair(world.peer, device, "airplay")
    text = world.known(world.ours, device)["airplay"]
    # The device's own key is in ours, too, and unknown there.
    _, _, rest = text.partition(":")
    text = f":{rest}"
    device.mark()
    await world.peer.connect(device, {"airplay": text}, "airplay")
    try:
        # All that it is good for there; the fake plays nothing.
        await world.peer.do("play_url", "http://127.0.0.1/nothing.mp4")
    except CheckError:
        await device.wait_for("verified")
    finally:
        await world.peer.close()
    device.mark()
    await world.ours.verify(device, world.known(world.peer, device)["airplay"])
    await device.wait_for("verified")
    return "verified with each other's credentials"
