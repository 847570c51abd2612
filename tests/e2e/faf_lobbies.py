"""The fake lobbies of the demo."""

from collections.abc import Callable
from dataclasses import dataclass
import sys
from typing import Final

from .fakes import FakeProcess
from .lab import Lab
from .shapes import JsonObject, JsonValue, get_object

LOOPBACK: Final = "127.0.0.1"
JSON_PORT: Final = 8002
QDATASTREAM_PORT: Final = 8001
WEBSOCKET_PORT: Final = 8003
LIVELY: Final = 8.0
WATCHER: Final = "Couch_Watcher"
PASSWORD: Final = "sofa cushion 42"  # a lobby that nothing leaves
RHIZA: Final = "Rhiza"
BRACKMAN: Final = "Brackman"
FRIEND: Final = "Nomad_Nell"

AVATARS: Final = ("Early bird", "Couch potato")

type Test = Callable[[JsonObject], bool]


@dataclass(frozen=True, slots=True)
class DemoLobby:
    """A fake lobby; `number` is the end of its address."""

    name: str
    number: int
    is_lively: bool = False

    def address(self, lab: Lab) -> str:
        """Return where it is."""
        if lab.place.is_private:
            return f"10.99.0.{self.number}"
        # Only Linux has all of 127.0.0.0/8 on its loopback.
        return f"127.0.0.{self.number}" if sys.platform == "linux" else LOOPBACK

    def port(self, lab: Lab, usual: int = WEBSOCKET_PORT) -> int:
        """Return a port of it: two lobbies on one address cannot have the same."""
        return usual if self.address(lab) != LOOPBACK else usual + 10 * self.number

    def where(self, lab: Lab) -> str:
        """Return what to enter, for a user of the demo."""
        return f"{self.address(lab)}, port {self.port(lab)}"

    async def start(self, lab: Lab, *, check: bool) -> FakeProcess:
        """Start it and wait until it listens."""
        arguments = ["--name", self.name, "--address", self.address(lab)]
        arguments += ["--json-port", str(self.port(lab, JSON_PORT))]
        arguments += ["--qds-port", str(self.port(lab, QDATASTREAM_PORT))]
        arguments += ["--websocket-port", str(self.port(lab))]
        arguments += ["--account", f"{WATCHER}:{PASSWORD}"]
        arguments += ["--friends", f"{WATCHER}:{FRIEND}"]
        for tooltip in AVATARS:
            url = f"https://faf.example/{tooltip.replace(' ', '_')}.png"
            arguments += ["--avatar", f"{WATCHER}:{url}:{tooltip}"]
        if check:
            arguments.append("--verbose")
        elif self.is_lively:
            arguments += ["--lively", str(LIVELY)]
        fake = await lab.start_fake(
            self.name, "tests.fakes.faf_program", arguments, f"10.99.0.{self.number}"
        )
        await fake.wait(is_kind("ready"), "start")
        return fake


CLUB: Final = DemoLobby("Club lobby", 31, is_lively=True)
SPARE: Final = DemoLobby("Spare lobby", 32)
LOBBIES: Final = (CLUB, SPARE)


def is_kind(kind: str, **fits: JsonValue) -> Test:
    """Return a test for events of a kind whose data has these members."""

    def test(event: JsonObject) -> bool:
        if event.get("kind") != kind:
            return False
        data = get_object(event, "data")
        return all(data.get(name) == value for name, value in fits.items())

    return test
