"""The fake consoles of the demo."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Final, Literal

from .fakes import FakeProcess
from .lab import Lab
from .shapes import JsonObject, JsonValue, get_object

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 5050
LIVELY: Final = 25.0

type Way = Literal["card", "address"]
type Test = Callable[[JsonObject], bool]


@dataclass(frozen=True, slots=True)
class DemoConsole:
    """A fake console. `way` is how the check adds it, `number` the end of its address."""

    name: str
    number: int
    live_id: str
    model: str
    way: Way
    is_lively: bool = False

    def address(self, lab: Lab) -> str:
        """Return where it is."""
        if lab.place.is_private:
            return f"10.99.0.{self.number}"
        # Only Linux has all of 127.0.0.0/8 on its loopback.
        return f"127.0.0.{self.number}" if sys.platform == "linux" else LOOPBACK

    def port(self, lab: Lab) -> int:
        """Return its port: two consoles on one address cannot have the same."""
        return PORT if self.address(lab) != LOOPBACK else PORT + self.number

    async def start(self, lab: Lab, folder: Path, *, check: bool) -> FakeProcess:
        """Start it and wait until it listens."""
        slug = self.name.lower().replace(" ", "-")
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        arguments = ["--name", self.name, "--live-id", self.live_id]
        arguments += ["--address", self.address(lab), "--port", str(self.port(lab))]
        arguments += ["--boot-delay", "1"]
        if not check:
            arguments += ["--state-file", str(folder / f"{slug}.json")]
            if self.is_lively:
                arguments += ["--lively", str(LIVELY)]
        fake = await lab.start_fake(
            self.name, "tests.fakes.xbox_program", arguments, f"10.99.0.{self.number}"
        )
        await fake.wait(is_kind("ready"), "start")
        return fake


CONSOLES: Final = (
    DemoConsole(
        "Living room Xbox",
        11,
        "FD00112233445566",
        "Xbox One",
        "card",
        is_lively=True,
    ),
    DemoConsole("Den Xbox", 12, "F400AABBCCDDEEFF", "Xbox Series X|S", "address"),
)


def is_kind(kind: str, **fits: JsonValue) -> Test:
    """Return a test for events of a kind whose data has these members."""

    def test(event: JsonObject) -> bool:
        if event.get("kind") != kind:
            return False
        data = get_object(event, "data")
        return all(data.get(name) == value for name, value in fits.items())

    return test
