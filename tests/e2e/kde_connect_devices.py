"""The fake KDE Connect devices of the demo: two phones and two computers."""

from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Final, Literal

from .fakes import FakeProcess
from .lab import Lab
from .network import OUR_ADDRESS
from .shapes import get_int, get_str

BROADCAST: Final = "255.255.255.255"
LOOPBACK: Final = "127.0.0.1"
ANNOUNCE_EVERY: Final = 5.0
ACCEPT_AFTER: Final = 5.0

type Way = Literal["card", "scan", "address", "asks us"]


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """A fake device. `way` is how the check adds it, `number` the end of its address."""

    name: str
    number: int
    kind: Literal["phone", "computer"]
    protocol: Literal[7, 8]
    found: Literal["mDNS", "broadcast", "address"]
    way: Way
    battery: int | None = None
    is_lively: bool = False

    def address(self, lab: Lab) -> str:
        """Return where it is."""
        if lab.place.is_private:
            return f"10.99.0.{self.number}"
        # Only Linux has all of 127.0.0.0/8 on its loopback.
        return f"127.0.0.{self.number}" if sys.platform == "linux" else LOOPBACK

    async def start(self, lab: Lab, folder: Path, *, check: bool) -> FakeProcess:
        """Start it and wait until it listens."""
        slug = self.name.lower().replace(" ", "-")
        arguments = ["--kind", self.kind, "--protocol", str(self.protocol)]
        arguments += ["--name", self.name, "--state-file", str(folder / f"{slug}.json")]
        arguments += ["--files", str(folder / f"{slug}-files"), *self._place(lab)]
        if self.battery is not None:
            arguments += ["--battery", str(self.battery)]
        if not check:
            arguments += ["--accept-after", str(ACCEPT_AFTER)]
            if self.is_lively:
                arguments += ["--lively"]
        fake = await lab.start_fake(
            self.name,
            "tests.e2e.kdeconnect_device",
            arguments,
            f"10.99.0.{self.number}",
        )
        await fake.wait(lambda event: event["event"] == "ready", "start")
        return fake

    def _place(self, lab: Lab) -> list[str]:
        """Return the options about addresses and how it is found."""
        address = self.address(lab)
        if lab.place.is_private:
            arguments = ["--only", OUR_ADDRESS]
            if self.found == "mDNS":
                arguments += ["--mdns", address]
            elif self.found == "broadcast":
                arguments += ["--announce", BROADCAST, "--every", str(ANNOUNCE_EVERY)]
            else:
                # A socket with an address of its own hears no broadcasts.
                arguments += ["--bind", address]
            return arguments
        arguments = ["--bind", address]
        if address == LOOPBACK:
            arguments += ["--udp-port", "0"]
        if self.found != "address":
            arguments += ["--announce", LOOPBACK, "--every", str(ANNOUNCE_EVERY)]
        return arguments


DEVICES: Final = (
    DemoDevice("Demo phone", 2, "phone", 8, "mDNS", "card", battery=77, is_lively=True),
    DemoDevice("Den computer", 3, "computer", 7, "broadcast", "scan"),
    DemoDevice("Quiet phone", 4, "phone", 8, "address", "address", battery=12),
    DemoDevice("Forward laptop", 5, "computer", 8, "broadcast", "asks us", battery=55),
)


def device_id(fake: FakeProcess) -> str:
    """Return the id that a fake told when it started."""
    return get_str(fake.events[0], "id")


def tcp_port(fake: FakeProcess) -> int:
    """Return the port that a fake told when it started."""
    return get_int(fake.events[0], "tcp_port")
