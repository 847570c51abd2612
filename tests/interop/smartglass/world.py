"""Two fake consoles and the other project's client, on a network of their own."""

from collections.abc import AsyncIterator
import contextlib
import json
from pathlib import Path
import sys
from typing import Final

from .program import Program
from tests.e2e.shapes import JsonValue
from tests.interop.kdeconnect.network import Network
from tests.interop.report import CheckError

NAMES: Final = ("Living room", "Büro")
LIVE_IDS: Final = ("FD00112233445566", "F400112233445577")
ACCOUNT: Final = "2533274812345678901"
TOKEN: Final = ".".join(f"{number:06}" for number in range(400))
_PEER: Final = "peer"
_PROGRAM: Final = Path(__file__).with_name("peer_program.py")
# Shorter than real ones, so that a check of it takes no quarter of a minute.
_IDLE: Final = 7.0


class World:
    """Everything that a check needs; `start` runs the consoles."""

    def __init__(self, network: Network, python: Path) -> None:
        """Make the hosts; `python` has the client."""
        self._network = network
        self._python = python
        network.add_host(_PEER, 1)
        accounts = network.state / "accounts.json"
        accounts.write_text(json.dumps({ACCOUNT: TOKEN}), encoding="utf-8")
        self.consoles = [
            self._console(
                number, *(("--accounts", str(accounts), "--no-anonymous") * number)
            )
            for number in range(len(NAMES))
        ]
        self.addresses = [network.address(f"console{n}") for n in range(len(NAMES))]

    @property
    def first(self) -> Program:
        """The console that everybody may use."""
        return self.consoles[0]

    @property
    def second(self) -> Program:
        """The console that wants an account."""
        return self.consoles[1]

    def _console(self, number: int, *more: str) -> Program:
        host = f"console{number}"
        self._network.add_host(host, 10 + number)
        return Program(
            NAMES[number],
            (
                *self._network.command_prefix(host),
                *(sys.executable, "-m", "tests.fakes.xbox_program"),
                *("--name", NAMES[number], "--live-id", LIVE_IDS[number]),
                *("--address", self._network.address(host)),
                *("--boot-delay", "0.5", "--idle-timeout", str(_IDLE)),
                "--verbose",
                *more,
            ),
        )

    async def start(self) -> None:
        """Run the consoles. Raises CheckError."""
        for console in self.consoles:
            await console.start()

    async def stop(self) -> None:
        """End the consoles."""
        for console in self.consoles:
            await console.stop()

    @contextlib.asynccontextmanager
    async def peer(self) -> AsyncIterator[Program]:
        """Run the client for one session."""
        for console in self.consoles:
            console.mark()
        prefix = self._network.command_prefix(_PEER)
        peer = Program("the client", (*prefix, str(self._python), str(_PROGRAM)))
        try:
            await peer.start()
            yield peer
        except CheckError as err:
            tail = " | ".join(peer.log[-4:])
            raise CheckError(f"{err} ({tail})" if tail else str(err)) from err
        finally:
            await peer.stop()

    @contextlib.asynccontextmanager
    async def connected(
        self, number: int = 0, **account: JsonValue
    ) -> AsyncIterator[Program]:
        """Run the client and connect it."""
        async with self.peer() as peer:
            await peer.do("discover")
            address = self.addresses[number]
            done = await peer.do("connect", address=address, **account)
            if done["state"] != "Connected":
                raise CheckError(f"not connected: {done}")
            yield peer
