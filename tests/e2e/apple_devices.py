"""The fake Apple TV and HomePod of the demo."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Final, Literal

from .fakes import FakeProcess
from .lab import Lab
from .shapes import JsonObject, JsonValue, get_object, get_str

MDNS_PORT: Final = 5353
"""Where devices are asked what they are; Apple's have no other."""
LIVELY: Final = 25.0

type Test = Callable[[JsonObject], bool]


@dataclass(frozen=True, slots=True)
class DemoApple:
    """A fake device; `number` is the end of its address, `pin` what it shows.

    `spare` is the end of the address that it moves to.
    """

    name: str
    number: int
    kind: Literal["apple_tv", "homepod"]
    model: str
    pin: str = "4815"
    spare: int = 0

    def address(self, lab: Lab) -> str:
        """Return where it is."""
        return _address(lab, self.number)

    async def make_room(self, lab: Lab) -> str:
        """Return the address that it can move to."""
        address = _address(lab, self.spare)
        if (network := lab.place.network) is not None:
            here = self.address(lab)
            host = next(host for host in network.hosts if host.address == here)
            await asyncio.to_thread(host.add_address, address)
        return address

    async def start(self, lab: Lab, folder: Path, *, check: bool) -> FakeProcess:
        """Start it and wait until it listens."""
        slug = self.name.lower().replace(" ", "-")
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        arguments = ["--name", self.name, "--kind", self.kind, "--seed", self.name]
        arguments += ["--address", self.address(lab), "--mdns-port", str(MDNS_PORT)]
        arguments += ["--pin", self.pin]
        if lab.place.is_private:
            arguments.append("--announce")
        if check:
            arguments.append("--verbose")
        else:
            arguments += ["--state-file", str(folder / f"{slug}.json")]
            arguments += ["--lively", str(LIVELY)]
        fake = await lab.start_fake(
            self.name, "tests.fakes.apple_tv_program", arguments, self.address(lab)
        )
        await fake.wait(is_kind("ready"), "start")
        return fake


def _address(lab: Lab, number: int) -> str:
    network = "10.99.0" if lab.place.is_private else "127.0.0"
    return f"{network}.{number}"


LOUNGE: Final = DemoApple(
    "Lounge Apple TV", 21, "apple_tv", "Apple TV 4K (gen 3)", spare=23
)
KITCHEN: Final = DemoApple("Kitchen HomePod", 22, "homepod", "HomePod mini")
APPLES: Final = (LOUNGE, KITCHEN)


def can_start(lab: Lab) -> bool:
    """Tell whether there is an address for each of them.

    Only Linux has all of 127.0.0.0/8 on its loopback; at 127.0.0.1 the system itself
    answers where devices are asked what they are.
    """
    return lab.place.is_private or sys.platform == "linux"


async def introduce(lab: Lab) -> None:
    """Let the Apple TV know the HomePod as a speaker, as those of one home do."""
    pod = await lab.fakes[KITCHEN.name].wait(is_kind("ready"), "start")
    output = get_str(get_object(pod, "data"), "output_device")
    await lab.fakes[LOUNGE.name].say(f"speaker {output} {KITCHEN.name}")


def is_kind(kind: str, **fits: JsonValue) -> Test:
    """Return a test for events of a kind whose data has these members."""

    def test(event: JsonObject) -> bool:
        if event.get("kind") != kind:
            return False
        data = get_object(event, "data")
        return all(data.get(name) == value for name, value in fits.items())

    return test
