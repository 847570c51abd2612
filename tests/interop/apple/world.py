"""The fake devices, and the two clients that are compared on them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
import contextlib
from dataclasses import replace
from typing import Final

from .client import Client, Plain
from .ours import OurClient
from .peer import PeerClient
from tests.fakes.apple_tv import FakeAppleTv, FakeEvent
from tests.fakes.apple_tv_core import FLAVOURS
from tests.interop.report import CheckError

_PATIENCE: Final = 10.0
_LOOK_AGAIN: Final = 0.02
# What clients do to a device; everything else is how they do it.
_DEEDS: Final = {
    "command": ("name", "options"),
    "button": ("name",),
    "media": ("name", "seconds"),
    "set_volume": ("volume", "output_device"),
    "modify_outputs": ("add", "remove", "set"),
    "launch": ("target",),
    "account": ("account",),
    "text": ("length",),
    "power": ("state", "by"),
    "captions": ("on",),
}
_HELD: Final = 0.5

type Deed = tuple[object, ...]


class World:
    """Devices of several kinds and systems, each at its own address."""

    def __init__(self) -> None:
        """Nothing runs."""
        old = replace(FLAVOURS["tvos_14"], has_mrp_port=False, shows_mrp=False)
        self.tv = FakeAppleTv("Living Room", os="tvos_18", address="127.0.0.71")
        self.new = FakeAppleTv("Office", os="tvos_27", address="127.0.0.72")
        self.old = FakeAppleTv("Bedroom", os="tvos_14", address="127.0.0.73")
        self.pod = FakeAppleTv("Kitchen", "homepod", "tvos_18", address="127.0.0.74")
        self.first = FakeAppleTv(
            "Attic",
            os="tvos_14",
            flavour=old,
            address="127.0.0.75",
            airplay_pairing="legacy",
        )
        self.devices = (self.tv, self.new, self.old, self.pod, self.first)
        # By client and device: credentials by protocol.
        self.credentials: dict[tuple[str, str], dict[str, str]] = {}
        self.peer: PeerClient
        self.ours: OurClient

    @property
    def clients(self) -> tuple[Client, Client]:
        """Both clients."""
        return self.peer, self.ours

    async def start(self) -> None:
        """Run devices and clients."""
        port = 0
        for device in self.devices:
            device.ports["mdns"] = port
            await device.start()
            port = device.mdns_port
        self.peer, self.ours = PeerClient(port), OurClient(port)
        await self.peer.start()
        await self.ours.start()

    async def stop(self) -> None:
        """End them."""
        for client in self.clients:
            await client.stop()
        for device in self.devices:
            await device.stop()

    # Pairing and connecting

    async def pair(self, client: Client, device: FakeAppleTv, protocol: str) -> str:
        """Pair with the right PIN and remember the credentials."""
        text = await client.pair(device, protocol, device.pin)
        self.known(client, device)[protocol] = text
        return text

    def known(self, client: Client, device: FakeAppleTv) -> dict[str, str]:
        """Return what a client has been paired with."""
        return self.credentials.setdefault((client.name, device.name), {})

    async def paired(
        self, client: Client, device: FakeAppleTv, *protocols: str
    ) -> Mapping[str, str]:
        """Return credentials, and pair for what is missing."""
        known = self.known(client, device)
        for protocol in protocols:
            if protocol not in known:
                await self.pair(client, device, protocol)
        return {protocol: known[protocol] for protocol in protocols}

    @contextlib.asynccontextmanager
    async def connected(
        self, client: Client, device: FakeAppleTv, *protocols: str
    ) -> AsyncIterator[Client]:
        """Connect one client for a while."""
        credentials: Mapping[str, str] = {}
        if device.kind == "apple_tv":
            credentials = await self.paired(client, device, *protocols)
        try:
            await client.connect(device, credentials, *protocols)
            yield client
        finally:
            await client.close()

    @contextlib.asynccontextmanager
    async def both(self, device: FakeAppleTv, *protocols: str) -> AsyncIterator[None]:
        """Connect both clients at the same time."""
        async with (
            self.connected(self.peer, device, *protocols),
            self.connected(self.ours, device, *protocols),
        ):
            yield

    # Comparing

    async def agree(self, what: str, wanted: Mapping[str, Plain]) -> None:
        """Wait until both clients say the same of what plays, and this of it.

        Positions are taken at slightly different times.
        """
        theirs: dict[str, Plain] = {}
        ours: dict[str, Plain] = {}
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    theirs = dict(await self.peer.playing())
                    ours = dict(await self.ours.playing())
                    if _is_same(theirs, ours) and wanted.items() <= ours.items():
                        return
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError as error:
            raise CheckError(f"{what}: {_difference(theirs, ours, wanted)}") from error

    async def deeds(
        self,
        client: Client,
        device: FakeAppleTv,
        act: Callable[[Client], Awaitable[None]],
    ) -> list[Deed]:
        """Return what a client does to a device."""
        before = len(device.events.all)
        await act(client)
        return [
            deed
            for event in device.events.all[before:]
            if (deed := _deed(event)) is not None
        ]


async def until(look: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until something is so. Raises CheckError."""
    end = asyncio.get_running_loop().time() + _PATIENCE
    while not await look():
        if asyncio.get_running_loop().time() > end:
            raise CheckError(f"not seen: {what}")
        await asyncio.sleep(_LOOK_AGAIN)


def _deed(event: FakeEvent) -> Deed | None:
    names = _DEEDS.get(event.kind)
    if names is None:
        return None
    deed: Deed = (event.kind, *(_shape(event.data.get(name)) for name in names))
    length = event.data.get("length")
    if event.kind == "button" and isinstance(length, float):
        return (*deed, "held" if length >= _HELD else "pressed")
    return deed


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return tuple(sorted((name, _shape(item)) for name, item in value.items()))
    return round(value, 3) if isinstance(value, float) else value


def _is_same(theirs: dict[str, Plain], ours: dict[str, Plain]) -> bool:
    one, other = theirs.get("position"), ours.get("position")
    if isinstance(one, int) and isinstance(other, int) and abs(one - other) <= 1:
        theirs = {**theirs, "position": other}
    return theirs == ours


def _difference(
    theirs: dict[str, Plain], ours: dict[str, Plain], wanted: Mapping[str, Plain]
) -> str:
    told = [
        f"{name} {theirs.get(name)!r} there, {ours.get(name)!r} here"
        for name in sorted(theirs.keys() | ours.keys())
        if theirs.get(name) != ours.get(name)
    ]
    told += [
        f"{name} {ours.get(name)!r} and not {value!r}"
        for name, value in wanted.items()
        if ours.get(name) != value
    ]
    return "; ".join(told)
